//! Measures the built driver: `cargo bench --bench fanout [-- NAME...]`.
//!
//! The driver is loaded through its C interface, as a daemon does it. Clients live in a process
//! of their own, and each section runs in a fresh one, so that memory and processor time of the
//! server are its own. Server and clients share the machine, as do the driver and the raw
//! program that it is compared with. Numbers are medians of five runs.

mod clients;
#[path = "../common/mod.rs"]
mod common;
mod down;
mod drain;
mod history;
mod idle;
mod latency;
mod life;
mod pump;
mod raw;
mod tls;
mod up;

use std::{
    env,
    error::Error,
    process::{Command, ExitCode},
};

use self::common::{process, server, socket, stats, stream};

const SECTIONS: [&str; 7] = ["down", "history", "latency", "up", "tls", "idle", "life"];

/// Runs of which the median is shown.
const RUNS: usize = 5;

fn main() -> ExitCode {
    let args = common::arguments();
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["client", role, count, address] => clients::run(role, count, address),
        ["section", name] => section(name),
        ref names => all(names),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fanout: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The sections of these names, all where there is none, each in a process of its own.
fn all(names: &[&str]) -> Result<(), Box<dyn Error>> {
    if let Some(name) = names.iter().find(|name| !SECTIONS.contains(name)) {
        return Err(format!("no section {name:?}, there are {}", SECTIONS.join(", ")).into());
    }
    for name in SECTIONS {
        if names.is_empty() || names.contains(&name) {
            let mut command = Command::new(env::current_exe()?);
            let status = command.args(["section", name]).status()?;
            if !status.success() {
                return Err(format!("section {name} failed").into());
            }
        }
    }
    Ok(())
}

fn section(name: &str) -> Result<(), Box<dyn Error>> {
    common::raise_descriptor_limit()?;
    match name {
        "down" => down::measure(),
        "history" => history::measure(),
        "latency" => latency::measure(),
        "up" => up::measure(),
        "tls" => tls::measure(),
        "idle" => idle::measure(),
        "life" => life::measure(),
        _ => Err("no such section".into()),
    }
}

//! Measures what bad neighbours cost the good ones: `cargo bench --bench fair [-- SECONDS] [NAME...]`.
//!
//! In each situation a client sends a switch about every 20 ms; another client and the host measure
//! how long it takes to them. The driver is loaded through its C interface, as a daemon does it, in
//! a fresh process for each situation; the good clients have a process of their own, and so has each
//! kind of others. All of them share the machine.
//!
//! Column `held`: the longest time in ms that one VSCPWrite blocked; `in 1 s`: the longest time
//! that all calls within a second blocked. Time in which the thread could run but had no processor
//! does not count. An exclamation mark shows that a number misses its target.

#[path = "../common/mod.rs"]
mod common;
mod good;
mod host;
mod peers;
mod rest;
mod row;
mod situations;

use std::{
    env,
    error::Error,
    process::{Command, ExitCode},
};

use self::{
    common::{process, server, socket, stats, stream},
    situations::SITUATIONS,
};

/// Seconds of a situation, if none are given.
const SECONDS: u64 = 5;

fn main() -> ExitCode {
    let arguments = common::arguments();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["good", address, rest] => good::run(address, rest == "rest"),
        ["peers", index, group, address] => peers(index, group, address),
        ["row", index, seconds] => row(index, seconds),
        ref words => all(words),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fair: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures the situations whose names have one of these words in them, all if there is none.
fn all(words: &[&str]) -> Result<(), Box<dyn Error>> {
    let numbers = words.iter().find_map(|word| word.parse().ok());
    let seconds: u64 = numbers.unwrap_or(SECONDS);
    let names = words.iter().filter(|word| word.parse::<u64>().is_err());
    let names: Vec<_> = names.collect();
    row::show_head(seconds);
    for (index, situation) in SITUATIONS.iter().enumerate() {
        if names.is_empty() || names.iter().any(|name| situation.name.contains(**name)) {
            let mut command = Command::new(env::current_exe()?);
            let arguments = ["row", &index.to_string(), &seconds.to_string()];
            if !command.args(arguments).status()?.success() {
                return Err(format!("the situation {:?} failed", situation.name).into());
            }
        }
    }
    Ok(())
}

fn peers(index: &str, group: &str, address: &str) -> Result<(), Box<dyn Error>> {
    let (index, group): (usize, usize) = (index.parse()?, group.parse()?);
    let peers = SITUATIONS.get(index).and_then(|one| one.peers.get(group));
    peers::run(peers.ok_or("no such peers")?, address)
}

fn row(index: &str, seconds: &str) -> Result<(), Box<dyn Error>> {
    common::raise_descriptor_limit()?;
    row::measure(index.parse()?, seconds.parse()?)
}

//! Measures many clients: `cargo bench --bench scale [-- COUNT...]`.
//!
//! The driver has a process of its own, loaded through its C interface as a daemon does it; so has
//! the raw loop that it is compared with, and so have the clients of each, on one thread. Both have
//! as many clients at the same time and take turns. All of them share the machine.

mod clients;
#[path = "../common/mod.rs"]
mod common;
mod servers;

use std::{error::Error, process::ExitCode, thread, time::Duration};

use self::{
    common::{process, server, socket, stats},
    process::Process,
    servers::Server,
    stats::{grouped, median},
};

const COUNTS: [usize; 4] = [100, 1000, 5000, 10_000];

/// Turns of which the medians are shown.
const TURNS: usize = 5;

/// Events of a turn: so many, so far apart.
const EVENTS: u64 = 60;
const INTERVAL: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    let arguments = common::arguments();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["driver"] => servers::run_driver(),
        ["raw", count] => servers::run_raw(count),
        ["clients", kind, count, address] => clients::run(kind, count, address),
        ref counts => all(counts),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scale: {error}");
            ExitCode::FAILURE
        }
    }
}

fn all(counts: &[&str]) -> Result<(), Box<dyn Error>> {
    common::raise_descriptor_limit()?;
    let counts: Vec<usize> = match counts {
        [] => COUNTS.into(),
        counts => counts
            .iter()
            .map(|count| count.parse())
            .collect::<Result<_, _>>()?,
    };
    println!(
        "Many clients, 20 events/s; a server's memory in KiB and processor time in µs for each \
         client and\nfor each frame; times in ms from VSCPWrite until all clients have an event, and \
         until each has it"
    );
    for count in counts {
        measure(count)?;
    }
    Ok(())
}

fn measure(count: usize) -> Result<(), Box<dyn Error>> {
    let mut driver = Server::start_driver()?;
    let empty = driver.memory()?;
    let mut clients = Process::spawn(&["clients", "ws1", &count.to_string(), &driver.address])?;
    let [login] = clients.wait()?[..] else {
        return Err("no answer".into());
    };
    // What logins needed is on its way back.
    thread::sleep(Duration::from_secs(1));
    let idle = driver.memory()?;
    let mut raw = Server::start_raw(count)?;
    let mut raw_clients = Process::start(&["clients", "raw", &count.to_string(), &raw.address])?;
    // The first event has everything made that is made once.
    let mut turns = [const { Vec::new() }; 2];
    for turn in 0..=TURNS {
        let driver_turn = Turn::measure(&mut driver, &mut clients, count)?;
        let raw_turn = Turn::measure(&mut raw, &mut raw_clients, count)?;
        if turn > 0 {
            turns[0].push(driver_turn);
            turns[1].push(raw_turn);
        }
    }
    let busy = driver.memory()?;
    let rate = |time: u64| grouped(count as f64 / time as f64 * 1e9);
    let per_client = |after: u64| (after as f64 - empty as f64) / count as f64;
    println!(
        "{} clients: {:.1} KiB each idle, {:.1} with events; connected and logged in {}/s",
        grouped(count as f64),
        per_client(idle),
        per_client(busy),
        rate(login),
    );
    println!(
        "  {:<7} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "all p50", "all p99", "each p50", "each p99", "µs/frame"
    );
    let [driver, raw] = turns.map(|turns| Turn::medians(&turns));
    let show = |name: &str, turn: &[f64; 5]| {
        let numbers = turn.iter().map(|number| format!(" {number:>9.2}"));
        println!("  {name:<7}{}", numbers.collect::<String>());
    };
    show("driver", &driver);
    show("raw", &raw);
    show(
        "ratio",
        &std::array::from_fn(|index| driver[index] / raw[index]),
    );
    Ok(())
}

/// The numbers of one turn: the columns of the table.
struct Turn([f64; 5]);

impl Turn {
    fn measure(
        server: &mut Server,
        clients: &mut Process,
        count: usize,
    ) -> Result<Self, Box<dyn Error>> {
        clients.tell(&[EVENTS])?;
        let before = server.processor_time()?;
        let sent = server.send(EVENTS, INTERVAL)?;
        clients.wait()?;
        let cost = server.processor_time()? - before;
        let times = clients.ask(&sent)?;
        let [all_p50, all_p99, each_p50, each_p99] = times[..] else {
            return Err("some events did not come".into());
        };
        let [a, b, c, d] = [all_p50, all_p99, each_p50, each_p99].map(|time| time as f64 / 1e6);
        let frames = EVENTS as f64 * count as f64;
        Ok(Self([a, b, c, d, cost as f64 / frames / 1e3]))
    }

    fn medians(turns: &[Self]) -> [f64; 5] {
        std::array::from_fn(|index| median(turns.iter().map(|turn| turn.0[index]).collect()))
    }
}

//! What TLS costs: the same fan-out with and without it, handshakes, memory.

use std::{
    error::Error,
    io::{Read, Write},
};

use tempfile::TempDir;
use vscp_driver_host::{Library, find};

use crate::{
    RUNS,
    clients::{Clients, Role},
    down, idle,
    process::Answer,
    server,
    stats::{grouped, median, now, processor_time},
    stream::{connect_tls, tls_config},
};

/// Connections of one run.
const CONNECTIONS: u64 = 2000;

pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    println!("\nTLS 1.3: events delivered a second, host at full rate, with and without TLS");
    println!(
        "{:>7} {:>12} {:>12} {:>7} {:>10} {:>10} {:>5} {:>5}",
        "clients", "wss/s", "ws/s", "ratio", "wss ns/fr.", "ws ns/fr.", "gaps", "lost"
    );
    let library = Library::load(&find::built()?)?;
    let folder = tempfile::tempdir()?;
    for count in [1, 10, 100] {
        fan_out(&library, &folder, count)?;
    }
    let (_driver, address, _) = server::open_with_tls(&library, &folder, "")?;
    for (role, name) in [
        (Role::Handshake, "full handshakes"),
        (Role::Resume, "resumed sessions"),
    ] {
        handshakes(role, name, &address)?;
    }
    idle::memory(&address)?;
    Ok(())
}

fn fan_out(library: &Library, folder: &TempDir, count: usize) -> Result<(), Box<dyn Error>> {
    let mut runs = [const { Vec::new() }; 2];
    for _ in 0..RUNS {
        for (index, runs) in runs.iter_mut().enumerate() {
            let (driver, secure, plain) = server::open_with_tls(library, folder, "")?;
            let address = if index == 0 { secure } else { plain };
            let mut clients = Clients::start(Role::Numbered, count, &address)?;
            let events = down::prepare(&driver)?;
            let mut full = 0;
            runs.push(down::measured(count, &mut clients, || {
                Ok(down::write(&driver, &events, &mut full))
            })?);
        }
    }
    let [secure, plain] = runs;
    let ratios = secure.iter().zip(&plain);
    let ratio = median(
        ratios
            .map(|(secure, plain)| secure.rate / plain.rate)
            .collect(),
    );
    let rate = |runs: &[down::Run]| median(runs.iter().map(|run| run.rate).collect());
    let cost = |runs: &[down::Run]| median(runs.iter().map(|run| run.cost).collect());
    let all = || secure.iter().chain(&plain);
    println!(
        "{count:>7} {:>12} {:>12} {ratio:>7.2} {:>10.0} {:>10.0} {:>5} {:>5}",
        grouped(rate(&secure)),
        grouped(rate(&plain)),
        cost(&secure),
        cost(&plain),
        all().map(|run| run.gaps).sum::<u64>(),
        all().map(|run| run.missing).sum::<u64>(),
    );
    Ok(())
}

fn handshakes(role: Role, name: &str, address: &str) -> Result<(), Box<dyn Error>> {
    let mut clients = Clients::start(role, 0, address)?;
    let mut rates = Vec::new();
    let mut costs = Vec::new();
    for _ in 0..RUNS {
        let before = processor_time();
        let [elapsed] = clients.ask(CONNECTIONS)?[..] else {
            return Err("no answer".into());
        };
        let cost = (processor_time() - before).as_micros();
        rates.push(CONNECTIONS as f64 / elapsed as f64 * 1e9);
        costs.push(cost as f64 / CONNECTIONS as f64);
    }
    println!(
        "{name}, each with a request: {} a second, {:.0} µs of the server each",
        grouped(median(rates)),
        median(costs)
    );
    Ok(())
}

/// Connects again and again, from two threads.
pub(crate) struct Connect {
    address: String,
    resumes: bool,
}

impl Connect {
    pub(crate) fn new(address: &str, resumes: bool) -> Self {
        Self {
            address: address.into(),
            resumes,
        }
    }

    fn run(&self, count: u64) -> Result<(), Box<dyn Error>> {
        let (address, certificate) = self.address.split_once('/').ok_or("no TLS")?;
        let config = tls_config(certificate, self.resumes)?;
        let mut answer = Vec::new();
        for _ in 0..count {
            let mut stream = connect_tls(address, &config)?;
            stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
            answer.clear();
            stream.read_to_end(&mut answer)?;
        }
        Ok(())
    }
}

impl Answer for Connect {
    fn answer(&mut self, numbers: &[u64]) -> Result<Vec<u64>, Box<dyn Error>> {
        let start = now();
        std::thread::scope(|scope| {
            let run = || self.run(numbers[0] / 2).map_err(|error| error.to_string());
            let threads = [scope.spawn(run), scope.spawn(run)];
            for thread in threads {
                thread.join().map_err(|_| "panic")??;
            }
            Ok::<_, Box<dyn Error>>(())
        })?;
        Ok(vec![now() - start])
    }
}

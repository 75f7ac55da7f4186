//! How long an event and a command take.

use std::{error::Error, thread, time::Duration};

use vscpl2drv_websocksrv::ffi::host::Library;

use crate::{
    RUNS,
    clients::{Clients, Role},
    server,
    stats::{median, now},
};

const CLIENTS: usize = 10;

/// Events a second, at random times.
const RATE: f64 = 100.0;

/// Events of one run.
const EVENTS: u64 = 500;

/// Round trips of one run.
const NOOPS: u64 = 20_000;

pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    println!("\nLatency in µs");
    let library = Library::load(&server::library_path()?)?;
    let (driver, address) = server::open(&library, r#""ping-interval": 0"#)?;
    let mut clients = Clients::start(Role::Timed, CLIENTS, &address)?;
    let mut state = now() | 1;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        for _ in 0..EVENTS {
            thread::sleep(Duration::from_secs_f64(-uniform(&mut state).ln() / RATE));
            let event = server::event(&now().to_be_bytes());
            driver
                .write(&event, Duration::from_secs(1))
                .map_err(|status| format!("VSCPWrite gives {status}"))?;
        }
        let [_, frames, _, p50, p99] = clients.ask(EVENTS)?[..] else {
            return Err("no answer".into());
        };
        assert_eq!(frames, EVENTS * CLIENTS as u64);
        runs.push([p50, p99]);
    }
    drop(clients);
    show("VSCPWrite to client, 10 clients, 100/s", &runs);

    let mut client = Clients::start(Role::Noop, 1, &address)?;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let [p50, p99] = client.ask(NOOPS)?[..] else {
            return Err("no answer".into());
        };
        runs.push([p50, p99]);
    }
    show("NOOP and its reply", &runs);
    Ok(())
}

/// A number above 0, not above 1.
fn uniform(state: &mut u64) -> f64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    ((*state >> 11) + 1) as f64 / (1u64 << 53) as f64
}

fn show(name: &str, runs: &[[u64; 2]]) {
    let micros = |index: usize| median(runs.iter().map(|run| run[index] as f64 / 1e3).collect());
    println!("{name:<40} p50 {:>6.0}   p99 {:>6.0}", micros(0), micros(1));
}

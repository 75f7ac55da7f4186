//! How long an event and a command take.

use std::{error::Error, io::Write, net::TcpListener, thread, time::Duration};

use vscp_driver_host::{Library, find};
use vscpl2drv_websocksrv::{
    event::Event,
    ws::{event_frames, frame},
};

use crate::{
    RUNS,
    clients::{Clients, Role},
    server,
    stats::{median, now},
};

/// Events a second, at random times.
const RATE: f64 = 100.0;

/// Events of one run.
const EVENTS: u64 = 500;

/// Round trips of one run.
const NOOPS: u64 = 20_000;

pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    println!("\nLatency in µs");
    let library = Library::load(&find::built()?)?;
    let (driver, address) = server::open(&library, r#""ping-interval": 0"#)?;
    for count in [1, 10, 100] {
        let mut clients = Clients::start(Role::Timed, count, &address)?;
        let runs = write_events(&mut clients, count, |event| {
            driver
                .write(event, Duration::from_secs(1))
                .map_err(|status| format!("VSCPWrite gives {status}").into())
        })?;
        drop(clients);
        show(&format!("VSCPWrite to {count} clients, 100/s"), &runs);
        show("the same of the raw program", &raw(count)?);
    }

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

/// What a host gives that writes a frame to the sockets of all clients itself.
fn raw(count: usize) -> Result<Vec<[u64; 2]>, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let mut clients = Clients::spawn(Role::RawTimed, count, &address)?;
    let mut streams = Vec::new();
    for _ in 0..count {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    clients.wait()?;
    let (mut payload, mut bytes) = (Vec::new(), Vec::new());
    write_events(&mut clients, count, |event| {
        payload.clear();
        event_frames::encode_ws1(event, &mut payload);
        bytes.clear();
        frame::text(&payload, &mut bytes);
        for stream in &mut streams {
            stream.write_all(&bytes)?;
        }
        Ok(())
    })
}

/// Writes events at random times; p50 and p99 of each run.
fn write_events(
    clients: &mut Clients,
    count: usize,
    mut write: impl FnMut(&Event) -> Result<(), Box<dyn Error>>,
) -> Result<Vec<[u64; 2]>, Box<dyn Error>> {
    let mut state = now() | 1;
    let mut runs = Vec::new();
    for run in 1..=RUNS as u64 {
        for _ in 0..EVENTS {
            thread::sleep(Duration::from_secs_f64(-uniform(&mut state).ln() / RATE));
            write(&server::event(&now().to_be_bytes()))?;
        }
        let [_, frames, _, p50, p99] = clients.ask(EVENTS)?[..] else {
            return Err("no answer".into());
        };
        if frames != EVENTS * count as u64 {
            return Err(format!("{frames} frames in run {run}").into());
        }
        runs.push([p50, p99]);
    }
    Ok(runs)
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

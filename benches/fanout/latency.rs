//! How long an event and a command take.

use std::{
    error::Error,
    io::{self, Write},
    net::TcpListener,
    sync::mpsc,
    thread,
    time::Duration,
};

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

const CLIENTS: usize = 10;

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
    let mut clients = Clients::start(Role::Timed, CLIENTS, &address)?;
    let runs = write_events(&mut clients, |event| {
        driver
            .write(event, Duration::from_secs(1))
            .map_err(|status| format!("VSCPWrite gives {status}").into())
    })?;
    drop(clients);
    show("VSCPWrite to client, 10 clients, 100/s", &runs);
    show("the same of the raw program", &raw()?);

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

/// What a thread gives that is woken for each event, and has nothing to do but to write a frame to
/// the sockets of all clients.
fn raw() -> Result<Vec<[u64; 2]>, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let mut clients = Clients::spawn(Role::RawTimed, CLIENTS, &address)?;
    let mut streams = Vec::new();
    for _ in 0..CLIENTS {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    clients.wait()?;
    let (sender, events) = mpsc::channel::<Vec<u8>>();
    let writer = thread::spawn(move || {
        for frame in events {
            for stream in &mut streams {
                stream.write_all(&frame)?;
            }
        }
        io::Result::Ok(())
    });
    let runs = write_events(&mut clients, |event| {
        let mut payload = Vec::new();
        event_frames::encode_ws1(event, &mut payload);
        let mut bytes = Vec::new();
        frame::text(&payload, &mut bytes);
        Ok(sender.send(bytes)?)
    })?;
    drop(sender);
    writer.join().map_err(|_| "panic")??;
    Ok(runs)
}

/// Writes events at random times; p50 and p99 of each run.
fn write_events(
    clients: &mut Clients,
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
        if frames != EVENTS * CLIENTS as u64 {
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

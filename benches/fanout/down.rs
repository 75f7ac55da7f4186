//! Host to clients at full rate, beside the raw program.

use std::{error::Error, net::TcpListener, thread, time::Duration};

use vscp_driver_host::{Library, OpenDriver, PreparedEvent, Status, find};

use crate::{
    RUNS,
    clients::{Clients, Role},
    raw::Raw,
    server::{self, NUMBERS, numbered},
    stats::{grouped, median, now, processor_time},
};

/// For how long the host writes.
const WRITING: Duration = Duration::from_secs(1);

/// Time for a client to take what is in the driver.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Frames that the raw program writes at once.
const BATCH: usize = 64;

/// What one run gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// Frames a second, all clients together.
    pub(crate) rate: f64,
    /// Processor time of the server for a frame, in ns. The host's part is in it.
    pub(crate) cost: f64,
    pub(crate) missing: u64,
    pub(crate) gaps: u64,
}

pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    println!("\nDown: events delivered a second, host at full rate, and the raw program");
    println!(
        "{:>7} {:>12} {:>12} {:>12} {:>7} {:>10} {:>10} {:>5} {:>5} {:>5}",
        "clients",
        "written/s",
        "delivered/s",
        "raw/s",
        "ratio",
        "ns/frame",
        "raw ns/fr.",
        "gaps",
        "lost",
        "full"
    );
    let library = Library::load(&find::built()?)?;
    without_clients(&library)?;
    for count in [1, 10, 100] {
        measure_with(&library, count)?;
    }
    Ok(())
}

/// The host's part alone.
fn without_clients(library: &Library) -> Result<(), Box<dyn Error>> {
    let (driver, _) = server::open(library, "")?;
    let events = prepare(&driver)?;
    let mut rates = Vec::new();
    let mut full = 0;
    for _ in 0..RUNS {
        let start = now();
        let written = write(&driver, &events, &mut full);
        rates.push(written as f64 / (now() - start) as f64 * 1e9);
    }
    println!("{:>7} {:>12}", 0, grouped(median(rates)));
    Ok(())
}

fn measure_with(library: &Library, count: usize) -> Result<(), Box<dyn Error>> {
    let (driver, address) = server::open(library, r#""ping-interval": 0"#)?;
    let events = prepare(&driver)?;
    let mut clients = Clients::start(Role::Numbered, count, &address)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut raw_clients = Clients::spawn(Role::Raw, count, &listener.local_addr()?.to_string())?;
    let mut raw = Raw::accept(&listener, count, None, BATCH)?;
    raw_clients.wait()?;

    let mut driver_runs = Vec::new();
    let mut raw_runs = Vec::new();
    let mut full = 0;
    for _ in 0..RUNS {
        let mut frames = 0;
        let run = measured(count, &mut clients, || {
            frames = write(&driver, &events, &mut full);
            Ok(frames)
        })?;
        driver_runs.push(run);
        let run = measured(count, &mut raw_clients, || Ok(raw.write(frames)?))?;
        raw_runs.push(run);
        thread::sleep(Duration::from_millis(200));
    }
    let ratios = driver_runs.iter().zip(&raw_runs);
    let ratio = median(ratios.map(|(driver, raw)| driver.rate / raw.rate).collect());
    let rate = |runs: &[Run]| median(runs.iter().map(|run| run.rate).collect());
    let cost = |runs: &[Run]| median(runs.iter().map(|run| run.cost).collect());
    let all = || driver_runs.iter().chain(&raw_runs);
    println!(
        "{count:>7} {:>12} {:>12} {:>12} {ratio:>7.2} {:>10.0} {:>10.0} {:>5} {:>5} {full:>5}",
        grouped(rate(&driver_runs) / count as f64),
        grouped(rate(&driver_runs)),
        grouped(rate(&raw_runs)),
        cost(&driver_runs),
        cost(&raw_runs),
        all().map(|run| run.gaps).sum::<u64>(),
        all().map(|run| run.missing).sum::<u64>(),
    );
    Ok(())
}

/// Has `write` write frames to each client, and waits until the clients have them.
pub(crate) fn measured(
    count: usize,
    clients: &mut Clients,
    write: impl FnOnce() -> Result<u64, Box<dyn Error>>,
) -> Result<Run, Box<dyn Error>> {
    let before = processor_time();
    let start = now();
    let written = write()?;
    let [last, frames, gaps, ..] = clients.ask(written)?[..] else {
        return Err("no answer".into());
    };
    let cost = (processor_time() - before).as_nanos();
    Ok(Run {
        rate: frames as f64 / (last - start) as f64 * 1e9,
        cost: cost as f64 / frames as f64,
        missing: written * count as u64 - frames,
        gaps,
    })
}

/// The events of all numbers, ready to be written.
pub(crate) fn prepare(driver: &OpenDriver<'_>) -> Result<Vec<PreparedEvent>, Status> {
    (0..NUMBERS)
        .map(|number| driver.prepare(&numbered(number)))
        .collect()
}

/// Writes events as fast as they are taken. Returns how many; `full` counts the refusals.
pub(crate) fn write(driver: &OpenDriver<'_>, events: &[PreparedEvent], full: &mut u64) -> u64 {
    let end = now() + WRITING.as_nanos() as u64;
    let mut written = 0;
    while now() < end {
        for _ in 0..64 {
            match driver.write_prepared(&events[(written % u64::from(NUMBERS)) as usize], TIMEOUT) {
                Ok(()) => written += 1,
                Err(_) => *full += 1,
            }
        }
    }
    written
}

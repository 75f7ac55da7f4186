//! Measures what the history takes of the events of a host: `cargo bench --bench history`.

#[path = "common/mod.rs"]
mod common;

use std::{
    error::Error,
    io::{Read, Write},
    net::TcpStream,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use vscp_driver_host::{Library, OpenDriver, find};
use vscpl2drv_websocksrv::event::Event;

use self::common::{server, stats::grouped};

/// For how long the host writes.
const WRITING: Duration = Duration::from_secs(10);

/// The rates at which the host writes, 0 for as fast as it can.
const RATES: [u64; 5] = [1_000, 5_000, 10_000, 20_000, 0];

/// How long a write may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Sensors that the events are of.
const SENSORS: u32 = 20;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("history: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), Box<dyn Error>> {
    println!("What a history takes of measurements that the host writes for {WRITING:?}");
    println!(
        "{:>8} {:>12} {:>12} {:>12} {:>12} {:>10}",
        "history", "written/s", "stored/s", "too fast/s", "queue full/s", "failures"
    );
    let library = Library::load(&find::built()?)?;
    let folder = TempDir::new()?;
    for rate in RATES {
        let path = folder.path().join(format!("{rate}.db"));
        let file = format!(r#""history": {{"path": "{}"}}"#, path.display());
        for (name, history) in [("memory", r#""history": {}"#), ("file", &file)] {
            row(&library, name, history, rate)?;
        }
    }
    Ok(())
}

fn row(library: &Library, name: &str, history: &str, rate: u64) -> Result<(), Box<dyn Error>> {
    let more = format!(r#""metrics": "/metrics", {history}"#);
    let (driver, address) = server::open(library, &more)?;
    let written = write(&driver, rate)?;
    // What waits is written within a second or two.
    thread::sleep(Duration::from_secs(4));
    let page = metrics(&address)?;
    let seconds = WRITING.as_secs_f64();
    let counter = |name: &str| {
        let name = format!("websocksrv_history_{name}");
        let line = page.lines().find(|line| line.starts_with(&name));
        let value = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        grouped(value.unwrap_or(f64::NAN) / seconds)
    };
    println!(
        "{name:>8} {:>12} {:>12} {:>12} {:>12} {:>10}",
        grouped(written as f64 / seconds),
        counter(r#"stored_total{kind="value"}"#),
        counter(r#"missing_total{reason="too_fast"}"#),
        counter(r#"missing_total{reason="queue_full"}"#),
        counter("failures_total"),
    );
    Ok(())
}

/// Writes measurements at a rate. Returns how many.
fn write(driver: &OpenDriver<'_>, rate: u64) -> Result<u64, Box<dyn Error>> {
    let start = Instant::now();
    let mut written = 0;
    while start.elapsed() < WRITING {
        let due = match rate {
            0 => written + 1000,
            rate => start.elapsed().as_millis() as u64 * rate / 1000,
        };
        while written < due {
            driver
                .write(&measurement(written as u32), TIMEOUT)
                .map_err(|status| format!("VSCPWrite: {status:?}"))?;
            written += 1;
        }
        if rate > 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(written)
}

/// A measurement of one of the sensors: an integer of two bytes.
fn measurement(number: u32) -> Event {
    let [.., high, low] = number.to_be_bytes();
    let mut event = server::event(&[0x60, high, low]);
    event.guid.0[15] = (number % SENSORS) as u8;
    event
}

fn metrics(address: &str) -> Result<String, Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}

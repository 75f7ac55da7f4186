//! What TLS costs: the same fan-out with and without it, handshakes, memory.

use std::{
    error::Error,
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tempfile::TempDir;
use vscp_driver_host::{Library, find};

use crate::{
    RUNS,
    clients::{Clients, Role},
    down, idle,
    process::Answer,
    raw::Raw,
    server,
    stats::{grouped, median, now, processor_time},
    stream::{connect_tls, tls_config},
};

/// Frames of one run of the raw program, for all clients together, and those that it writes at once:
/// as many bytes as the driver.
const FRAMES: u64 = 10_000_000;
const BATCH: usize = 512;

/// Connections of one run.
const CONNECTIONS: u64 = 2000;

pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    println!(
        "\nTLS 1.3: events delivered a second, host at full rate, with and without TLS; processor time\n\
         of the server for a frame; ratio: that without TLS divided by that with it"
    );
    println!(
        "{:>7} {:>7} {:>12} {:>12} {:>10} {:>10} {:>7} {:>5} {:>5}",
        "clients", "", "wss/s", "ws/s", "wss ns/fr.", "ws ns/fr.", "ratio", "gaps", "lost"
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
    let mut raw_runs = runs.clone();
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
            raw_runs[index].push(raw(folder, count, index == 0)?);
        }
    }
    let rate = |runs: &[down::Run]| median(runs.iter().map(|run| run.rate).collect());
    let cost = |runs: &[down::Run]| median(runs.iter().map(|run| run.cost).collect());
    let all = || runs.iter().chain(&raw_runs).flatten();
    for (name, [secure, plain]) in [("driver", &runs), ("raw", &raw_runs)] {
        println!(
            "{count:>7} {name:>7} {:>12} {:>12} {:>10.0} {:>10.0} {:>7.2} {:>5} {:>5}",
            grouped(rate(secure)),
            grouped(rate(plain)),
            cost(secure),
            cost(plain),
            cost(plain) / cost(secure),
            all().map(|run| run.gaps).sum::<u64>(),
            all().map(|run| run.missing).sum::<u64>(),
        );
    }
    Ok(())
}

/// What a program takes that writes ready frames, with and without TLS.
fn raw(folder: &TempDir, count: usize, is_secure: bool) -> Result<down::Run, Box<dyn Error>> {
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut address = listener.local_addr()?.to_string();
    let tls = if is_secure {
        address += &certificate.display().to_string();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_file(&certificate)?],
                PrivateKeyDer::from_pem_file(&key)?,
            )?;
        Some(Arc::new(config))
    } else {
        None
    };
    let mut clients = Clients::spawn(Role::Raw, count, &address)?;
    let mut raw = Raw::accept(&listener, count, tls.as_ref(), BATCH)?;
    clients.wait()?;
    let frames = FRAMES / count as u64;
    down::measured(count, &mut clients, || Ok(raw.write(frames)?))
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

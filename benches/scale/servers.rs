//! The processes that send: the driver with its host, and the raw loop.

use std::{
    error::Error,
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use vscp_driver_host::{Library, OpenDriver, find};
use vscpl2drv_websocksrv::ws::{event_frames, frame};

use crate::{
    process::{Answer, Process, serve},
    server::{self, numbered},
    stats::{now, processor_time},
};

/// A process that sends events to clients.
pub(crate) struct Server {
    process: Process,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start_driver() -> Result<Self, Box<dyn Error>> {
        Self::start(&["driver"])
    }

    /// The raw loop; it accepts so many clients before it does anything else.
    pub(crate) fn start_raw(count: usize) -> Result<Self, Box<dyn Error>> {
        Self::start(&["raw", &count.to_string()])
    }

    fn start(arguments: &[&str]) -> Result<Self, Box<dyn Error>> {
        let mut process = Process::spawn(arguments)?;
        let [port] = process.wait()?[..] else {
            return Err("no port".into());
        };
        Ok(Self {
            process,
            address: format!("127.0.0.1:{port}"),
        })
    }

    /// Sends so many events, one each `interval`. When each was sent.
    pub(crate) fn send(
        &mut self,
        events: u64,
        interval: Duration,
    ) -> Result<Vec<u64>, Box<dyn Error>> {
        self.process.ask(&[events, interval.as_nanos() as u64])
    }

    /// Processor time of the process, in ns.
    pub(crate) fn processor_time(&mut self) -> Result<u64, Box<dyn Error>> {
        Ok(*self.process.ask(&[])?.first().ok_or("no answer")?)
    }

    /// KiB that the process has in memory.
    pub(crate) fn memory(&self) -> Result<u64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.ok_or("no such field")?.parse()?)
    }
}

pub(crate) fn run_driver() -> Result<(), Box<dyn Error>> {
    let library = Library::load(&find::built()?)?;
    let more = r#""ping-interval": 0, "auth-timeout": 300"#;
    let (driver, address) = server::open(&library, more)?;
    let port = address.rsplit(':').next().ok_or("no port")?.parse()?;
    serve(&[port], Driver(driver))
}

struct Driver<'l>(OpenDriver<'l>);

impl Answer for Driver<'_> {
    fn answer(&mut self, numbers: &[u64]) -> Result<Vec<u64>, Box<dyn Error>> {
        answer(numbers, |number| {
            let result = self.0.write(&numbered(number), Duration::from_secs(10));
            result.map_err(|status| format!("VSCPWrite gives {status}").into())
        })
    }
}

pub(crate) fn run_raw(count: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port().into();
    let count: usize = count.parse()?;
    let accept = thread::spawn(move || {
        let accept = |_| {
            let (stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        (0..count).map(accept).collect()
    });
    let mut frame = Vec::new();
    let mut payload = Vec::new();
    event_frames::encode_ws1(&numbered(0), &mut payload);
    frame::text(&payload, &mut frame);
    let raw = Raw {
        frame,
        accept: Some(accept),
        streams: Vec::new(),
    };
    serve(&[port], raw)
}

struct Raw {
    frame: Vec<u8>,
    /// Until the clients are there.
    accept: Option<thread::JoinHandle<std::io::Result<Vec<TcpStream>>>>,
    streams: Vec<TcpStream>,
}

impl Answer for Raw {
    fn answer(&mut self, numbers: &[u64]) -> Result<Vec<u64>, Box<dyn Error>> {
        if let Some(accept) = self.accept.take() {
            self.streams = accept.join().map_err(|_| "panic")??;
        }
        answer(numbers, |_| {
            for stream in &mut self.streams {
                stream.write_all(&self.frame)?;
            }
            Ok(())
        })
    }
}

/// Answers nothing with the processor time of this process in ns, and a number of events and a time
/// from one to the next with the times at which each was sent.
fn answer(
    numbers: &[u64],
    mut send: impl FnMut(u32) -> Result<(), Box<dyn Error>>,
) -> Result<Vec<u64>, Box<dyn Error>> {
    let [events, interval] = *numbers else {
        return Ok(vec![processor_time().as_nanos() as u64]);
    };
    let mut times = Vec::new();
    let start = now();
    for number in 0..events {
        let due = start + number * interval;
        thread::sleep(Duration::from_nanos(due.saturating_sub(now())));
        times.push(now());
        send(number as u32)?;
    }
    Ok(times)
}

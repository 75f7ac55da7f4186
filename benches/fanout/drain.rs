//! Clients that read: the same cheap code for the driver and for the raw program.

use std::{
    error::Error,
    io::{Read, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

use crate::{
    process::Answer,
    server::NUMBERS,
    socket::frame,
    stats::{data_of, now, percentile},
    stream::Stream,
};

/// Threads that read.
const THREADS: usize = 2;

const BUFFER: usize = 256 * 1024;

const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: [u8; 6] = [0x8A, 0x80, 0, 0, 0, 0];

/// Nanoseconds after which what has not come will not come.
const DEADLINE: u64 = 5_000_000_000;

/// The target while it is not known.
const UNKNOWN: u64 = u64::MAX;

/// What the last data bytes of an event are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// A sequence number.
    Number,
    /// When it was sent.
    Time,
}

/// Clients, each read by one of the threads.
pub(crate) struct Drain {
    /// Frames that each client is to get.
    target: Arc<AtomicU64>,
    reports: Receiver<Report>,
    threads: usize,
}

struct Report {
    last: u64,
    frames: u64,
    gaps: u64,
    latencies: Vec<u64>,
}

impl Drain {
    pub(crate) fn start(streams: Vec<Stream>, data: Data) -> Result<Self, Box<dyn Error>> {
        let target = Arc::new(AtomicU64::new(UNKNOWN));
        let (sender, reports) = channel();
        let threads = THREADS.min(streams.len());
        let mut parts: Vec<Vec<_>> = (0..threads).map(|_| Vec::new()).collect();
        for (index, stream) in streams.into_iter().enumerate() {
            parts[index % threads].push(stream);
        }
        for streams in parts {
            let mut reader = Reader::new(streams, data, target.clone())?;
            let sender = sender.clone();
            thread::spawn(move || {
                if let Err(error) = reader.run(&sender) {
                    eprintln!("clients: {error}");
                }
            });
        }
        Ok(Self {
            target,
            reports,
            threads,
        })
    }
}

impl Answer for Drain {
    fn answer(&mut self, numbers: &[u64]) -> Result<Vec<u64>, Box<dyn Error>> {
        self.target.store(numbers[0], Ordering::Release);
        let mut last = 0;
        let mut frames = 0;
        let mut gaps = 0;
        let mut latencies = Vec::new();
        for _ in 0..self.threads {
            let report = self.reports.recv()?;
            last = last.max(report.last);
            frames += report.frames;
            gaps += report.gaps;
            latencies.extend(report.latencies);
        }
        self.target.store(UNKNOWN, Ordering::Release);
        latencies.sort_unstable();
        let [p50, p99] = [50.0, 99.0].map(|percent| percentile(&latencies, percent));
        Ok(vec![last, frames, gaps, p50, p99])
    }
}

/// The clients of one thread.
struct Reader {
    clients: Vec<Client>,
    epoll: Epoll,
    data: Data,
    target: Arc<AtomicU64>,
    gaps: u64,
    latencies: Vec<u64>,
}

struct Client {
    /// `None` where it was closed.
    stream: Option<Stream>,
    /// The start of a frame that is not complete.
    rest: Vec<u8>,
    frames: u64,
    expected: u32,
}

impl Reader {
    fn new(
        streams: Vec<Stream>,
        data: Data,
        target: Arc<AtomicU64>,
    ) -> Result<Self, Box<dyn Error>> {
        let epoll = Epoll::new(EpollCreateFlags::empty())?;
        let mut clients = Vec::new();
        for (index, stream) in streams.into_iter().enumerate() {
            epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, index as u64))?;
            clients.push(Client {
                stream: Some(stream),
                rest: Vec::new(),
                frames: 0,
                expected: 0,
            });
        }
        Ok(Self {
            clients,
            epoll,
            data,
            target,
            gaps: 0,
            latencies: Vec::new(),
        })
    }

    fn run(&mut self, reports: &Sender<Report>) -> Result<(), Box<dyn Error>> {
        let mut buffer = vec![0; BUFFER];
        let mut events = [EpollEvent::empty(); 128];
        let mut last = now();
        loop {
            let count = self.epoll.wait(&mut events, 100u8)?;
            for event in &events[..count] {
                self.read(event.data() as usize, &mut buffer)?;
                last = now();
            }
            let target = self.target.load(Ordering::Acquire);
            if target == UNKNOWN {
                continue;
            }
            let complete = self.clients.iter().all(|client| client.frames >= target);
            if !complete && now() < last + DEADLINE {
                continue;
            }
            let frames = self.clients.iter().map(|client| client.frames).sum();
            for client in &mut self.clients {
                client.frames = 0;
                client.expected = 0;
            }
            reports.send(Report {
                last,
                frames,
                gaps: std::mem::take(&mut self.gaps),
                latencies: std::mem::take(&mut self.latencies),
            })?;
            while self.target.load(Ordering::Acquire) != UNKNOWN {
                thread::yield_now();
            }
        }
    }

    fn read(&mut self, index: usize, buffer: &mut [u8]) -> Result<(), Box<dyn Error>> {
        let client = &mut self.clients[index];
        let Some(stream) = &mut client.stream else {
            return Ok(());
        };
        let kept = client.rest.len();
        buffer[..kept].copy_from_slice(&client.rest);
        let count = stream.read(&mut buffer[kept..]).unwrap_or(0);
        if count == 0 {
            client.stream = None;
            return Ok(());
        }
        let mut bytes = &buffer[..kept + count];
        let now = match self.data {
            Data::Number => 0,
            Data::Time => now(),
        };
        while let Some((head, end)) = frame(bytes) {
            let payload = &bytes[head..end];
            match bytes[0] {
                CLOSE => {
                    client.stream = None;
                    return Ok(());
                }
                PING => stream.write_all(&PONG)?,
                _ if self.data == Data::Time => {
                    client.frames += 1;
                    self.latencies
                        .push(now.saturating_sub(data_of::<8>(payload)));
                }
                _ => {
                    client.frames += 1;
                    let number = data_of::<4>(payload) as u32;
                    self.gaps += u64::from(number != client.expected);
                    client.expected = (number + 1) % NUMBERS;
                }
            }
            bytes = &bytes[end..];
        }
        client.rest.clear();
        client.rest.extend_from_slice(bytes);
        Ok(())
    }
}

//! Clients that are no good neighbours.

use std::{
    error::Error,
    io::{ErrorKind, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use socket2::SockRef;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::{
    process::{Answer, serve},
    rest::Rest,
    socket::{Socket, frame, masked},
    stats::now,
    stream::Stream,
};

/// Bytes that the kernel keeps for a client: what a small device has.
const RECEIVE_BUFFER: usize = 16 * 1024;

const SECOND: u64 = 1_000_000_000;

/// How often the clients are looked at.
const TICK: Duration = Duration::from_millis(1);

/// What the clients of a kind do. Rates are events a second, of each.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behavior {
    /// Reads so many.
    Reads(u64),
    /// Sends so many, and reads the replies.
    Floods(u64),
    /// Reads nothing.
    Stops,
    /// Reads and sends a byte at a time.
    Drips,
    /// Connects and opens, and resets or closes the connection, again and again.
    Resets,
    /// Sends events through REST as fast as they are answered.
    FloodsRest,
}

/// How the clients of a kind are connected.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dialect {
    Ws1,
    Ws2,
    /// ws1 over TLS.
    Wss,
}

impl Dialect {
    fn protocol(self) -> Protocol {
        match self {
            Self::Ws1 | Self::Wss => Protocol::Ws1,
            Self::Ws2 => Protocol::Ws2,
        }
    }
}

/// Clients of a kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peers {
    pub(crate) count: usize,
    pub(crate) behavior: Behavior,
    pub(crate) dialect: Dialect,
}

/// The process of the clients. Answers with the number of events that they have read or sent.
pub(crate) fn run(peers: &'static Peers, address: &str) -> Result<(), Box<dyn Error>> {
    let done = Arc::new(AtomicU64::new(0));
    match peers.behavior {
        Behavior::Reads(rate) => run_ticks(peers, address, "admin", &done, move |peer, time| {
            peer.read(time * rate / SECOND)
        }),
        Behavior::Floods(rate) => run_ticks(peers, address, "sender", &done, move |peer, time| {
            peer.flood(time * rate / SECOND)
        }),
        Behavior::Stops => run_ticks(peers, address, "admin", &done, |_, _| Ok(0)),
        Behavior::Drips => run_ticks(peers, address, "admin", &done, |peer, _| peer.drip()),
        Behavior::Resets => run_threads(peers, address, &done, reset),
        Behavior::FloodsRest => run_threads(peers, address, &done, flood_rest),
    }?;
    serve(&[], Done(done))
}

/// Connects the clients, and has each do a step in each tick, by the nanoseconds since the start.
/// One that fails has no more turns.
fn run_ticks(
    peers: &Peers,
    address: &str,
    user: &str,
    done: &Arc<AtomicU64>,
    step: impl Fn(&mut Peer, u64) -> Result<u64, Box<dyn Error>> + Send + 'static,
) -> Result<(), Box<dyn Error>> {
    let connect = |_| Peer::connect(address, peers.dialect, user);
    let mut clients: Vec<_> = (0..peers.count).map(connect).collect::<Result<_, _>>()?;
    let done = done.clone();
    thread::spawn(move || {
        let start = now();
        while !clients.is_empty() {
            let time = now() - start;
            clients.retain_mut(|client| {
                let result = step(client, time);
                result
                    .inspect(|count| _ = done.fetch_add(*count, Relaxed))
                    .inspect_err(|error| eprintln!("fair: a bad neighbour: {error}"))
                    .is_ok()
            });
            thread::sleep(TICK);
        }
    });
    Ok(())
}

/// The work of a thread of peers, which counts into the number.
type Work = fn(&Peers, &str, &AtomicU64) -> Result<(), Box<dyn Error>>;

/// Has a thread for each client.
fn run_threads(
    peers: &'static Peers,
    address: &str,
    done: &Arc<AtomicU64>,
    work: Work,
) -> Result<(), Box<dyn Error>> {
    for _ in 0..peers.count {
        let (address, done) = (address.to_owned(), done.clone());
        thread::spawn(move || {
            if let Err(error) = work(peers, &address, &done) {
                eprintln!("fair: a bad neighbour: {error}");
            }
        });
    }
    Ok(())
}

/// Tells how much is done.
struct Done(Arc<AtomicU64>);

impl Answer for Done {
    fn answer(&mut self, _numbers: &[u64]) -> Result<Vec<u64>, Box<dyn Error>> {
        Ok(vec![self.0.load(Relaxed)])
    }
}

/// A client that is looked at each tick and never waited for.
struct Peer {
    stream: Stream,
    /// The frame of an event.
    event: Vec<u8>,
    received: Vec<u8>,
    /// What is left of a write.
    unsent: Vec<u8>,
    /// Events that it has read or sent.
    events: u64,
}

impl Peer {
    fn connect(address: &str, dialect: Dialect, user: &str) -> Result<Self, Box<dyn Error>> {
        let protocol = dialect.protocol();
        let stream = Stream::connect_with(address, Some(RECEIVE_BUFFER))?;
        let mut socket = Socket::login_over(stream, protocol, user)?;
        if user == "admin" {
            socket.open()?;
        }
        socket.stream.socket().set_nonblocking(true)?;
        let event = match protocol {
            Protocol::Ws1 => "E;0,10,6,0,,,-,1,2,3,4",
            Protocol::Ws2 => {
                r#"{"type": "EVENT", "event": {"class": 10, "type": 6, "data": [1, 2, 3, 4]}}"#
            }
        };
        let mut frame = Vec::new();
        masked(event.as_bytes(), &mut frame);
        Ok(Self {
            stream: socket.stream,
            event: frame,
            received: Vec::new(),
            unsent: Vec::new(),
            events: 0,
        })
    }

    /// Reads until it has had `due` events. Returns how many of them were read now.
    fn read(&mut self, due: u64) -> Result<u64, Box<dyn Error>> {
        // What it could have read before and did not get is not made up for.
        let before = self.events;
        while self.events < due {
            if self.receive(2048)? == 0 {
                self.events = due;
                break;
            }
            let mut place = 0;
            while let Some((_, end)) = frame(&self.received[place..]) {
                place += end;
                self.events += 1;
            }
            self.received.drain(..place);
        }
        Ok(self.events - before)
    }

    /// Sends until it has sent `due` events, and reads what comes. Returns how many it has sent.
    fn flood(&mut self, due: u64) -> Result<u64, Box<dyn Error>> {
        while self.receive(64 * 1024)? > 0 {
            self.received.clear();
        }
        let before = self.events;
        while self.unsent.len() < 64 * 1024 && self.events < due {
            self.unsent.extend_from_slice(&self.event);
            self.events += 1;
        }
        self.send(usize::MAX)?;
        Ok(self.events - before)
    }

    fn drip(&mut self) -> Result<u64, Box<dyn Error>> {
        self.receive(1)?;
        self.received.clear();
        if self.unsent.is_empty() {
            self.unsent.extend_from_slice(&self.event);
        }
        self.send(1)?;
        Ok(0)
    }

    /// Returns the number of bytes that have come, at most `max`; TLS may give more.
    fn receive(&mut self, max: usize) -> Result<usize, Box<dyn Error>> {
        let length = self.received.len();
        let max = match self.stream {
            Stream::Plain(_) => max,
            Stream::Tls(_) => 128 * 1024,
        };
        self.received.resize(length + max, 0);
        let read = self.stream.read(&mut self.received[length..]);
        let count = match read {
            Ok(0) => return Err("the server closed the connection".into()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error.into()),
        };
        self.received.truncate(length + count);
        Ok(count)
    }

    /// Sends what is left, at most `max` bytes.
    fn send(&mut self, max: usize) -> Result<(), Box<dyn Error>> {
        let mut sent = 0;
        while sent < max.min(self.unsent.len()) {
            let end = self.unsent.len().min(sent.saturating_add(max));
            match self.stream.write(&self.unsent[sent..end]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.unsent.drain(..sent);
        Ok(())
    }
}

/// Connects and opens, and resets the connection or closes it, again and again.
fn reset(peers: &Peers, address: &str, done: &AtomicU64) -> Result<(), Box<dyn Error>> {
    loop {
        let count = done.fetch_add(1, Relaxed);
        let mut peer = Peer::connect(address, peers.dialect, "admin")?;
        thread::sleep(TICK * (count % 8) as u32);
        if count.is_multiple_of(2) {
            SockRef::from(peer.stream.socket()).set_linger(Some(Duration::ZERO))?;
        } else {
            // A close frame, with an empty mask.
            peer.stream.write_all(&[0x88, 0x80, 0, 0, 0, 0])?;
        }
    }
}

fn flood_rest(_peers: &Peers, address: &str, done: &AtomicU64) -> Result<(), Box<dyn Error>> {
    let mut rest = Rest::open(address)?;
    loop {
        done.fetch_add(u64::from(rest.send_event()?), Relaxed);
    }
}

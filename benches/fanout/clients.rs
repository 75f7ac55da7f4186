//! Clients in a process of their own.

use std::{error::Error, io};

use crate::{
    drain::{Data, Drain},
    process::{Answer, Process, serve},
    pump::Pump,
    socket::Socket,
    stats::{now, percentile},
    stream::Stream,
    tls::Connect,
};

/// What the clients of a process do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// Read frames of plain sockets.
    Raw,
    /// Read frames with the time of their sending of plain sockets.
    RawTimed,
    /// Are open and read events with sequence numbers.
    Numbered,
    /// Are open and read events with the time of their sending.
    Timed,
    /// Send NOOP, one after the other.
    Noop,
    /// Send events and receive none.
    Pump,
    /// Are open, send events and get those of the others.
    PumpOpen,
    /// Are open and do not react to anything.
    Mute,
    /// Connect with TLS, send a request and go.
    Handshake,
    /// The same, and go on with their sessions.
    Resume,
}

const ROLES: [Role; 10] = [
    Role::Raw,
    Role::RawTimed,
    Role::Numbered,
    Role::Timed,
    Role::Noop,
    Role::Pump,
    Role::PumpOpen,
    Role::Mute,
    Role::Handshake,
    Role::Resume,
];

/// A process of clients; ends with its drop.
#[derive(Debug)]
pub(crate) struct Clients(Process);

impl Clients {
    /// Starts clients and waits until they are connected.
    pub(crate) fn start(role: Role, count: usize, address: &str) -> Result<Self, Box<dyn Error>> {
        let mut clients = Self::spawn(role, count, address)?;
        clients.wait()?;
        Ok(clients)
    }

    /// Starts clients; [`wait`](Self::wait) waits until they are connected.
    pub(crate) fn spawn(role: Role, count: usize, address: &str) -> io::Result<Self> {
        let [role, count] = [format!("{role:?}"), count.to_string()];
        Ok(Self(Process::spawn(&["client", &role, &count, address])?))
    }

    /// Has the clients do something; see [`run`].
    pub(crate) fn ask(&mut self, number: u64) -> Result<Vec<u64>, Box<dyn Error>> {
        self.0.ask(&[number])
    }

    /// Waits for the numbers that the clients say.
    pub(crate) fn wait(&mut self) -> Result<Vec<u64>, Box<dyn Error>> {
        self.0.wait()
    }
}

/// The process of clients. Says an empty line when all are connected; then answers each number
/// that it is told with a line of numbers:
///
/// * Raw, RawTimed, Numbered, Timed: waits until each client has had so many frames. Time of the last one,
///   number of all, gaps in their sequence, p50 and p99 of latency in ns.
/// * Noop: so many one after the other. p50 and p99 in ns.
/// * Pump, PumpOpen: sends events for so many milliseconds. Nanoseconds until the last was
///   answered, events accepted, events refused, events received.
/// * Handshake, Resume: connects so many times. Nanoseconds for all.
/// * Mute: nothing.
pub(crate) fn run(role: &str, count: &str, address: &str) -> Result<(), Box<dyn Error>> {
    let named = ROLES.into_iter().find(|r| format!("{r:?}") == role);
    let role = named.ok_or("no such role")?;
    let count = count.parse()?;
    let connect = |_| match role {
        Role::Raw | Role::RawTimed | Role::Handshake | Role::Resume => Stream::connect(address),
        Role::Noop | Role::Pump => Ok(Socket::login(address, "sender")?.stream),
        Role::Numbered | Role::Timed | Role::PumpOpen | Role::Mute => {
            let mut socket = Socket::login(address, "admin")?;
            socket.open()?;
            Ok(socket.stream)
        }
    };
    let streams = (0..count)
        .map(connect)
        .collect::<Result<_, Box<dyn Error>>>()?;
    match role {
        Role::Raw | Role::Numbered => serve(&[], Drain::start(streams, Data::Number)?),
        Role::RawTimed | Role::Timed => serve(&[], Drain::start(streams, Data::Time)?),
        Role::Noop => serve(&[], Noop::new(address)?),
        Role::Pump | Role::PumpOpen => serve(&[], Pump::new(streams)),
        Role::Mute => serve(&[], Mute(streams)),
        Role::Handshake => serve(&[], Connect::new(address, false)),
        Role::Resume => serve(&[], Connect::new(address, true)),
    }
}

struct Noop(Socket);

impl Noop {
    fn new(address: &str) -> Result<Self, Box<dyn Error>> {
        Ok(Self(Socket::login(address, "sender")?))
    }
}

impl Answer for Noop {
    fn answer(&mut self, numbers: &[u64]) -> Result<Vec<u64>, Box<dyn Error>> {
        let mut times = Vec::new();
        for _ in 0..numbers[0] {
            let start = now();
            self.0.ask("C;NOOP", "+;NOOP")?;
            times.push(now() - start);
        }
        times.sort_unstable();
        Ok(vec![percentile(&times, 50.0), percentile(&times, 99.0)])
    }
}

/// Holds connections.
struct Mute(#[expect(dead_code, reason = "what counts is that they are open")] Vec<Stream>);

impl Answer for Mute {
    fn answer(&mut self, _numbers: &[u64]) -> Result<Vec<u64>, Box<dyn Error>> {
        Ok(Vec::new())
    }
}

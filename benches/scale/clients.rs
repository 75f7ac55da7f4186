//! The clients, all on one thread.

use std::{
    error::Error,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use socket2::{Domain, Type};
use vscpl2drv_websocksrv::ws::Protocol;

use crate::{
    process::{Answer, serve},
    socket::{frame, login_message, masked, open_message, request},
    stats::{now, percentile},
};

/// Clients that connect or log in at a time: so many logins of one address may wait.
const AT_A_TIME: usize = 16;

/// Clients that have one address: ports are few, and logins of an address wait for each other.
const PER_ADDRESS: usize = 500;

/// Nanoseconds after which what has not come will not come.
const PATIENCE: u64 = 30_000_000_000;

/// The process of the clients. If `kind` is `ws1` they log in, and the first answer is the time in
/// ns until all have connected, logged in and opened. Then there are two kinds of requests:
///
/// * One number: waits until each client has had so many frames.
/// * The times at which these frames were sent: answers p50 and p99 of the times until all clients
///   had a frame, then p50 and p99 of the times until each client had it, without the first frame;
///   nothing if frames are missing.
pub(crate) fn run(kind: &str, count: &str, address: &str) -> Result<(), Box<dyn Error>> {
    let (count, address) = (count.parse()?, address.parse()?);
    let mut clients = Clients::new()?;
    let start = now();
    if kind == "raw" {
        for _ in 0..count {
            clients.connect(address)?;
        }
        return serve(&[], clients);
    }
    clients.log_in_all(count, address)?;
    serve(&[now() - start], clients)
}

struct Clients {
    all: Vec<Client>,
    epoll: Epoll,
    buffer: Vec<u8>,
    /// When each client had each frame, by the number of the frame.
    receipts: Vec<Vec<u64>>,
}

struct Client {
    stream: TcpStream,
    /// The start of a frame that is not complete.
    rest: Vec<u8>,
    /// Frames since this was last asked.
    frames: usize,
}

impl Clients {
    fn new() -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            all: Vec::new(),
            epoll: Epoll::new(EpollCreateFlags::empty())?,
            buffer: vec![0; 64 * 1024],
            receipts: Vec::new(),
        })
    }

    /// Connects one more. Returns its index.
    fn connect(&mut self, address: SocketAddr) -> Result<usize, Box<dyn Error>> {
        let index = self.all.len();
        let source = Ipv4Addr::new(127, 0, 1, (index / PER_ADDRESS) as u8);
        let socket = socket2::Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((source, 0)).into())?;
        socket.connect(&address.into())?;
        socket.set_tcp_nodelay(true)?;
        let stream = TcpStream::from(socket);
        let event = EpollEvent::new(EpollFlags::EPOLLIN, index as u64);
        self.epoll.add(&stream, event)?;
        self.all.push(Client {
            stream,
            rest: Vec::new(),
            frames: 0,
        });
        Ok(index)
    }

    /// Has `count` clients connect, log in and open, a few at a time.
    fn log_in_all(&mut self, count: usize, address: SocketAddr) -> Result<(), Box<dyn Error>> {
        let mut open = 0;
        let mut events = [EpollEvent::empty(); AT_A_TIME];
        while open < count {
            while self.all.len() < count && self.all.len() - open < AT_A_TIME {
                let index = self.connect(address)?;
                self.all[index].send(request(Protocol::Ws1).as_bytes())?;
            }
            let ready = self.epoll.wait(&mut events, 10_000u16)?;
            if ready == 0 {
                return Err("clients wait for an answer".into());
            }
            for event in &events[..ready] {
                let client = &mut self.all[event.data() as usize];
                let read = client.stream.read(&mut self.buffer)?;
                if read == 0 {
                    return Err("the server closed a connection".into());
                }
                client.rest.extend_from_slice(&self.buffer[..read]);
                while let Some(message) = client.take_message() {
                    if message.starts_with(b"+;AUTH0;") {
                        client.log_in(&message)?;
                    }
                    open += usize::from(message.starts_with(b"+;OPEN"));
                }
            }
        }
        Ok(())
    }

    /// Waits until each client has had so many frames, or will not have them.
    fn receive(&mut self, frames: usize) -> Result<(), Box<dyn Error>> {
        self.receipts = vec![Vec::with_capacity(self.all.len()); frames];
        for client in &mut self.all {
            client.rest.clear();
            client.frames = 0;
        }
        let mut missing = frames * self.all.len();
        let mut events = vec![EpollEvent::empty(); 1024];
        let mut last = now();
        while missing > 0 && now() < last + PATIENCE {
            let ready = self.epoll.wait(&mut events, 1000u16)?;
            for event in &events[..ready] {
                let client = &mut self.all[event.data() as usize];
                let count = client.count_frames(&mut self.buffer)?;
                last = now();
                for receipts in &mut self.receipts[client.frames..client.frames + count] {
                    receipts.push(last);
                }
                client.frames += count;
                missing -= count;
            }
        }
        Ok(())
    }
}

impl Answer for Clients {
    fn answer(&mut self, numbers: &[u64]) -> Result<Vec<u64>, Box<dyn Error>> {
        if let [frames] = *numbers {
            self.receive(frames as usize)?;
            return Ok(Vec::new());
        }
        if self.receipts.iter().any(|one| one.len() < self.all.len()) {
            return Ok(Vec::new());
        }
        let mut all = Vec::new();
        let mut each = Vec::new();
        // After a pause the first event of a turn finds nothing of the clients in the caches.
        for (sent, receipts) in numbers.iter().zip(&self.receipts).skip(1) {
            all.extend(receipts.last().map(|last| last - sent));
            each.extend(receipts.iter().map(|receipt| receipt - sent));
        }
        all.sort_unstable();
        each.sort_unstable();
        let both = [all, each];
        let parts = both.iter();
        let parts = parts.flat_map(|times| [50.0, 99.0].map(|part| percentile(times, part)));
        Ok(parts.collect())
    }
}

impl Client {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Answers the greeting, and opens.
    fn log_in(&mut self, greeting: &[u8]) -> Result<(), Box<dyn Error>> {
        let greeting = String::from_utf8(greeting.to_vec())?;
        let login = login_message(Protocol::Ws1, &greeting, "admin")?;
        let mut bytes = Vec::new();
        masked(login.as_bytes(), &mut bytes);
        masked(open_message(Protocol::Ws1).as_bytes(), &mut bytes);
        self.send(&bytes)
    }

    /// Takes the next message that has come whole, behind the head of the response.
    fn take_message(&mut self) -> Option<Vec<u8>> {
        if self.rest.starts_with(b"HTTP") {
            let end = self.rest.windows(4).position(|four| four == b"\r\n\r\n")?;
            self.rest.drain(..end + 4);
        }
        let (head, end) = frame(&self.rest)?;
        let message = self.rest[head..end].to_vec();
        self.rest.drain(..end);
        Some(message)
    }

    /// Reads what has come. Returns how many frames are complete with it.
    fn count_frames(&mut self, buffer: &mut [u8]) -> Result<usize, Box<dyn Error>> {
        let kept = self.rest.len();
        buffer[..kept].copy_from_slice(&self.rest);
        let read = self.stream.read(&mut buffer[kept..])?;
        if read == 0 {
            return Err("the server closed a connection".into());
        }
        let mut bytes = &buffer[..kept + read];
        let mut count = 0;
        while let Some((_, end)) = frame(bytes) {
            bytes = &bytes[end..];
            count += 1;
        }
        self.rest.clear();
        self.rest.extend_from_slice(bytes);
        Ok(count)
    }
}

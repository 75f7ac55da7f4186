//! Clients that send events, and more whenever some were answered.

use std::{
    error::Error,
    io::{Read, Write},
    thread,
};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use vscpl2drv_websocksrv::ws::event_frames;

use crate::{
    process::Answer,
    server::{NUMBERS, numbered},
    socket::{frame, masked},
    stats::now,
    stream::Stream,
};

const THREADS: usize = 2;

/// Events of a client that are not answered.
const IN_FLIGHT: usize = 64;

/// Clients that send.
pub(crate) struct Pump {
    clients: Vec<Client>,
    /// Frames of all numbers, one behind the other, all of one length.
    frames: Vec<u8>,
}

struct Client {
    stream: Stream,
    rest: Vec<u8>,
    next: usize,
    in_flight: usize,
}

#[derive(Clone, Copy, Default)]
struct Count {
    accepted: u64,
    refused: u64,
    received: u64,
}

impl Pump {
    pub(crate) fn new(streams: Vec<Stream>) -> Self {
        let mut frames = Vec::new();
        let mut payload = Vec::new();
        for number in 0..NUMBERS {
            payload.clear();
            event_frames::encode_ws1(&numbered(number), &mut payload);
            masked(&payload, &mut frames);
        }
        let clients = streams.into_iter().map(|stream| Client {
            stream,
            rest: Vec::new(),
            next: 0,
            in_flight: 0,
        });
        Self {
            clients: clients.collect(),
            frames,
        }
    }
}

impl Answer for Pump {
    fn answer(&mut self, numbers: &[u64]) -> Result<Vec<u64>, Box<dyn Error>> {
        let start = now();
        let end = start + numbers[0] * 1_000_000;
        let part = self.clients.len().div_ceil(THREADS);
        let frames = &self.frames;
        let counts: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = self
                .clients
                .chunks_mut(part)
                .map(|clients| {
                    scope.spawn(move || run(clients, frames, end).map_err(|e| e.to_string()))
                })
                .collect();
            threads.into_iter().map(|t| t.join()).collect()
        });
        let mut sum = Count::default();
        for count in counts {
            let count = count.map_err(|_| "panic")??;
            sum.accepted += count.accepted;
            sum.refused += count.refused;
            sum.received += count.received;
        }
        Ok(vec![now() - start, sum.accepted, sum.refused, sum.received])
    }
}

/// Sends until `end`, then waits until all is answered.
fn run(clients: &mut [Client], frames: &[u8], end: u64) -> Result<Count, Box<dyn Error>> {
    let epoll = Epoll::new(EpollCreateFlags::empty())?;
    for (index, client) in clients.iter_mut().enumerate() {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, index as u64);
        epoll.add(&client.stream, event)?;
        client.send(IN_FLIGHT, frames)?;
    }
    let mut count = Count::default();
    let mut buffer = vec![0; 64 * 1024];
    let mut events = [EpollEvent::empty(); 16];
    while clients.iter().any(|client| client.in_flight > 0) {
        let ready = epoll.wait(&mut events, 1000u16)?;
        let goes_on = now() < end;
        for event in &events[..ready] {
            let client = &mut clients[event.data() as usize];
            let answered = client.read(&mut buffer, &mut count)?;
            if goes_on {
                client.send(answered, frames)?;
            }
        }
    }
    Ok(count)
}

impl Client {
    fn send(&mut self, mut count: usize, frames: &[u8]) -> Result<(), Box<dyn Error>> {
        self.in_flight += count;
        let length = frames.len() / NUMBERS as usize;
        while count > 0 {
            let now = count.min(NUMBERS as usize - self.next);
            let end = self.next + now;
            self.stream
                .write_all(&frames[self.next * length..end * length])?;
            self.next = end % NUMBERS as usize;
            count -= now;
        }
        Ok(())
    }

    /// The number of events that were answered.
    fn read(&mut self, buffer: &mut [u8], count: &mut Count) -> Result<usize, Box<dyn Error>> {
        let kept = self.rest.len();
        buffer[..kept].copy_from_slice(&self.rest);
        let read = self.stream.read(&mut buffer[kept..])?;
        if read == 0 {
            return Err("the server closed the connection".into());
        }
        let mut bytes = &buffer[..kept + read];
        let mut answered = 0;
        while let Some((head, end)) = frame(bytes) {
            match bytes[head] {
                b'+' => count.accepted += 1,
                b'-' => count.refused += 1,
                _ => count.received += 1,
            }
            answered += usize::from(bytes[head] != b'E');
            bytes = &bytes[end..];
        }
        self.rest.clear();
        self.rest.extend_from_slice(bytes);
        self.in_flight -= answered;
        Ok(answered)
    }
}

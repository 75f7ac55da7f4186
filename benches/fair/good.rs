//! The good clients: one sends switches, the other measures how long they take; both read all that
//! comes.

use std::{
    error::Error,
    io::{Read, Write},
    thread,
    time::Duration,
};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use vscpl2drv_websocksrv::event::Event;

use crate::{
    process::{Answer, serve},
    rest::Rest,
    socket::{Socket, frame, masked},
    stats::{data_of, now},
    stream::Stream,
};

const MILLISECOND: u64 = 1_000_000;

/// Time after the last switch in which all of them should have come.
const PATIENCE: u64 = 3000 * MILLISECOND;

/// How often REST is used.
const REST_INTERVAL: Duration = Duration::from_millis(50);

/// How the text of a switch starts. Nothing else has its class.
const SWITCH: &[u8] = b"E;0,30,";

pub(crate) fn is_switch(event: &Event) -> bool {
    event.class == 30
}

/// The process of the good clients. A request is a number of milliseconds, for which it sends
/// switches. The answer is the numbers of those that were accepted, were refused and came; then the
/// time in ns that each of these took; then the time in ns of each request of REST.
pub(crate) fn run(address: &str, rest: bool) -> Result<(), Box<dyn Error>> {
    let rest = rest.then(|| Rest::open(address)).transpose()?;
    let clients = [(); 2].map(|()| Client::open(address));
    let [sender, receiver] = clients;
    let good = Good {
        clients: [sender?, receiver?],
        rest,
        buffer: vec![0; 512 * 1024],
    };
    serve(&[], good)
}

struct Good {
    /// The one that sends, and the one that measures.
    clients: [Client; 2],
    rest: Option<Rest>,
    buffer: Vec<u8>,
}

impl Answer for Good {
    fn answer(&mut self, numbers: &[u64]) -> Result<Vec<u64>, Box<dyn Error>> {
        let end = now() + numbers[0] * MILLISECOND;
        let mut rest = self.rest.take();
        thread::scope(|scope| {
            let rest = rest
                .as_mut()
                .map(|rest| scope.spawn(move || use_rest(rest, end).map_err(|e| e.to_string())));
            self.switch_until(end)?;
            let [sender, receiver] = &self.clients;
            let came = receiver.times.len() as u64;
            let mut answer = vec![sender.accepted, sender.refused, came];
            answer.extend(&receiver.times);
            if let Some(rest) = rest {
                answer.extend(rest.join().map_err(|_| "panic")??);
            }
            Ok(answer)
        })
    }
}

impl Good {
    /// Sends switches until `end`, and waits until all that were accepted have come.
    fn switch_until(&mut self, end: u64) -> Result<(), Box<dyn Error>> {
        let epoll = Epoll::new(EpollCreateFlags::empty())?;
        for (index, client) in (0..).zip(&self.clients) {
            epoll.add(&client.stream, EpollEvent::new(EpollFlags::EPOLLIN, index))?;
        }
        let mut events = [EpollEvent::empty(); 2];
        let mut next = now();
        let mut sent = 0;
        loop {
            let time = now();
            let [sender, receiver] = &mut self.clients;
            if time < end && time >= next {
                sender.send_switch()?;
                sent += 1;
                // From 15 to 25 ms: not in step with anything.
                next += 15 * MILLISECOND + time % (10 * MILLISECOND);
            }
            let answered = sender.accepted + sender.refused == sent;
            let all = answered && receiver.times.len() as u64 >= sender.accepted;
            if time >= end && (all || time >= end + PATIENCE) {
                return Ok(());
            }
            let ready = epoll.wait(&mut events, 1u8)?;
            for event in &events[..ready] {
                self.clients[event.data() as usize].read(&mut self.buffer)?;
            }
        }
    }
}

struct Client {
    stream: Stream,
    /// The start of a frame that is not complete.
    rest: Vec<u8>,
    accepted: u64,
    refused: u64,
    /// How long the switches took that came, in ns.
    times: Vec<u64>,
}

impl Client {
    fn open(address: &str) -> Result<Self, Box<dyn Error>> {
        let mut socket = Socket::login(address, "admin")?;
        socket.open()?;
        Ok(Self {
            stream: socket.stream,
            rest: Vec::new(),
            accepted: 0,
            refused: 0,
            times: Vec::new(),
        })
    }

    fn send_switch(&mut self) -> Result<(), Box<dyn Error>> {
        let data = now().to_be_bytes().map(|byte| byte.to_string()).join(",");
        let mut bytes = Vec::new();
        masked(format!("E;0,30,3,0,,,-,{data}").as_bytes(), &mut bytes);
        Ok(self.stream.write_all(&bytes)?)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<(), Box<dyn Error>> {
        let kept = self.rest.len();
        buffer[..kept].copy_from_slice(&self.rest);
        let count = self.stream.read(&mut buffer[kept..])?;
        if count == 0 {
            return Err("a good client was disconnected".into());
        }
        let now = now();
        let mut bytes = &buffer[..kept + count];
        while let Some((head, end)) = frame(bytes) {
            let payload = &bytes[head..end];
            match payload.first() {
                Some(b'+') => self.accepted += 1,
                Some(b'-') => self.refused += 1,
                _ if payload.starts_with(SWITCH) => {
                    self.times.push(now.saturating_sub(data_of::<8>(payload)));
                }
                _ => {}
            }
            bytes = &bytes[end..];
        }
        self.rest.clear();
        self.rest.extend_from_slice(bytes);
        Ok(())
    }
}

fn use_rest(rest: &mut Rest, end: u64) -> Result<Vec<u64>, Box<dyn Error>> {
    let mut times = Vec::new();
    while now() < end {
        let start = now();
        rest.send_event()?;
        times.push(now() - start);
        thread::sleep(REST_INTERVAL);
    }
    Ok(times)
}

//! Measures the CAN bridge: `cargo bench --bench can`.
//!
//! Runs on a virtual bus, in a guest where this machine has no CAN. Peer, driver, host and client
//! are threads of one process. Numbers are medians of five runs.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../tests/common/mod.rs"]
mod common;
mod fair;
#[path = "../../tests/can/place.rs"]
mod place;
#[path = "../../tests/can/vcan.rs"]
#[allow(dead_code)]
mod vcan;

use std::{
    io::{Read, Write},
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use vscpl2drv_websocksrv::ws::Protocol::Ws1;

use self::{
    common::{
        Server,
        client::{Client, TEXT, frame},
        configuration::merge,
    },
    fair::Beside,
    place::Place,
    vcan::{Vcan, number_of},
};

/// Runs of which the median is shown.
const RUNS: usize = 5;

/// Frames of a run.
const FRAMES: u32 = 30_000;

/// Events that a client sends at once.
const BURST: u32 = 400;

/// Events that may be under way to the bus: no more than the receiving socket keeps.
const UNDER_WAY: u32 = 400;

/// Frames that may be under way from the bus. The socket of the driver keeps more.
const UNDER_WAY_DOWN: u32 = 4000;

/// Frames of a flood, sent as fast as they can be.
const FLOOD: u32 = 100_000;

/// Frames that are timed one by one.
const TIMED: usize = 2000;

fn main() -> ExitCode {
    Place::find().run("CAN benchmark", 600, || {
        let bare = median(|| bare_loop(&Vcan::up()));
        println!("bare write and read:          {bare:>9.0} frames/s");
        let down = median(|| bus_to_client(&Vcan::up()));
        show("CAN to a ws1 client:", down, bare);
        let up = median(|| client_to_bus(&Vcan::up()));
        show("a ws1 client to CAN:", up, bare);
        latency(&Vcan::up());
        flood(&Vcan::up());
        fair::measure(&Vcan::up(), Beside::SlowClient);
        fair::measure(&Vcan::up(), Beside::HangingHost);
        ExitCode::SUCCESS
    })
}

fn show(what: &str, rate: f64, bare: f64) {
    println!(
        "{what:<30}{rate:>9.0} frames/s, {:.2} of the bare loop",
        rate / bare
    );
}

fn median(run: impl FnMut() -> f64) -> f64 {
    let mut rates: Vec<f64> = std::iter::repeat_with(run).take(RUNS).collect();
    rates.sort_by(f64::total_cmp);
    rates[RUNS / 2]
}

fn rate(count: u32, start: Instant) -> f64 {
    f64::from(count) / start.elapsed().as_secs_f64()
}

/// One thread writes a frame and reads it, again and again.
fn bare_loop(vcan: &Vcan) -> f64 {
    let (sender, receiver) = (vcan.peer(), vcan.peer());
    let start = Instant::now();
    for number in 0..FRAMES {
        sender.send_numbered(number);
        assert_eq!(receiver.receive_number(), number);
    }
    rate(FRAMES, start)
}

/// The peer sends as fast as its frames are taken; until the client has got all.
fn bus_to_client(vcan: &Vcan) -> f64 {
    let server = start(vcan);
    let mut client = server.open(Ws1, "admin");
    let peer = vcan.peer();
    with_host(&server, || {
        let received = AtomicU32::new(0);
        let start = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..FRAMES {
                    while number.saturating_sub(received.load(Ordering::Relaxed)) > UNDER_WAY_DOWN {
                        thread::sleep(Duration::from_millis(1));
                    }
                    peer.send_numbered(number);
                }
            });
            let mut messages = Messages::new(&mut client);
            while received.load(Ordering::Relaxed) < FRAMES {
                received.fetch_add(messages.read(), Ordering::Relaxed);
            }
        });
        assert_eq!(server.driver.counters().can_lost.get(), 0);
        rate(FRAMES, start)
    })
}

/// The client sends as fast as the bus takes it; until the peer has got all.
fn client_to_bus(vcan: &Vcan) -> f64 {
    let server = start(vcan);
    let client = server.open(Ws1, "admin");
    let [mut events, mut replies] = [(); 2].map(|()| client.stream.try_clone().unwrap());
    let peer = vcan.peer();
    with_host(&server, || {
        let received = AtomicU32::new(0);
        let start = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut sent = 0;
                while sent < FRAMES {
                    let mut bytes = Vec::new();
                    for number in sent..sent + BURST {
                        let [a, b, c, d] = number.to_be_bytes();
                        let message = format!("E;96,10,6,0,,,-,{a},{b},{c},{d}");
                        bytes.extend_from_slice(&frame(0x80 | TEXT, message.as_bytes()));
                    }
                    sent += BURST;
                    events.write_all(&bytes).unwrap();
                    while sent - received.load(Ordering::Relaxed) > UNDER_WAY {
                        thread::sleep(Duration::from_millis(1));
                    }
                }
            });
            // The replies are read, too; the last says that there are no more.
            let last = scope.spawn(move || {
                let mut buffer = [0; 64 * 1024];
                let mut end = Vec::new();
                while !end.ends_with(b"+;NOOP") {
                    let count = replies.read(&mut buffer).unwrap();
                    end.extend_from_slice(&buffer[..count]);
                    end.drain(..end.len().saturating_sub(16));
                }
            });
            let mut next = 0;
            while next < FRAMES {
                // Frames are taken many at once: one processor is not to change between their
                // sender and their receiver with each.
                thread::sleep(Duration::from_millis(1));
                while let Some(frame) = peer.try_receive() {
                    assert_eq!(number_of(&frame), next);
                    next += 1;
                }
                received.store(next, Ordering::Relaxed);
            }
            let rate = rate(FRAMES, start);
            let mut noop = client.stream.try_clone().unwrap();
            noop.write_all(&frame(0x80 | TEXT, b"C;NOOP")).unwrap();
            last.join().unwrap();
            rate
        })
    })
}

fn latency(vcan: &Vcan) {
    let server = start(vcan);
    let mut client = server.open(Ws1, "admin");
    let peer = vcan.peer();
    let mut times = with_host(&server, || {
        let mut messages = Messages::new(&mut client);
        let time = |number: usize| {
            let start = Instant::now();
            peer.send_numbered(number as u32);
            assert_eq!(messages.read(), 1);
            let time = start.elapsed();
            thread::sleep(Duration::from_millis(1));
            time
        };
        (0..TIMED).map(time).collect::<Vec<_>>()
    });
    times.sort();
    let [p50, p99] = [50, 99].map(|percent| times[TIMED * percent / 100].as_micros());
    println!("write to a ws1 client's read:  p50 {p50} µs, p99 {p99} µs");
}

fn flood(vcan: &Vcan) {
    let server = start(vcan);
    let mut client = server.open(Ws1, "admin");
    let peer = vcan.peer();
    let start = Instant::now();
    let mut received = 0;
    let counters = server.driver.counters();
    with_host(&server, || {
        thread::scope(|scope| {
            scope.spawn(|| (0..FLOOD).for_each(|number| peer.send_numbered(number)));
            let mut messages = Messages::new(&mut client);
            while u64::from(received) + counters.can_lost.get() < FLOOD.into() {
                received += messages.read();
            }
        });
    });
    println!(
        "flood of {FLOOD} frames:       {:>9.0} frames/s, client got {received}; lost in the \
         kernel {}, not given to the host {} (all counted)",
        rate(FLOOD, start),
        counters.can_lost.get(),
        counters.can_not_to_host.get()
    );
}

fn start(vcan: &Vcan) -> Server {
    start_with(vcan, json!({}))
}

fn start_with(vcan: &Vcan, keys: Value) -> Server {
    let bus = json!({"socketcan": {"interface": vcan.name}});
    let server = Server::start(merge(bus, keys));
    let sender = vcan.peer();
    // It is open when it has given the first frame to the host.
    let received = || server.driver.counters().can_received.get();
    while received() == 0 {
        sender.send_numbered(0);
        thread::sleep(Duration::from_millis(5));
    }
    while server.driver.read(Some(Duration::from_millis(100))).is_ok() {}
    server
}

/// Runs `work` while a host reads what comes.
fn with_host<T>(server: &Server, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let _ = server.driver.read(Some(Duration::from_millis(50)));
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        result
    })
}

/// Counts the messages of the server.
struct Messages<'c> {
    client: &'c mut Client,
    buffer: Vec<u8>,
    /// Bytes that were read behind the last whole message.
    rest: usize,
}

impl<'c> Messages<'c> {
    fn new(client: &'c mut Client) -> Self {
        Self {
            client,
            buffer: vec![0; 64 * 1024],
            rest: 0,
        }
    }

    /// Reads once, and counts the messages that are complete now.
    fn read(&mut self) -> u32 {
        let count = self
            .client
            .stream
            .read(&mut self.buffer[self.rest..])
            .unwrap();
        let bytes = &self.buffer[..self.rest + count];
        let (mut place, mut messages) = (0, 0);
        loop {
            let size = match bytes.get(place + 1) {
                Some(126) => match bytes.get(place + 2..place + 4) {
                    Some(size) => 4 + usize::from(u16::from_be_bytes([size[0], size[1]])),
                    None => break,
                },
                Some(size) => 2 + usize::from(*size),
                None => break,
            };
            if place + size > bytes.len() {
                break;
            }
            place += size;
            messages += 1;
        }
        let end = bytes.len();
        self.buffer.copy_within(place..end, 0);
        self.rest = end - place;
        messages
    }
}

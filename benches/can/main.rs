//! Measures the CAN bridge: `cargo bench --bench can`.
//!
//! Runs on a virtual bus, in a guest where this machine has no CAN. Peer, driver, host and client
//! are threads of one process. Numbers are medians of five runs.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../tests/common/mod.rs"]
mod common;
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

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol::Ws1;

use self::{
    common::{
        DEADLINE, Server,
        client::{Client, TEXT, frame},
    },
    place::Place,
    vcan::Vcan,
};

/// Runs of which the median is shown.
const RUNS: usize = 5;

/// Frames of a run.
const FRAMES: u32 = 30_000;

/// Frames that are under way at once, so that none is lost.
const WINDOW: u32 = 2000;

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

fn bus_to_client(vcan: &Vcan) -> f64 {
    let server = start(vcan);
    let mut client = server.open(Ws1, "admin");
    let peer = vcan.peer();
    with_host(&server, || {
        let received = AtomicU32::new(0);
        let start = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| send_within_window(&received, |number| peer.send_numbered(number)));
            let mut messages = Messages::new(&mut client);
            while received.load(Ordering::Relaxed) < FRAMES {
                received.fetch_add(messages.read(), Ordering::Relaxed);
            }
        });
        rate(FRAMES, start)
    })
}

fn client_to_bus(vcan: &Vcan) -> f64 {
    let server = start(vcan);
    let client = server.open(Ws1, "admin");
    let [mut events, mut replies, mut last] = [(); 3].map(|()| client.stream.try_clone().unwrap());
    let peer = vcan.peer();
    with_host(&server, || {
        let received = AtomicU32::new(0);
        let done = AtomicBool::new(false);
        let start = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut bytes = Vec::new();
                send_within_window(&received, |number| {
                    let [a, b, c, d] = number.to_be_bytes();
                    let message = format!("E;96,10,6,0,,,-,{a},{b},{c},{d}");
                    bytes.extend_from_slice(&frame(0x80 | TEXT, message.as_bytes()));
                    if number % 100 == 99 {
                        events.write_all(&bytes).unwrap();
                        bytes.clear();
                    }
                });
            });
            scope.spawn(|| {
                // The replies are read, too.
                let mut buffer = [0; 64 * 1024];
                while !done.load(Ordering::Relaxed) {
                    let _ = replies.read(&mut buffer).unwrap();
                }
            });
            for number in 0..FRAMES {
                assert_eq!(peer.receive_number(), number);
                received.fetch_add(1, Ordering::Relaxed);
            }
            let rate = rate(FRAMES, start);
            done.store(true, Ordering::Relaxed);
            // A last reply for the thread that reads them.
            last.write_all(&frame(0x80 | TEXT, b"C;NOOP")).unwrap();
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
    let server = Server::start(json!({
        "socketcan": {"interface": vcan.name},
    }));
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

fn send_within_window(received: &AtomicU32, mut send: impl FnMut(u32)) {
    for number in 0..FRAMES {
        let start = Instant::now();
        while number - received.load(Ordering::Relaxed) >= WINDOW {
            assert!(start.elapsed() < DEADLINE, "nothing comes");
            thread::sleep(Duration::from_millis(1));
        }
        send(number);
    }
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

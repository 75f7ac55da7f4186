//! Switches of a client beside a busy bus: how long they take to another client, to the host and to
//! the bus.

use std::{
    io::{ErrorKind, Read},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use socket2::SockRef;
use vscpl2drv_websocksrv::ws::Protocol::Ws1;

use crate::{
    common::{Client, messages::Heard},
    start_with,
    vcan::Vcan,
};

/// Switches, and the time from one to the next.
const SWITCHES: usize = 250;
const INTERVAL: Duration = Duration::from_millis(20);

/// Frames of the bus a second, and events that the slow client reads.
const FRAMES: u128 = 3000;
const SLOW: u128 = 1050;

/// Bytes of the message of a frame.
const MESSAGE: u128 = 110;

const TICK: Duration = Duration::from_millis(2);

/// What stands beside the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// A client that reads [`SLOW`] events a second.
    SlowClient,
    /// A host that takes no event, with a short queue.
    HangingHost,
}

/// Shows how long the switches take.
pub(crate) fn measure(vcan: &Vcan, beside: Beside) {
    let server = start_with(vcan, json!({"max-in-queue": 1000}));
    let mut sender = server.login(Ws1, "admin");
    let mut receiver = server.open(Ws1, "admin");
    let slow = server.open(Ws1, "admin");
    let (talker, listener) = (vcan.peer(), vcan.peer());
    let start = Instant::now();
    let [done, all_read] = [(); 2].map(|()| AtomicBool::new(false));
    let goes_on = || !done.load(Ordering::Relaxed);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut sent = 0;
            // Who reads waits for another frame before it ends.
            while !all_read.load(Ordering::Relaxed) {
                while u128::from(sent) < start.elapsed().as_millis() * FRAMES / 1000 {
                    talker.send_numbered(sent);
                    sent += 1;
                }
                thread::sleep(TICK);
            }
        });
        let to_host = scope.spawn(|| {
            let mut times = Vec::new();
            while beside != Beside::HangingHost && goes_on() {
                let event = server.driver.read(Some(Duration::from_millis(50)));
                times.extend(event.ok().and_then(|event| time_since(&event.data, start)));
            }
            times
        });
        let to_bus = scope.spawn(|| {
            let mut times = Vec::new();
            while goes_on() {
                times.extend(time_since(listener.receive().data(), start));
            }
            times
        });
        let to_client = scope.spawn(|| {
            let mut times = Vec::new();
            while goes_on() {
                times.extend(time_since(&data_of(&receiver.text()), start));
            }
            times
        });
        if beside == Beside::SlowClient {
            scope.spawn(|| read_slowly(&slow, start, &done));
        }
        let refused = switch(&mut sender, start);
        thread::sleep(INTERVAL * 10);
        done.store(true, Ordering::Relaxed);
        println!("switches beside {FRAMES} frames/s and {beside:?}, in ms; {refused} refused");
        for (name, times) in [
            ("to a client", to_client),
            ("to the host", to_host),
            ("to the bus", to_bus),
        ] {
            show(name, times.join().unwrap());
        }
        all_read.store(true, Ordering::Relaxed);
        let counters = server.driver.counters();
        println!(
            "  lost: {} of the slow client, {} frames in the kernel",
            counters.dropped_slow.get(),
            counters.can_lost.get()
        );
    });
}

/// Sends the switches. Returns how many were refused.
fn switch(sender: &mut Client, start: Instant) -> usize {
    let mut refused = 0;
    for number in 0..SWITCHES as u32 {
        thread::sleep((INTERVAL * number).saturating_sub(start.elapsed()));
        let time = start.elapsed().as_nanos() as u64;
        let data = time.to_be_bytes().map(|byte| byte.to_string()).join(",");
        sender.send(&format!("E;0,30,3,0,,,-,{data}"));
        refused += usize::from(sender.hear() != Heard::success("EVENT"));
    }
    refused
}

/// The time since the one in the data of a switch; other data is shorter.
fn time_since(data: &[u8], start: Instant) -> Option<Duration> {
    let sent = u64::from_be_bytes(data.try_into().ok()?);
    Some(start.elapsed().saturating_sub(Duration::from_nanos(sent)))
}

/// The data bytes of the message of an event.
fn data_of(message: &str) -> Vec<u8> {
    let fields = message.split(',').skip(7);
    let bytes = fields.map(|field| u8::from_str_radix(field.trim_start_matches("0x"), 16));
    bytes.map_while(Result::ok).collect()
}

fn read_slowly(client: &Client, start: Instant, done: &AtomicBool) {
    SockRef::from(&client.stream)
        .set_recv_buffer_size(16 * 1024)
        .unwrap();
    client.stream.set_nonblocking(true).unwrap();
    let mut read = 0;
    let mut buffer = vec![0; 1024];
    while !done.load(Ordering::Relaxed) {
        while read < start.elapsed().as_millis() * SLOW * MESSAGE / 1000 {
            match (&client.stream).read(&mut buffer) {
                Ok(count) => read += count as u128,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        thread::sleep(TICK);
    }
}

fn show(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let Some(max) = times.last() else {
        return;
    };
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let [p50, p99] = [50, 99].map(|part| milliseconds(times[times.len() * part / 100]));
    println!(
        "  {name:<12} {} came, p50 {p50:.2}, p99 {p99:.2}, max {:.2}",
        times.len(),
        milliseconds(*max)
    );
}

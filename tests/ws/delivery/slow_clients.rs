//! Clients that take their events slowly or not at all.

use std::{
    io::{Read, Write},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use super::{Progress, flood_the_host};
use crate::common::{
    BOTH, DEADLINE, Server, client::frame, events::large_event, messages::Heard, wait_until,
};

#[test]
fn a_client_that_takes_nothing_has_no_event_of_another_refused() {
    let server = Server::start(json!({"max-client-queue-size": 500}));
    let _stuck = server.open(Protocol::Ws2, "admin");
    let mut client = server.login(Protocol::Ws1, "admin");
    // More than the sockets and the ring hold: the hub has to wait.
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..10_000 {
                server.driver.write(large_event(), Some(DEADLINE)).unwrap();
            }
        });
        flood_the_host(&server, &mut client, 20_000);
    });
    assert_eq!(server.driver.counters().refused_full.get(), 0);
}

#[test]
fn a_client_that_takes_nothing_is_closed_and_the_others_get_everything() {
    let server = Server::start(json!({"write-timeout": 1, "max-client-queue-size": 1000}));
    let mut others = BOTH.map(|protocol| server.open(protocol, "admin"));
    let mut stalled = server.open(Protocol::Ws2, "admin");
    let template = large_event();
    let progress = Progress::default();
    thread::scope(|scope| {
        for (index, client) in others.iter_mut().enumerate() {
            let progress = &progress;
            scope.spawn(move || progress.hear_all(index, client));
        }
        let start = Instant::now();
        let mut written = 0;
        for number in 1.. {
            written = number;
            let mut event = template.clone();
            event.timestamp = number;
            server.driver.write(event, Some(DEADLINE)).unwrap();
            progress.wait_for(2, number, 500);
            if number % 20 == 0 && server.log().contains("1008 slow consumer") {
                break;
            }
            assert!(start.elapsed() < DEADLINE, "it is never closed");
        }
        // It has a second to take what is left, and its close frame.
        assert_eq!(stalled.close_code(), 1008);
        wait_until("the others have all", || {
            progress.0[..2]
                .iter()
                .all(|p| p.load(Ordering::Relaxed) == written)
        });
        // The log is looked at after each 20; before, nothing is lost without being counted.
        let counters = server.driver.counters();
        let accounted = || {
            counters.to_clients.get() + counters.dropped_slow.get() + counters.dropped_gone.get()
        };
        wait_until("all is accounted for", || {
            accounted() >= 3 * u64::from(written) - 500 - 500
        });
        server.host_writes(u32::MAX);
    });
}

#[test]
fn a_client_that_reads_slowly_all_the_time_is_not_closed() {
    const SECONDS: u32 = 8;
    const READS: u32 = 10;
    let server = Server::start(json!({"write-timeout": 2, "max-client-queue-size": 1000}));
    let mut client = server.open(Protocol::Ws1, "admin");
    let template = large_event();
    let read = AtomicU32::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            // 200 kB a second: the time is what is tested.
            let mut buffer = vec![0; 20_000];
            for number in 1..=SECONDS * READS {
                thread::sleep(Duration::from_secs(1) / READS);
                client.stream.read_exact(&mut buffer).unwrap();
                read.store(number, Ordering::Relaxed);
            }
        });
        // More than it takes.
        while read.load(Ordering::Relaxed) < SECONDS * READS {
            server
                .driver
                .write(template.clone(), Some(DEADLINE))
                .unwrap();
            assert!(!server.log().contains("slow consumer"));
        }
    });
    let log = server.close_and_log();
    assert!(!log.contains("slow consumer"), "{log}");
}

#[test]
fn a_client_that_was_slow_once_is_not_closed_later() {
    const EVENTS: u32 = 6000;
    let server = Server::start(json!({"write-timeout": 1, "auth-timeout": 2}));
    let mut client = server.open(Protocol::Ws2, "admin");
    let template = large_event();
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=EVENTS {
                let mut event = template.clone();
                event.timestamp = number;
                server.driver.write(event, Some(DEADLINE)).unwrap();
            }
        });
        client.expect_events(1..=EVENTS);
    });
    // The clock: one that does not log in is closed after 2 seconds.
    assert_eq!(server.connect(Protocol::Ws1).close_code(), 1008);
    client.command("NOOP");
}

#[test]
fn a_client_that_asks_but_does_not_listen_is_held_back_and_closed() {
    let server = Server::start(json!({"write-timeout": 1}));
    let mut client = server.connect(Protocol::Ws1);
    let request = frame(0x81, b"C;COPYRIGHT").repeat(1000);
    let start = Instant::now();
    while client.stream.write_all(&request).is_ok() {
        assert!(start.elapsed() < DEADLINE, "it is never closed");
    }
    server.wait_for_log("closed, 1008 slow consumer");
    server.login(Protocol::Ws1, "admin");
}

#[test]
fn a_slow_client_loses_events_that_are_counted_but_gets_the_rest_in_order() {
    // More than the sockets, the ring and the queue hold together.
    const EVENTS: u32 = 40_000;
    // It is read when all are written, however long that takes.
    let server = Server::start(json!({"max-client-queue-size": 500, "write-timeout": 60}));
    let mut slow = server.open(Protocol::Ws1, "admin");
    let template = large_event();
    for number in 1..=EVENTS {
        let mut event = template.clone();
        event.timestamp = number;
        server.driver.write(event, Some(DEADLINE)).unwrap();
    }
    let mut got = 0;
    let mut before = 0;
    while before < EVENTS {
        let Heard::Event(number) = slow.hear() else {
            panic!("no event");
        };
        assert!(number > before, "{number} behind {before}");
        before = number;
        got += 1;
    }
    let dropped = server.driver.counters().dropped_slow.get();
    assert!(dropped > 0);
    assert_eq!(got + dropped, u64::from(EVENTS));
    server.wait_for_log(&format!("{dropped} events dropped, too slow"));
}

//! Floods of events that everybody takes.

use std::{io::Read, thread};

use serde_json::json;
use vscpl2drv_websocksrv::{
    event::{Data, Event},
    ws::Protocol,
};

use super::{Progress, flood_the_host};
use crate::common::{BOTH, Client, DEADLINE, Server, event_of, wait_until};

#[test]
fn a_flood_of_events_reaches_every_client_without_gap_and_in_order() {
    const EVENTS: u32 = 200_000;
    let server = Server::start(json!({"max-client-queue-size": 100_000}));
    let mut clients = [Protocol::Ws1, Protocol::Ws1, Protocol::Ws2]
        .map(|protocol| server.open(protocol, "admin"));
    let progress = Progress::default();
    thread::scope(|scope| {
        for (index, client) in clients.iter_mut().enumerate() {
            let progress = &progress;
            scope.spawn(move || progress.hear_all(index, client));
        }
        let template = event_of("0,20,3,0,2020-01-01T00:00:00Z,,-,1,2,3");
        for number in (1..=EVENTS).chain([u32::MAX]) {
            let mut event = template.clone();
            event.timestamp = number;
            server.driver.write(event, Some(DEADLINE)).unwrap();
            progress.wait_for(3, number.min(EVENTS), 60_000);
        }
    });
    expect_counted(&server, 3 * (u64::from(EVENTS) + 1));
}

#[test]
fn a_burst_of_30_000_events_is_kept_for_a_client_that_is_slow() {
    const EVENTS: u32 = 30_000;
    for protocol in BOTH {
        let server = Server::start(json!({}));
        let mut slow = server.open(protocol, "admin");
        let template = event_of("0,20,3,0,2020-01-01T00:00:00Z,,-");
        for number in 1..=EVENTS {
            let mut event = template.clone();
            event.timestamp = number;
            server.driver.write(event, Some(DEADLINE)).unwrap();
        }
        slow.expect_events(1..=EVENTS);
        assert_eq!(server.driver.counters().dropped_slow.get(), 0);
    }
}

#[test]
fn at_the_host_s_full_rate_clients_that_take_all_miss_none() {
    const EVENTS: u32 = 100_000;
    let server = Server::start(json!({}));
    let mut clients = [(); 3].map(|()| server.open(Protocol::Ws1, "admin"));
    thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| take_all(client, EVENTS));
        }
        for number in 0..EVENTS {
            let event = numbered(number);
            server.driver.write(event, Some(DEADLINE)).unwrap();
        }
    });
    expect_counted(&server, 3 * u64::from(EVENTS));
}

/// Waits until `events` are counted as sent to clients: an event is counted after the client has
/// got it. None is dropped.
fn expect_counted(server: &Server, events: u64) {
    let counters = server.driver.counters();
    wait_until("counted", || counters.to_clients.get() == events);
    assert_eq!(counters.dropped_slow.get(), 0);
}

/// An event whose text is as long as that of all others.
fn numbered(number: u32) -> Event {
    let mut event = event_of("0,20,3,0,2020-01-01T00:00:00Z,1,-");
    event.data = Data::copy_from(&number.to_be_bytes()).unwrap();
    event
}

/// Reads as fast as can be the events 0, 1 .. `count`, without a gap and in order.
fn take_all(client: &mut Client, count: u32) {
    let mut head = [0; 2];
    client.stream.read_exact(&mut head).unwrap();
    let length = usize::from(head[1]) + 2;
    assert!(length < 128);
    let mut buffer = vec![0; 1000 * length];
    client.stream.read_exact(&mut buffer[2..length]).unwrap();
    let mut next = 1;
    while next < count {
        let frames = ((count - next) as usize).min(1000);
        let bytes = &mut buffer[..frames * length];
        client.stream.read_exact(bytes).unwrap();
        for frame in bytes.chunks_exact(length) {
            let [a, b, c, d] = next.to_be_bytes();
            let end = format!(",0x{a:02X},0x{b:02X},0x{c:02X},0x{d:02X}");
            assert!(frame.ends_with(end.as_bytes()), "{next}");
            next += 1;
        }
    }
}

#[test]
fn a_flood_of_a_client_reaches_the_host_in_order() {
    let server = Server::start(json!({}));
    let mut client = server.login(Protocol::Ws1, "admin");
    flood_the_host(&server, &mut client, 20_000);
}

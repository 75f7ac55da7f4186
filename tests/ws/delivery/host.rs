//! The queue of the host, its filter and what it sends back.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use vscpl2drv_websocksrv::{event::Guid, hub::HostError, ws::Protocol};

use crate::common::{BOTH, GUID, Server, commands, event_of, messages::Heard};

#[test]
fn the_host_that_does_not_read_has_events_refused_and_nobody_gets_them() {
    let server = Server::start(json!({"max-in-queue": 3}));
    for protocol in BOTH {
        let mut sender = server.login(protocol, "admin");
        let mut other = server.open(protocol, "admin");
        for number in 1..=5 {
            sender.send_event(number);
            let reply = match number {
                ..=3 => Heard::success("EVENT"),
                _ => Heard::failed("EVENT", 3),
            };
            assert_eq!(sender.hear(), reply, "{number}");
        }
        assert_eq!(server.host_reads_number(), 1);
        sender.send_event(6);
        assert_eq!(sender.hear(), Heard::success("EVENT"));
        other.expect_events([1, 2, 3, 6]);
        for number in [2, 3, 6] {
            assert_eq!(server.host_reads_number(), number);
        }
    }
    assert_eq!(server.driver.counters().refused_full.get(), 4);
}

#[test]
fn a_full_host_queue_does_not_stop_events_that_are_not_for_the_host() {
    let server = Server::start(json!({"max-in-queue": 1, "rx-filter": "0,10,0,-;0,0xFFFF,0,-"}));
    let mut sender = server.login(Protocol::Ws1, "admin");
    let mut other = server.open(Protocol::Ws1, "admin");
    assert_eq!(sender.ask("E;0,10,1,,,1,-"), "+;EVENT");
    assert_eq!(
        sender.ask("E;0,10,1,,,2,-"),
        "-;EVENT;3;Transmit buffer full."
    );
    assert_eq!(sender.ask("E;0,11,1,,,3,-"), "+;EVENT");
    other.expect_events([1, 3]);
}

#[test]
fn the_rx_filter_is_for_the_host_alone() {
    for (filter, passing) in [
        ("0,10,0,-;0,0xFFFF,0,-", "10,6"),
        ("0,10,0,-,0,0xFFFF,0,-", "10,6"),
        (",10", "10,6"),
        ("0,0,6,-;0,0,0xFFFF,-", "11,6"),
    ] {
        let server = Server::start(json!({"rx-filter": filter}));
        let mut sender = server.login(Protocol::Ws1, "admin");
        let mut other = server.open(Protocol::Ws1, "admin");
        assert_eq!(sender.ask("E;0,11,7,,,1,-"), "+;EVENT");
        assert_eq!(sender.ask(&format!("E;0,{passing},,,2,-")), "+;EVENT");
        other.expect_events([1, 2]);
        assert_eq!(server.host_reads_number(), 2, "{filter}");
    }
}

#[test]
fn events_larger_than_the_host_can_take_are_refused() {
    let server = Server::start(json!({"host-max-data": 4}));
    let mut client = server.login(Protocol::Ws1, "admin");
    let mut other = server.open(Protocol::Ws2, "admin");
    let refused = "-;EVENT;8;Event has 5 data bytes, the host takes at most 4.";
    assert_eq!(client.ask("E;0,20,3,,,1,-,1,2,3,4,5"), refused);
    assert_eq!(client.ask("E;0,20,3,,,2,-,1,2,3,4"), "+;EVENT");
    assert_eq!(server.host_reads_number(), 2);
    other.expect_events([2]);
    let message = json!({"type": "E", "event": {"class": 20, "type": 3, "data": [1, 2, 3, 4, 5]}});
    other.send(&message.to_string());
    assert_eq!(other.hear(), Heard::failed("EVENT", 8));
    assert_eq!(server.driver.counters().refused_large.get(), 2);
    // The host itself may send what it likes.
    server.host_writes_text("0,20,3,,,3,-,1,2,3,4,5");
    other.expect_events([3]);
}

#[test]
fn the_host_waits_for_events_and_is_woken_by_one_or_by_the_close() {
    let server = Server::start(json!({}));
    let mut client = server.login(Protocol::Ws1, "admin");
    thread::scope(|scope| {
        let reader = scope.spawn(|| server.driver.read(None).unwrap().timestamp);
        client.send_event(5);
        assert_eq!(reader.join().unwrap(), 5);
        let start = Instant::now();
        let timeout = Duration::from_millis(30);
        assert_eq!(server.driver.read(Some(timeout)), Err(HostError::Timeout));
        assert!(start.elapsed() >= timeout);
        let reader = scope.spawn(|| server.driver.read(None));
        server.driver.close();
        assert_eq!(reader.join().unwrap(), Err(HostError::Closed));
    });
    assert_eq!(server.driver.read(None), Err(HostError::Closed));
    let event = event_of("0,20,3,,,,-");
    assert_eq!(server.driver.write(event, None), Err(HostError::Closed));
}

#[test]
fn without_clients_events_of_the_host_are_a_success() {
    let server = Server::start(json!({"max-client-queue-size": 1}));
    for number in 1..=20_000 {
        server.host_writes(number);
    }
}

#[test]
fn commands_that_come_too_fast_are_counted_and_logged() {
    let server = Server::start(json!({}));
    let guid: Guid = GUID.parse().unwrap();
    let command = commands::command(Guid::default(), guid, r#"{"op":"noop"}"#);
    let dropped = || server.driver.counters().dropped_own.get();
    // Fewer than there is room for of their replies.
    for _ in 0..20_000 {
        server.driver.write(command.clone(), None).unwrap();
        if dropped() > 0 {
            break;
        }
    }
    assert!(dropped() > 0);
    server.wait_for_log("to the driver dropped");
}

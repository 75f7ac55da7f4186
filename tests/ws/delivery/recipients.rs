//! The recipients of an event.

use std::time::Duration;

use serde_json::json;
use vscpl2drv_websocksrv::{hub::HostError, ws::Protocol};

use crate::common::{
    BOTH, Client, DEADLINE, Server,
    client::frame,
    messages::{Heard, event},
    user,
};

#[test]
fn an_event_goes_to_the_host_and_to_every_other_client_but_never_back() {
    let server = Server::start(json!({}));
    let mut clients: Vec<Client> = [Protocol::Ws1, Protocol::Ws2, Protocol::Ws1, Protocol::Ws2]
        .into_iter()
        .map(|protocol| server.open(protocol, "admin"))
        .collect();
    for sender in 0..clients.len() {
        clients[sender].send_event(1);
        assert_eq!(clients[sender].hear(), Heard::success("EVENT"));
        assert_eq!(server.host_reads_number(), 1);
        // Behind it, and for all.
        server.host_writes(2);
        for (index, client) in clients.iter_mut().enumerate() {
            if index != sender {
                client.expect_events([1]);
            }
            client.expect_events([2]);
        }
    }
    let nothing = server.driver.read(Some(Duration::from_millis(1)));
    assert_eq!(
        nothing,
        Err(HostError::Timeout),
        "an event of the host came back to it"
    );
}

#[test]
fn events_of_several_clients_mixed_in_one_batch_go_to_the_right_ones() {
    let server = Server::start(json!({}));
    let mut clients: Vec<Client> = BOTH.map(|protocol| server.open(protocol, "admin")).into();
    let count = 300;
    for (client, offset) in clients.iter_mut().zip([0, 1000]) {
        let events = (1..=count).map(|number| event(client.protocol, offset + number));
        let messages: Vec<u8> = events
            .flat_map(|event| frame(0x81, event.as_bytes()))
            .collect();
        client.send_bytes(&messages);
    }
    server.host_writes(9999);
    for (client, other) in clients.iter_mut().zip([1000, 0]) {
        let mut replies = 0;
        let mut next = other + 1;
        let mut host = false;
        while replies < count || next <= other + count || !host {
            match client.hear() {
                Heard::Success(word) if word == "EVENT" => replies += 1,
                Heard::Event(9999) => host = true,
                heard => {
                    assert_eq!(heard, Heard::Event(next));
                    next += 1;
                }
            }
        }
        assert_eq!((replies, client.hear_until_noop()), (count, vec![]));
    }
}

#[test]
fn an_event_that_the_host_sends_back_is_not_delivered_again() {
    let server = Server::start(json!({}));
    let mut sender = server.open(Protocol::Ws1, "admin");
    let mut other = server.open(Protocol::Ws1, "admin");
    assert_eq!(sender.ask("E;0,20,3,,,1,-,7"), "+;EVENT");
    other.expect_events([1]);
    let mut given = server.host_reads();
    // The daemon rewrites the times.
    given.timestamp = 99;
    given.date = None;
    given.obid = 0;
    for _ in 0..2 {
        server.driver.write(given.clone(), Some(DEADLINE)).unwrap();
    }
    server.host_writes(3);
    for client in [&mut sender, &mut other] {
        client.expect_events([99, 3]);
    }
    assert_eq!(server.driver.counters().echoes.get(), 1);
}

#[test]
fn the_echo_filter_can_be_switched_off() {
    let server = Server::start(json!({"echo-filter": false}));
    let mut sender = server.open(Protocol::Ws1, "admin");
    assert_eq!(sender.ask("E;0,20,3,,,1,-,7"), "+;EVENT");
    let given = server.host_reads();
    server.driver.write(given, Some(DEADLINE)).unwrap();
    sender.expect_events([1]);
}

#[test]
fn a_user_without_the_right_to_receive_gets_no_events() {
    let users = json!([
        user("admin", json!({})),
        user("deaf", json!({"rights": "send-events"}))
    ]);
    let server = Server::start(json!({"users": users}));
    for protocol in BOTH {
        let mut witness = server.open(protocol, "admin");
        let mut deaf = server.open(protocol, "deaf");
        server.host_writes(1);
        witness.expect_events([1]);
        assert_eq!(deaf.hear_until_noop(), []);
        assert_eq!(deaf.hear_until_noop(), []);
        deaf.send_event(2);
        assert_eq!(deaf.hear(), Heard::success("EVENT"));
        witness.expect_events([2]);
    }
}

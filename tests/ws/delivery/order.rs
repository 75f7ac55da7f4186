//! Replies and events in the order of what caused them.

use std::io::Write;

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{
    BOTH, Client, Server,
    client::frame,
    messages::{Heard, auth, command, crypto, event},
};

#[test]
fn hundreds_of_requests_at_once_are_answered_one_by_one_in_order() {
    let server = Server::start(json!({}));
    for protocol in BOTH {
        let mut client = server.login(protocol, "admin");
        let mut messages = Vec::new();
        let mut replies = Vec::new();
        for number in 1..=200 {
            for (message, reply) in [
                (command(protocol, "NOOP"), Heard::success("NOOP")),
                (event(protocol, number), Heard::success("EVENT")),
                (
                    command(protocol, &format!("X{number}")),
                    Heard::failed(&format!("X{number}"), 2),
                ),
                (command(protocol, "CLOSE"), Heard::success("CLOSE")),
            ] {
                messages.extend(frame(0x81, message.as_bytes()));
                replies.push(reply);
            }
        }
        client.send_bytes(&messages);
        for reply in replies {
            assert_eq!(client.hear(), reply);
        }
        assert_eq!(client.hear_until_noop(), []);
        for number in 1..=200 {
            assert_eq!(server.host_reads_number(), number);
        }
    }
}

#[test]
fn everything_may_be_sent_before_the_greeting_is_read() {
    let server = Server::start(json!({"ws1-iv": "any"}));
    let iv = "00112233445566778899AABBCCDDEEFF";
    for (protocol, path, word) in [
        (Protocol::Ws1, "/ws1", "AUTH1"),
        (Protocol::Ws2, "/ws2", "AUTH"),
    ] {
        let messages: Vec<u8> = [
            command(protocol, "NOOP"),
            command(protocol, "OPEN"),
            auth(protocol, iv, &crypto("admin:secret", iv)),
            command(protocol, "OPEN"),
            event(protocol, 1),
            event(protocol, 2),
            command(protocol, "CLRQ"),
        ]
        .iter()
        .flat_map(|message| frame(0x81, message.as_bytes()))
        .collect();
        let mut client = Client::connect_and_send(server.address(), path, protocol, &messages);
        client.take_greeting();
        for reply in [
            Heard::success("NOOP"),
            Heard::failed("OPEN", 5),
            Heard::success(word),
            Heard::success("OPEN"),
            Heard::success("EVENT"),
            Heard::success("EVENT"),
            Heard::success("CLRQ"),
        ] {
            assert_eq!(client.hear(), reply);
        }
        assert_eq!(
            [1, 2],
            [server.host_reads_number(), server.host_reads_number()]
        );
    }
}

#[test]
fn what_follows_open_in_one_segment_is_handled_behind_the_kept_events() {
    let server = Server::start(json!({}));
    let mut other = server.open(Protocol::Ws1, "admin");
    for protocol in BOTH {
        let mut client = server.login(protocol, "admin");
        server.host_writes(1);
        server.host_writes(2);
        other.expect_events([1, 2]);
        let bytes: Vec<u8> = ["OPEN", "CLRQ", "NOOP"]
            .iter()
            .flat_map(|word| frame(0x81, command(protocol, word).as_bytes()))
            .collect();
        client.stream.write_all(&bytes).unwrap();
        let heard = [(); 5].map(|()| client.hear());
        let expected = [
            Heard::success("OPEN"),
            Heard::Event(1),
            Heard::Event(2),
            Heard::success("CLRQ"),
            Heard::success("NOOP"),
        ];
        assert_eq!(heard, expected);
    }
}

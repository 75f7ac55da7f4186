//! ws1 and ws2 over TLS.

use std::{io::Write, net::TcpStream, thread, time::Instant};

use rustls::{ClientConnection, StreamOwned, SupportedProtocolVersion};
use serde_json::{Value, json};
use tempfile::TempDir;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::{
    client::{ANY, Peer, V1_2, V1_3},
    common::{
        BOTH, Client, DEADLINE, Server,
        client::{BINARY, CLOSE},
        event_of,
        messages::Heard,
        tls::Authority,
    },
};

/// Events of a flood: some MiB for each client.
const FLOOD: u32 = 30_000;

struct Secure {
    server: Server,
    peer: Peer,
    _folder: TempDir,
}

/// A server with TLS and a client for it; `keys` are added to the configuration.
fn start(versions: &[&'static SupportedProtocolVersion], keys: Value) -> Secure {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    Secure {
        server: Server::start_tls(&authority.tls(folder.path()), keys),
        peer: Peer::new(&authority, versions, None),
        _folder: folder,
    }
}

/// Takes the rest of a connection that has ended as TLS should: `read` fails where the end was
/// not announced.
fn expect_end(mut client: Client<StreamOwned<ClientConnection, TcpStream>>) {
    assert!(client.frame().is_none());
}

#[test]
fn a_dialogue_is_the_same_as_without() {
    for versions in [V1_2, V1_3] {
        let Secure { server, peer, .. } = start(versions, json!({}));
        for protocol in BOTH {
            let mut client = peer.open(&server, protocol);
            client.send_event(1);
            assert_eq!(client.hear(), Heard::success("EVENT"));
            assert_eq!(server.host_reads_number(), 1);
            server.host_writes(2);
            client.expect_events([2]);
        }
    }
}

#[test]
fn the_answer_to_a_close_arrives() {
    for versions in [V1_2, V1_3] {
        let Secure { server, peer, .. } = start(versions, json!({}));
        for protocol in BOTH {
            let mut client = peer.websocket(&server, protocol);
            client.send_frame(0x80 | CLOSE, &1000_u16.to_be_bytes());
            let close = client.frame().unwrap();
            assert_eq!((close.opcode, &*close.payload), (CLOSE, &[0x03, 0xE8][..]));
            expect_end(client);
        }
    }
}

#[test]
fn the_close_codes_of_the_server_arrive() {
    for protocol in BOTH {
        let keys = json!({"max-message-size": 1000, "max-auth-attempts": 1, "auth-timeout": 1});
        let Secure { server, peer, .. } = start(ANY, keys);
        for (first, payload, code) in [
            (0x80 | BINARY, &b"x"[..], 1003),
            (0x81, b"\xFF", 1007),
            (0x81, &[b'x'; 1001], 1009),
            (0x83, b"x", 1002),
        ] {
            let mut client = peer.websocket(&server, protocol);
            client.send_frame(first, payload);
            assert_eq!(client.close_code(), code);
        }
        let mut client = peer.websocket(&server, protocol);
        client.try_login("admin", "wrong");
        assert_eq!(client.close_code(), 1008);
        let mut client = peer.websocket(&server, protocol);
        assert_eq!(client.close_code(), 1008);
    }
}

#[test]
fn a_close_comes_through_behind_what_was_not_read() {
    let Secure { server, peer, .. } = start(ANY, json!({}));
    let mut client = peer.open(&server, Protocol::Ws1);
    (0..1000).for_each(|number| server.host_writes(number));
    client.send_frame(0x80 | BINARY, b"x");
    assert_eq!(client.close_code(), 1003);
}

#[test]
fn who_is_connected_when_the_driver_ends_is_told() {
    let Secure { server, peer, .. } = start(ANY, json!({}));
    let mut clients = BOTH.map(|protocol| peer.websocket(&server, protocol));
    let close = thread::spawn(move || server.driver.close());
    for client in &mut clients {
        assert_eq!(client.close_code(), 1001);
    }
    close.join().unwrap();
}

#[test]
fn a_flood_of_events_arrives_complete_and_in_order() {
    for versions in [V1_2, V1_3] {
        let Secure { server, peer, .. } = start(versions, json!({}));
        let mut clients = BOTH.map(|protocol| peer.open(&server, protocol));
        thread::scope(|scope| {
            for client in &mut clients {
                scope.spawn(|| client.expect_events(1..=FLOOD));
            }
            for number in 1..=FLOOD {
                let event = event_of(&format!("0,20,3,0,,{number},-,1,2,3,4,5,6,7,8"));
                server.driver.write(event, Some(DEADLINE)).unwrap();
            }
        });
        assert_eq!(server.driver.counters().dropped_slow.get(), 0);
    }
}

#[test]
fn a_flood_of_events_of_a_client_is_answered_and_arrives_in_order() {
    const EVENTS: u32 = 20_000;
    for protocol in BOTH {
        let Secure { server, peer, .. } = start(ANY, json!({}));
        let mut client = peer.open(&server, protocol);
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 1..=EVENTS {
                    assert_eq!(server.host_reads_number(), number);
                }
            });
            // As many on their way as fit into one record and more.
            for numbers in (1..=EVENTS).collect::<Vec<_>>().chunks(1000) {
                for number in numbers {
                    client.send_event(*number);
                }
                for _ in numbers {
                    assert_eq!(client.hear(), Heard::success("EVENT"));
                }
            }
        });
    }
}

#[test]
fn records_that_come_byte_by_byte_are_put_together() {
    let Secure { server, peer, .. } = start(ANY, json!({}));
    let mut client = peer.websocket(&server, Protocol::Ws1);
    client
        .stream
        .conn
        .writer()
        .write_all(b"\x81\x86\0\0\0\0C;NOOP")
        .unwrap();
    let mut record = Vec::new();
    client.stream.conn.write_tls(&mut record).unwrap();
    for byte in record {
        client.stream.sock.write_all(&[byte]).unwrap();
    }
    assert_eq!(client.hear(), Heard::success("NOOP"));
}

#[test]
fn a_client_that_takes_nothing_is_closed() {
    let keys = json!({"write-timeout": 1, "max-client-queue-size": 100_000});
    let Secure { server, peer, .. } = start(ANY, keys);
    let _client = peer.open(&server, Protocol::Ws1);
    let start = Instant::now();
    let mut number = 0;
    while !server.log().contains("1008 slow consumer") {
        assert!(start.elapsed() < DEADLINE);
        for _ in 0..1000 {
            number += 1;
            server.host_writes(number);
        }
    }
}

//! The closing handshake.

use std::time::{Duration, Instant};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use super::FIN;
use crate::common::{
    BOTH, Client, Server,
    client::{BINARY, CLOSE, TEXT, frame},
    messages::{Heard, command},
};

#[test]
fn replies_are_sent_before_a_close() {
    let server = Server::start(json!({}));
    let mut client = server.connect(Protocol::Ws1);
    let noop = frame(FIN | TEXT, b"C;NOOP");
    client.send_bytes(&[noop.repeat(20), frame(FIN | BINARY, b""), noop].concat());
    for _ in 0..20 {
        assert_eq!(client.hear(), Heard::success("NOOP"));
    }
    assert_eq!(client.close_code(), 1003);
}

#[test]
fn a_close_of_the_client_is_answered() {
    let server = Server::start(json!({}));
    for protocol in BOTH {
        for code in [1000u16, 1001, 3000, 4999] {
            let mut client = server.open(protocol, "admin");
            client.send_frame(FIN | CLOSE, &[&code.to_be_bytes()[..], b"bye"].concat());
            assert_eq!(client.close_code(), code);
        }
        let mut client = server.connect(protocol);
        let noop = frame(FIN | TEXT, command(protocol, "NOOP").as_bytes());
        client.send_bytes(&[noop.repeat(3), frame(FIN | CLOSE, &[0x03, 0xE8])].concat());
        for _ in 0..3 {
            assert_eq!(client.hear(), Heard::success("NOOP"));
        }
        assert_eq!(client.close_code(), 1000);
        let mut client = server.connect(protocol);
        client.send_frame(FIN | CLOSE, b"");
        assert_eq!(client.frame().unwrap().opcode, CLOSE);
        assert!(client.frame().is_none());
    }
}

#[test]
fn at_the_end_every_client_gets_1001() {
    let server = Server::start(json!({}));
    let mut clients: Vec<Client> = BOTH
        .into_iter()
        .flat_map(|protocol| {
            [
                server.connect(protocol),
                server.login(protocol, "admin"),
                server.open(protocol, "admin"),
            ]
        })
        .collect();
    // One in the middle of a message.
    clients[0].send_frame(TEXT, b"C;NO");
    let start = Instant::now();
    server.driver.close();
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    for client in &mut clients {
        assert_eq!(client.close_code(), 1001);
    }
    assert!(std::net::TcpStream::connect(server.address()).is_err());
}

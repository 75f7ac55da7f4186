//! The log, when strangers are refused again and again.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr},
    sync::atomic::{AtomicU8, Ordering},
};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::{
    PENDING, ask_for_websocket,
    common::{
        Client, Server,
        client::path_of,
        http::{self, read_to_end},
        messages::auth,
        tcp, tcp_from,
        tls::Authority,
        wait_until,
    },
    start, start_with,
};

/// How often each is done.
const TIMES: usize = 200;

/// What each kind of them may add to the log: a line, and another one ten seconds later.
const MAX_BYTES: usize = 3 * 300;

/// Waits until the log has what was logged before: lines are written in their order.
fn log_of(server: &Server) -> String {
    let logins = || server.log().matches(" logged in").count();
    let before = logins();
    let mut user = client(server.address(), Protocol::Ws1);
    user.login("admin");
    wait_until("the log is written", || logins() > before);
    server.log()
}

/// Does something [`TIMES`] times, and checks what it adds to the log.
fn flood(server: &Server, what: &str, mut act: impl FnMut()) {
    let before = log_of(server).len();
    (0..TIMES).for_each(|_| act());
    let added = log_of(server).split_off(before);
    assert!(added.len() <= MAX_BYTES, "{what}: {added}");
    let lines_are_whole = added.lines().all(|line| {
        ["trace ", "debug ", "info ", "warning ", "error "]
            .iter()
            .any(|level| line.starts_with(level))
    });
    assert!(lines_are_whole, "{what}: {added}");
    assert!(!added.contains('\x1b'), "{what}: {added}");
}

/// Returns a client from an address that no other test client has had lately: the places of those
/// that have just gone are not free at once.
fn client(address: SocketAddr, protocol: Protocol) -> Client {
    static NEXT: AtomicU8 = AtomicU8::new(0);
    let host = 10 + NEXT.fetch_add(1, Ordering::Relaxed) % 200;
    let mut client = Client::over(tcp_from(host, address), path_of(protocol), protocol, &[]);
    client.take_greeting();
    client
}

fn send(server: &Server, request: &str) {
    let mut stream = tcp(server.address());
    stream.write_all(request.as_bytes()).unwrap();
    read_to_end(&mut stream);
}

#[test]
fn strangers_cannot_fill_the_log() {
    let server = start(json!({"origins": "https://good.example"}));
    let address = server.address();
    let long = "x".repeat(8000);
    let request =
        |path: &str, header: &str, value: &str| http::request("GET", path, &[(header, value)], "");
    flood(&server, "requests that are no HTTP", || {
        send(&server, "\x1b[31m\x07\r\n\r\n");
    });
    flood(&server, "requests for other hosts", || {
        let host = format!("GET / HTTP/1.1\r\nHost: {long}.example\r\n");
        send(&server, &format!("{host}Connection: close\r\n\r\n"));
    });
    flood(&server, "websockets of other pages", || {
        let origin = format!("Origin: https://\u{1b}[31m{long}\r\n");
        let request = Client::request("/ws1", &origin);
        send(&server, &request.replace("keep-alive, ", "close, "));
    });
    flood(&server, "REST requests of other pages", || {
        send(&server, &request("/rest", "Origin", &long));
    });
    flood(&server, "websockets that are closed", || {
        let (stream, _) = ask_for_websocket(address, 1);
        stream.shutdown(Shutdown::Both).unwrap();
    });
    flood(&server, "websockets that break the rules", || {
        let mut client = client(address, Protocol::Ws1);
        client.send_frame(0xF0, b"x");
        client.close_code();
    });
    flood(&server, "logins that are refused", || {
        let mut client = client(address, Protocol::Ws2);
        client.send(&auth(Protocol::Ws2, "00", &"00".repeat(16)));
        let crypto = "00".repeat(16);
        client.send(&auth(Protocol::Ws2, &client.sid, &crypto));
    });
    flood(&server, "REST logins that are refused", || {
        let path = "/rest?vscpuser=a%0Ab&vscpsecret=x";
        let mut stream = tcp(address);
        let request = http::request("GET", path, &[], "");
        stream.write_all(request.as_bytes()).unwrap();
    });
    let strangers: Vec<_> = (0..PENDING)
        .map(|_| ask_for_websocket(address, 2))
        .collect();
    flood(&server, "websockets that are too many", || {
        // A stranger that has been waited for for a second gives way.
        let (_stream, status) = ask_for_websocket(address, 2);
        assert!(matches!(status, Some(101 | 503)), "{status:?}");
    });
    drop(strangers);
    let silent: Vec<_> = (0..crate::CONNECTIONS)
        .map(|_| tcp_from(3, address))
        .collect();
    flood(&server, "connections that are too many", || {
        let mut stream = tcp_from(3, address);
        // One that gets the place of a silent one, after a second, is not to wait for an answer.
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read(&mut [0]);
    });
    drop(silent);
}

#[test]
fn strangers_cannot_fill_the_log_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Authority::new("authority").tls(folder.path());
    let interfaces = ["ws://127.0.0.1:0", "wss://127.0.0.1:0"];
    let keys = json!({"interface": interfaces, "tls": tls});
    let server = start_with(|| Server::start(keys));
    let secure = server.driver.addresses()[1];
    for (what, bytes) in [
        ("peers that close", &b""[..]),
        ("peers without TLS", b"GET / HTTP/1.1\r\n\r\n"),
        ("peers that speak something else", b"\x1b[31m\r\n\r\n"),
        (
            "handshakes that are broken",
            b"\x16\x03\x01\x00\x05\x1b[31m",
        ),
    ] {
        flood(&server, what, || {
            let mut stream = tcp(secure);
            stream.write_all(bytes).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            // Refused ones may be reset.
            let _ = stream.read_to_end(&mut Vec::new());
        });
    }
}

//! Requests for a websocket: where they are answered, and who gets one.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use super::FIN;
use crate::common::{
    BOTH, Client, Response, Server,
    client::CLOSE,
    messages::{auth, crypto},
    tcp, wait_until,
};

#[test]
fn paths_that_are_not_configured_lead_nowhere() {
    let server = Server::start(json!({}));
    for path in [
        "/",
        "/ws",
        "/ws1/",
        "/ws11",
        "/WS1",
        "/ws3",
        "/restx",
        "/vscp",
        "/index.html",
    ] {
        let response = server.head_of(&Client::request(path, ""));
        assert_eq!(response.status, 404, "{path}");
        let response = server.get(path);
        assert_eq!(response.status, 404, "{path}");
    }
    for path in ["/ws1", "/ws2", "/ws1?a=b"] {
        assert_eq!(
            server.head_of(&Client::request(path, "")).status,
            101,
            "{path}"
        );
    }
}

#[test]
fn a_request_that_asks_for_no_websocket_is_told_to_upgrade() {
    let server = Server::start(json!({}));
    for path in ["/ws1", "/ws2"] {
        for request in [
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            Client::request(path, "").replace("Upgrade: websocket", "Upgrade: h2c"),
            Client::request(path, "").replace("keep-alive, Upgrade", "keep-alive"),
            Client::request(path, "Content-Length: 0\r\n").replace("GET", "POST"),
        ] {
            let response = server.head_of(&request);
            assert_eq!(response.status, 426, "{request}");
            assert_eq!(response.header("upgrade"), Some("websocket"), "{request}");
        }
        let old = Client::request(path, "").replace("Version: 13", "Version: 8");
        let response = server.head_of(&old);
        assert_eq!(response.status, 426);
        assert_eq!(response.header("sec-websocket-version"), Some("13"));
        let no_key = Client::request(path, "").replace("Sec-WebSocket-Key", "X-Key");
        assert_eq!(server.head_of(&no_key).status, 400);
    }
}

#[test]
fn the_sub_protocol_of_the_path_is_echoed_and_others_are_ignored() {
    let server = Server::start(json!({}));
    for (path, offered, echoed) in [
        ("/ws1", "vscp-std", Some("vscp-std")),
        ("/ws2", "vscp-json", Some("vscp-json")),
        ("/ws1", "mqtt, vscp-std", Some("vscp-std")),
        ("/ws1", "vscp-json", None),
        ("/ws2", "vscp-std", None),
        ("/ws2", "mqtt", None),
    ] {
        let header = format!("Sec-WebSocket-Protocol: {offered}\r\n");
        let response = server.head_of(&Client::request(path, &header));
        assert_eq!(response.status, 101, "{path} {offered}");
        let answer = response.header("sec-websocket-protocol");
        assert_eq!(answer, echoed, "{path} {offered}");
    }
}

#[test]
fn paths_are_as_configured_with_or_without_a_slash_in_front() {
    let server = Server::start(json!({"url-ws1": "ws1", "url-ws2": "/a/b"}));
    for (path, status) in [("/ws1", 101), ("/a/b", 101), ("/ws2", 404), ("/a", 404)] {
        assert_eq!(
            server.head_of(&Client::request(path, "")).status,
            status,
            "{path}"
        );
    }
}

#[test]
fn a_protocol_that_is_switched_off_has_no_path() {
    for (off, path_off, path_on) in [
        ("enable-ws1", "/ws1", "/ws2"),
        ("enable-ws2", "/ws2", "/ws1"),
    ] {
        let server = Server::start(json!({off: false}));
        assert_eq!(server.head_of(&Client::request(path_off, "")).status, 404);
        assert_eq!(server.head_of(&Client::request(path_on, "")).status, 101);
    }
}

#[test]
fn only_the_listed_origins_may_open_a_websocket() {
    for (origins, origin, status) in [
        (json!(null), "https://evil.example", 101),
        (json!(["https://good.example"]), "https://good.example", 101),
        (json!("https://good.example"), "https://good.example", 101),
        (json!(["https://good.example"]), "https://evil.example", 403),
        (
            json!(["https://good.example"]),
            "https://good.example.evil.example",
            403,
        ),
        (json!(["https://good.example"]), "null", 403),
        (json!(["https://good.example"]), "", 101),
        (
            json!(["https://good.example", "*"]),
            "https://evil.example",
            101,
        ),
        (json!([]), "https://good.example", 403),
    ] {
        let server = Server::start(json!({"origins": origins}));
        let header = match origin {
            "" => String::new(),
            origin => format!("Origin: {origin}\r\n"),
        };
        for path in ["/ws1", "/ws2"] {
            let response = server.head_of(&Client::request(path, &header));
            assert_eq!(response.status, status, "{origins} {origin:?}");
        }
    }
}

#[test]
fn one_client_too_many_is_told_to_come_back_later() {
    for (keys, limit) in [
        (json!({"max-clients": 3}), 3),
        (json!({"max-clients-per-address": 2}), 2),
        (json!({"max-clients": 2, "max-clients-per-address": 5}), 2),
    ] {
        let server = Server::start(keys);
        let mut late = server.connect(Protocol::Ws1);
        let mut clients: Vec<Client> = (0..limit)
            .map(|index| server.login(BOTH[index % 2], "admin"))
            .collect();
        for _ in 0..2 {
            let response = server.head_of(&Client::request("/ws1", ""));
            assert_eq!(response.status, 503);
            assert!(response.header("retry-after").is_some(), "{response:?}");
        }
        let crypto = crypto("admin:secret", &late.sid);
        late.send(&auth(Protocol::Ws1, &late.sid, &crypto));
        assert_eq!(late.close_code(), 1013);
        assert_eq!(server.driver.counters().turned_away.get(), 3);
        // One leaves, with or without a close frame.
        clients.remove(0);
        wait_until("there is room again", || {
            server.head_of(&Client::request("/ws1", "")).status == 101
        });
        clients.push(server.login(Protocol::Ws1, "admin"));
        let mut last = clients.pop().unwrap();
        last.send_frame(FIN | CLOSE, &1000u16.to_be_bytes());
        assert_eq!(last.close_code(), 1000);
        wait_until("there is room again", || {
            server.head_of(&Client::request("/ws2", "")).status == 101
        });
        server.wait_for_log("too many websocket clients: 127.0.0.1 turned away");
    }
}

#[test]
fn several_interfaces_are_listened_on() {
    let mut interfaces = vec!["ws://127.0.0.1:0", "127.0.0.2:0", "http://127.0.0.1:0"];
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        interfaces.push("[::1]:0");
    }
    let server = Server::start(json!({"interface": interfaces}));
    let addresses = server.driver.addresses().to_vec();
    assert_eq!(addresses.len(), interfaces.len());
    let mut clients: Vec<Client> = addresses
        .iter()
        .map(|address| {
            let mut client = Client::greeted(*address, Protocol::Ws1);
            client.login("admin");
            client.command("OPEN");
            client
        })
        .collect();
    server.host_writes(1);
    clients
        .iter_mut()
        .for_each(|client| client.expect_events([1]));
}

#[test]
fn a_star_listens_on_all_addresses() {
    let server = Server::start(json!({"interface": "ws://*:0"}));
    let port = server.address().port();
    for last in [1, 2] {
        let address = SocketAddr::new(Ipv4Addr::new(127, 0, 0, last).into(), port);
        let mut client = Client::greeted(address, Protocol::Ws2);
        client.login("admin");
    }
}

#[test]
fn requests_that_are_no_http_or_too_large_are_refused() {
    let server = Server::start(json!({}));
    for request in [
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "GET /ws1 HTTP/1.1\r\nbad header\r\n\r\n".to_owned(),
    ] {
        let response = server.raw(request.as_bytes());
        assert_eq!(response.status, 400, "{request:?}");
    }
    let large = format!("X-Large: {}\r\n", "x".repeat(100_000));
    let mut stream = tcp(server.address());
    // The server closes before it has read all, and its response may be lost with that.
    let _ = stream.write_all(Client::request("/ws1", &large).as_bytes());
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    assert!(
        response.is_empty() || Response::parse(&response).status == 431,
        "{}",
        response.escape_ascii()
    );
    server.login(Protocol::Ws1, "admin");
}

//! The metrics page over real connections.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod web;

use std::{collections::HashMap, io::Write, net::TcpStream};

use serde_json::json;

use self::web::{Server, wait_until};

/// The samples of a page: name with labels, and value.
fn samples(page: &str) -> HashMap<&str, u64> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name, value.parse().unwrap())
        })
        .collect()
}

#[test]
fn the_page_shows_clients_events_and_logins() {
    let server = Server::open(json!({"metrics": "/metrics"}));
    let reply = server.get("/rest?vscpuser=admin&vscpsecret=secret&format=json");
    let reply = reply.json();
    let sid = reply["vscpsession"].as_str().unwrap();
    server.get("/rest?vscpuser=admin&vscpsecret=wrong");
    server.get(&format!(
        "/rest?vscpsession={sid}&op=3&vscpevent=0,20,3,,,,-"
    ));
    server.write("0,20,4,,,,-");
    server.write("0,20,5,,,,-");
    wait_until("the session has them", || {
        let status = server.get(&format!("/rest?vscpsession={sid}&op=0&format=json"));
        status.json()["nEvents"] == 2
    });
    server.get(&format!("/rest?vscpsession={sid}&op=4"));
    let mut socket = TcpStream::connect(server.address).unwrap();
    let request = b"GET /ws2 HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(request).unwrap();
    wait_until("the websocket is there", || {
        server
            .get("/metrics")
            .text()
            .contains("protocol=\"ws2\"} 1")
    });

    let reply = server.get("/metrics");
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(reply.header("content-type"), Some(kind));
    let samples = samples(reply.text());
    for (name, value) in [
        (
            concat!("build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"),
            1,
        ),
        ("clients{protocol=\"ws1\"}", 0),
        ("clients{protocol=\"ws2\"}", 1),
        ("clients{protocol=\"rest\"}", 1),
        ("queued_events{queue=\"hub\"}", 0),
        ("queued_events{queue=\"host\"}", 1),
        ("queued_events{queue=\"clients\"}", 0),
        ("queued_events{queue=\"kept\"}", 1),
        ("logins_refused_total", 1),
        ("events_in_total{endpoint=\"host\"}", 2),
        ("events_in_total{endpoint=\"client\"}", 1),
        ("events_out_total{endpoint=\"host\"}", 0),
        ("events_out_total{endpoint=\"client\"}", 1),
        ("events_dropped_total{reason=\"client_queue_full\"}", 0),
        ("clients_total{kind=\"websocket\"}", 1),
        ("clients_total{kind=\"rest\"}", 1),
        ("clients_turned_away_total", 0),
    ] {
        let name = format!("websocksrv_{name}");
        assert_eq!(samples.get(&*name), Some(&value), "{name}");
    }
}

#[test]
fn events_kept_for_who_does_not_take_them_are_shown_until_they_are_taken_or_gone() {
    let server = Server::open(json!({"metrics": "/metrics", "max-client-queue-size": 3}));
    let session = || {
        let reply = server.get("/rest?vscpuser=admin&vscpsecret=secret&format=json");
        reply.json()["vscpsession"].as_str().unwrap().to_owned()
    };
    let kept = |count: u64| {
        wait_until("so many are kept", || {
            let page = server.get("/metrics");
            samples(page.text())["websocksrv_queued_events{queue=\"kept\"}"] == count
        });
    };
    let [first, second] = [session(), session()];
    for kind in 1..=5 {
        server.write(&format!("0,20,{kind},,,,-"));
    }
    kept(6);
    server.get(&format!("/rest?vscpsession={first}&op=4&count=2"));
    kept(4);
    // Cleared, and closed.
    server.get(&format!("/rest?vscpsession={first}&op=6"));
    kept(3);
    server.get(&format!("/rest?vscpsession={second}&op=2"));
    kept(0);
}

#[test]
fn every_family_is_described_once_and_stands_together() {
    let server = Server::open(json!({"metrics": "metrics"}));
    let reply = server.get("/metrics");
    let mut seen = Vec::new();
    let mut family = "";
    for line in reply.text().lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split(' ').next().unwrap();
            assert!(!seen.contains(&family), "{family} is there twice");
            seen.push(family);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let kind = kind.strip_prefix(family).unwrap().trim();
            assert_eq!(kind == "counter", family.ends_with("_total"), "{line}");
        } else {
            assert_eq!(line.split([' ', '{']).next(), Some(family), "{line}");
        }
    }
    assert!(seen.len() >= 8);
    assert!(reply.text().ends_with('\n'));
}

#[test]
fn the_page_is_there_only_where_it_is_configured_and_only_to_read() {
    let server = Server::open(json!({}));
    assert_eq!(server.get("/metrics").status, 404);
    let server = Server::open(json!({"metrics": "/metrics"}));
    let head = server.request("HEAD", "/metrics", &[], "");
    assert_eq!((head.status, head.text()), (200, ""));
    let post = server.request("POST", "/metrics", &[], "");
    assert_eq!(post.status, 405);
    assert_eq!(post.header("allow"), Some("GET, HEAD"));
}

#[test]
fn clients_of_other_machines_are_refused() {
    let Some(address) = outer_address() else {
        return eprintln!("NOT TESTED: this machine has no address but loopback");
    };
    let mut server = Server::open(json!({"metrics": "/metrics", "interface": "ws://*:0"}));
    let port = server.address.port();
    server.address = (address, port).into();
    let reply = server.get("/metrics");
    assert_eq!(reply.status, 403);
    assert!(!reply.text().contains("websocksrv_"));
    server.address = ([127, 0, 0, 1], port).into();
    assert_eq!(server.get("/metrics").status, 200);
}

/// The address that this machine is seen with from outside; nothing is sent to find it.
fn outer_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback()).then_some(address)
}

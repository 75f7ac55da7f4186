//! The metrics page over real connections.

use std::{
    collections::{HashMap, HashSet},
    io::Write,
    net::{IpAddr, UdpSocket},
};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{Server, http, tcp_from, wait_until};

/// The samples of a page: name with labels, and value.
fn samples(page: &str) -> HashMap<&str, f64> {
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
    let server = Server::start(json!({"metrics": "/metrics"}));
    let reply = server.get("/rest?vscpuser=admin&vscpsecret=secret&format=json");
    let reply = reply.json();
    let sid = reply["vscpsession"].as_str().unwrap();
    server.get("/rest?vscpuser=admin&vscpsecret=wrong");
    server.get(&format!(
        "/rest?vscpsession={sid}&op=3&vscpevent=0,20,3,,,,-"
    ));
    server.host_writes_text("0,20,4,,,,-");
    server.host_writes_text("0,20,5,,,,-");
    wait_until("the session has them", || {
        let status = server.get(&format!("/rest?vscpsession={sid}&op=0&format=json"));
        status.json()["nEvents"] == 2
    });
    server.get(&format!("/rest?vscpsession={sid}&op=4"));
    let _websocket = server.connect(Protocol::Ws2);
    // The history reads the hub, too, and nothing tells when.
    wait_until("the websocket is there, and the hub has nothing", || {
        let page = server.get("/metrics");
        let page = page.text();
        page.contains("protocol=\"ws2\"} 1") && page.contains("{queue=\"hub\"} 0\n")
    });

    let reply = server.get("/metrics");
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(reply.header("content-type"), Some(kind));
    let samples = samples(reply.text());
    for (name, value) in [
        ("clients{protocol=\"ws1\"}", 0),
        ("clients{protocol=\"ws2\"}", 1),
        ("clients{protocol=\"rest\"}", 1),
        ("queued_events{queue=\"hub\"}", 0),
        ("queued_events{queue=\"host\"}", 1),
        ("queued_events{queue=\"clients\"}", 1),
        ("host_up", 1),
        ("logins_total", 1),
        ("login_failures_total{reason=\"wrong_password\"}", 1),
        ("login_failures_total{reason=\"unknown_user\"}", 0),
        ("events_in_total{endpoint=\"host\"}", 2),
        ("events_in_total{endpoint=\"client\"}", 1),
        ("events_out_total{endpoint=\"host\"}", 0),
        ("events_out_total{endpoint=\"client\"}", 1),
        (
            "events_dropped_total{endpoint=\"client\",reason=\"queue_full\"}",
            0,
        ),
        (
            "events_dropped_total{endpoint=\"host\",reason=\"hanging\"}",
            0,
        ),
        ("clients_admitted_total{protocol=\"ws2\"}", 1),
        ("clients_admitted_total{protocol=\"rest\"}", 1),
        ("clients_turned_away_total", 0),
    ] {
        let name = format!("websocksrv_{name}");
        assert_eq!(samples.get(&*name), Some(&f64::from(value)), "{name}");
    }
    let version = concat!(
        "{version=\"",
        env!("CARGO_PKG_VERSION"),
        "\",architecture=\""
    );
    let build = |name: &&str| name.starts_with(&format!("websocksrv_build_info{version}"));
    assert!(samples.keys().any(build), "{samples:?}");
    let uptime = samples["websocksrv_uptime_seconds"];
    assert!(uptime > 0.0 && uptime < samples["process_start_time_seconds"]);
    assert!(samples["process_resident_memory_bytes"] > 1e6);
}

#[test]
fn events_kept_for_who_does_not_take_them_are_shown_until_they_are_taken_or_gone() {
    let server = Server::start(json!({"metrics": "/metrics", "max-client-queue-size": 3}));
    let session = || {
        let reply = server.get("/rest?vscpuser=admin&vscpsecret=secret&format=json");
        reply.json()["vscpsession"].as_str().unwrap().to_owned()
    };
    let kept = |count: u32| {
        wait_until("so many are kept", || {
            let page = server.get("/metrics");
            samples(page.text())["websocksrv_queued_events{queue=\"clients\"}"] == f64::from(count)
        });
    };
    let [first, second] = [session(), session()];
    for kind in 1..=5 {
        server.host_writes_text(&format!("0,20,{kind},,,,-"));
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
    let server = Server::start(json!({"metrics": "metrics"}));
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
    let server = Server::start(json!({}));
    assert_eq!(server.get("/metrics").status, 404);
    let server = Server::start(json!({"metrics": "/metrics"}));
    let head = server.request("HEAD", "/metrics", &[], "");
    assert_eq!((head.status, head.text()), (200, ""));
    let post = server.request("POST", "/metrics", &[], "");
    assert_eq!(post.status, 405);
    assert_eq!(post.header("allow"), Some("GET, HEAD"));
}

#[test]
fn no_two_families_have_names_that_differ_only_in_total() {
    // What OpenMetrics calls one name.
    let server = Server::start(json!({"metrics": "metrics", "metrics-measurements": 1}));
    let reply = server.get("/metrics");
    let families = reply
        .text()
        .lines()
        .filter(|line| line.starts_with("# TYPE"));
    let names: Vec<_> = families
        .filter_map(|line| line.split(' ').nth(2))
        .map(|name| name.trim_end_matches("_total"))
        .collect();
    let distinct: HashSet<_> = names.iter().collect();
    assert_eq!(names.len(), distinct.len(), "{names:?}");
}

#[test]
fn addresses_that_are_not_allowed_are_refused() {
    for (allow, host, status) in [
        (json!(null), 1, 200),
        (json!(null), 9, 200),
        (json!([]), 1, 403),
        (json!("127.0.0.1"), 1, 200),
        (json!("127.0.0.1"), 9, 403),
        (json!(["+*", "-127.0.0.8/29"]), 1, 200),
        (json!(["+*", "-127.0.0.8/29"]), 9, 403),
    ] {
        let server = Server::start(json!({"metrics": "/metrics", "metrics-allow": allow}));
        let mut stream = tcp_from(host, server.address());
        let request = http::request("GET", "/metrics", &[], "");
        stream.write_all(request.as_bytes()).unwrap();
        let reply = http::Response::parse(&http::read_to_end(&mut stream));
        assert_eq!(reply.status, status, "{allow} {host}");
        assert_eq!(reply.text().contains("websocksrv_"), status == 200);
    }
}

#[test]
fn clients_of_other_machines_are_refused_unless_they_are_allowed() {
    let Some(address) = outer_address() else {
        return eprintln!("NOT TESTED: this machine has no address but loopback");
    };
    for (allow, status) in [(json!(null), 403), (json!(address.to_string()), 200)] {
        let server = Server::start(json!({
            "metrics": "/metrics", "metrics-allow": allow, "interface": "ws://*:0",
        }));
        let request = http::request("GET", "/metrics", &[], "");
        let port = server.address().port();
        let reply = http::exchange((address, port).into(), request.as_bytes());
        assert_eq!(reply.status, status, "{allow}");
    }
}

#[test]
fn the_last_measurements_are_shown_if_they_are_asked_for() {
    let server = Server::start(json!({"metrics": "/metrics"}));
    server.host_writes_text("0,1040,6,,,,-,2,0,0,1,0x32,0x31");
    assert!(!server.get("/metrics").text().contains("measurement"));

    let server = Server::start(json!({"metrics": "/metrics", "metrics-measurements": 1}));
    let sid = server.get("/rest?vscpuser=admin&vscpsecret=secret&format=json");
    let sid = sid.json()["vscpsession"].as_str().unwrap().to_owned();
    let name = "websocksrv_measurement{guid=\"FF:FF:FF:FF:FF:FF:FF:FE:02:00:00:00:00:01:00:00\",\
                sensor=\"2\",zone=\"0\",subzone=\"0\",type=\"Temperature\",unit=\"°C\"}";
    for value in [21.5, -3.0] {
        let measurement = format!("op=measurement&type=6&unit=1&sensorindex=2&value={value}");
        server.get(&format!("/rest?vscpsession={sid}&{measurement}"));
        wait_until("the value is shown", || {
            let reply = server.get("/metrics");
            samples(reply.text()).get(name) == Some(&value)
        });
    }
    // Of another sensor there is no room for one.
    server.host_writes_text("0,1040,6,,,,-,3,0,0,1,0x32,0x31");
    wait_until("it is counted", || {
        let reply = server.get("/metrics");
        samples(reply.text())["websocksrv_measurements_not_shown_total"] == 1.0
    });
    let log = server.close_and_log();
    assert!(log.contains("1 measurement not shown"), "{log}");
}

#[test]
fn the_health_is_told_to_everybody_and_is_bad_while_the_host_takes_nothing() {
    let server = Server::start(json!({"max-in-queue": 1}));
    let reply = server.get("/health");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.json(), json!({"status": "ok"}));
    assert_eq!(server.request("POST", "/health", &[], "").status, 405);

    let sid = server.get("/rest?vscpuser=admin&vscpsecret=secret&format=json");
    let sid = sid.json()["vscpsession"].as_str().unwrap().to_owned();
    let send = || {
        server.get(&format!(
            "/rest?vscpsession={sid}&op=3&vscpevent=0,20,3,,,,-"
        ))
    };
    wait_until("the host hangs", || {
        send();
        server.get("/health").status == 503
    });
    let expected = json!({"status": "failing", "reason": "the daemon takes no events"});
    assert_eq!(server.get("/health").json(), expected);

    // It comes back, and waits for events.
    server.host_reads();
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn the_health_has_the_path_that_is_configured() {
    let server = Server::start(json!({"url-health": "up"}));
    assert_eq!(server.get("/up").status, 200);
    assert_eq!(server.get("/health").status, 404);
    let server = Server::start(json!({"enable-health": false}));
    assert_eq!(server.get("/health").status, 404);
}

/// The address that this machine is seen with from outside; nothing is sent to find it.
fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback()).then_some(address)
}

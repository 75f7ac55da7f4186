//! Users see nothing of events that they may not receive.

use serde_json::{Value, json};

use crate::{
    common::{Server, user},
    page::Page,
};

/// Two nodes, of which one is like the other.
const NODES: [&str; 2] = [
    "FF:FF:FF:FF:FF:FF:FF:FE:00:00:00:00:00:00:00:01",
    "FF:FF:FF:FF:FF:FF:FF:FE:00:00:00:00:00:00:00:02",
];

/// All paths, and if an administrator alone may see them.
const PATHS: [(&str, bool); 6] = [
    ("/api/names", false),
    ("/api/sensors", false),
    ("/api/nodes", false),
    ("/api/events", false),
    ("/api/history?sensor=ID", false),
    ("/api/system", true),
];

fn start() -> Server {
    let ones = "FF:".repeat(15) + "FF";
    let server = Server::start(json!({"users": [
        user("admin", json!({"rights": "admin"})),
        user("user", json!({})),
        user("deaf", json!({"rights": "ws/send-events"})),
        user("tens", json!({"events": "RX;1040:*"})),
        user("twenties", json!({"events": ["RX;20:*"]})),
        user("first", json!({"filter": format!("0,0,0,{}", NODES[0]), "mask": format!("0,0,0,{ones}")})),
        user("high", json!({"filter": "0,0,0,-", "mask": "7,0,0,-"})),
    ]}));
    for node in NODES {
        server.host_writes_text(&format!("0x60,1040,6,,,,{node},2,0,0,1,0x31"));
        server.host_writes_text(&format!("0,20,3,,,,{node},1"));
    }
    let page = Page::login(&server, "admin");
    page.wait_for("/api/events", |events| count(events, "events") == 2);
    server
}

fn id(node: &str) -> String {
    format!("{node}/2/6/1")
}

fn count(answer: &Value, list: &str) -> usize {
    answer[list].as_array().unwrap().len()
}

#[test]
fn nobody_sees_anything_without_a_login() {
    let server = start();
    for (path, _) in PATHS {
        let path = path.replace("ID", &id(NODES[0]));
        assert_eq!(server.get(&path).status, 401, "{path}");
        // Nor with the cookie of nobody.
        let cookie = format!("vscplogin={}", "0".repeat(32));
        let reply = server.request("GET", &path, &[("Cookie", &cookie)], "");
        assert_eq!(reply.status, 401, "{path}");
        let reply = server.request("POST", &path, &[("Sec-Fetch-Site", "same-origin")], "");
        assert_eq!(reply.status, 405, "{path}");
    }
}

#[test]
fn each_path_needs_its_right() {
    let server = start();
    for (name, may_receive, is_admin) in [
        ("admin", true, true),
        ("user", true, false),
        ("deaf", false, false),
    ] {
        let page = Page::login(&server, name);
        for (path, needs_admin) in PATHS {
            let allowed = if needs_admin { is_admin } else { may_receive };
            let path = path.replace("ID", &id(NODES[0]));
            let status = if allowed { 200 } else { 403 };
            assert_eq!(page.get(&path).status, status, "{name} {path}");
        }
    }
}

#[test]
fn the_rules_and_the_filter_of_a_user_hold_for_everything() {
    let server = start();
    for (name, sensors, nodes, events) in [
        ("user", &NODES[..], &NODES[..], 2),
        ("tens", &NODES, &NODES, 0),
        ("twenties", &[], &NODES, 2),
        ("first", &NODES[..1], &NODES[..1], 1),
        ("high", &[], &NODES, 2),
    ] {
        let page = Page::login(&server, name);
        let found = page.json("/api/sensors");
        let found = found["sensors"].as_array().unwrap().iter();
        let found: Vec<_> = found
            .map(|sensor| sensor["guid"].as_str().unwrap())
            .collect();
        assert_eq!(found, sensors, "{name}");
        let found = page.json("/api/nodes");
        let found = found["nodes"].as_array().unwrap().iter();
        let found: Vec<_> = found.map(|node| node["guid"].as_str().unwrap()).collect();
        assert_eq!(found, nodes, "{name}");
        assert_eq!(count(&page.json("/api/events"), "events"), events, "{name}");
        for node in NODES {
            let reply = page.get(&format!("/api/history?sensor={}", id(node)));
            let status = if sensors.contains(&node) { 200 } else { 404 };
            assert_eq!(reply.status, status, "{name} {node}");
        }
    }
    // The last event of a node is the last of those that the user may receive.
    let page = Page::login(&server, "tens");
    let nodes = page.json("/api/nodes");
    assert_eq!(nodes["nodes"][0]["last"]["class"], 1040);
    assert_eq!(nodes["nodes"][0]["events"], 1);
}

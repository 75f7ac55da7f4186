//! Sensors and nodes.

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::{
    common::{DEADLINE, GUID, Server, event_of, wait_until},
    page::Page,
};

const NODE: &str = "FF:FF:FF:FF:FF:FF:FF:FE:00:00:00:00:00:00:00:01";

#[test]
fn a_sensor_has_its_value_its_names_and_words_for_what_it_measures() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(json!({"names": folder.path().join("names.json")}));
    let page = Page::login(&server, "admin");
    for (path, entry) in [
        (
            format!("/api/names/{NODE}"),
            json!({"name": "Weather", "room": "Roof"}),
        ),
        (
            format!("/api/names/{NODE}/2"),
            json!({"name": "North", "decimals": 1}),
        ),
    ] {
        assert_eq!(page.change("PATCH", &path, Some("*"), &entry).status, 200);
    }
    server.host_writes_text(&format!("0,1040,6,,,,{NODE},2,0,0,1,0x32,0x31,0x2E,0x35"));
    let sensors = page.wait_for("/api/sensors", |sensors| sensors["sensors"][0].is_object());
    let mut sensor = sensors["sensors"][0].clone();
    assert!(sensor["time"].take().as_i64().unwrap() > 1_700_000_000_000);
    let expected = json!({
        "id": format!("{NODE}/2/6/1"), "guid": NODE, "sensor": 2, "type": 6, "unit": 1, "zone": 0,
        "subzone": 0, "quantity": "Temperature", "symbol": "°C", "value": 21.5, "time": null,
        "interval": null, "from": "host", "name": "North", "node": "Weather", "room": "Roof",
        "icon": null, "decimals": 1, "hidden": false,
    });
    assert_eq!(sensor, expected);
    server.host_writes_text(&format!("0,1040,6,,,,{NODE},2,0,0,1,0x37"));
    let sensors = page.wait_for("/api/sensors", |found| found["sensors"][0]["value"] == 7.0);
    assert!(sensors["sensors"][0]["interval"].is_f64());
}

#[test]
fn a_node_has_its_last_event_its_heartbeat_and_its_alarms() {
    let server = Server::start(json!({}));
    let page = Page::login(&server, "user");
    for event in ["20,9", "1,2", "20,3"] {
        server.host_writes_text(&format!("0,{event},,,,{NODE},1,2,3"));
    }
    let mut client = server.open(Protocol::Ws2, "admin");
    client.send_event(9);
    let nodes = page.wait_for("/api/nodes", |nodes| {
        nodes["nodes"]
            .as_array()
            .is_some_and(|nodes| nodes.len() == 2 && nodes[0]["events"] == 3)
    });
    let node = &nodes["nodes"][0];
    assert_eq!(node["guid"], NODE);
    assert_eq!(node["from"], "host");
    assert_eq!(node["last"]["typeName"], "On");
    assert_eq!(node["last"]["data"], json!([1, 2, 3]));
    assert!(node["perMinute"].as_f64().unwrap() >= 2.9, "{node}");
    assert_eq!(node["heartbeat"]["late"], json!(null));
    assert_eq!(node["alarms"]["count"], 1);
    assert_eq!(node["alarms"]["last"]["className"], "Alarm functionality");
    let own = &nodes["nodes"][1];
    assert_eq!(
        (&own["guid"], &own["from"]),
        (&json!(GUID), &json!("client"))
    );
}

#[test]
fn administrators_see_the_clients_the_counters_and_the_last_warnings() {
    let server = Server::start(json!({}));
    let page = Page::login(&server, "admin");
    let _client = server.open(Protocol::Ws1, "user");
    let system = page.wait_for("/api/system", |system| system["clients"][0].is_object());
    assert_eq!(system["version"], env!("CARGO_PKG_VERSION"));
    let client = &system["clients"][0];
    assert_eq!(client["protocol"], "ws1");
    assert_eq!(client["address"], "127.0.0.1");
    page.wait_for("/api/system", |system| {
        system["clients"][0]["user"] == "user"
    });
    assert!(system["counters"]["logins"].as_u64().unwrap() >= 1);
    assert_eq!(system["queues"]["host"], 0);
    let warnings = system["warnings"].as_array().unwrap();
    let is_md5 = |line: &&serde_json::Value| line["message"].as_str().unwrap().contains("MD5");
    let warning = warnings.iter().find(is_md5).unwrap();
    assert_eq!(warning["level"], "warning");
}

#[test]
fn a_thousand_sensors_are_told() {
    let server = Server::start(json!({}));
    let page = Page::login(&server, "user");
    for number in 0..1000 {
        let (high, low) = (number / 256, number % 256);
        let guid = format!("{}{high:X}:{low:X}", "01:".repeat(14));
        server.host_writes_text(&format!("0,1040,6,,,,{guid},1,0,0,1,0x37"));
    }
    let count = |sensors: &serde_json::Value| sensors["sensors"].as_array().unwrap().len();
    let sensors = page.wait_for("/api/sensors", |sensors| count(sensors) == 1000);
    let ids: Vec<_> = sensors["sensors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sensor| sensor["id"].as_str().unwrap())
        .collect();
    assert!(ids.is_sorted());
    let last = page.wait_for(&format!("/api/history?sensor={}", ids[999]), |series| {
        series["points"][0].is_array()
    });
    assert_eq!(last["points"][0][1], 7.0);
}

#[test]
fn of_events_that_come_too_fast_each_is_recorded_or_counted_as_missing() {
    const EVENTS: u64 = 100_000;
    let server = Server::start(json!({}));
    let template = event_of(&format!("0,10,6,,,,{NODE},138,0,1"));
    for _ in 0..EVENTS {
        server
            .driver
            .write(template.clone(), Some(DEADLINE))
            .unwrap();
    }
    let counters = server.driver.counters();
    let missing = || counters.history_passed_over.get() + counters.history_queue_full.get();
    wait_until("all is counted", || {
        counters.history_values.get() + missing() == EVENTS
    });
    assert!(counters.history_passed_over.get() > 0);
    assert!(counters.history_values.get() > 0);
    server.wait_for_log("not looked at for the history: they come faster than it follows");
    // One that comes behind the flood is recorded again.
    let page = Page::login(&server, "admin");
    page.wait_for("/api/sensors", |sensors| {
        server.host_writes_text(&format!("0,10,6,,,,{NODE},138,0,77"));
        sensors["sensors"][0]["value"] == 77.0
    });
}

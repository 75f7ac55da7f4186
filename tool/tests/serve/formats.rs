//! What is published and what is read, byte by byte.

use serde_json::json;

use crate::{
    broker::{self, Broker},
    host::{GUID, Host},
};

/// The event of the worked examples.
const EVENT: &str = "96,10,6,0,2026-11-20T12:30:15Z,1234,G,0x48,0x38,0x35,0x2E,0x32,0x36";
const DATA: &str = "0x48,0x38,0x35,0x2E,0x32,0x36";

fn event() -> String {
    EVENT.replace('G', GUID)
}

#[test]
fn an_event_of_a_client_is_published_in_all_formats() {
    if !broker::is_there() {
        return;
    }
    let broker = Broker::start();
    let topic = "vscp/{{guid}}/{{class}}/{{type}}/{{nickname}}/{{sensor-index}}/{{zone}}";
    let host = Host::start(&json!({
        "port": broker.port,
        "publish": [
            {"topic": topic},
            {"topic": "xml", "format": "xml", "qos": 1},
            {"topic": "string", "format": "string", "qos": 1},
            {"topic": "binary", "format": "binary", "qos": 1, "retain": true},
        ],
    }));
    // Who subscribes later gets it as a retained message.
    broker.wait_for_nth("/status', ", 1);
    let messages = broker.subscribe("#");
    let (is_retained, status, payload) = messages.next_with_retain();
    assert_eq!(status, format!("vscp-host/{GUID}/status"));
    assert!(is_retained);
    assert_eq!(payload, b"online");

    host.client().send_event(&event());
    let (first, json) = messages.next();
    assert_eq!(first, format!("vscp/{GUID}/10/6/1/0"));
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["measurement"]["value"], 85.26);
    assert_eq!(json["vscpGuid"], GUID);
    assert_eq!(json["vscpDateTime"], "2026-11-20T12:30:15Z");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (topic, xml) = messages.next();
    assert_eq!(topic, "xml");
    let expected = format!(
        "<event vscpHead=\"96\" vscpObId=\"0\" vscpDateTime=\"2026-11-20T12:30:15Z\" \
         vscpTimeStamp=\"1234\" vscpClass=\"10\" vscpType=\"6\" vscpGuid=\"{GUID}\" \
         vscpData=\"{DATA}\" />"
    );
    let with_obid_zero = |text: String| text.replace(&obid_of(&text), "vscpObId=\"0\"");
    assert_eq!(with_obid_zero(text(xml)), expected);
    let (topic, string) = messages.next();
    assert_eq!(topic, "string");
    let string = text(string);
    assert!(
        string.starts_with("96,10,6,") && string.ends_with(DATA),
        "{string}"
    );
    let (topic, binary) = messages.next();
    assert_eq!((&*topic, binary.len()), ("binary", 45));
    let frame = "00000060000004d207ea0b140c1e0f000a0006fffffffffffffffeb827ebcf3a150001\
                 00064838352e32367fdb";
    assert_eq!(hex::encode(binary), frame);
    let (status, last) = host.stop();
    assert!(status.success());
    assert!(
        last.contains("1 events read, 4 messages published"),
        "{last}"
    );
    // It says that it is gone.
    let (topic, payload) = messages.next();
    assert!(topic.ends_with("/status"));
    assert_eq!(payload, b"offline");
}

/// The attribute of a connection's number, which is any.
fn obid_of(xml: &str) -> String {
    let start = xml.find("vscpObId=").unwrap();
    let end = start + xml[start..].find("\" ").unwrap() + 1;
    xml[start..end].to_owned()
}

#[test]
fn messages_in_all_formats_reach_clients_and_garbage_is_counted() {
    if !broker::is_there() {
        return;
    }
    let broker = Broker::start();
    let host = Host::start(&json!({
        "port": broker.port,
        "subscribe": [{"topic": "in/#", "qos": 1}],
        "bUseTopicForEventDefaults": true,
    }));
    let mut client = host.client();
    let legacy = format!(
        r#"{{"vscpHead":96,"vscpClass":10,"vscpType":6,"vscpGuid":"{GUID}","vscpData":[72],"vscpDateTime":"2026-11-20T12:30:15Z","vscpTimeStamp":1234}}"#
    );
    let ns = format!(
        r#" {{"head":352,"class":10,"type":6,"guid":"{GUID}","data":[72],"timestamp_ns":"0x18e9c0b623cf7a50"}}"#
    );
    let xml = format!(r#"<event head="352" class="10" type="6" guid="{GUID}" data="0x48"/>"#);
    let string = format!("96,10,6,0,,1234,{GUID},0x48");
    let binary = hex::decode(
        "00000060000004d207ea0b140c1e0f000a0006fffffffffffffffeb827ebcf3a15000100064838352e32367fdb",
    )
    .unwrap();
    let empty = br#"{"data":[7]}"#;
    let topic = format!("in/{GUID}/20/3");
    for (topic, payload) in [
        ("in/a", legacy.as_bytes()),
        ("in/a", ns.as_bytes()),
        ("in/a", xml.as_bytes()),
        ("in/a", string.as_bytes()),
        ("in/a", &binary),
        (&*topic, empty),
    ] {
        broker.publish(topic, payload, &[]);
        let event = client.event();
        let fields: Vec<_> = event.split(',').collect();
        let kind = if topic == "in/a" {
            ["96", "10", "6"]
        } else {
            ["0", "20", "3"]
        };
        assert_eq!(fields[..3], kind, "{event}");
        assert_eq!(fields[6], GUID, "{event}");
        assert!(event.contains(&format!("{GUID},0x")), "{event}");
    }
    let large = vec![b'{'; 70_000];
    let huge = vec![b'{'; 1_000_000];
    for garbage in [
        &b"online"[..],
        b"{",
        b"<x/>",
        b"\0\0",
        b"\xFF\xFE",
        &large,
        &huge,
    ] {
        broker.publish("in/bad", garbage, &["-q", "1"]);
    }
    broker.publish("in/empty", b"", &[]);
    broker.publish("in/a", string.as_bytes(), &["-q", "1"]);
    assert!(client.event().starts_with("96,10,6,"));
    host.wait_for("1 message of the broker is no event (in/bad: text without six commas");
    let (_, last) = host.stop();
    assert!(last.contains("15 received, 7 events written"), "{last}");
    assert!(last.contains("lost: 8 no events"), "{last}");
}

#[test]
fn own_messages_do_not_come_back() {
    if !broker::is_there() {
        return;
    }
    // The last one gets its own messages, with the flag of those that are retained.
    for (version, options) in [
        (311, "NO_LOCAL"),
        (500, "NO_LOCAL"),
        (500, "RETAIN_AS_PUBLISHED"),
    ] {
        let comes_back = version == 311 || options != "NO_LOCAL";
        let broker = Broker::start();
        let subscribe = |topic| json!({"topic": topic, "qos": 1, "v5-options": options});
        let mqtt = json!({
            "port": broker.port,
            "mqtt-options": {"protocol-version": version},
            "publish": [{"topic": "vscp/{{class}}", "qos": 1, "retain": version == 500}],
            "subscribe": [subscribe("vscp/#"), subscribe("vscp/+")],
        });
        // Without the driver's own filter nothing but the host holds echoes back.
        let mut entry = crate::host::entry(&mqtt);
        entry["path-config"]["echo-filter"] = json!(false);
        let host = Host::with(&entry, &[]);
        host.wait_for("subscribed to 2 topics");
        let messages = broker.subscribe("vscp/#");
        let (mut sender, mut other) = (host.client(), host.client());
        sender.send_event(&event());
        assert!(other.event().starts_with("96,10,6,"));
        assert_eq!(messages.next().0, "vscp/10");
        // What others publish comes behind the echo, if there is one.
        broker.publish("vscp/x", b"0,20,3,0,,1,-,1", &["-q", "1"]);
        for client in [&mut sender, &mut other] {
            let event = client.event();
            assert!(event.starts_with("0,20,3,"), "{version} {options}: {event}");
        }
        let (_, last) = host.stop();
        let has_echoes = !last.contains(" 0 echoes");
        assert_eq!(has_echoes, comes_back, "{version} {options}: {last}");
    }
}

#[test]
fn own_messages_of_a_broker_that_was_slow_do_not_come_back() {
    if !broker::is_there() {
        return;
    }
    let broker = Broker::start();
    let mqtt = json!({
        "port": broker.port,
        // One is on its way, the other waits.
        "mqtt-options": {"send-maximum": 1},
        "publish": [{"topic": "vscp/{{data[0]}}", "qos": 1, "format": "string"}],
        "subscribe": [{"topic": "vscp/#", "qos": 1}],
    });
    let mut entry = crate::host::entry(&mqtt);
    entry["path-config"]["echo-filter"] = json!(false);
    let host = Host::with(&entry, &[]);
    host.wait_for("subscribed to 1 topic");
    let mut client = host.client();
    broker.freeze(true);
    client.send_event("0,20,3,0,,,-,1");
    client.send_event("0,20,3,0,,,-,2");
    // Longer than they are remembered.
    std::thread::sleep(std::time::Duration::from_secs(11));
    broker.freeze(false);
    broker.wait_for_nth("'vscp/2'", 2);
    broker.publish("vscp/x", b"0,20,3,0,,,-,3", &["-q", "1"]);
    let event = client.event();
    assert!(event.ends_with(",0x03"), "{event}");
    let (_, last) = host.stop();
    assert!(last.contains(" 2 echoes"), "{last}");
}

//! Events of clients and of the host.

use serde_json::{Value, json};
use vscpl2drv_websocksrv::ws::Protocol;

use super::{WS2, ask, failed, success};
use crate::common::{
    Server,
    events::{assert_fields, fields_of},
    text_of, user,
};

#[test]
fn a_refused_event_is_answered_with_command_event() {
    let users = json!([user("mute", json!({"rights": "receive-events"}))]);
    let server = Server::start(json!({"users": users}));
    let mut client = server.login(WS2, "mute");
    let event = r#"{"type":"EVENT","event":{"class":20,"type":3}}"#;
    assert_eq!(ask(&mut client, event), failed("EVENT", 6));
}

#[test]
fn an_event_of_a_client_reaches_the_host_with_its_fields() {
    let server = Server::start(json!({}));
    let mut client = server.login(WS2, "admin");
    let guid = "FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:01";
    let full =
        "96|10|6|2020-01-27T20:47:55Z|5|FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:01|0FFF";
    for (event, expected) in [
        (
            json!({
                "vscpHead": 96, "vscpObId": 9, "vscpDateTime": "2020-01-27T20:47:55Z",
                "vscpTimeStamp": 5, "vscpClass": 10, "vscpType": 6, "vscpGuid": guid,
                "vscpData": [15, 255], "vscpNote": "a note",
            }),
            full,
        ),
        (
            json!({
                "head": "0x60", "obid": "9", "datetime": "2020-01-27 20:47:55.5", "timestamp": "5",
                "class": "10", "type": "0x06", "guid": guid.to_lowercase(), "data": "0x0F,255",
                "note": null,
            }),
            full,
        ),
        (
            json!({
                "head": 96.0, "dateTime": "2020-01-27T20:47:55", "timeStamp": 5, "class": 10.0,
                "type": 6, "GUID": guid, "data": ["0x0f", 255.0], "more": {"a": [1]},
            }),
            full,
        ),
        (json!({"class": 10, "type": 6}), "0|10|6|now|clock|driver|"),
        (
            json!({"class": 10, "type": 6, "data": null, "guid": "-", "datetime": ""}),
            "0|10|6|now|clock|driver|",
        ),
        (
            json!({"class": 10, "type": 6, "guid": "", "data": [], "timestamp": 0}),
            "0|10|6|now|clock|driver|",
        ),
        (
            json!({"class": 65535, "type": 0, "head": 65279, "timestamp": 4_294_967_295_u32}),
            "65279|65535|0|now|4294967295|driver|",
        ),
        (json!({"class": 10}), "error"),
        (json!({"type": 6}), "error"),
        (json!({"class": 65536, "type": 6}), "error"),
        (json!({"class": -1, "type": 6}), "error"),
        (json!({"class": 1.5, "type": 6}), "error"),
        (json!({"class": true, "type": 6}), "error"),
        (json!({"class": null, "type": 6}), "error"),
        (json!({"class": "ten", "type": 6}), "error"),
        (json!({"class": 10, "type": 6, "head": 65536}), "error"),
        (json!({"class": 10, "type": 6, "data": [256]}), "error"),
        (json!({"class": 10, "type": 6, "data": [1, null]}), "error"),
        (json!({"class": 10, "type": 6, "data": "1,,2"}), "error"),
        (json!({"class": 10, "type": 6, "data": {}}), "error"),
        (
            json!({"class": 10, "type": 6, "data": vec![0; 513]}),
            "error",
        ),
        (json!({"class": 10, "type": 6, "guid": "FF:FF"}), "error"),
        (json!({"class": 10, "type": 6, "guid": 5}), "error"),
        (
            json!({"class": 10, "type": 6, "datetime": "yesterday"}),
            "error",
        ),
        (json!([]), "error"),
        (json!("0,20,3,,,,-"), "error"),
    ] {
        let message = json!({"type": "EVENT", "event": event});
        let reply = ask(&mut client, &message.to_string());
        if expected == "error" {
            assert_eq!(reply, failed("EVENT", 8), "{event}");
            continue;
        }
        assert_eq!(reply, success("EVENT", json!(null)), "{event}");
        let read = server.host_reads();
        assert_fields(&read, fields_of(expected), &event.to_string());
    }
}

#[test]
fn nanoseconds_of_a_client_reach_the_host_and_other_clients_get_microseconds() {
    let server = Server::start(json!({}));
    let mut sender = server.login(WS2, "admin");
    let mut other = server.open(Protocol::Ws1, "admin");
    for (number, event) in [
        json!({"class": 20, "type": 3, "timestamp_ns": 1_580_158_075_123_456_789_u64}),
        json!({"class": 20, "type": 3, "timestamp": 1_580_158_075_123_456_789_u64}),
    ]
    .iter()
    .enumerate()
    {
        let message = json!({"type": "E", "event": event}).to_string();
        assert_eq!(
            ask(&mut sender, &message),
            success("EVENT", json!(null)),
            "{number}"
        );
        let read = server.host_reads();
        assert_eq!(read.unix_ns.unwrap().get(), 1_580_158_075_123_456_789);
        assert_eq!(read.date.unwrap().to_string(), "2020-01-27T20:47:55Z");
        assert_eq!(other.text(), format!("E;{}", text_of(&read)));
    }
}

#[test]
fn an_event_is_sent_with_the_configured_type_and_keys() {
    let host =
        "0x60,10,6,7,2020-01-27T20:47:55Z,5,FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:01,1,255";
    let vscp = r#""vscpHead":96,"vscpObId":7,"vscpDateTime":"2020-01-27T20:47:55Z","vscpTimeStamp":5,"vscpClass":10,"vscpType":6,"vscpGuid":"FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:01","vscpData":[1,255],"vscpNote":"""#;
    let short = r#""head":96,"obid":7,"datetime":"2020-01-27T20:47:55Z","timestamp":5,"class":10,"type":6,"guid":"FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:01","data":[1,255],"note":"""#;
    let both = format!("{vscp},{short}");
    for (keys, kind, event) in [
        (json!({}), "EVENT", both.as_str()),
        (json!({"ws2-event-type": "EVENT"}), "EVENT", &both),
        (json!({"ws2-event-type": "E"}), "E", &both),
        (json!({"ws2-event-keys": "both"}), "EVENT", &both),
        (json!({"ws2-event-keys": "vscp"}), "EVENT", vscp),
        (
            json!({"ws2-event-keys": "short", "ws2-event-type": "E"}),
            "E",
            short,
        ),
    ] {
        let server = Server::start(keys);
        let mut open = server.open(WS2, "admin");
        let mut closed = server.login(WS2, "admin");
        server.host_writes_text(host);
        let expected = format!(r#"{{"type":"{kind}","event":{{{event}}}}}"#);
        assert_eq!(open.text(), expected);
        closed.command("OPEN");
        assert_eq!(closed.text(), expected, "one that was kept");
    }
}

#[test]
fn an_event_without_date_or_data_is_sent_with_empty_ones() {
    let server = Server::start(json!({"ws2-event-keys": "short"}));
    let mut client = server.open(WS2, "admin");
    server.host_writes_text("0x0100,20,3,0,,1580158075123456789,-");
    server.host_writes_text("0,20,3,0,,5,-");
    let zero = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00";
    for (date, stamp) in [
        ("2020-01-27T20:47:55Z", 1_580_158_075_123_456_u64 as u32),
        ("", 5),
    ] {
        let event = json!({
            "head": 0, "obid": 0, "datetime": date, "timestamp": stamp, "class": 20, "type": 3,
            "guid": zero, "data": [], "note": "",
        });
        let message: Value = serde_json::from_str(&client.text()).unwrap();
        assert_eq!(message, json!({"type": "EVENT", "event": event}));
    }
}

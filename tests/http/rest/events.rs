//! Events, measurements and filters within a session.

use serde_json::{Value, json};

use super::GUID;
use crate::common::{Server, user, wait_until};

/// What is in a JSON reply to `readevent`: `class:type` of each event.
fn kinds(reply: &Value) -> Vec<String> {
    let events = reply["event"].as_array().unwrap().iter();
    events
        .map(|event| format!("{}:{}", event["vscpclass"], event["vscptype"]))
        .collect()
}

#[test]
fn the_oldest_events_are_read_first_and_one_unless_more_are_asked_for() {
    let server = Server::start(json!({}));
    let sid = server.session("admin");
    assert_eq!(server.code(&sid, "op=4"), -6);
    for kind in 1..=5 {
        server.host_writes_text(&format!("0,20,{kind},0,,1,-"));
    }
    server.wait_for_events(&sid, 5);
    let read = |count: &str| server.ask(&sid, &format!("op=READEVENT{count}"));
    let reply = read("");
    assert_eq!(kinds(&reply), ["20:1"]);
    let info = "1 events requested of 5 available (unfiltered) 1 will be retrieved";
    assert_eq!(reply["info"], info);
    assert_eq!(kinds(&read("&count=3")), ["20:2", "20:3", "20:4"]);
    for count in ["0", "-1", "x", "99999999999999999999"] {
        assert_eq!(read(&format!("&count={count}"))["code"], -13, "{count}");
    }
    assert_eq!(kinds(&read("&count=18446744073709551615")), ["20:5"]);
    assert_eq!(server.code(&sid, "op=4"), -6);
}

#[test]
fn at_most_a_thousand_events_are_read_at_once() {
    let server = Server::start(json!({}));
    let sid = server.session("admin");
    for _ in 0..1001 {
        server.host_writes_text("0,20,1,0,,1,-");
    }
    server.wait_for_events(&sid, 1001);
    assert_eq!(server.ask(&sid, "op=4&count=5000")["count"], 1000);
    assert_eq!(server.ask(&sid, "op=4&count=5000")["count"], 1);
}

#[test]
fn an_event_goes_to_the_host_and_to_the_other_sessions() {
    let server = Server::start(json!({}));
    let [sender, other] = [(); 2].map(|()| server.session("admin"));
    let event = format!("0x60,10,6,99,2020-01-27T20:47:55Z,5,{GUID},1,2");
    assert_eq!(
        server.code(&sender, &format!("op=sendevent&vscpevent={event}")),
        1
    );
    let given = server.host_reads();
    assert_eq!(
        (given.class, given.kind, &*given.data),
        (10, 6, &[1, 2][..])
    );
    assert_eq!((given.head, given.timestamp), (0x60, 5));
    server.wait_for_events(&other, 1);
    let read = server.ask(&other, "op=4");
    assert_eq!(
        read["event"][0]["obid"], given.obid,
        "the id of the session"
    );
    assert_ne!(given.obid, 99);
    assert_eq!(server.code(&sender, "op=4"), -6);
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let server = Server::start(json!({"max-in-queue": 1, "host-max-data": 4}));
    let sid = server.session("admin");
    for (parameters, code) in [
        ("op=3", -5),
        ("op=3&vscpevent=", -5),
        ("op=3&vscpevent=0,10,6", -13),
        ("op=3&vscpevent=0,70000,6,,,,-", -13),
        ("op=3&vscpevent=%3Cscript%3E", -13),
        ("op=3&vscpevent=0,10,6,,,,-,1,2,3,4,5", -13),
        ("op=3&vscpevent=0,10,6,,,,-,1,2,3,4", 1),
        ("op=3&vscpevent=0,10,6,,,,-,1,2,3,4", -10),
        ("op=13", -5),
        ("op=-1", -5),
        ("op=sendevents", -5),
    ] {
        assert_eq!(server.code(&sid, parameters), code, "{parameters}");
    }
}

#[test]
fn a_measurement_is_sent_as_an_event() {
    let server = Server::start(json!({}));
    let sid = server.session("admin");
    for (parameters, sent) in [
        ("type=6&value=21.5", "1060,6 00000000 4035800000000000"),
        (
            "type=6&value=-1&unit=1&sensorindex=2&zone=3&subzone=4&level=2&eventformat=float",
            "1060,6 02030401 bff0000000000000",
        ),
        (
            "type=6&value=21.50&unit=1&sensoridx=2&zone=3&subzone=4&eventformat=STRING",
            "1040,6 02030401 32312e35",
        ),
        ("type=6&value=16.4375&unit=1&level=1", "10,6 a8418380 00"),
        ("type=262&value=0&level=1&sensorindex=7", "11,6 a7000000 00"),
    ] {
        let url = format!("op=measurement&guid={GUID}&datetime=2020-01-27T20:47:55Z&{parameters}");
        assert_eq!(server.code(&sid, &url), 1, "{parameters}");
        let event = server.host_reads();
        let (start, end) = event.data.split_at(4);
        let (start, end) = (hex::encode(start), hex::encode(end));
        assert_eq!(
            format!("{},{} {start} {end}", event.class, event.kind),
            sent
        );
        assert_eq!(event.guid.to_string(), GUID);
        assert_eq!(event.date.unwrap().to_string(), "2020-01-27T20:47:55Z");
        assert_eq!(event.priority(), 3);
    }
    for (parameters, code) in [
        ("value=1", -5),
        ("type=6", -5),
        ("type=x&value=1", -13),
        ("type=6&value=1,5", -13),
        ("type=6&value=inf", -13),
        ("type=6&value=1&level=3", -13),
        ("type=6&value=1&eventformat=int", -13),
        ("type=6&value=1&guid=1", -13),
        ("type=6&value=1&datetime=yesterday", -13),
        ("type=6&value=1&zone=256", -13),
        ("type=6&value=1&level=1&unit=4", -13),
        ("type=6&value=1&level=1&sensorindex=8", -13),
    ] {
        assert_eq!(
            server.code(&sid, &format!("op=10&{parameters}")),
            code,
            "{parameters}"
        );
    }
}

#[test]
fn the_filter_decides_what_is_kept() {
    let server = Server::start(json!({
        "users": [user("u", json!({"rights": "rest,set-filter", "filter": "0,10,0,-", "mask": "0,0xFFFF,0,-"}))],
    }));
    let sid = server.session("u");
    server.host_writes_text("0,20,1,0,,1,-");
    server.host_writes_text("0,10,1,0,,1,-");
    server.wait_for_events(&sid, 1);
    for (parameters, code) in [
        ("vscpfilter=0,20,0,-", -5),
        ("vscpmask=0,20,0,-", -5),
        ("vscpfilter=0,70000,0,-&vscpmask=0,0xFFFF,0,-", -13),
        ("vscpfilter=0,20,0,-&vscpmask=0,0xFFFF,0,-", 1),
    ] {
        assert_eq!(
            server.code(&sid, &format!("op=setfilter&{parameters}")),
            code,
            "{parameters}"
        );
    }
    server.host_writes_text("0,10,2,0,,1,-");
    server.host_writes_text("0,20,2,0,,1,-");
    server.wait_for_events(&sid, 2);
    assert_eq!(kinds(&server.ask(&sid, "op=4&count=9")), ["10:1", "20:2"]);
}

#[test]
fn clearing_drops_what_is_kept() {
    let server = Server::start(json!({}));
    let [sid, witness] = [(); 2].map(|()| server.session("admin"));
    server.host_writes_text("0,20,1,0,,1,-");
    server.wait_for_events(&witness, 1);
    assert_eq!(server.code(&sid, "op=clearqueue"), 1);
    assert_eq!(server.ask(&sid, "op=status")["nEvents"], 0);
    server.host_writes_text("0,20,2,0,,1,-");
    server.wait_for_events(&sid, 1);
    assert_eq!(kinds(&server.ask(&sid, "op=4")), ["20:2"]);
}

#[test]
fn of_a_full_queue_the_newest_events_are_dropped_and_counted() {
    let server = Server::start(json!({"max-client-queue-size": 3}));
    let [sid, witness] = [(); 2].map(|()| server.session("admin"));
    for kind in 1..=5 {
        server.host_writes_text(&format!("0,20,{kind},0,,1,-"));
        wait_until("the witness has it", || server.code(&witness, "op=4") == 1);
    }
    wait_until("two are dropped", || {
        server.driver.counters().dropped_closed.get() == 2
    });
    assert_eq!(
        kinds(&server.ask(&sid, "op=4&count=9")),
        ["20:1", "20:2", "20:3"]
    );
    assert!(server.close_and_log().contains("2 events dropped\n"));
}

#[test]
fn rights_and_event_lists_hold() {
    let server = Server::start(json!({"users": [
        user("sender", json!({"rights": "rest,send-events,l1ctrl-events", "events": "TX;10:*", "max-priority": 5})),
        user("deaf", json!({"rights": 8})),
        user("reader", json!({"rights": "rest", "events": ["RX;20:*", "TX;10:*"]})),
    ]}));
    let [sender, deaf, reader] = ["sender", "deaf", "reader"].map(|name| server.session(name));
    for (sid, parameters, code) in [
        (&sender, "op=3&vscpevent=0,10,6,,,,-", 1),
        (&sender, "op=3&vscpevent=0,20,6,,,,-", -14),
        (&sender, "op=10&type=6&value=1", -14),
        (&sender, "op=5&vscpfilter=0&vscpmask=0", -14),
        (&deaf, "op=3&vscpevent=0,10,6,,,,-", -14),
        (&deaf, "op=6", 1),
        (&reader, "op=3&vscpevent=0,0,1,,,,-", -14),
    ] {
        assert_eq!(server.code(sid, parameters), code, "{parameters}");
    }
    assert_eq!(server.host_reads().priority(), 5);
    server.host_writes_text("0,10,1,0,,1,-");
    server.host_writes_text("0,20,1,0,,1,-");
    server.wait_for_events(&reader, 1);
    assert_eq!(kinds(&server.ask(&reader, "op=4&count=9")), ["20:1"]);
    assert_eq!(server.ask(&deaf, "op=status")["nEvents"], 0);
    assert_eq!(server.code(&deaf, "op=4"), -6);
}

#[test]
fn there_are_no_variables_and_no_tables() {
    let server = Server::start(json!({}));
    let sid = server.session("admin");
    for (op, code) in [
        ("7", -7),
        ("readvar", -7),
        ("8", -7),
        ("writevar", -7),
        ("12", -7),
        ("listvar", -7),
        ("9", -8),
        ("createvar", -8),
        ("11", -11),
        ("table", -11),
    ] {
        assert_eq!(server.code(&sid, &format!("op={op}&name=x")), code, "{op}");
    }
}

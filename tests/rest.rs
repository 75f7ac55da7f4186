//! REST over real connections.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod web;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use self::web::{DEADLINE, Response, Server, user, wait_until};

const ZEROS: &str = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00";
const GUID: &str = "FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:02:00:00";

/// All formats, with their content types.
const FORMATS: [(&str, &str); 5] = [
    ("plain", "text/plain"),
    ("csv", "text/csv"),
    ("xml", "application/xml"),
    ("json", "application/json"),
    ("jsonp", "application/javascript"),
];

impl Server {
    /// Opens a session; its id.
    fn session(&self, user: &str) -> String {
        let url = format!("/rest?vscpuser={user}&vscpsecret=secret&format=json");
        let reply = self.get(&url).json();
        assert_eq!(reply["code"], 1, "{reply}");
        reply["vscpsession"].as_str().unwrap().to_owned()
    }

    /// Asks within a session, in JSON.
    fn ask(&self, sid: &str, parameters: &str) -> Value {
        self.get(&format!("/rest?vscpsession={sid}&format=json&{parameters}"))
            .json()
    }

    /// The code that a request within a session is answered with.
    fn code(&self, sid: &str, parameters: &str) -> i64 {
        self.ask(sid, parameters)["code"].as_i64().unwrap()
    }

    /// Waits until so many events are kept for a session.
    fn wait_for_events(&self, sid: &str, count: u64) {
        wait_until("so many events", || {
            self.ask(sid, "op=status")["nEvents"].as_u64() == Some(count)
        });
    }

    /// The code that a login is answered with.
    fn login_code(&self, parameters: &str) -> i64 {
        let reply = self.get(&format!("/rest?format=json&{parameters}")).json();
        reply["code"].as_i64().unwrap()
    }
}

/// What is in a JSON reply to `readevent`: `class:type` of each event.
fn kinds(reply: &Value) -> Vec<String> {
    let events = reply["event"].as_array().unwrap().iter();
    events
        .map(|event| format!("{}:{}", event["vscpclass"], event["vscptype"]))
        .collect()
}

/// The reply in a format, without the parts that are told by it.
fn assert_reply(reply: &Response, format: &str, status: u16, body: &str) {
    assert_eq!(reply.text(), body, "{format}");
    assert_eq!(reply.status, status, "{format}");
    let (_, kind) = FORMATS.iter().find(|(name, _)| *name == format).unwrap();
    assert_eq!(reply.header("content-type"), Some(*kind), "{format}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
}

#[test]
fn success_is_said_in_each_format() {
    let server = Server::open(json!({}));
    let sid = server.session("admin");
    let json = r#"{"success":true,"code":1,"message":"success","description":"Success"}"#;
    for (number, (format, body)) in [
        (
            "plain",
            "1 1 Success \r\n\r\nEverything is fine.\r\n".to_owned(),
        ),
        (
            "csv",
            "success-code,error-code,message,description\r\n1,1,Success,Success.".to_owned(),
        ),
        (
            "xml",
            r#"<vscp-rest success="true" code="1" message="Success" description="Success."/>"#
                .to_owned(),
        ),
        ("json", json.to_owned()),
        (
            "jsonp",
            format!("typeof handler === 'function' && handler({json});"),
        ),
    ]
    .iter()
    .enumerate()
    {
        for name in [
            format.to_string(),
            format.to_uppercase(),
            number.to_string(),
        ] {
            let url = format!("/rest?vscpsession={sid}&op=clearqueue&format={name}");
            assert_reply(&server.get(&url), format, 200, body);
        }
    }
    let reply = server.get(&format!("/vscp/rest?vscpsession={sid}&op=6&format="));
    assert_reply(
        &reply,
        "plain",
        200,
        "1 1 Success \r\n\r\nEverything is fine.\r\n",
    );
}

#[test]
fn open_and_status_give_the_session_in_each_format_and_as_a_cookie() {
    let server = Server::open(json!({}));
    for (format, body) in [
        ("plain", "1 1 Success vscpsession=SID nEvents=0"),
        (
            "csv",
            "success-code,error-code,message,description,vscpsession,nEvents\r\n\
             1,1,Success,Success.,SID,0",
        ),
        (
            "xml",
            r#"<vscp-rest success="true" code="1" message="Success" description="Success."><vscpsession>SID</vscpsession><nEvents>0</nEvents></vscp-rest>"#,
        ),
        (
            "json",
            r#"{"success":true,"code":1,"message":"success","description":"Success","vscpsession":"SID","nEvents":0}"#,
        ),
        (
            "jsonp",
            r#"typeof handler === 'function' && handler({"success":true,"code":1,"message":"success","description":"Success","vscpsession":"SID","nEvents":0});"#,
        ),
    ] {
        let login = "vscpuser=admin&vscpsecret=secret";
        let opened = server.get(&format!("/rest?{login}&format={format}&op=open"));
        let cookie = opened.header("set-cookie").unwrap();
        let sid = cookie.strip_prefix("vscpsession=").unwrap();
        let sid = sid
            .strip_suffix("; Path=/; HttpOnly; SameSite=Strict")
            .unwrap();
        assert_eq!(sid.len(), 32);
        assert!(sid.bytes().all(|byte| byte.is_ascii_hexdigit()), "{sid}");
        assert_reply(&opened, format, 200, &body.replace("SID", sid));
        for op in ["op=status", "op=0", "op=open", ""] {
            let url = format!("/rest?vscpsession={sid}&format={format}&{op}");
            assert_reply(&server.get(&url), format, 200, &body.replace("SID", sid));
        }
    }
}

#[test]
fn errors_are_said_in_each_format() {
    let server = Server::open(json!({}));
    let json = r#"{"success":false,"code":-2,"message":"Invalid session","description":"Invalid session"}"#;
    for (format, body) in [
        ("plain", "0 -2 Invalid session \r\n\r\nInvalid session.\r\n".to_owned()),
        (
            "csv",
            "success-code,error-code,message,description\r\n\
             0,-2,Invalid session,Invalid session."
                .to_owned(),
        ),
        (
            "xml",
            r#"<vscp-rest success="false" code="-2" message="Invalid session" description="Invalid session."/>"#
                .to_owned(),
        ),
        ("json", json.to_owned()),
        ("jsonp", format!("typeof handler === 'function' && handler({json});")),
    ] {
        let reply = server.get(&format!("/rest?op=6&format={format}"));
        assert_reply(&reply, format, 200, &body);
        assert_eq!(reply.header("set-cookie"), None);
    }
}

#[test]
fn an_unknown_format_is_a_bad_request() {
    for (keys, formats) in [
        (json!({}), &["5", "-1", "html", "%00", "json%20x"][..]),
        (json!({"enable-jsonp": false}), &["jsonp", "4"]),
    ] {
        let server = Server::open(keys);
        for format in formats {
            let reply = server.get(&format!("/rest?op=open&format={format}"));
            let body = "0 -3 Unsupported format \r\n\r\nUnsupported format.\r\n";
            assert_reply(&reply, "plain", 400, body);
        }
    }
}

#[test]
fn events_are_read_in_each_format() {
    let server = Server::open(json!({}));
    let event = format!("96,10,6,7,2020-01-27T20:47:55Z,5,{GUID},0x0F,0x0E");
    let bare = format!("0,20,3,0,,9,{ZEROS}");
    let json = format!(
        r#"{{"success":true,"code":1,"message":"success","description":"Success","info":"3 events requested of 2 available (unfiltered) 2 will be retrieved","event":[{{"head":96,"vscpclass":10,"vscptype":6,"vscpClass":10,"vscpType":6,"datetime":"2020-01-27T20:47:55Z","timestamp":5,"obid":7,"guid":"{GUID}","sizedata":2,"data":[15,14]}},{{"head":0,"vscpclass":20,"vscptype":3,"vscpClass":20,"vscpType":3,"datetime":"","timestamp":9,"obid":0,"guid":"{ZEROS}","sizedata":0,"data":[]}}],"count":2,"filtered":0,"errors":0}}"#
    );
    for (format, body) in [
        (
            "plain",
            format!(
                "1 1 Success \r\n\
                 3 events requested of 2 available (unfiltered) 2 will be retrieved\r\n\
                 - {event}\r\n- {bare}\r\n"
            ),
        ),
        (
            "csv",
            format!(
                "success-code,error-code,message,description,Event\r\n\
                 1,1,Success,Success.,NULL\r\n1,4,Count,2,NULL\r\n\
                 1,3,Data,Event,{event}\r\n1,3,Data,Event,{bare}\r\n"
            ),
        ),
        (
            "xml",
            format!(
                "<vscp-rest success=\"true\" code=\"1\" message=\"Success\" \
                 description=\"Success.\"><info>3 events requested of 2 available (unfiltered) \
                 2 will be retrieved</info><count>2</count>\
                 <event><head>96</head><vscpclass>10</vscpclass><vscptype>6</vscptype>\
                 <obid>7</obid><datetime>2020-01-27T20:47:55Z</datetime>\
                 <timestamp>5</timestamp><guid>{GUID}</guid><sizedata>2</sizedata>\
                 <data>0x0F,0x0E</data><raw>{event}</raw></event>\
                 <event><head>0</head><vscpclass>20</vscpclass><vscptype>3</vscptype>\
                 <obid>0</obid><datetime></datetime>\
                 <timestamp>9</timestamp><guid>{ZEROS}</guid><sizedata>0</sizedata>\
                 <data></data><raw>{bare}</raw></event>\
                 <filtered>0</filtered><errors>0</errors></vscp-rest>"
            ),
        ),
        ("json", json.clone()),
        (
            "jsonp",
            format!("typeof handler === 'function' && handler({json});"),
        ),
    ] {
        let sid = server.session("admin");
        server.write(&event);
        server.write(&bare);
        server.wait_for_events(&sid, 2);
        let url = format!("/rest?vscpsession={sid}&op=readevent&count=3&format={format}");
        assert_reply(&server.get(&url), format, 200, &body);
    }
}

#[test]
fn the_oldest_events_are_read_first_and_one_unless_more_are_asked_for() {
    let server = Server::open(json!({}));
    let sid = server.session("admin");
    assert_eq!(server.code(&sid, "op=4"), -6);
    for kind in 1..=5 {
        server.write(&format!("0,20,{kind},0,,1,-"));
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
    let server = Server::open(json!({}));
    let sid = server.session("admin");
    for _ in 0..1001 {
        server.write("0,20,1,0,,1,-");
    }
    server.wait_for_events(&sid, 1001);
    assert_eq!(server.ask(&sid, "op=4&count=5000")["count"], 1000);
    assert_eq!(server.ask(&sid, "op=4&count=5000")["count"], 1);
}

#[test]
fn an_event_goes_to_the_host_and_to_the_other_sessions() {
    let server = Server::open(json!({}));
    let [sender, other] = [(); 2].map(|()| server.session("admin"));
    let event = format!("0x60,10,6,99,2020-01-27T20:47:55Z,5,{GUID},1,2");
    assert_eq!(
        server.code(&sender, &format!("op=sendevent&vscpevent={event}")),
        1
    );
    let given = server.read();
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
    let server = Server::open(json!({"max-in-queue": 1, "host-max-data": 4}));
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
    let server = Server::open(json!({}));
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
        let event = server.read();
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
    let server = Server::open(json!({
        "users": [user("u", json!({"rights": "rest,set-filter", "filter": "0,10,0,-", "mask": "0,0xFFFF,0,-"}))],
    }));
    let sid = server.session("u");
    server.write("0,20,1,0,,1,-");
    server.write("0,10,1,0,,1,-");
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
    server.write("0,10,2,0,,1,-");
    server.write("0,20,2,0,,1,-");
    server.wait_for_events(&sid, 2);
    assert_eq!(kinds(&server.ask(&sid, "op=4&count=9")), ["10:1", "20:2"]);
}

#[test]
fn clearing_drops_what_is_kept() {
    let server = Server::open(json!({}));
    let [sid, witness] = [(); 2].map(|()| server.session("admin"));
    server.write("0,20,1,0,,1,-");
    server.wait_for_events(&witness, 1);
    assert_eq!(server.code(&sid, "op=clearqueue"), 1);
    assert_eq!(server.ask(&sid, "op=status")["nEvents"], 0);
    server.write("0,20,2,0,,1,-");
    server.wait_for_events(&sid, 1);
    assert_eq!(kinds(&server.ask(&sid, "op=4")), ["20:2"]);
}

#[test]
fn of_a_full_queue_the_newest_events_are_dropped_and_counted() {
    let server = Server::open(json!({"max-client-queue-size": 3}));
    let [sid, witness] = [(); 2].map(|()| server.session("admin"));
    for kind in 1..=5 {
        server.write(&format!("0,20,{kind},0,,1,-"));
        wait_until("the witness has it", || server.code(&witness, "op=4") == 1);
    }
    wait_until("two are dropped", || {
        server.driver.counters().dropped_closed.get() == 2
    });
    assert_eq!(
        kinds(&server.ask(&sid, "op=4&count=9")),
        ["20:1", "20:2", "20:3"]
    );
    assert!(server.log().contains("2 events dropped\n"));
}

#[test]
fn rights_and_event_lists_hold() {
    let server = Server::open(json!({"users": [
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
    assert_eq!(server.read().priority(), 5);
    server.write("0,10,1,0,,1,-");
    server.write("0,20,1,0,,1,-");
    server.wait_for_events(&reader, 1);
    assert_eq!(kinds(&server.ask(&reader, "op=4&count=9")), ["20:1"]);
    assert_eq!(server.ask(&deaf, "op=status")["nEvents"], 0);
    assert_eq!(server.code(&deaf, "op=4"), -6);
}

#[test]
fn there_are_no_variables_and_no_tables() {
    let server = Server::open(json!({}));
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

#[test]
fn a_session_that_was_closed_is_gone() {
    let server = Server::open(json!({}));
    let sid = server.session("admin");
    assert_eq!(server.code(&sid, "op=close"), 1);
    for op in ["status", "open", "close", "6"] {
        assert_eq!(server.code(&sid, &format!("op={op}")), -2, "{op}");
    }
    for sid in ["x", "00", &"0".repeat(32), &"0".repeat(34), "%00"] {
        assert_eq!(server.code(sid, "op=status"), -2, "{sid}");
    }
    assert!(server.log().contains("REST session closed\n"));
}

#[test]
fn the_session_may_be_a_header_but_not_a_cookie() {
    let server = Server::open(json!({}));
    let sid = server.session("admin");
    let code = |headers: &[(&str, &str)]| {
        let reply = server.request("GET", "/rest?op=status&format=json", headers, "");
        reply.json()["code"].as_i64()
    };
    assert_eq!(code(&[("vscpsession", &sid)]), Some(1));
    assert_eq!(code(&[("VSCPSession", &sid.to_lowercase())]), Some(1));
    assert_eq!(code(&[("Cookie", &format!("vscpsession={sid}"))]), Some(-2));
    let login = [("vscpuser", "admin"), ("vscpsecret", "secret")];
    let opened = server.request("GET", "/rest", &login, "");
    assert!(opened.text().starts_with("1 1 Success vscpsession="));
}

#[test]
fn a_form_may_be_posted() {
    let server = Server::open(json!({}));
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let body = "vscpuser=admin&vscpsecret=secret&op=open&format=3";
    let opened = server.request("POST", "/vscp/rest", &[form], body).json();
    let sid = opened["vscpsession"].as_str().unwrap();
    let body = "op=sendevent&vscpevent=0%2C20%2C3%2C%2C%2C%2C-%2C+1%2C2";
    let sent = server.request("POST", "/rest", &[form, ("vscpsession", sid)], body);
    assert_eq!(sent.text(), "1 1 Success \r\n\r\nEverything is fine.\r\n");
    assert_eq!(&*server.read().data, [1, 2]);
}

#[test]
fn a_login_may_take_the_place_of_a_session() {
    let server = Server::open(json!({"max-clients": 1}));
    for _ in 0..3 {
        let login = "vscpuser=admin&vscpsecret=secret";
        assert_eq!(
            server.login_code(&format!("{login}&op=3&vscpevent=0,20,3,,,,-")),
            1
        );
        assert_eq!(server.read().class, 20);
        assert_eq!(
            server.login_code(&format!("{login}&op=10&type=6&value=1")),
            1
        );
        assert_eq!(server.read().class, 1060);
        assert_eq!(server.login_code(&format!("{login}&op=4")), -6);
    }
    server.session("admin");
}

#[test]
fn a_body_is_bounded() {
    let server = Server::open(json!({"max-message-size": 256}));
    for (length, status) in [(256, 200), (257, 413), (100_000, 413)] {
        let body = format!("op=status&x={}", "x".repeat(length - 12));
        assert_eq!(
            server.request("POST", "/rest", &[], &body).status,
            status,
            "{length}"
        );
    }
    let chunked = b"POST /rest HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
                    100\r\n\
                    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
                    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
                    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
                    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n\
                    1\r\nx\r\n0\r\n\r\n";
    assert_eq!(server.raw(chunked).status, 413);
    // A head is bounded too.
    let long = format!("/rest?x={}", "x".repeat(100_000));
    assert!(server.get(&long).status >= 400);
    server.session("admin");
}

#[test]
fn only_get_and_post_are_understood() {
    let server = Server::open(json!({}));
    for method in ["HEAD", "PUT", "DELETE", "PATCH", "TRACE"] {
        let reply = server.request(method, "/rest?op=status", &[], "");
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.header("allow"), Some("GET, POST, OPTIONS"));
    }
}

#[test]
fn failed_logins_look_alike_unless_debug_is_on() {
    for (debug, codes) in [(false, [-14, -14, -14, -14]), (true, [-14, -15, -16, -14])] {
        let server = Server::open(json!({"debug": debug, "users": [
            user("admin", json!({"rights": "admin"})),
            user("away", json!({"rights": "admin", "remotes": "-127.0.0.0/8"})),
            user("ws", json!({"rights": "ws1"})),
        ]}));
        for (parameters, code) in [
            "vscpuser=nobody&vscpsecret=secret",
            "vscpuser=away&vscpsecret=secret",
            "vscpuser=admin&vscpsecret=wrong",
            "vscpuser=ws&vscpsecret=secret",
        ]
        .iter()
        .zip(codes)
        {
            assert_eq!(server.login_code(parameters), code, "{parameters} {debug}");
        }
        assert_eq!(server.login_code("op=open"), -14);
    }
}

#[test]
fn failures_slow_logins_down() {
    let server = Server::open(json!({}));
    for _ in 0..2 {
        assert_eq!(server.login_code("vscpuser=admin&vscpsecret=wrong"), -14);
    }
    let start = Instant::now();
    let sid = server.session("admin");
    assert!(
        start.elapsed() >= Duration::from_millis(500),
        "{:?}",
        start.elapsed()
    );
    // Not the requests within a session.
    let start = Instant::now();
    assert_eq!(server.code(&sid, "op=status"), 1);
    assert!(
        start.elapsed() < Duration::from_millis(500),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn only_so_many_logins_of_one_address_wait() {
    const LOGINS: usize = 100;
    let server = Server::open(json!({}));
    let request =
        "GET /rest?format=plain&vscpuser=admin&vscpsecret=wrong HTTP/1.1\r\nHost: x\r\n\r\n";
    let connect = |_| {
        let mut socket = TcpStream::connect(server.address).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    };
    let mut sockets: Vec<_> = (0..LOGINS).map(connect).collect();
    let mut refused = 0;
    wait_until("those that are too many are refused", || {
        sockets.retain_mut(|socket| {
            let mut answer = [0; 1000];
            let Ok(count) = socket.read(&mut answer) else {
                return true;
            };
            let answer = String::from_utf8_lossy(&answer[..count]);
            refused += usize::from(answer.contains("Unable to create session"));
            false
        });
        // Some of the first may be answered before the last come.
        refused >= 20
    });
    assert!(sockets.len() > 50, "the others wait");
}

#[test]
fn sessions_are_limited() {
    let server = Server::open(json!({"max-clients": 2}));
    let sid = server.session("admin");
    server.session("admin");
    let login = "vscpuser=admin&vscpsecret=secret";
    assert_eq!(server.login_code(login), -4);
    // Websockets have a limit of their own.
    let upgrade = [
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let mut request = "GET /ws1 HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\n".to_owned();
    for (name, value) in upgrade {
        request += &format!("{name}: {value}\r\n");
    }
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket
        .write_all(format!("{request}\r\n").as_bytes())
        .unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");

    assert_eq!(server.code(&sid, "op=close"), 1);
    assert_eq!(server.login_code(login), 1);
}

#[test]
fn a_user_who_is_gone_or_has_another_password_loses_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.json");
    let write = |users: &[Value]| {
        fs::write(&path, json!({ "users": users }).to_string()).unwrap();
    };
    let rights = json!({"rights": "admin"});
    let mut changed = user("changed", rights.clone());
    write(&["stays", "changed", "gone"].map(|name| user(name, rights.clone())));
    let server = Server::open(json!({"path-users": path}));
    let [stays, other, gone] = ["stays", "changed", "gone"].map(|name| server.session(name));
    changed["password"] = json!("0".repeat(32));
    write(&[user("stays", rights.clone()), changed]);
    wait_until("the file is looked at", || {
        server.code(&gone, "op=status") == -2
    });
    assert_eq!(server.code(&other, "op=status"), -2);
    assert_eq!(server.code(&stays, "op=status"), 1);
}

#[test]
fn nothing_of_a_request_is_echoed() {
    let server = Server::open(json!({}));
    let sid = server.session("admin");
    let evil = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for op in 0..=13 {
        for (format, _) in FORMATS.iter().chain([&(evil, "")]) {
            for name in [
                "op",
                "vscpsession",
                "vscpuser",
                "vscpevent",
                "callback",
                "type",
                "name",
            ] {
                let url = format!(
                    "/rest?vscpsession={sid}&vscpevent={evil}&vscpfilter={evil}&vscpmask={evil}\
                     &count={evil}&value={evil}&jsonp={evil}&op={op}&format={format}&{name}={evil}"
                );
                let reply = server.get(&url);
                let head = format!("{reply:?}");
                assert!(!reply.text().contains("alert"), "{url}");
                assert!(!head.contains("alert"), "{url}");
            }
        }
    }
}

#[test]
fn passwords_and_session_ids_are_never_logged() {
    let server = Server::open(json!({"debug": true}));
    let sid = server.session("admin");
    assert_eq!(server.login_code("vscpuser=admin&vscpsecret=wr0ng"), -16);
    assert_eq!(server.code(&sid, "op=3&vscpsecret=s3cret&vscpevent=x"), -13);
    server.raw(b"GET /rest?vscpsecret=brok3n HTTP/1.1\r\nbad header\r\n\r\n");
    server.code(&sid, "op=close");
    let log = server.log();
    assert!(
        log.contains("login of admin from 127.0.0.1 refused: wrong password"),
        "{log}"
    );
    for secret in ["vscpsecret=", "wr0ng", "s3cret", "brok3n", &sid] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}

#[test]
fn rest_without_tls_is_warned_of_once_at_the_start() {
    let warning = "REST without TLS";
    let log = Server::open(json!({})).log();
    assert_eq!(log.matches(warning).count(), 1, "{log}");
    let log = Server::open(json!({"enable-rest": false})).log();
    assert_eq!(log.matches(warning).count(), 0, "{log}");
}

#[test]
fn pages_of_other_origins_are_allowed_as_configured() {
    let server = Server::open(json!({"cors-origins": ["https://a.example"]}));
    let a = ("Origin", "https://a.example");
    let b = ("Origin", "https://b.example");
    let ask = ("Access-Control-Request-Method", "POST");
    let allow = "access-control-allow-origin";

    let reply = server.request("OPTIONS", "/rest", &[a, ask], "");
    assert_eq!((reply.status, reply.text()), (204, ""));
    assert_eq!(reply.header(allow), Some("https://a.example"));
    assert_eq!(reply.header("vary"), Some("origin"));
    let methods = reply.header("access-control-allow-methods");
    assert_eq!(methods, Some("GET, POST, OPTIONS"));
    let headers = reply.header("access-control-allow-headers");
    assert_eq!(
        headers,
        Some("vscpuser, vscpsecret, vscpsession, content-type")
    );
    assert_eq!(reply.header("access-control-allow-credentials"), None);

    let reply = server.request("OPTIONS", "/rest", &[b, ask], "");
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header(allow), None);
    assert_eq!(reply.header("access-control-allow-methods"), None);

    for (headers, allowed) in [(&[a][..], Some(a.1)), (&[b], None), (&[], None)] {
        let reply = server.request("GET", "/rest?op=6", headers, "");
        assert_eq!(reply.header(allow), allowed);
        assert_eq!(reply.header("vary"), Some("origin"));
    }

    let server = Server::open(json!({}));
    let reply = server.request("GET", "/rest?op=6", &[a], "");
    assert_eq!((reply.header(allow), reply.header("vary")), (None, None));

    let server = Server::open(json!({"cors-origins": "*"}));
    let reply = server.request("GET", "/rest?op=6", &[b], "");
    assert_eq!(reply.header(allow), Some(b.1));
}

#[test]
fn rest_is_where_it_is_configured() {
    for (keys, here, not_here) in [
        (
            json!({}),
            &["/rest", "/vscp/rest"][..],
            &["/rest/", "/Rest", "/api"][..],
        ),
        (
            json!({"url-rest": "api"}),
            &["/api", "/vscp/rest"],
            &["/rest"],
        ),
        (json!({"enable-rest": false}), &[], &["/rest", "/vscp/rest"]),
    ] {
        let server = Server::open(keys);
        for path in here {
            assert_eq!(server.get(&format!("{path}?op=6")).status, 200, "{path}");
        }
        for path in not_here {
            assert_eq!(server.get(&format!("{path}?op=6")).status, 404, "{path}");
        }
    }
}

#[test]
fn requests_of_one_connection_are_answered_one_after_the_other() {
    let server = Server::open(json!({}));
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let request = "GET /rest?op=6 HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = "GET /rest?op=6 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    socket
        .write_all(format!("{request}{request}{last}").as_bytes())
        .unwrap();
    let mut answers = String::new();
    socket.read_to_string(&mut answers).unwrap();
    assert_eq!(
        answers.matches("0 -2 Invalid session \r\n").count(),
        3,
        "{answers}"
    );
}

#[test]
fn closing_the_driver_ends_sessions_without_waiting() {
    let server = Server::open(json!({}));
    server.session("admin");
    let start = Instant::now();
    let log = server.log();
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    assert!(log.contains("REST session closed, going away"), "{log}");
    assert!(log.contains("1 REST sessions"), "{log}");
}

#[test]
fn many_sessions_at_once_each_get_every_event_once() {
    let server = Server::open(json!({}));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let sid = server.session("admin");
                for _ in 0..20 {
                    assert_eq!(server.code(&sid, "op=3&vscpevent=0,20,3,,,,-"), 1);
                }
                server.code(&sid, "op=close");
            });
        }
    });
    let sid = server.session("admin");
    for _ in 0..160 {
        assert_eq!(server.read().class, 20);
    }
    assert_eq!(server.code(&sid, "op=3&vscpevent=0,21,3,,,,-"), 1);
    assert_eq!(server.read().class, 21);
}

#[test]
fn curl_is_served() {
    let Ok(version) = Command::new("curl").arg("--version").output() else {
        return eprintln!("NOT TESTED: curl is not installed");
    };
    assert!(version.status.success());
    let server = Server::open(json!({}));
    let url = format!("http://{}/rest", server.address);
    let curl = |arguments: &[&str]| {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "20"])
            .args(arguments)
            .arg(&url)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let login = [
        "-d",
        "vscpuser=admin",
        "-d",
        "vscpsecret=secret",
        "-d",
        "format=json",
    ];
    let opened: Value = serde_json::from_str(&curl(&login)).unwrap();
    let sid = format!("vscpsession: {}", opened["vscpsession"].as_str().unwrap());
    let event = "vscpevent=0,20,3,,,,-,1,2,3";
    let sent = curl(&[
        "-G",
        "-H",
        &sid,
        "-d",
        "op=sendevent",
        "--data-urlencode",
        event,
    ]);
    assert_eq!(sent, "1 1 Success \r\n\r\nEverything is fine.\r\n");
    assert_eq!(&*server.read().data, [1, 2, 3]);
    let status = curl(&[
        "-G",
        "-H",
        &sid,
        "-d",
        "op=close",
        "-o",
        "-",
        "-w",
        "%{http_code}",
    ]);
    assert!(status.ends_with("200"), "{status}");
}

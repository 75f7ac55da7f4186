//! Each kind of reply in each format.

use serde_json::json;

use super::GUID;
use crate::common::{Response, Server};

const ZEROS: &str = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00";

/// All formats, with their content types.
const FORMATS: [(&str, &str); 5] = [
    ("plain", "text/plain"),
    ("csv", "text/csv"),
    ("xml", "application/xml"),
    ("json", "application/json"),
    ("jsonp", "application/javascript"),
];

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
    let server = Server::start(json!({}));
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
    let server = Server::start(json!({}));
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
    let server = Server::start(json!({}));
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
        let server = Server::start(keys);
        for format in formats {
            let reply = server.get(&format!("/rest?op=open&format={format}"));
            let body = "0 -3 Unsupported format \r\n\r\nUnsupported format.\r\n";
            assert_reply(&reply, "plain", 400, body);
        }
    }
}

#[test]
fn events_are_read_in_each_format() {
    let server = Server::start(json!({}));
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
        server.host_writes_text(&event);
        server.host_writes_text(&bare);
        server.wait_for_events(&sid, 2);
        let url = format!("/rest?vscpsession={sid}&op=readevent&count=3&format={format}");
        assert_reply(&server.get(&url), format, 200, &body);
    }
}

#[test]
fn nothing_of_a_request_is_echoed() {
    let server = Server::start(json!({}));
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

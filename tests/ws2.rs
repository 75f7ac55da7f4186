//! The protocol ws2, message by message.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use serde_json::{Value, json};
use vscpl2drv_websocksrv::{
    event::{Date, Guid},
    ws::Protocol,
};

use common::{GUID, Server, client::Client, speech::crypto, text_of, user};

const WS2: Protocol = Protocol::Ws2;

const TEXTS: [&str; 10] = [
    "Everything is OK.",
    "Syntax error.",
    "Unknown command.",
    "Transmit buffer full.",
    "Having problems to allocate memory.",
    "Not authorised.",
    "Not allowed to send event.",
    "Not allowed to do that (check privileges)",
    "Parse error, invalid format.",
    "Unknown type, only know 'COMMAND' and 'EVENT'.",
];

fn done(word: &str, args: Value) -> Value {
    json!({"type": "+", "command": word, "args": args})
}

fn failed(word: &str, code: usize) -> Value {
    json!({
        "type": "-", "command": word,
        "errcode": code, "errstr": TEXTS[code],
        "error-code": code, "error-str": TEXTS[code],
    })
}

fn ask(client: &mut Client, message: &str) -> Value {
    serde_json::from_str(&client.ask(message)).unwrap()
}

/// Sends each message and expects exactly one reply to it.
fn expect_replies(client: &mut Client, table: &[(&str, Value)]) {
    for (message, reply) in table {
        assert_eq!(ask(client, message), *reply, "reply to {message:?}");
    }
    let noop = ask(client, r#"{"type":"CMD","command":"NOOP"}"#);
    assert_eq!(noop, done("NOOP", json!(null)), "a reply too many");
}

#[test]
fn a_client_is_greeted_without_the_key_command() {
    let server = Server::start(json!({}));
    let mut client = Client::connect(server.address(), "/ws2", WS2);
    let greeting = client.text();
    let sid = &greeting[r#"{"type":"+","args":["AUTH0",""#.len()..][..32];
    assert_eq!(
        greeting,
        format!(r#"{{"type":"+","args":["AUTH0","{sid}"]}}"#)
    );
    assert!(
        sid.chars().all(|c| matches!(c, '0'..='9' | 'A'..='F')),
        "{sid}"
    );
}

#[test]
fn commands_and_their_replies_before_login() {
    let server = Server::start(json!({}));
    let mut client = server.connect(WS2);
    let sid = json!({"sid": client.sid});
    let version = json!({"version": concat!(env!("CARGO_PKG_VERSION"), "-0")});
    expect_replies(
        &mut client,
        &[
            (
                r#"{"type":"CMD","command":"NOOP"}"#,
                done("NOOP", json!(null)),
            ),
            (
                r#"{"type":"CMD","command":"CHALLENGE"}"#,
                done("CHALLENGE", sid.clone()),
            ),
            (
                r#"{"type":"CMD","command":"CHALLENGE","args":null}"#,
                done("CHALLENGE", sid),
            ),
            (
                r#"{"type":"CMD","command":"VERSION","args":null}"#,
                done("VERSION", version.clone()),
            ),
            (
                r#"{"type":"CMD","command":"VER","args":{}}"#,
                done("VER", version),
            ),
            (r#"{"type":"CMD","command":"OPEN"}"#, failed("OPEN", 5)),
            (r#"{"type":"CMD","command":"CLOSE"}"#, failed("CLOSE", 5)),
            (
                r#"{"type":"CMD","command":"SF","args":{}}"#,
                failed("SF", 5),
            ),
            (
                r#"{"type":"CMD","command":"SETFILTER"}"#,
                failed("SETFILTER", 5),
            ),
            (r#"{"type":"CMD","command":"CLRQ"}"#, failed("CLRQ", 5)),
            (
                r#"{"type":"CMD","command":"CLRQUEUE"}"#,
                failed("CLRQUEUE", 5),
            ),
            (r#"{"type":"CMD","command":"NOOPX"}"#, failed("NOOPX", 5)),
            (
                r#"{"type":"EVENT","event":{"class":1,"type":1}}"#,
                failed("EVENT", 5),
            ),
            (r#"{"type":"EVENT"}"#, failed("EVENT", 5)),
            (r#"{"type":"CMD"}"#, failed("", 1)),
            (r#"{"type":"CMD","command":null}"#, failed("", 1)),
            (r#"{"type":"CMD","command":7}"#, failed("", 1)),
            (r#"{"type":"X","command":"NOOP"}"#, failed("", 9)),
            (r#"{"command":"NOOP"}"#, failed("", 9)),
            (r#"{"type":1}"#, failed("", 9)),
            (r#"{"type":null}"#, failed("", 9)),
            ("{}", failed("", 9)),
            ("", failed("", 8)),
            ("C;NOOP", failed("", 8)),
            ("[]", failed("", 8)),
            ("null", failed("", 8)),
            (r#""CMD""#, failed("", 8)),
            (r#"{"type":"CMD","command":"NOOP"}}"#, failed("", 8)),
            (r#"{"type":"CMD","command":"NOOP""#, failed("", 8)),
            (r#"{"type":"CMD","command":"NOOP",}"#, failed("", 8)),
        ],
    );
    let reply = ask(&mut client, r#"{"type":"CMD","command":"COPYRIGHT"}"#);
    let text = reply["args"]["copyright"].as_str().unwrap();
    assert!(text.starts_with("Copyright"), "{text}");
    assert_eq!(reply, done("COPYRIGHT", json!({"copyright": text})));
}

#[test]
fn commands_and_their_replies_after_login() {
    let server = Server::start(json!({}));
    let mut client = server.login(WS2, "admin");
    let null = json!(null);
    expect_replies(
        &mut client,
        &[
            (
                r#"{"type":"CMD","command":"NOOP"}"#,
                done("NOOP", null.clone()),
            ),
            (
                r#"{"type":"CMD","command":"OPEN","args":null}"#,
                done("OPEN", null.clone()),
            ),
            (
                r#"{"type":"CMD","command":"OPEN","args":{}}"#,
                done("OPEN", null.clone()),
            ),
            (
                r#"{"type":"CMD","command":"CLOSE"}"#,
                done("CLOSE", null.clone()),
            ),
            (
                r#"{"type":"CMD","command":"CLRQ"}"#,
                done("CLRQ", null.clone()),
            ),
            (
                r#"{"type":"CMD","command":"CLRQUEUE"}"#,
                done("CLRQUEUE", null.clone()),
            ),
            (r#"{"type":"CMD","command":"NOOPX"}"#, failed("NOOPX", 2)),
            (r#"{"type":"CMD","command":"noo"}"#, failed("NOO", 2)),
            (
                r#"{"type":"CMD","command":"a\"b\u0000\\"}"#,
                failed("A\"B\0\\", 2),
            ),
            (r#"{"type":"CMD","command":""}"#, failed("", 2)),
            (r#"{"type":"CMD"}"#, failed("", 1)),
            (
                r#"{"type":"EVENT","event":{"class":20,"type":3}}"#,
                done("EVENT", null.clone()),
            ),
            (
                r#"{"event":{"vscpType":3,"vscpClass":20},"type":"E"}"#,
                done("EVENT", null.clone()),
            ),
            (
                r#"{"type":"EVENT","event":{"class":20}}"#,
                failed("EVENT", 8),
            ),
            (r#"{"type":"EVENT","event":null}"#, failed("EVENT", 8)),
            (
                r#"{"type":"EVENT","event":"0,20,3,,,,-"}"#,
                failed("EVENT", 8),
            ),
            (r#"{"type":"EVENT"}"#, failed("EVENT", 8)),
            ("{", failed("", 8)),
        ],
    );
}

#[test]
fn type_and_command_are_trimmed_and_their_case_is_ignored() {
    let server = Server::start(json!({}));
    let mut client = server.login(WS2, "admin");
    let noop = done("NOOP", json!(null));
    let event = done("EVENT", json!(null));
    expect_replies(
        &mut client,
        &[
            (r#"{"type":"C","command":"NOOP"}"#, noop.clone()),
            (r#"{"type":"cmd","command":"noop"}"#, noop.clone()),
            (r#"{"type":" Command ","command":" Noop\n"}"#, noop.clone()),
            (
                " \n{ \"type\" : \"c\" ,\n \"command\" : \"NOOP\" }\r\n",
                noop.clone(),
            ),
            (
                r#"{"\u0074ype":"\u0043","command":"NO\u004fP"}"#,
                noop.clone(),
            ),
            (r#"{"command":"NOOP","x":[{"type":"E"}],"type":"C"}"#, noop),
            (
                r#"{"type":"e","event":{"class":20,"type":3}}"#,
                event.clone(),
            ),
            (r#"{"type":" Event","event":{"class":20,"type":3}}"#, event),
        ],
    );
}

#[test]
fn replies_of_a_client_are_ignored() {
    let server = Server::start(json!({}));
    let mut client = server.connect(WS2);
    for reply in [
        r#"{"type":"+","command":"EVENT","args":null}"#,
        r#"{"type":"-","command":"EVENT","errcode":8}"#,
        r#"{"type":" + "}"#,
    ] {
        client.send(reply);
    }
    let noop = ask(&mut client, r#"{"type":"CMD","command":"NOOP"}"#);
    assert_eq!(noop, done("NOOP", json!(null)));
}

#[test]
fn deep_nesting_and_duplicate_keys_do_no_harm() {
    let server = Server::start(json!({}));
    let mut client = server.login(WS2, "admin");
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for depth in [16, 100, 3000] {
        for message in [
            nested(depth),
            format!(
                r#"{{"type":"CMD","command":"NOOP","args":{}}}"#,
                nested(depth)
            ),
            format!(r#"{{"type":"EVENT","event":{}}}"#, nested(depth)),
            format!(
                r#"{{"type":"EVENT","event":{{"class":20,"type":3,"x":{}}}}}"#,
                nested(depth)
            ),
            format!(
                r#"{{"type":"CMD","command":"SF","args":{{"mask_class":{}}}}}"#,
                nested(depth)
            ),
            "[".repeat(depth),
            r#"{"a":"#.repeat(depth),
        ] {
            let reply = ask(&mut client, &message);
            assert!(
                ["+", "-"].contains(&reply["type"].as_str().unwrap()),
                "{reply}"
            );
        }
    }
    for message in [
        r#"{"type":"X","type":"CMD","command":"OPEN","command":"NOOP"}"#.to_owned(),
        format!(
            r#"{{"type":"CMD",{}"command":"NOOP"}}"#,
            r#""command":"OPEN","#.repeat(500)
        ),
    ] {
        assert_eq!(ask(&mut client, &message), done("NOOP", json!(null)));
    }
    for message in [
        r#"{"type":"CMD","command":"AUTH","args":{"iv":"00","iv":"00","crypto":"00"}}"#,
        r#"{"type":"CMD","command":"NOOP"}"#,
    ] {
        ask(&mut client, message);
    }
}

#[test]
fn a_login_is_answered_without_args() {
    let server = Server::start(json!({"ws1-auth-reply": "AUTH"}));
    let mut client = server.connect(WS2);
    let crypto = crypto("admin:secret", &client.sid);
    let args = json!({"iv": client.sid.to_lowercase(), "crypto": crypto.to_lowercase()});
    let message = json!({"type": "CMD", "command": "AUTH", "args": args});
    assert_eq!(
        ask(&mut client, &message.to_string()),
        done("AUTH", json!(null))
    );
}

#[test]
fn a_login_with_wrong_args_is_a_syntax_error() {
    let server = Server::start(json!({"max-auth-attempts": 1000}));
    let mut client = server.connect(WS2);
    let iv = client.sid.clone();
    let crypto = crypto("admin:secret", &iv);
    for args in [
        json!(null),
        json!({}),
        json!([]),
        json!("x"),
        json!({"iv": iv}),
        json!({"crypto": crypto}),
        json!({"iv": iv, "crypto": null}),
        json!({"iv": 5, "crypto": crypto}),
        json!({"iv": "", "crypto": crypto}),
        json!({"iv": iv, "crypto": ""}),
        json!({"iv": iv, "crypto": "00"}),
        json!({"iv": iv, "crypto": format!("{crypto}0")}),
        json!({"iv": iv, "crypto": crypto.repeat(33)}),
        json!({"iv": format!("{iv}00"), "crypto": crypto}),
        json!({"iv": iv.replace(|_: char| true, "g"), "crypto": crypto}),
    ] {
        let message = json!({"type": "CMD", "command": "AUTH", "args": args});
        let reply = ask(&mut client, &message.to_string());
        assert_eq!(reply, failed("AUTH", 1), "{args}");
    }
    let reply = ask(&mut client, r#"{"type":"CMD","command":"AUTH"}"#);
    assert_eq!(reply, failed("AUTH", 1));
}

#[test]
fn any_iv_will_do_unless_the_configuration_says_sid() {
    let iv = "00112233445566778899AABBCCDDEEFF";
    let args = json!({"iv": iv, "crypto": crypto("admin:secret", iv)});
    let message = json!({"type": "CMD", "command": "AUTH", "args": args}).to_string();
    for (keys, reply) in [
        (json!({}), done("AUTH", json!(null))),
        (json!({"ws2-iv": "any"}), done("AUTH", json!(null))),
        (json!({"ws2-iv": "sid"}), failed("AUTH", 1)),
    ] {
        let server = Server::start(keys);
        assert_eq!(ask(&mut server.connect(WS2), &message), reply);
    }
    let server = Server::start(json!({"ws2-iv": "sid"}));
    server.login(WS2, "admin");
}

#[test]
fn wrong_user_password_and_address_get_the_same_reply() {
    let users = json!([
        user("admin", json!({})),
        user("elsewhere", json!({"remotes": "-127.0.0.1"})),
    ]);
    for name_and_password in ["nobody:secret", "admin:Secret", "elsewhere:secret", "admin"] {
        let server = Server::start(json!({"users": users}));
        let mut client = server.connect(WS2);
        let args = json!({"iv": client.sid, "crypto": crypto(name_and_password, &client.sid)});
        let message = json!({"type": "CMD", "command": "AUTH", "args": args});
        let reply = ask(&mut client, &message.to_string());
        assert_eq!(reply, failed("AUTH", 5), "{name_and_password}");
    }
}

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
        assert_eq!(reply, done("EVENT", json!(null)), "{event}");
        let read = server.host_reads();
        let fields: Vec<&str> = expected.split('|').collect();
        assert_eq!(read.head.to_string(), fields[0], "{event}");
        assert_eq!(read.class.to_string(), fields[1], "{event}");
        assert_eq!(read.kind.to_string(), fields[2], "{event}");
        let date = read.date.expect("the driver sets the date");
        match fields[3] {
            "now" => assert!(date >= Date::new(2025, 1, 1, 0, 0, 0).unwrap(), "{event}"),
            expected => assert_eq!(date.to_string(), expected, "{event}"),
        }
        match fields[4] {
            "clock" => assert_ne!(read.timestamp, 0, "{event}"),
            expected => assert_eq!(read.timestamp.to_string(), expected, "{event}"),
        }
        let guid: Guid = match fields[5] {
            "driver" => GUID.parse().unwrap(),
            expected => expected.parse().unwrap(),
        };
        assert_eq!(read.guid, guid, "{event}");
        assert_eq!(hex::encode_upper(&*read.data), fields[6], "{event}");
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
            done("EVENT", json!(null)),
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

#[test]
fn a_filter_changes_only_in_the_keys_that_are_given() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS2, "admin");
    let null = json!(null);
    let pass_all = r#"{"filter":"0,0,0,-","mask":"0,0,0,-"}"#;
    for (args, dropped, passing) in [
        (
            r#"{"mask_class":65535,"filter_class":10}"#,
            "0,11,6,,,1,-",
            "0,10,6,,,2,-",
        ),
        (r#"{"filter_type":"6"}"#, "0,11,7,,,1,-", "0,10,7,,,2,-"),
        (r#"{"mask_type":"0xFFFF"}"#, "0,10,7,,,1,-", "0,10,6,,,2,-"),
        (r#"{"mask_class":0}"#, "0,11,7,,,1,-", "0,11,6,,,2,-"),
        (pass_all, "", "0,11,7,,,2,-"),
        (
            r#"{"mask_priority":7,"filter_priority":3}"#,
            "0x40,1,1,,,1,-",
            "0x60,1,1,,,2,-",
        ),
        (pass_all, "", "0x40,1,1,,,2,-"),
        (
            r#"{"mask_guid":"-:FF","filter_guid":"-:07"}"#,
            "0,1,1,,,1,00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:08",
            "0,1,1,,,2,01:00:00:00:00:00:00:00:00:00:00:00:00:00:00:07",
        ),
        (
            r#"{}"#,
            "0,1,1,,,1,-",
            "0,1,1,,,2,01:00:00:00:00:00:00:00:00:00:00:00:00:00:00:07",
        ),
        (
            r#"{"filter":"0,20,3,-","mask":"0,0xFFFF,0,-"}"#,
            "0,21,1,,,1,-",
            "0,20,1,,,2,-",
        ),
    ] {
        let message = format!(r#"{{"type":"CMD","command":"SETFILTER","args":{args}}}"#);
        assert_eq!(
            ask(&mut client, &message),
            done("SETFILTER", null.clone()),
            "{args}"
        );
        if !dropped.is_empty() {
            server.host_writes_text(dropped);
        }
        server.host_writes_text(passing);
        client.expect_events([2]);
    }
    let message = r#"{"type":"CMD","command":"SF","args":{"mask_class":0}}"#;
    assert_eq!(ask(&mut client, message), done("SF", null));
}

#[test]
fn a_filter_that_is_refused_leaves_the_old_one() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS2, "admin");
    let message = |args: &str| format!(r#"{{"type":"CMD","command":"SF","args":{args}}}"#);
    let reply = ask(
        &mut client,
        &message(r#"{"mask_class":65535,"filter_class":10}"#),
    );
    assert_eq!(reply, done("SF", json!(null)));
    for args in [
        r#"{"mask_class":0,"filter_class":65536}"#,
        r#"{"mask_class":0,"filter_type":-1}"#,
        r#"{"mask_class":0,"filter_priority":256}"#,
        r#"{"mask_class":0,"mask_type":1.5}"#,
        r#"{"mask_class":0,"mask_type":null}"#,
        r#"{"mask_class":0,"mask_type":[1]}"#,
        r#"{"mask_class":0,"mask_type":"x"}"#,
        r#"{"mask_class":0,"mask_guid":7}"#,
        r#"{"mask_class":0,"mask_guid":"FF:FF"}"#,
        r#"{"mask_class":0,"filter":"0,0,x,-"}"#,
        r#"{"mask_class":0,"mask":7}"#,
        r#"[]"#,
        r#""0,0,0,-;0,0,0,-""#,
    ] {
        assert_eq!(ask(&mut client, &message(args)), failed("SF", 1), "{args}");
        server.host_writes_text("0,11,3,,,1,-");
        server.host_writes_text("0,10,3,,,2,-");
        client.expect_events([2]);
    }
}

#[test]
fn a_filter_needs_the_right_to_set_it() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS2, "user");
    for word in ["SF", "SETFILTER"] {
        let message = json!({"type": "CMD", "command": word, "args": {"mask_class": 65535}});
        assert_eq!(ask(&mut client, &message.to_string()), failed(word, 7));
    }
    server.host_writes_text("0,11,3,,,1,-");
    client.expect_events([1]);
}

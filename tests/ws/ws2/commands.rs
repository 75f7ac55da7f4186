//! Commands and their replies.

use serde_json::{Value, json};

use super::{WS2, ask, failed, success};
use crate::common::{Client, Server};

/// Sends each message and expects exactly one reply to it.
fn expect_replies(client: &mut Client, table: &[(&str, Value)]) {
    for (message, reply) in table {
        assert_eq!(ask(client, message), *reply, "reply to {message:?}");
    }
    let noop = ask(client, r#"{"type":"CMD","command":"NOOP"}"#);
    assert_eq!(noop, success("NOOP", json!(null)), "a reply too many");
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
                success("NOOP", json!(null)),
            ),
            (
                r#"{"type":"CMD","command":"CHALLENGE"}"#,
                success("CHALLENGE", sid.clone()),
            ),
            (
                r#"{"type":"CMD","command":"CHALLENGE","args":null}"#,
                success("CHALLENGE", sid),
            ),
            (
                r#"{"type":"CMD","command":"VERSION","args":null}"#,
                success("VERSION", version.clone()),
            ),
            (
                r#"{"type":"CMD","command":"VER","args":{}}"#,
                success("VER", version),
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
    assert_eq!(reply, success("COPYRIGHT", json!({"copyright": text})));
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
                success("NOOP", null.clone()),
            ),
            (
                r#"{"type":"CMD","command":"OPEN","args":null}"#,
                success("OPEN", null.clone()),
            ),
            (
                r#"{"type":"CMD","command":"OPEN","args":{}}"#,
                success("OPEN", null.clone()),
            ),
            (
                r#"{"type":"CMD","command":"CLOSE"}"#,
                success("CLOSE", null.clone()),
            ),
            (
                r#"{"type":"CMD","command":"CLRQ"}"#,
                success("CLRQ", null.clone()),
            ),
            (
                r#"{"type":"CMD","command":"CLRQUEUE"}"#,
                success("CLRQUEUE", null.clone()),
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
                success("EVENT", null.clone()),
            ),
            (
                r#"{"event":{"vscpType":3,"vscpClass":20},"type":"E"}"#,
                success("EVENT", null.clone()),
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
    let noop = success("NOOP", json!(null));
    let event = success("EVENT", json!(null));
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
    assert_eq!(noop, success("NOOP", json!(null)));
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
        assert_eq!(ask(&mut client, &message), success("NOOP", json!(null)));
    }
    for message in [
        r#"{"type":"CMD","command":"AUTH","args":{"iv":"00","iv":"00","crypto":"00"}}"#,
        r#"{"type":"CMD","command":"NOOP"}"#,
    ] {
        ask(&mut client, message);
    }
}

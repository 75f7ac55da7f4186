//! Filters that a client sets.

use serde_json::json;

use super::{WS2, ask, failed, success};
use crate::common::Server;

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
            success("SETFILTER", null.clone()),
            "{args}"
        );
        if !dropped.is_empty() {
            server.host_writes_text(dropped);
        }
        server.host_writes_text(passing);
        client.expect_events([2]);
    }
    let message = r#"{"type":"CMD","command":"SF","args":{"mask_class":0}}"#;
    assert_eq!(ask(&mut client, message), success("SF", null));
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
    assert_eq!(reply, success("SF", json!(null)));
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

//! Variables that are read and written.

use serde_json::json;

use super::{SENDER, ask, configuration, open, value, write};
use crate::common::{DEADLINE, commands};

#[test]
fn the_host_gets_an_answer_to_each_command() {
    let driver = open(&configuration(
        r#""write":true,"rx-filter":"0,20,0,-;0,0xffff,0,-""#,
    ));
    assert_eq!(
        ask(&driver, &json!({"op": "noop"})),
        json!({"op": "noop", "rv": "OK", "result": 0})
    );
    assert_eq!(value(&driver, "version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(value(&driver, "clients"), 0);
    assert_eq!(value(&driver, "debug"), false);
    assert_eq!(value(&driver, "log-level"), "warning");
    assert_eq!(value(&driver, "rx-filter"), "0,20,0;0,65535,0");
    for (command, note) in [
        (
            json!({"op": "dance"}),
            "expected noop, readvar, writevar or save",
        ),
        (
            json!({"op": "readvar", "name": "x"}),
            "there is no variable \"x\"",
        ),
        (
            json!({"op": "readvar", "name": "interface"}),
            "there is no CAN bus",
        ),
        (
            json!({"op": "writevar", "name": "clients", "arg": 5}),
            "clients is read only",
        ),
        (
            json!({"op": "writevar", "name": "debug", "arg": "x"}),
            "expected true or false",
        ),
        (json!({"op": "save"}), "the configuration is not in a file"),
    ] {
        let reply = ask(&driver, &command);
        assert_eq!(
            (&reply["rv"], &reply["result"]),
            (&json!("ERROR"), &json!(1))
        );
        assert_eq!(reply["note"], note);
    }
}

#[test]
fn a_command_to_another_driver_is_not_answered() {
    let driver = open(&configuration(r#""write":true"#));
    let other = commands::command(SENDER, SENDER, r#"{"op":"noop"}"#);
    driver.write(other, Some(DEADLINE)).unwrap();
    // The answer to the second is the first that comes.
    assert_eq!(
        ask(&driver, &json!({"op": "readvar", "name": "debug"}))["op"],
        "readvar"
    );
}

#[test]
fn variables_change_at_once_where_that_is_allowed() {
    let driver = open(&configuration(
        r#""write":true,"socketcan":{"interface":"nocan0"}"#,
    ));
    for (name, new, read) in [
        ("debug", json!(true), json!(true)),
        ("log-level", json!("err"), json!("error")),
        ("interface", json!("nocan1"), json!("nocan1")),
        ("filter", json!("3,10,0,-"), json!("3,10,0,-")),
        ("mask", json!("7,0xffff"), json!("7,65535,0,-")),
        (
            "rx-filter",
            json!("0,30,0,-;0,255,0,-"),
            json!("0,30,0;0,255,0"),
        ),
    ] {
        let reply = ask(
            &driver,
            &json!({"op": "writevar", "name": name, "arg": new}),
        );
        assert_eq!(reply["rv"], "OK", "{reply}");
        assert_eq!(reply["arg"]["value"], read);
        assert_eq!(value(&driver, name), read);
    }
    assert_eq!(value(&driver, "log-level"), "error");
    for (name, new) in [
        ("interface", json!("a name that is too long")),
        ("filter", json!("8000")),
        ("mask", json!(7)),
        ("rx-filter", json!("x")),
        ("log-level", json!("loud")),
    ] {
        let before = value(&driver, name);
        let reply = ask(
            &driver,
            &json!({"op": "writevar", "name": name, "arg": new}),
        );
        assert_eq!(reply["rv"], "ERROR", "{reply}");
        assert_eq!(value(&driver, name), before);
    }
}

#[test]
fn nothing_changes_where_that_is_not_allowed() {
    let driver = open(&configuration(r#""write":false"#));
    for command in [
        json!({"op": "writevar", "name": "debug", "arg": true}),
        json!({"op": "save"}),
    ] {
        let reply = ask(&driver, &command);
        assert_eq!(reply["note"], "changes are not allowed (key write)");
    }
    assert_eq!(value(&driver, "debug"), false);
}

#[test]
fn a_reply_that_does_not_fit_is_an_error() {
    let driver = open(&configuration(r#""host-max-data":128"#));
    let reply = ask(&driver, &json!({"op": "readvar", "name": "statistics"}));
    assert_eq!(reply["rv"], "ERROR");
    assert!(reply["note"].as_str().unwrap().starts_with("the reply has"));
}

#[test]
fn the_interface_of_another_bus_is_refused() {
    let driver = open(&configuration(
        r#""write":true,"socketcan":[{"interface":"nocan0"},{"interface":"nocan1"}]"#,
    ));
    let reply = ask(
        &driver,
        &json!({"op": "writevar", "name": "interface", "arg": "nocan1"}),
    );
    assert_eq!(
        reply["note"],
        "found nocan1, expected an interface that no other bus has"
    );
    assert_eq!(value(&driver, "interface"), "nocan0");
    // Its own is none of another bus.
    write(&driver, "interface", &json!("nocan0"));
}

#[test]
fn a_change_whose_answer_does_not_fit_is_a_change() {
    let driver = open(&configuration(
        r#""host-max-data":128,"write":true,"socketcan":{"interface":"nocan0"}"#,
    ));
    for (name, new) in [
        ("filter", "7,10,6,-"),
        ("mask", "7,0xFFFF,0xFFFF,-"),
        ("rx-filter", "7,10,6,-;7,255,255,-"),
    ] {
        let reply = write(&driver, name, &json!(new));
        assert_eq!(reply["arg"]["value"], value(&driver, name));
    }
    let guid = [0xA7; 16].map(|byte| format!("{byte:02X}")).join(":");
    for name in ["filter", "rx-filter"] {
        let reply = write(&driver, name, &json!(format!("7,10,6,{guid}")));
        assert_eq!(reply, json!({"op": "writevar", "rv": "OK", "result": 0}));
        let reply = ask(&driver, &json!({"op": "readvar", "name": name}));
        let note = reply["note"].as_str().unwrap_or_default();
        assert!(note.starts_with("the reply has"), "{reply}");
    }
}

#[test]
fn the_configuration_shows_what_was_changed() {
    let driver = open(
        r#"{"interface":"ws://127.0.0.1:0","allow-default-key":true,"write":true,
            "socketcan":[{"enable":false},{"interface":"nocan0"}]}"#,
    );
    write(&driver, "mask", &json!("0,0xFF"));
    write(&driver, "debug", &json!(true));
    assert_eq!(
        value(&driver, "config"),
        json!({
            "interface": "ws://127.0.0.1:0", "allow-default-key": true, "write": true,
            "socketcan": [
                {"enable": false},
                {"interface": "nocan0", "filter": "0,0,0,-", "mask": "0,255,0,-"},
            ],
            "debug": true,
        })
    );
}

#[test]
fn the_configuration_is_shown_without_secrets() {
    let driver = open(
        r#"{"interface":"ws://127.0.0.1:0","allow-default-key":true,
            "users":[{"name":"a","password":"2d1e4f91dae49cd08eaba2293e422273"}]}"#,
    );
    assert_eq!(
        value(&driver, "config"),
        json!({"interface": "ws://127.0.0.1:0", "allow-default-key": true})
    );
}

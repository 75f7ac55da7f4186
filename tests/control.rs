//! Commands to the driver in high level objects, from the host.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};
use vscpl2drv_websocksrv::{
    driver::{Driver, Host},
    event::{Data, Event, Guid},
    hlo,
};

const DRIVER: Guid = Guid([0xD1; 16]);
const SENDER: Guid = Guid([0x5E; 16]);
const PATIENCE: Option<Duration> = Some(Duration::from_secs(10));

/// A configuration with comments on what a test is about in its place.
fn configuration(more: &str) -> String {
    format!(
        r#"{{"interface":"ws://127.0.0.1:0","allow-default-key":true,"enable-static":false,
            "logging":{{"console-enable-log":true,"console-level":"warn"}},
            "zzz":"a key that the driver does not know",{more}}}"#
    )
}

fn open(configuration: &str) -> Driver {
    Driver::open(configuration, Some(DRIVER), Host::default()).unwrap()
}

fn command(driver: Guid, json: &str) -> Event {
    let bytes = [&driver.0[..], &[0x20], json.as_bytes()].concat();
    Event {
        head: 0,
        class: hlo::CLASS,
        kind: hlo::COMMAND,
        obid: 0,
        date: None,
        timestamp: 0,
        unix_ns: None,
        guid: SENDER,
        data: Data::copy_from(&bytes).unwrap(),
    }
}

fn ask(driver: &Driver, command_json: &Value) -> Value {
    driver
        .write(command(DRIVER, &command_json.to_string()), PATIENCE)
        .unwrap();
    let reply = driver.read(PATIENCE).unwrap();
    assert_eq!((reply.class, reply.kind), (hlo::CLASS, hlo::REPLY));
    assert_eq!((reply.guid, &reply.data[..16]), (DRIVER, &SENDER.0[..]));
    serde_json::from_slice(&reply.data[17..]).unwrap()
}

/// Writes a variable, which must be allowed.
fn write(driver: &Driver, name: &str, new: &Value) -> Value {
    let reply = ask(driver, &json!({"op": "writevar", "name": name, "arg": new}));
    assert_eq!(reply["rv"], "OK", "{reply}");
    reply
}

fn value(driver: &Driver, name: &str) -> Value {
    let reply = ask(driver, &json!({"op": "readvar", "name": name}));
    assert_eq!(reply["rv"], "OK", "{reply}");
    assert_eq!(reply["arg"]["name"], name);
    reply["arg"]["value"].clone()
}

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
    driver
        .write(command(SENDER, r#"{"op":"noop"}"#), PATIENCE)
        .unwrap();
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
fn save_keeps_the_rest_of_the_file_its_mode_and_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("websocksrv.json");
    let text = configuration(
        r#""write":true,"socketcan":[{"interface":"nocan0","note":"mine"},{"interface":"nocan1"}],
           "users":[{"name":"a","password":"2d1e4f91dae49cd08eaba2293e422273"}]"#,
    );
    // Some editors begin with a mark.
    fs::write(&path, format!("\u{feff}{text}")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let driver = open(path.to_str().unwrap());
    for (name, new) in [
        ("log-level", json!("error")),
        ("filter", json!("3,10,0,-")),
        ("debug", json!(true)),
    ] {
        let reply = ask(
            &driver,
            &json!({"op": "writevar", "name": name, "arg": new}),
        );
        assert_eq!(reply["rv"], "OK", "{reply}");
    }
    assert_eq!(ask(&driver, &json!({"op": "save"}))["rv"], "OK");

    let mut expected: Value = serde_json::from_str(&text).unwrap();
    let logging = expected["logging"].as_object_mut().unwrap();
    logging.remove("console-level");
    logging.insert("console-log-level".into(), json!("error"));
    expected["socketcan"][0]["filter"] = json!("3,10,0,-");
    expected["socketcan"][0]["mask"] = json!("0,0,0,-");
    expected["debug"] = json!(true);
    let saved = fs::read_to_string(&path).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&saved).unwrap(), expected);
    assert!(
        saved.find("interface") < saved.find("users"),
        "the order is kept"
    );
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(files(folder.path()), 1);
    drop(driver);
    assert_eq!(value(&open(path.to_str().unwrap()), "debug"), true);
}

/// A driver with a bus or several, and its file.
fn open_file(folder: &Path, socketcan: &str) -> (Driver, PathBuf) {
    let path = folder.join("websocksrv.json");
    let more = format!(r#""write":true,"socketcan":{socketcan}"#);
    fs::write(&path, configuration(&more)).unwrap();
    (open(path.to_str().unwrap()), path)
}

#[test]
fn what_is_saved_of_a_bus_means_the_same_when_it_is_opened_again() {
    for (socketcan, name, new, filter, mask) in [
        (
            r#"{"filter":"0,10,0,-;0,255,0,-"}"#,
            "mask",
            "0,0x1FF,0,-",
            "0,10,0,-",
            "0,511,0,-",
        ),
        (
            r#"{"filter":"0,10,0,-;0,255,0,-"}"#,
            "filter",
            "0,20,0,-",
            "0,20,0,-",
            "0,255,0,-",
        ),
        (
            r#"{"filter":"0,10"}"#,
            "filter",
            "0,20,0,-",
            "0,20,0,-",
            "255,65535,0,-",
        ),
        ("{}", "filter", "0,20,0,-", "0,20,0,-", "0,0,0,-"),
        ("{}", "mask", "0,255,0,-", "0,0,0,-", "0,255,0,-"),
        (
            r#"{"filter":"0,10,0,-"}"#,
            "interface",
            "nocan1",
            "0,10,0,-",
            "255,65535,65535,-",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (driver, path) = open_file(folder.path(), socketcan);
        write(&driver, name, &json!(new));
        let shown =
            |driver: &Driver| ["interface", "filter", "mask"].map(|name| value(driver, name));
        let running = shown(&driver);
        assert_eq!(running[1..], [json!(filter), json!(mask)], "{socketcan}");
        assert_eq!(ask(&driver, &json!({"op": "save"}))["rv"], "OK");
        drop(driver);
        assert_eq!(shown(&open(path.to_str().unwrap())), running, "{socketcan}");
    }
}

#[test]
fn a_change_is_saved_into_the_bus_that_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (driver, path) = open_file(
        folder.path(),
        r#"[{"enable":false,"interface":"nocan0"},{"interface":"nocan1"},{"interface":"nocan2"}]"#,
    );
    write(&driver, "interface", &json!("nocan3"));
    assert_eq!(ask(&driver, &json!({"op": "save"}))["rv"], "OK");
    drop(driver);
    let saved: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(
        saved["socketcan"],
        json!([
            {"enable": false, "interface": "nocan0"},
            {"interface": "nocan3"},
            {"interface": "nocan2"},
        ])
    );
    assert_eq!(value(&open(path.to_str().unwrap()), "interface"), "nocan3");
}

#[test]
fn a_bus_that_the_file_does_not_have_any_more_is_not_saved() {
    let folder = tempfile::tempdir().unwrap();
    let (driver, path) = open_file(
        folder.path(),
        r#"[{"enable":false},{"interface":"nocan1"}]"#,
    );
    write(&driver, "interface", &json!("nocan3"));
    for socketcan in ["[{}]", "7"] {
        let text = configuration(&format!(r#""socketcan":{socketcan}"#));
        fs::write(&path, &text).unwrap();
        let reply = ask(&driver, &json!({"op": "save"}));
        assert_eq!(reply["rv"], "ERROR", "{reply}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
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
fn save_keeps_the_rights_and_the_owner_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (driver, path) = open_file(folder.path(), "{}");
    // More than the umask leaves, and where that is allowed another owner.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let _ = chown(&path, Some(12), Some(34));
    let rights = || {
        let metadata = fs::metadata(&path).unwrap();
        (
            metadata.mode(),
            metadata.uid(),
            metadata.gid(),
            metadata.ino(),
        )
    };
    let before = rights();
    write(&driver, "debug", &json!(true));
    assert_eq!(ask(&driver, &json!({"op": "save"}))["rv"], "OK");
    let after = rights();
    assert_eq!((after.0, after.1, after.2), (before.0, before.1, before.2));
    assert_ne!(after.3, before.3, "it is a new file");
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
fn a_file_that_cannot_be_replaced_is_an_error_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("websocksrv.json");
    fs::write(&path, configuration(r#""write":true"#)).unwrap();
    let driver = open(path.to_str().unwrap());
    fs::write(&path, "{").unwrap();
    assert_eq!(ask(&driver, &json!({"op": "save"}))["rv"], "ERROR");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{");
    assert_eq!(files(folder.path()), 1);
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

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

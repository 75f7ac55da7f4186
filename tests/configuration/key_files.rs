//! The key for logins.

use serde_json::{Value, json};
use vscpl2drv_websocksrv::ws::Protocol;

use super::{assert_one_line, key_file};
use crate::common::{KEY, Server, configuration, messages::Heard, open};

#[test]
fn without_a_good_key_file_the_driver_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let keys = |path: Value| json!({"allow-default-key": null, "key-file": path});
    let refused = |keys| open(&configuration(&folder, keys).to_string()).unwrap_err();
    for keys in [keys(json!(null)), json!({"allow-default-key": false})] {
        let error = refused(keys);
        assert!(
            error.starts_with("inline configuration:1: found no \"key-file\", expected the path"),
            "{error}"
        );
    }
    for text in [
        "",
        "00112233445566778899AABBCCDDEEF",
        "00112233445566778899AABBCCDDEEFx",
        "# key",
    ] {
        let path = key_file(&folder, text, 0o600);
        let error = refused(keys(json!(path)));
        assert!(
            error.starts_with("inline configuration:1: key-file: found "),
            "{error}"
        );
        assert!(
            error.contains(&path) && error.contains("at least 32 hex digits"),
            "{error}"
        );
        assert!(!error.contains("00112233"), "{error}");
        assert_one_line(&error);
    }
    for path in [folder.path().join("none"), folder.path().to_owned()] {
        let error = refused(keys(json!(path)));
        let start = format!(
            "inline configuration:1: key-file: found {}: ",
            path.display()
        );
        assert!(error.starts_with(&start), "{error}");
        assert_one_line(&error);
    }
}

#[test]
fn the_first_32_digits_of_a_key_file_are_the_key() {
    for text in [
        KEY.to_owned(),
        format!("\u{feff}{KEY}"),
        format!("{}\n", KEY.to_lowercase()),
        format!("  {KEY}FFFF\n\n"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = key_file(&folder, &text, 0o600);
        let server = Server::start(json!({"allow-default-key": false, "key-file": path}));
        server.login(Protocol::Ws1, "admin");
        let log = server.close_and_log();
        assert!(!log.contains("key file"), "{log}");
    }
}

#[test]
fn another_key_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = key_file(&folder, "A4A86F7D7E119BA3F0CD06881E371B98", 0o600);
    let keys = json!({"allow-default-key": true, "key-file": path, "ws1-iv": "any"});
    let server = Server::start(keys);
    let mut client = server.connect(Protocol::Ws1);
    // With a random one the other key makes a name and a password of it once in many runs.
    client.sid = "00112233445566778899AABBCCDDEEFF".into();
    let reply = client.try_login("admin", "secret");
    assert_eq!(reply, Heard::failed("AUTH", 5));
    server.wait_for_log("login of ? from 127.0.0.1 refused: wrong key: ");
}

#[test]
fn the_default_key_and_a_key_that_all_can_read_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = key_file(&folder, KEY, 0o644);
    for (keys, warning) in [
        (
            json!({"interface": "ws://*:0"}),
            "warning inline configuration:1: key-file: not set, logins use the key that everybody \
             knows"
                .to_owned(),
        ),
        (
            json!({"key-file": "/nonexistent"}),
            "warning inline configuration:1: key-file: /nonexistent".to_owned(),
        ),
        (
            json!({"key-file": path}),
            format!(
                "warning inline configuration:1: key-file: {path}: everybody can read this key file"
            ),
        ),
    ] {
        let server = Server::start(keys);
        server.login(Protocol::Ws2, "admin");
        server.wait_for_log(&warning);
    }
}

//! The log that is configured, and what the driver says in it of its configuration.

use std::fs;

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{Client, Server, log_path, open};

#[test]
fn start_and_stop_are_one_line_each() {
    let server = Server::start(json!({"url-ws1": "/a", "enable-ws2": false}));
    let mut client = Client::connect(server.address(), "/a", Protocol::Ws1);
    client.take_greeting();
    let log = server.close_and_log();
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains(" open: "))
        .collect();
    let [start] = lines[..] else { panic!("{log}") };
    for part in [
        concat!(
            "info vscpl2drv-websocksrv ",
            env!("CARGO_PKG_VERSION"),
            " open: "
        ),
        &format!("listening on ws://{};", server.address()),
        "ws1 /a, ws2 off, REST /rest, files off;",
        "2 users;",
        "layout Classic (as configured)",
        "GUID FF:FF:FF:FF:FF:FF:FF:FE:02:00:00:00:00:01:00:00 (from the host)",
        "inline configuration",
    ] {
        assert!(start.contains(part), "{part}: {start}");
    }
    let last = log.lines().last().unwrap();
    assert!(
        last.starts_with("info closed; events in: 0 from the host"),
        "{last}"
    );
    assert!(
        last.contains("clients: 1 ws1, 0 ws2, 0 REST sessions; turned away: 0"),
        "{last}"
    );
    assert_eq!(log.matches("info closed; ").count(), 1);
}

#[test]
fn a_log_file_that_cannot_be_opened_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(json!({"logging": {
        "console-enable-log": false, "file-enable-log": true, "file-path": folder.path(),
    }}));
    server.login(Protocol::Ws1, "admin");
}

#[test]
fn what_is_wrong_in_a_configuration_is_one_line_in_its_log_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.json");
    let logging = json!({
        "console-enable-log": false, "file-path": log_path(&folder), "file-pattern": "%l %v",
    });
    let file = |key: &str, value: &str| {
        fs::write(
            &path,
            format!("{{\"logging\": {logging},\n\"{key}\": {value}}}"),
        )
        .unwrap();
        path.to_string_lossy().into_owned()
    };
    for (key, value, error) in [
        ("url-ws1", "5", "t.json:2: url-ws1: found 5, expected"),
        ("debug", "5", "t.json:2: debug: found 5, expected"),
        ("key-file", "\"/nonexistent\"", "t.json:2: key-file: found"),
    ] {
        let told = open(&file(key, value)).unwrap_err();
        assert!(told.contains(error), "{told}");
        let log = fs::read_to_string(log_path(&folder)).unwrap();
        assert_eq!(log, format!("error {told}\n"));
        fs::remove_file(log_path(&folder)).unwrap();
    }
    let told = open(&format!("can0;threads=0;logging={logging}")).unwrap_err();
    let log = fs::read_to_string(log_path(&folder)).unwrap();
    assert_eq!(log, format!("error {told}\n"));
}

#[test]
fn the_log_has_what_its_level_asks_for() {
    for (logging, debug, has_info, has_debug) in [
        (json!({}), false, true, false),
        (json!({}), true, true, true),
        (json!({"log-level": "debug"}), false, true, true),
        (json!({"file-log-level": "warn"}), true, false, false),
        (
            json!({"log-level": "trace", "file-log-level": "info"}),
            false,
            true,
            false,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut logging = logging;
        logging["console-enable-log"] = json!(false);
        logging["file-path"] = json!(log_path(&folder));
        logging["file-log-pattern"] = json!("%l %v");
        let server = Server::start(json!({"logging": logging, "debug": debug}));
        server.login(Protocol::Ws1, "admin");
        server.driver.close();
        let log = fs::read_to_string(log_path(&folder)).unwrap();
        assert!(
            log.contains("\nwarning ") || log.starts_with("warning "),
            "{log}"
        );
        assert_eq!(log.contains("\ninfo "), has_info, "{logging}: {log}");
        assert_eq!(log.contains("\ndebug "), has_debug, "{logging}: {log}");
    }
}

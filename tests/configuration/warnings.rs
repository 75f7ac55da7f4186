//! Values that are accepted with a warning.

use std::fs;

use serde_json::json;
use vscpl2drv_websocksrv::{config::Config, ws::Protocol};

use crate::common::{Server, configuration, log_path, open};

#[test]
fn unknown_keys_are_warned_of_with_the_nearest_known_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = configuration(
        &folder,
        json!({"max-cleints": 5, "zzz": [1], "url-ws": "/x"}),
    );
    config["logging"]["file-pth"] = json!("x");
    config["users"][1]["right"] = json!("admin");
    config["tls"] = json!({"certificat": "x"});
    let text = serde_json::to_string_pretty(&config).unwrap();
    open(&text).unwrap().close();
    let log = fs::read_to_string(log_path(&folder)).unwrap();
    for (key, rest) in [
        (
            "max-cleints",
            "max-cleints: unknown key; did you mean \"max-clients\"?",
        ),
        ("zzz", "zzz: unknown key\n"),
        ("url-ws", "url-ws: unknown key; did you mean \"url-ws"),
        (
            "file-pth",
            "logging.file-pth: unknown key; did you mean \"file-path\"?",
        ),
        (
            "right",
            "users[1].right: unknown key; did you mean \"rights\"?",
        ),
        (
            "certificat",
            "tls.certificat: unknown key; did you mean \"certificate\"?",
        ),
    ] {
        let is_line = |line: &&str| line.trim_start().starts_with(&format!("\"{key}\":"));
        let line = 1 + text.lines().position(|line| is_line(&line)).unwrap();
        let warning = format!("warning inline configuration:{line}: {rest}");
        assert!(log.contains(&warning), "{warning}\n{log}");
    }
    assert_eq!(log.matches("unknown key").count(), 6, "{log}");
}

#[test]
fn known_keys_without_effect_are_noted_and_of_any_kind() {
    let server = Server::start(json!({
        "encryption": "aes128", "filter": {"in-filter": "x"}, "mongoose-debug": 3,
    }));
    for key in ["encryption", "filter", "mongoose-debug"] {
        server.wait_for_log(&format!(
            "info inline configuration:1: {key}: known, without effect"
        ));
    }
    let log = server.close_and_log();
    assert!(!log.contains("unknown key"), "{log}");
}

#[test]
fn what_this_version_does_not_have_is_read_where_it_is_not_asked_for() {
    let server = Server::start(json!({
        "tls": {"cert": "/x/cert.pem", "key": "/x/key.pem", "ca": "/x/ca.pem", "min-version": "1.3"},
        "socketcan": {"enable": false, "interface": "vcan0", "filter": "0,0,0,-"},
        "enable-rest": true, "url-rest": "rest", "enable-jsonp": false, "cors-origins": ["*"],
        "metrics": "/metrics", "write": true, "web-root": "/tmp/www", "enable-static": true,
    }));
    server.login(Protocol::Ws1, "admin");
    let log = server.close_and_log();
    assert!(!log.contains("unknown key"), "{log}");
}

#[test]
fn static_files_without_a_folder_are_those_of_the_library() {
    for (enabled, files) in [(true, "files the panel;"), (false, "files off;")] {
        let server = Server::start(json!({"enable-static": enabled}));
        let log = server.close_and_log();
        assert!(log.contains(files), "{log}");
        assert!(!log.contains("web-root"), "{log}");
    }
}

#[test]
fn logins_of_pages_that_can_be_read_on_the_network_are_warned_of() {
    const WARNING: &str =
        "panel-login any, without TLS: passwords can be read on the network; use wss://";
    let server = Server::start(json!({"panel-login": "any", "interface": "ws://*:0"}));
    server.wait_for_log(WARNING);
    // Nobody else hears what a machine says to itself.
    let log = Server::start(json!({"panel-login": "any"})).close_and_log();
    assert!(!log.contains("can be read"), "{log}");
    for policy in ["tls", "off"] {
        let server = Server::start(json!({"panel-login": policy}));
        let log = server.close_and_log();
        assert!(!log.contains("panel-login"), "{log}");
    }
}

#[test]
fn measurements_without_a_page_are_warned_of() {
    let server = Server::start(json!({"metrics-measurements": 5}));
    server.wait_for_log(
        "warning inline configuration:1: metrics-measurements: no page shows the measurements, \
         because metrics is not set",
    );
    let server = Server::start(json!({"metrics-measurements": 5, "metrics": "/metrics"}));
    let log = server.close_and_log();
    assert!(!log.contains("no page"), "{log}");
}

#[test]
fn keys_with_the_same_path_are_warned_of() {
    let same = " have the same path, ";
    for (keys, expected) in [
        (json!({}), &[][..]),
        (json!({"metrics": "/metrics", "url-ws1": "/a"}), &[]),
        (json!({"url-ws1": "/ws2", "enable-ws2": false}), &[]),
        (
            json!({"url-ws1": "/ws2"}),
            &["url-ws1 and url-ws2 have the same path, /ws2: url-ws1 has it"],
        ),
        (
            json!({"metrics": "rest"}),
            &["url-rest and metrics have the same path, /rest: url-rest has it"],
        ),
        (
            json!({"metrics": "/vscp/rest"}),
            &["REST and metrics have the same path, /vscp/rest: REST has it"],
        ),
        (
            json!({"url-ws2": "/ws1", "url-rest": "/ws1"}),
            &[
                "url-ws1 and url-ws2 have the same path, /ws1: url-ws1 has it",
                "url-ws1 and url-rest have the same path, /ws1: url-ws1 has it",
            ],
        ),
        (json!({"url-rest": "/vscp/rest"}), &[]),
        (json!({"enable-rest": false, "metrics": "/vscp/rest"}), &[]),
        (
            json!({"metrics": "health"}),
            &["metrics and url-health have the same path, /health: metrics has it"],
        ),
        (json!({"metrics": "health", "enable-health": false}), &[]),
    ] {
        let mut configuration = keys.clone();
        configuration["allow-default-key"] = json!(true);
        let warnings = Config::load(&configuration.to_string()).unwrap().warnings;
        let found = warnings.iter().map(|warning| &*warning.found);
        let found: Vec<_> = found.filter(|found| found.contains(same)).collect();
        assert_eq!(found, expected, "{keys}");
    }
}

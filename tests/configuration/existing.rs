//! Configurations that people have.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;
use vscpl2drv_websocksrv::config::Config;

use super::key_file;
use crate::common::{BOTH, Client, KEY, log_path, open, users::md5};

/// What people have: keys as in the files that come with the C++ driver.
fn usual_configuration(folder: &TempDir, users: &Path, more: Value) -> String {
    let key = key_file(folder, KEY, 0o600);
    let mut config = json!({
        "debug": true, "write": false, "key-file": key, "interface": "ws://localhost:0",
        "path-users": users, "max-clients": 100,
        "enable-ws1": true, "enable-ws2": true, "enable-static": true,
        "tls": {"key": "/etc/vscp/certs/key.pem"},
        "logging": {
            "file-enable-log": true, "file-log-level": "debug",
            "file-pattern": "[file vcpl2drv-websocksrv %c] [%^%l%$] %v",
            "file-path": log_path(folder), "file-max-size": 5_242_880, "file-max-files": 7,
            "console-enable-log": true, "console-log-level": "critical",
            "console-pattern": "[console vcpl2drv-websocksrv %c] [%^%l%$] %v",
        },
    });
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    serde_json::to_string_pretty(&config).unwrap()
}

#[test]
fn configurations_of_the_cpp_driver_open_and_their_users_can_log_in() {
    let record = |name: &str, password: &str, rights: Value, remotes: Value, events: Value| {
        json!({
            "name": name, "password": password, "fullname": "A user", "rights": rights,
            "remotes": remotes, "events": events, "filter": "", "mask": "", "note": "n='1'",
        })
    };
    let old = json!({"users": [
        record("admin", &md5("admin:secret"), json!("admin"), json!(["+127.0.0.0/24", "+::1", "+192.168.0.0/16"]), json!("")),
        record("user", &md5("user:secret"), json!("user"), json!(""), json!("")),
        record("special1", &md5("special1:secret"), json!(["user", ""]), json!(["+127.0.0.1", "+::1", "+fe80::/64"]), json!(["10:*", "30:9"])),
    ]});
    let new = json!({"users": [
        record("admin", "487636FDE3637C7C853AAC9EAF6FA062;357C71CA59F760C08C4125C444A22A91FD1FE1FB0E5628771A572BAF6F61B71F", json!("admin"), json!(""), json!("")),
        record("user", "0839DD1BE692164847B601E6520CE23B;3E1B4D950F04EA3BFA2C43160B9D98ECC76B249F79A1062F041C526978591BA3", json!("user"), json!(""), json!("")),
    ]});
    let development = json!({
        "url-ws1": "/ws1", "url-ws2": "/ws2", "web-root": "/tmp/www", "max-client-queue-size": 32_000,
        "rx-filter": "0,0,0,-,0,0,0,-",
        "tls": {"ca": "/etc/vscp/certs/ca.pem", "cert": "/etc/vscp/certs/cert.pem", "key": "/x.pem"},
    });
    let installed = json!({
        "write": true, "max-out-queue": 32_000, "max-in-queue": 32_000, "encryption": "aes128",
        "tls": {"certificate": "/etc/vscp/certs/cert.pem", "key": "/etc/vscp/certs/key.pem"},
        "filter": {"in-filter": "incoming filter on string form", "in-mask": "and so on"},
        "enable-rest": true, "url-ws1": "ws1", "url-ws2": "ws2", "url-rest": "rest",
    });
    for (users, more) in [
        (&old, &development),
        (&new, &installed),
        (&new, &development),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.json");
        fs::write(&path, serde_json::to_string_pretty(users).unwrap()).unwrap();
        let driver = open(&usual_configuration(&folder, &path, more.clone())).unwrap();
        for address in driver.addresses() {
            for protocol in BOTH {
                for user in users["users"].as_array().unwrap() {
                    let mut client = Client::greeted(*address, protocol);
                    client.login(user["name"].as_str().unwrap());
                    client.command("OPEN");
                }
            }
        }
        driver.close();
        let log = fs::read_to_string(log_path(&folder)).unwrap();
        assert!(!log.contains("unknown key"), "{log}");
        for line in log.lines() {
            assert!(line.starts_with("[file vcpl2drv-websocksrv "), "{line}");
        }
        assert!(log.contains("] [info] vscpl2drv-websocksrv "), "{log}");
    }
}

#[test]
fn the_example_that_comes_with_the_driver_is_a_good_one() {
    let config = Config::load(include_str!("../../examples/demo.json")).unwrap();
    assert_eq!(config.users.len(), 1);
    assert!(
        !config
            .warnings
            .iter()
            .any(|line| line.found.contains("unknown")),
        "{:?}",
        config.warnings
    );
}

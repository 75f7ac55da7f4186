//! Values of single keys.

use serde_json::json;
use vscpl2drv_websocksrv::{
    config::Config,
    driver::{Driver, Host},
    ws::Protocol,
};

use super::{assert_one_line, with_line};
use crate::common::{Client, DEADLINE, configuration, open};

const KINDS: [&str; 4] = ["\"x\"", "[]", "{}", "1.5"];

/// Expects that a value is refused with file, line, key and what was found.
fn expect_refused(key: &str, value: &str) {
    let error = open(&with_line(key, value)).expect_err(&format!("{key}: {value}"));
    let start = format!("inline configuration:4: {key}: found {value}, expected ");
    assert!(error.starts_with(&start), "{error}");
    assert!(error.len() > start.len(), "{error}");
    assert_one_line(&error);
}

#[test]
fn flags_are_true_or_false() {
    for key in [
        "debug",
        "write",
        "enable-ws1",
        "enable-ws2",
        "enable-static",
        "enable-rest",
        "enable-jsonp",
        "allow-default-key",
        "echo-filter",
    ] {
        for value in KINDS.into_iter().chain(["2", "\"yes\""]) {
            expect_refused(key, value);
        }
    }
}

#[test]
fn numbers_have_their_range() {
    for (key, least, most) in [
        ("max-clients", 0, 1 << 24),
        ("max-clients-per-address", 0, 1 << 24),
        ("max-client-queue-size", 1, 1 << 24),
        ("max-out-queue", 1, 1 << 24),
        ("max-client-queue-bytes", 1 << 16, 1_i64 << 40),
        ("max-queue-bytes", 1 << 16, 1 << 40),
        ("max-in-queue", 1, 1 << 24),
        ("max-message-size", 256, 1 << 24),
        ("auth-timeout", 1, 365 * 86_400),
        ("max-auth-attempts", 1, 1 << 24),
        ("max-auth-concurrency", 1, 64),
        ("max-auth-pending", 4, 1 << 24),
        ("ping-interval", 0, 365 * 86_400),
        ("ping-timeout", 1, 365 * 86_400),
        ("write-timeout", 1, 365 * 86_400),
        ("threads", 1, 64),
        ("host-max-data", 0, 512),
    ] {
        // An empty queue is taken as the default.
        let too_few =
            (key != "max-client-queue-size" && key != "max-out-queue").then_some(least - 1);
        for value in too_few.into_iter().chain([most + 1]) {
            expect_refused(key, &value.to_string());
        }
        for value in KINDS.into_iter().chain(["true", "99999999999999999999"]) {
            expect_refused(key, value);
        }
        for value in [least, most] {
            Config::load(&with_line(key, &value.to_string())).unwrap();
        }
    }
}

#[test]
fn texts_are_one_of_those_that_are_understood() {
    for (key, values) in [
        (
            "interface",
            &[
                "5",
                "true",
                "{}",
                "\"ftp://a:1\"",
                "\"ws://a:65536\"",
                "\"ws://a b\"",
                "[]",
            ][..],
        ),
        ("url-ws1", &["5", "\"/a b\"", "\"/a?b\"", "[\"/a\"]"]),
        ("url-ws2", &["5", "\"/a#b\""]),
        ("url-rest", &["5"]),
        ("web-root", &["5"]),
        ("key-file", &["5", "[\"a\"]"]),
        ("path-users", &["5", "{}"]),
        (
            "rx-filter",
            &[
                "5",
                "\"0,0,x,-\"",
                "\"1,2,3,-,5\"",
                "\"256,0,0,-;0,0,0,-\"",
                "\"0;0;0\"",
                "\"0,0,0,FF:FF\"",
                "{}",
            ],
        ),
        ("ws1-iv", &["5", "\"none\"", "true"]),
        ("ws2-iv", &["5", "\"\""]),
        ("ws1-auth-reply", &["5", "\"AUTH2\""]),
        ("ws2-event-type", &["5", "\"EV\""]),
        ("ws2-event-keys", &["5", "\"all\""]),
        ("host-names", &["5", "{}", "true"]),
        ("origins", &["5", "{}", "true"]),
        ("cors-origins", &["5", "{}"]),
        ("guid", &["5", "\"FF:FF\""]),
        ("event-layout", &["5", "\"modern\""]),
        ("metrics", &["5", "\"\""]),
        (
            "metrics-allow",
            &["5", "\",\"", "\"here\"", "\"10.0.0.0/33\""],
        ),
        ("url-health", &["5", "\"/a b\""]),
        ("logging", &["5", "[]", "\"x\""]),
        ("socketcan", &["5", "\"vcan0\""]),
        ("remote-variables", &["5", "[]"]),
    ] {
        for value in values {
            expect_refused(key, value);
        }
    }
}

/// Returns all that a configuration says, without its text.
fn shown(text: &str) -> String {
    let mut config = Config::load(text).unwrap();
    config.json = json!(null);
    format!("{config:?}")
}

#[test]
fn null_is_the_same_as_no_such_key() {
    for key in [
        "max-clients",
        "interface",
        "users",
        "rx-filter",
        "logging",
        "tls",
        "socketcan",
    ] {
        let (null, without) = match key {
            "interface" => (
                r#"{"interface": null, "allow-default-key": true}"#.to_owned(),
                r#"{"allow-default-key": true}"#,
            ),
            _ => (
                with_line(key, "null"),
                "{\n\"interface\": \"ws://127.0.0.1:0\",\n\"allow-default-key\": true}",
            ),
        };
        assert_eq!(shown(&null), shown(without), "{key}");
    }
}

#[test]
fn an_interface_with_tls_needs_a_certificate_and_a_key() {
    for interface in [
        json!("wss://127.0.0.1:0"),
        json!("https://127.0.0.1:0"),
        json!(["ws://127.0.0.1:0", "wss://127.0.0.1:0"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let keys = json!({ "interface": interface });
        let got = open(&configuration(&folder, keys).to_string()).unwrap_err();
        let error = "found TLS without the key tls, expected tls with cert and key";
        assert!(got.contains(error), "{got}");
    }
}

#[test]
fn the_configured_guid_is_used_where_the_host_gives_none() {
    let folder = tempfile::tempdir().unwrap();
    let guid = "FF:FF:FF:FF:FF:FF:FF:F5:01:02:03:04:05:06:07:08";
    let config = configuration(&folder, json!({"guid": guid.replace(':', "")})).to_string();
    let zeros = "-".parse().unwrap();
    for host in [None, Some(zeros)] {
        let driver = Driver::open(&config, host, Host::default()).unwrap();
        let mut client = Client::greeted(driver.addresses()[0], Protocol::Ws1);
        client.login("admin");
        assert_eq!(client.ask("E;0,20,3,,,,-"), "+;EVENT");
        let event = driver.read(Some(DEADLINE)).unwrap();
        assert_eq!(event.guid.to_string(), guid);
    }
}

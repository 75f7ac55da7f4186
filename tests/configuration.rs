//! What configurations are taken, what is refused, and what is said about them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use md5::{Digest, Md5};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use tempfile::TempDir;
use vscpl2drv_websocksrv::{
    config::Config,
    driver::{Driver, Host},
    ws::Protocol,
};

use common::{
    BOTH, DEADLINE, KEY, Server, client::Client, configuration, log_path, open, speech::Heard, user,
};

const KINDS: [&str; 4] = ["\"x\"", "[]", "{}", "1.5"];

/// A configuration whose fourth line is `"key": value`.
fn with_line(key: &str, value: &str) -> String {
    format!(
        "{{\n\"interface\": \"ws://127.0.0.1:0\",\n\"allow-default-key\": true,\n\
         \"{key}\": {value}\n}}"
    )
}

/// Expects that a value is refused with file, line, key and what was found.
fn expect_refused(key: &str, value: &str) {
    let error = open(&with_line(key, value)).expect_err(&format!("{key}: {value}"));
    let start = format!("inline configuration:4: {key}: found {value}, expected ");
    assert!(error.starts_with(&start), "{error}");
    assert!(error.len() > start.len(), "{error}");
    assert_one_line(&error);
}

/// Expects that what was found and what was expected are each there once, on one line.
fn assert_one_line(error: &str) {
    let words: Vec<_> = error.split([' ', '\n']).collect();
    let count = |word| words.iter().filter(|&&other| other == word).count();
    assert_eq!((count("found"), count("expected")), (1, 1), "{error}");
    assert!(!error.contains('\n'), "{error}");
}

#[test]
fn relative_paths_are_those_from_the_folder_at_the_time_of_opening() {
    let folder = TempDir::new().unwrap();
    let depth = std::env::current_dir().unwrap().components().count();
    let relative = |name: &str| {
        let up = "../".repeat(depth - 1);
        format!("{up}.{}", folder.path().join(name).display())
    };
    fs::write(folder.path().join("users.json"), r#"{"users": []}"#).unwrap();
    let text = json!({
        "allow-default-key": true,
        "path-users": relative("users.json"),
        "web-root": relative("www"),
        "logging": {"file-path": relative("log.txt")},
    });
    fs::write(folder.path().join("driver.json"), text.to_string()).unwrap();
    let config = Config::load(&relative("driver.json")).unwrap();
    let log = config.logging.file.unwrap().path;
    for path in [config.file.unwrap(), config.web.root.unwrap(), log] {
        assert!(path.is_absolute(), "{path:?}");
    }
    let users = format!("{:?}", config.users_file.unwrap());
    assert!(users.contains("path: \"/"), "{users}");
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
        for value in KINDS.into_iter().chain(["0", "1", "\"true\""]) {
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
        ("max-in-queue", 1, 1 << 24),
        ("max-message-size", 256, 1 << 24),
        ("auth-timeout", 1, 365 * 86_400),
        ("max-auth-attempts", 1, 1 << 24),
        ("max-auth-concurrency", 1, 64),
        ("ping-interval", 0, 365 * 86_400),
        ("ping-timeout", 1, 365 * 86_400),
        ("write-timeout", 1, 365 * 86_400),
        ("threads", 1, 64),
        ("host-max-data", 0, 512),
    ] {
        for value in [least - 1, most + 1] {
            expect_refused(key, &value.to_string());
        }
        for value in KINDS
            .into_iter()
            .chain(["true", "\"5\"", "99999999999999999999"])
        {
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
        (
            "url-ws1",
            &["5", "\"\"", "\"/a b\"", "\"/a?b\"", "[\"/a\"]"],
        ),
        ("url-ws2", &["5", "\" \"", "\"/a#b\""]),
        ("url-rest", &["5", "\"\""]),
        ("web-root", &["5", "\"\""]),
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
        ("origins", &["5", "{}", "true"]),
        ("cors-origins", &["5", "{}"]),
        ("guid", &["5", "\"FF:FF\"", "\"\""]),
        ("event-layout", &["5", "\"modern\""]),
        ("metrics", &["5", "\"\""]),
        ("logging", &["5", "[]", "\"x\""]),
        ("tls", &["5", "[]", "\"x\""]),
        ("socketcan", &["5", "\"vcan0\""]),
        ("remote-variables", &["5", "[]"]),
    ] {
        for value in values {
            expect_refused(key, value);
        }
    }
}

#[test]
fn an_error_further_inside_is_named_with_its_path() {
    for (key, value, error) in [
        (
            "interface",
            "[\"ws://a:1\",\n\"ws://a:x\"]",
            "5: interface[1]: found \"ws://a:x\", expected ws://",
        ),
        (
            "origins",
            "[\"a\", 5]",
            "4: origins[1]: found 5, expected a string",
        ),
        (
            "cors-origins",
            "[5]",
            "4: cors-origins[0]: found 5, expected a string",
        ),
        (
            "tls",
            "{\"min-version\": \"1.1\"}",
            "4: tls.min-version: found \"1.1\", expected \"1.2\" or \"1.3\"",
        ),
        (
            "tls",
            "{\"min-version\": 1.2}",
            "4: tls.min-version: found 1.2, expected",
        ),
        ("tls", "{\"cert\": 5}", "4: tls.cert: found 5, expected"),
        (
            "tls",
            "{\"certificate\": 5}",
            "4: tls.certificate: found 5, expected",
        ),
        ("tls", "{\"key\": []}", "4: tls.key: found [], expected"),
        ("tls", "{\"ca\": 5}", "4: tls.ca: found 5, expected"),
        (
            "socketcan",
            "{\"enable\": 1}",
            "4: socketcan.enable: found 1, expected true or false",
        ),
        (
            "socketcan",
            "[{\"enable\": false, \"filter\": 5}]",
            "4: socketcan[0].filter: found 5, expected",
        ),
        (
            "socketcan",
            "[{\"out-mask\": \"0,x\"}]",
            "4: socketcan[0].out-mask: found \"0,x\", expected class to be a number",
        ),
        (
            "socketcan",
            "{\"guid\": \"FF\"}",
            "4: socketcan.guid: found \"FF\", expected a GUID",
        ),
        (
            "socketcan",
            "{\"interface\": \"a/b\"}",
            "4: socketcan.interface: found \"a/b\", expected the name",
        ),
        (
            "logging",
            "{\"log-level\": \"loud\"}",
            "4: logging.log-level: found \"loud\", expected trace, debug",
        ),
        (
            "logging",
            "{\"file-enable-log\": 1}",
            "4: logging.file-enable-log: found 1, expected",
        ),
        (
            "logging",
            "{\"file-enable\": \"x\"}",
            "4: logging.file-enable: found \"x\", expected",
        ),
        (
            "logging",
            "{\"file-log-level\": 3}",
            "4: logging.file-log-level: found 3, expected",
        ),
        (
            "logging",
            "{\"file-pattern\": 3}",
            "4: logging.file-pattern: found 3, expected",
        ),
        (
            "logging",
            "{\"file-log-pattern\": 3}",
            "4: logging.file-log-pattern: found 3, expected",
        ),
        (
            "logging",
            "{\"file-path\": \"\"}",
            "4: logging.file-path: found \"\", expected",
        ),
        (
            "logging",
            "{\"file-log-path\": 3}",
            "4: logging.file-log-path: found 3, expected",
        ),
        (
            "logging",
            "{\"file-max-size\": 0}",
            "4: logging.file-max-size: found 0, expected",
        ),
        (
            "logging",
            "{\"file-log-max-size\": \"5M\"}",
            "4: logging.file-log-max-size: found \"5M\", expected",
        ),
        (
            "logging",
            "{\"file-max-files\": -1}",
            "4: logging.file-max-files: found -1, expected",
        ),
        (
            "logging",
            "{\"file-log-max-files\": 200001}",
            "4: logging.file-log-max-files: found 200001, expected",
        ),
        (
            "logging",
            "{\"console-enable-log\": 0}",
            "4: logging.console-enable-log: found 0, expected",
        ),
        (
            "logging",
            "{\"console-enable\": 0}",
            "4: logging.console-enable: found 0, expected",
        ),
        (
            "logging",
            "{\"console-log-level\": \"\"}",
            "4: logging.console-log-level: found \"\", expected",
        ),
        (
            "logging",
            "{\"console-level\": []}",
            "4: logging.console-level: found [], expected",
        ),
        (
            "logging",
            "{\"console-pattern\": 3}",
            "4: logging.console-pattern: found 3, expected",
        ),
        ("users", "5", "4: users: found none, expected a list"),
        (
            "users",
            "[5]",
            "4: users[0]: found none, expected an object",
        ),
        (
            "users",
            "[{\"password\": \"x\"}]",
            "4: users[0]: found no \"name\", expected",
        ),
        (
            "users",
            "[{\"name\": \"a\"}]",
            "4: users[0]: found no \"password\", expected",
        ),
        (
            "users",
            "[{\"name\": \"a;b\", \"password\": \"\"}]",
            "4: users[0].name: found \"a;b\", expected",
        ),
        (
            "users",
            "[{\"name\": \"\", \"password\": \"\"}]",
            "4: users[0].name: found \"\", expected",
        ),
        (
            "users",
            "[{\"user\": 5, \"password\": \"\"}]",
            "4: users[0].user: found 5, expected",
        ),
    ] {
        let got = open(&with_line(key, value)).expect_err(value);
        assert!(
            got.starts_with(&format!("inline configuration:{error}")),
            "{got}"
        );
        assert_one_line(&got);
    }
}

#[test]
fn errors_in_the_record_of_a_user_name_the_key() {
    let md5 = "2d1e4f91dae49cd08eaba2293e422273";
    for (key, value) in [
        ("password", "5"),
        ("password", "\"secret\""),
        ("password", "\"00;11\""),
        ("credentials", "[]"),
        ("fullname", "5"),
        ("note", "{}"),
        ("rights", "\"emperor\""),
        ("rights", "-1"),
        ("remotes", "\"localhost\""),
        ("remotes", "5"),
        ("events", "\"10\""),
        ("events", "{\"dir\": \"UP\"}"),
        ("filter", "\"x\""),
        ("filter", "5"),
        ("mask", "\"0,0,0,-,0\""),
        ("max-priority", "8"),
        ("max-priority", "\"3\""),
    ] {
        let record = format!("[{{\"name\": \"a\", \"password\": \"{md5}\",\n\"{key}\": {value}}}]");
        let error = open(&with_line("users", &record)).expect_err(value);
        let start = format!("inline configuration:5: users[0].{key}");
        assert!(error.starts_with(&start), "{error}");
        assert!(!error.contains(md5), "{error}");
        assert_one_line(&error);
    }
    let twice = json!([
        user("a", json!({})),
        user("b", json!({})),
        user("a", json!({}))
    ]);
    let error = open(&with_line("users", &twice.to_string())).unwrap_err();
    assert!(
        error.starts_with("inline configuration:4: users[2]: found the \"name\" \"a\" of users[0]"),
        "{error}"
    );
}

#[test]
fn what_is_no_configuration_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("websocksrv.json");
    let name = path.to_string_lossy().into_owned();
    for (text, error) in [
        (
            "",
            ":1: found EOF while parsing a value (column 0), expected valid JSON",
        ),
        (
            "{\n\"debug\" true}",
            ":2: found no `:` (column 9), expected valid JSON",
        ),
        ("[]", ":1: found [], expected an object {...}"),
        (
            "{\"allow-default-key\": true,\n\n\"threads\": 0}",
            ":3: threads: found 0, expected a whole number from 1 to 64",
        ),
        (
            "{} x",
            ":1: found trailing characters (column 4), expected valid JSON",
        ),
    ] {
        fs::write(&path, text).unwrap();
        assert_eq!(open(&name).unwrap_err(), format!("{name}{error}"));
        assert_one_line(error);
    }
    fs::write(&path, b"{\"\xFF\": 1}").unwrap();
    let error = open(&name).unwrap_err();
    assert_eq!(
        error,
        format!("{name}: found byte 2 is not UTF-8, expected JSON text in UTF-8")
    );
    for (path, start) in [
        (
            "/nonexistent/websocksrv.json",
            "/nonexistent/websocksrv.json: found No such file",
        ),
        (
            &folder.path().to_string_lossy(),
            &format!("{}: found Is a directory", folder.path().display()),
        ),
        (
            "",
            "configuration: found nothing, expected the path of a JSON file",
        ),
        ("  \n", "configuration: found nothing"),
        ("{", "inline configuration:1: found EOF"),
    ] {
        let error = open(path).unwrap_err();
        assert!(error.starts_with(start), "{error}");
    }
}

#[test]
fn a_configuration_may_be_a_file_or_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let config = configuration(&folder, json!({"users": [user("me", json!({}))]}));
    let path = folder.path().join("websocksrv.json");
    fs::write(&path, config.to_string()).unwrap();
    for (text, name) in [
        (
            path.to_string_lossy().into_owned(),
            path.to_string_lossy().into_owned(),
        ),
        (format!("\n  {config}"), "inline configuration".to_owned()),
    ] {
        let driver = open(&text).unwrap();
        let mut client = Client::connect(driver.addresses()[0], "/ws1", Protocol::Ws1);
        client.take_greeting();
        client.login("me");
        driver.close();
        let log = fs::read_to_string(log_path(&folder)).unwrap();
        assert!(log.contains(&format!("; {name}\n")), "{log}");
    }
}

#[test]
fn files_may_begin_with_a_byte_order_mark() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.json");
    let me = json!({"users": [user("me", json!({}))]});
    fs::write(&users, format!("\u{feff}{me}")).unwrap();
    let config = configuration(&folder, json!({"users": null, "path-users": users}));
    let path = folder.path().join("websocksrv.json");
    fs::write(&path, format!("\u{feff}{config}")).unwrap();
    let driver = open(path.to_str().unwrap()).unwrap();
    let mut client = Client::connect(driver.addresses()[0], "/ws1", Protocol::Ws1);
    client.take_greeting();
    client.login("me");
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
        Config::load(&with_line(key, "null")).unwrap();
    }
}

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
            "max-cleints: unknown key, did you mean \"max-clients\"?",
        ),
        ("zzz", "zzz: unknown key\n"),
        ("url-ws", "url-ws: unknown key, did you mean \"url-ws"),
        (
            "file-pth",
            "logging.file-pth: unknown key, did you mean \"file-path\"?",
        ),
        (
            "right",
            "users[1].right: unknown key, did you mean \"rights\"?",
        ),
        (
            "certificat",
            "tls.certificat: unknown key, did you mean \"certificate\"?",
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
    assert!(!server.log().contains("unknown key"));
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
fn what_this_version_does_not_have_is_read_where_it_is_not_asked_for() {
    let server = Server::start(json!({
        "tls": {"cert": "/x/cert.pem", "key": "/x/key.pem", "ca": "/x/ca.pem", "min-version": "1.3"},
        "socketcan": {"enable": false, "interface": "vcan0", "filter": "0,0,0,-"},
        "enable-rest": true, "url-rest": "rest", "enable-jsonp": false, "cors-origins": ["*"],
        "metrics": "/metrics", "write": true, "web-root": "/tmp/www", "enable-static": true,
    }));
    server.login(Protocol::Ws1, "admin");
    assert!(!server.log().contains("unknown key"), "{}", server.log());
}

#[test]
fn static_files_without_a_folder_are_warned_of() {
    let server = Server::start(json!({"enable-static": true}));
    server.wait_for_log("warning no web-root: no static files are served");
    let server = Server::start(json!({"enable-static": false}));
    assert!(!server.log().contains("web-root"));
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
    ] {
        let mut configuration = keys.clone();
        configuration["allow-default-key"] = json!(true);
        let warnings = Config::load(&configuration.to_string()).unwrap().warnings;
        let found = warnings.iter().filter(|line| line.contains(same));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{keys}");
    }
}

fn key_file(folder: &TempDir, text: &str, mode: u32) -> String {
    let path = folder.path().join("vscp.key");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path.to_string_lossy().into_owned()
}

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
        server.driver.close();
        assert!(!server.log().contains("key file"), "{}", server.log());
    }
}

#[test]
fn another_key_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = key_file(&folder, "A4A86F7D7E119BA3F0CD06881E371B98", 0o600);
    let server = Server::start(json!({"allow-default-key": true, "key-file": path}));
    let reply = server.connect(Protocol::Ws1).try_login("admin", "secret");
    assert_eq!(reply, Heard::failed("AUTH", 5));
}

#[test]
fn the_default_key_and_a_key_that_all_can_read_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = key_file(&folder, KEY, 0o644);
    for (keys, warning) in [
        (
            json!({}),
            "warning no key-file: logins use the key that everybody knows".to_owned(),
        ),
        (
            json!({"key-file": "/nonexistent"}),
            "warning inline configuration:1: key-file: /nonexistent".to_owned(),
        ),
        (
            json!({"key-file": path}),
            format!("warning {path}: everybody can read this key file"),
        ),
    ] {
        let server = Server::start(keys);
        server.login(Protocol::Ws2, "admin");
        server.wait_for_log(&warning);
    }
}

#[test]
fn a_users_file_that_is_missing_or_wrong_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.json");
    let name = path.to_string_lossy().into_owned();
    let error = || open(&with_line("path-users", &json!(path).to_string())).unwrap_err();
    let missing = error();
    let start = format!("inline configuration:4: path-users: found {name}: No such file");
    assert!(missing.starts_with(&start), "{missing}");
    let parent = folder.path();
    let error_of_folder = open(&with_line("path-users", &json!(parent).to_string())).unwrap_err();
    let start = format!(
        "inline configuration:4: path-users: found {}: Is a directory",
        parent.display()
    );
    assert!(error_of_folder.starts_with(&start), "{error_of_folder}");
    for (text, expected) in [
        (
            "{\"users\": [\n5]}",
            ":2: users[0]: found none, expected an object",
        ),
        ("{\"users\": 5}", ":1: users: found none, expected a list"),
        ("{}", ":1: found no \"users\", expected an object"),
        ("[]", ":1: found none, expected an object"),
        ("", ":1: found EOF"),
        (
            "{\"users\": [\n{\"name\": \"a\", \"password\": \"x\"}]}",
            ":2: users[0].password: found",
        ),
    ] {
        fs::write(&path, text).unwrap();
        let error = error();
        assert!(error.starts_with(&format!("{name}{expected}")), "{error}");
        assert_one_line(&error);
    }
}

#[test]
fn users_beside_a_users_file_are_without_effect() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.json");
    fs::write(
        &path,
        json!({"users": [user("filed", json!({}))]}).to_string(),
    )
    .unwrap();
    let server = Server::start(json!({"path-users": path}));
    server.login(Protocol::Ws1, "filed");
    server.wait_for_log("warning inline configuration:1: users: without effect beside path-users");
}

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
    let md5 = |name: &str| hex::encode(Md5::digest(format!("{name}:secret")));
    let old = json!({"users": [
        record("admin", &md5("admin"), json!("admin"), json!(["+127.0.0.0/24", "+::1", "+192.168.0.0/16"]), json!("")),
        record("user", &md5("user"), json!("user"), json!(""), json!("")),
        record("special1", &md5("special1"), json!(["user", ""]), json!(["+127.0.0.1", "+::1", "+fe80::/64"]), json!(["10:*", "30:9"])),
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
            for (protocol, path) in BOTH.into_iter().zip(["/ws1", "/ws2"]) {
                for user in users["users"].as_array().unwrap() {
                    let mut client = Client::connect(*address, path, protocol);
                    client.take_greeting();
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
    let config = Config::load(include_str!("../examples/demo.json")).unwrap();
    assert_eq!(config.users.len(), 1);
    assert!(
        !config.warnings.iter().any(|line| line.contains("unknown")),
        "{:?}",
        config.warnings
    );
}

#[test]
fn start_and_stop_are_one_line_each() {
    let server = Server::start(json!({"url-ws1": "/a", "enable-ws2": false}));
    let mut client = Client::connect(server.address(), "/a", Protocol::Ws1);
    client.take_greeting();
    server.driver.close();
    let log = server.log();
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
        last.contains("clients: 1 websockets, 0 REST sessions; turned away: 0"),
        "{last}"
    );
    assert_eq!(log.matches("info closed; ").count(), 1);
}

#[test]
fn the_configured_guid_is_used_where_the_host_gives_none() {
    let folder = tempfile::tempdir().unwrap();
    let guid = "FF:FF:FF:FF:FF:FF:FF:F5:01:02:03:04:05:06:07:08";
    let config = configuration(&folder, json!({"guid": guid.replace(':', "")})).to_string();
    let zeros = "-".parse().unwrap();
    for host in [None, Some(zeros)] {
        let driver = Driver::open(&config, host, Host::default()).unwrap();
        let mut client = Client::connect(driver.addresses()[0], "/ws1", Protocol::Ws1);
        client.take_greeting();
        client.login("admin");
        assert_eq!(client.ask("E;0,20,3,,,,-"), "+;EVENT");
        let event = driver.read(Some(DEADLINE)).unwrap();
        assert_eq!(event.guid.to_string(), guid);
    }
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

/// A JSON value as text; the strings are such as mean something somewhere.
fn any_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        (0u32..600).prop_map(|value| value.to_string()),
        any::<f64>().prop_map(|value| json!(value).to_string()),
        "[a-z0-9,;:/*.\\[\\]+\\-]{0,14}|\\PC{0,6}".prop_map(|value| json!(value).to_string()),
        proptest::sample::select(&["ws://*:0", "sid", "any", "admin", "10:*", "info", "0,0,0,-"])
            .prop_map(|value| json!(value).to_string()),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| format!("[{}]", values.join(","))),
            vec((any_key(), inner), 0..5).prop_map(|entries| object(&entries)),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    let known = "debug write interface enable-ws1 enable-ws2 url-ws1 url-ws2 key-file path-users \
        users rx-filter max-clients max-in-queue max-out-queue auth-timeout ping-interval \
        ws1-iv ws2-event-keys origins event-layout threads socketcan remote-variables tls \
        logging guid encryption name password rights remotes events filter mask max-priority \
        cert min-version log-level file-path file-pattern console-pattern enable";
    prop_oneof![
        8 => proptest::sample::select(known.split(' ').collect::<Vec<_>>()).prop_map(str::to_owned),
        1 => "\\PC{0,8}",
    ]
}

fn object(entries: &[(String, String)]) -> String {
    let entries = entries
        .iter()
        .map(|(key, value)| format!("{}: {value}", json!(key)));
    format!("{{{}}}", entries.collect::<Vec<_>>().join(",\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_configuration_or_an_error_of_one_line(
        entries in vec((any_key(), any_value()), 0..12),
        cut in any::<proptest::sample::Index>(),
        junk in "\\PC{0,3}",
        mutate: bool,
    ) {
        let mut entries = entries;
        entries.insert(0, ("allow-default-key".into(), "true".into()));
        let mut text = object(&entries);
        if mutate {
            // Not in front, where it would make a path of it.
            let place = text.floor_char_boundary(1 + cut.index(text.len()));
            text.insert_str(place, &junk);
        }
        if let Err(error) = Config::load(&text) {
            prop_assert!(!error.to_string().contains('\n'), "{}", error);
        }
    }
}

//! The location in error messages.

use serde_json::json;

use super::{assert_one_line, with_line};
use crate::common::{open, user};

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
            "host-names",
            "[\"a:80\"]",
            "4: host-names[0]: found \"a:80\", expected the name of a host",
        ),
        (
            "cors-origins",
            "[5]",
            "4: cors-origins[0]: found 5, expected a string",
        ),
        (
            "socketcan",
            "{\"enable\": 2}",
            "4: socketcan.enable: found 2, expected true or false",
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
            "{\"file-enable-log\": 2}",
            "4: logging.file-enable-log: found 2, expected",
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
            "{\"console-enable-log\": 2}",
            "4: logging.console-enable-log: found 2, expected",
        ),
        (
            "logging",
            "{\"console-enable\": 2}",
            "4: logging.console-enable: found 2, expected",
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

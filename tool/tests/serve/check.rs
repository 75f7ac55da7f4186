//! `serve --check`, which needs no broker.

use std::process::Command;

use serde_json::json;

use crate::host::driver_config;

/// Runs the check. Returns whether it is content, and what it says to stdout and stderr.
fn check(args: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vscpl2drv-websocksrv"))
        .args(["serve", "--check"])
        .args(args)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.success(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn a_driver_whose_configuration_is_wrong_is_not_in_order() {
    let mut wrong = driver_config();
    wrong["max-clients"] = json!("many");
    for (config, expected) in [
        (
            json!("/no/such.json"),
            "error: /no/such.json: found No such",
        ),
        (wrong, "max-clients: found \"many\""),
    ] {
        let entry = json!({"name": "web", "path-config": config, "mqtt": {"host": "localhost"}});
        let (is_good, out, error) = check(&[&entry.to_string()]);
        assert!(!is_good && out.is_empty(), "{out}");
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("web: the configuration"), "{error}");
    }
}

#[test]
fn topics_are_shown_with_the_guid_that_the_driver_will_have() {
    let guid = "FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:00:00:07";
    let mut config = driver_config();
    config["guid"] = json!(guid);
    let mqtt = json!({"subscribe": {"topic": "{{ifguid}}/#"}});
    let entry = json!({"name": "web", "path-config": config, "mqtt": mqtt});
    let (_, out, error) = check(&[&entry.to_string()]);
    let expected = format!("OK web: mqtt://localhost:1883, subscribes to {guid}/#\n");
    assert_eq!(out, expected, "{error}");
}

#[test]
fn an_error_of_a_topic_names_the_driver() {
    let mqtt = json!({"status-topic": "{{user}}"});
    let entry = json!({"name": "web", "path-config": driver_config(), "mqtt": mqtt});
    let (is_good, _, error) = check(&[&entry.to_string()]);
    assert!(
        !is_good && error.contains("web: mqtt: a topic is"),
        "{error}"
    );
}

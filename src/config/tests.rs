//! Configurations as people have them from the C++ driver, and very large ones.

use std::fs;

use serde_json::{Value, json};

use super::{Config, users::UsersFile};
use crate::{
    event::Filter,
    http::{Listen, StaticFiles},
    log::Level,
    test_log::TestLog,
};

/// Loads a configuration with the well-known key.
fn load(keys: &Value) -> Result<Config, String> {
    let mut configuration = json!({"allow-default-key": true});
    for (key, value) in keys.as_object().unwrap() {
        configuration[key] = value.clone();
    }
    Config::load(&configuration.to_string()).map_err(|error| error.to_string())
}

/// Returns the warnings about keys that are set, without the place.
fn warnings(config: &Config) -> Vec<String> {
    let start = "inline configuration:1: ";
    let lines = config.warnings.iter().map(ToString::to_string);
    let lines = lines.filter(|line| !line.contains(": not set, "));
    lines
        .filter_map(|line| Some(line.strip_prefix(start)?.to_owned()))
        .collect()
}

#[test]
fn old_files_open_in_every_shape() {
    type Check = fn(&Config) -> bool;
    let rows: &[(Value, Check, &[&str])] = &[
        // An empty string is not set.
        (
            json!({"tls": {"cert": "", "key": "", "ca": "", "min-version": ""}}),
            |config| config.tls.is_none(),
            &["tls: without effect, no interface is wss://"],
        ),
        (
            json!({"web-root": ""}),
            |config| config.http.files == StaticFiles::Panel,
            &[],
        ),
        (json!({"guid": ""}), |config| config.guid.is_none(), &[]),
        (
            json!({"rx-filter": " "}),
            |config| config.rx_filter == Filter::default(),
            &[],
        ),
        (
            json!({"interface": ""}),
            |config| config.listen == ["localhost".parse::<Listen>().unwrap()],
            &[],
        ),
        (
            json!({"url-ws1": "", "url-ws2": "", "url-rest": ""}),
            |config| {
                let urls = &config.http.urls;
                let urls = [&urls.ws1, &urls.ws2, &urls.rest].map(Option::as_deref);
                urls == [Some("/ws1"), Some("/ws2"), Some("/rest")]
            },
            &[],
        ),
        (
            json!({"socketcan": {"interface": "", "guid": "", "filter": "", "mask": ""}}),
            |config| {
                let bus = &config.buses[0];
                bus.interface == "vcan0" && bus.guid.is_none() && bus.filter.is_pass_all()
            },
            &[],
        ),
        // The key tls is not checked without a wss:// interface.
        (
            json!({"tls": {"cert": "/nonexistent", "key": 5, "min-version": "9"}}),
            |config| config.tls.is_none(),
            &["tls: without effect, no interface is wss://"],
        ),
        (
            json!({"tls": "none"}),
            |config| config.tls.is_none(),
            &["tls: without effect, no interface is wss://"],
        ),
        // Numbers and truth values as text, truth values as numbers.
        (
            json!({"max-clients": "7"}),
            |config| config.clients.max_websockets == 7,
            &["max-clients: \"7\" is taken as the number 7"],
        ),
        (
            json!({"debug": "true", "write": 1, "enable-ws1": "0", "enable-ws2": 0}),
            |config| {
                let urls = &config.http.urls;
                config.debug && config.write && urls.ws1.is_none() && urls.ws2.is_none()
            },
            &[
                "debug: \"true\" is taken as true",
                "enable-ws1: \"0\" is taken as false",
                "enable-ws2: 0 is taken as false",
                "write: 1 is taken as true",
            ],
        ),
        (
            json!({"logging": {"file-enable-log": "false", "file-max-files": "3"}}),
            |config| config.logging.file.is_none(),
            &[
                "logging.file-enable-log: \"false\" is taken as false",
                "logging.file-max-files: \"3\" is taken as the number 3",
            ],
        ),
        (
            json!({"socketcan": {"enable": "1", "queue-size": "10"}}),
            |config| config.buses[0].queue_size == 10,
            &[
                "socketcan.enable: \"1\" is taken as true",
                "socketcan.queue-size: \"10\" is taken as the number 10",
            ],
        ),
        // A queue size of 0.
        (
            json!({"max-client-queue-size": 0}),
            |config| config.backlog.events == 32_000,
            &["max-client-queue-size: 0 is taken as the default, 32000"],
        ),
        (
            json!({"max-out-queue": "0"}),
            |config| config.backlog.events == 32_000,
            &["max-out-queue: 0 is taken as the default, 32000"],
        ),
        // One level for both sinks.
        (
            json!({"logging": {"log-level": "debug", "file-path": "/tmp/x.log"}}),
            |config| {
                let logging = &config.logging;
                let levels = [
                    logging.file.as_ref().map(|file| file.level),
                    logging.console.as_ref().map(|console| console.level),
                ];
                levels == [Some(Level::Debug); 2]
            },
            &[],
        ),
        (
            json!({"logging": {"log-level": "error"}}),
            |config| {
                let logging = &config.logging;
                let level = logging.console.as_ref().map(|console| console.level);
                logging.file.is_none() && level == Some(Level::Error)
            },
            &[],
        ),
        // Users that are not there yet.
        (
            json!({"path-users": "/nonexistent/users.json"}),
            |config| config.users.is_empty() && config.users_file.is_some(),
            &[
                "path-users: /nonexistent/users.json: there is no such file; nobody can log in \
                 until there is one",
            ],
        ),
    ];
    for (keys, is_as_expected, expected) in rows {
        let config = load(keys).unwrap_or_else(|error| panic!("{keys}: {error}"));
        assert!(is_as_expected(&config), "{keys}: {config:?}");
        let mut found = warnings(&config);
        found.sort_unstable();
        assert_eq!(found, *expected, "{keys}");
    }
}

#[test]
fn paths_that_must_be_there_are_refused_if_they_are_empty() {
    for (key, value) in [("key-file", ""), ("key-file", "  "), ("path-users", "")] {
        let error = load(&json!({key: value})).unwrap_err();
        let start = format!("inline configuration:1: {key}: found an empty string, expected ");
        assert!(error.starts_with(&start), "{error}");
    }
}

#[test]
fn tls_is_judged_if_an_address_asks_for_it() {
    for interface in [json!("wss://127.0.0.1:0"), json!(["ws://a", "https://b"])] {
        for (tls, expected) in [
            (json!({"cert": "", "key": "/x"}), "tls: found no \"cert\""),
            (
                json!({"cert": "/nonexistent", "key": ""}),
                "tls: found no \"key\"",
            ),
            (
                json!({"cert": "/nonexistent", "key": "/nonexistent"}),
                "tls.cert: found /nonexistent: No such file",
            ),
            (json!({"min-version": "9"}), "tls.min-version: found \"9\""),
        ] {
            let error = load(&json!({"interface": interface, "tls": tls})).unwrap_err();
            assert!(error.contains(expected), "{tls}: {error}");
        }
    }
}

#[test]
fn a_users_file_that_appears_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.json");
    let config = load(&json!({"path-users": path})).unwrap();
    let mut file: UsersFile = config.users_file.unwrap();
    let log = TestLog::start();
    assert!(file.reload().is_none());
    assert_eq!(log.take(), [""; 0]);
    // It is written in two steps.
    fs::write(&path, r#"{"users": [{"name": "a","#).unwrap();
    assert!(file.reload().is_none());
    assert!(file.reload().is_none());
    assert_eq!(log.take().len(), 1);
    let users = r#"{"users": [{"name": "a", "password": "2d1e4f91dae49cd08eaba2293e422273"}]}"#;
    fs::write(&path, users).unwrap();
    assert!(file.reload().unwrap().get("a").is_some());
    let path = path.display();
    assert_eq!(
        log.take(),
        [format!("INFO {path}: has changed, 1 user read")]
    );
}

#[test]
fn of_many_unknown_keys_twenty_are_named() {
    let mut text = "{\"allow-default-key\": true".to_owned();
    for number in 0..80_000 {
        text += &format!(",\n\"max-cleints{number}\": 0");
    }
    // A comparison of each key with all others would take minutes in an unoptimised build.
    let config = Config::load(&(text + "}")).unwrap();
    let unknown = config
        .warnings
        .iter()
        .filter(|warning| warning.found.contains("unknown"));
    assert_eq!(unknown.count(), 21);
    let last = "inline configuration:22: 79980 more unknown keys";
    assert!(config.warnings.iter().any(|line| line.to_string() == last));
}

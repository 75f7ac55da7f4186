//! `check` on files as people break them.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};

use super::{text, tool};

const KEY: &str = r#""allow-default-key": true"#;
const MD5: &str = "2d1e4f91dae49cd08eaba2293e422273";

/// Broken configurations, and parts of what is found in each.
fn broken() -> Vec<(String, Vec<&'static str>)> {
    let with = |rest: &str| format!("{{{KEY},\n{rest}}}");
    let user = |rest: &str| {
        format!("{{{KEY},\n\"users\": [{{\"name\": \"a\", \"password\": \"{MD5}\",\n{rest}}}]}}")
    };
    vec![
        (String::new(), vec!["found EOF"]),
        ("[]".into(), vec!["found [], expected an object"]),
        ("{}".into(), vec!["found no \"key-file\""]),
        (
            with("\"threads\": 3,\n"),
            vec![":3: found a comma behind the last entry"],
        ),
        (
            with("// three\n\"threads\": 3"),
            vec![":2: found a comment"],
        ),
        (
            with("/* three */ \"threads\": 3"),
            vec![":2: found a comment"],
        ),
        (with("# three\n\"threads\": 3"), vec![":2: found a comment"]),
        (with("'threads': 3"), vec![":2: found a single quote"]),
        (with("\"guid\": '-'"), vec![":2: found a single quote"]),
        (with("threads: 3"), vec![":2: found a key without quotes"]),
        (
            with("\"threads\": 3\n\"write\": true"),
            vec![":3: found no comma in front of it"],
        ),
        (with("\"threads\" 3"), vec![":2: found no `:`"]),
        (with("\"threads\": [3"), vec!["expected valid JSON"]),
        (with("\"threads\": True"), vec![":2: found"]),
        (
            with("\"threads\": 0, \"ping-timeout\": -1,\n\"wss\": 1, \"thread\": 2"),
            vec![
                "threads: found 0, expected a whole number from 1 to 64",
                "ping-timeout: found -1",
                "thread: unknown key; did you mean \"threads\"?",
                "wss: unknown key",
            ],
        ),
        (
            with("\"threads\": 1, \"threads\": 2, \"write\": 5"),
            vec!["threads: the key is there several times", "write: found 5"],
        ),
        (
            with("\"interface\": \"ftp://x\""),
            vec!["interface: found \"ftp://x\""],
        ),
        (with("\"interface\": []"), vec!["interface: found []"]),
        (
            with("\"interface\": \"ws://192.0.2.1:8884\""),
            vec![":2: interface: found ws://192.0.2.1:8884: "],
        ),
        (
            with("\"interface\": \"wss://localhost\""),
            vec!["TLS without the key tls"],
        ),
        (
            with(
                "\"interface\": \"wss://localhost\", \"tls\": {\"cert\": \"/none.pem\", \"key\": \"/k\"}",
            ),
            vec!["tls.cert: found /none.pem: ", "tls.key: found /k: "],
        ),
        (
            with("\"interface\": \"wss://localhost\", \"tls\": {}"),
            vec!["tls: found no \"cert\"", "tls: found no \"key\""],
        ),
        (
            "{\"key-file\": \"\"}".into(),
            vec!["key-file: found an empty string"],
        ),
        (
            "{\"key-file\": \"/none\"}".into(),
            vec!["key-file: found /none: No such file"],
        ),
        (
            "{\"key-file\": \"/dev/null\"}".into(),
            vec!["0 hex digits at its start"],
        ),
        (
            with("\"path-users\": \"/\""),
            vec!["path-users: found /: Is a directory"],
        ),
        (
            with("\"users\": {}"),
            vec!["users: found none, expected a list"],
        ),
        (
            with("\"users\": [{\"name\": \"a\"}, {\"password\": \"x\"}]"),
            vec![
                "users[0]: found no \"password\"",
                "users[1]: found no \"name\"",
            ],
        ),
        (
            user("\"rights\": \"usr\""),
            vec!["users[0].rights: found \"usr\"", "did you mean \"user\"?"],
        ),
        (
            user("\"rights\": \"usr\", \"right\": 1"),
            vec!["did you mean \"user\"?", "did you mean \"rights\"?"],
        ),
        (
            user("\"RIGHTS\": \"USR\", \"rights\": \"Usr\""),
            vec![
                "found \"Usr\"",
                "did you mean \"user\"?",
                "did you mean \"rights\"?",
            ],
        ),
        (
            with(&format!(
                "\"users\": [{{\"name\": \"a\", \"password\": \"{MD5}\"}},\n\
                 {{\"name\": \"a\", \"password\": \"{MD5}\"}}]"
            )),
            vec![":3: users[1]: found the \"name\" \"a\" of users[0] again"],
        ),
        (
            user("\"remotes\": \"+10.0.0\""),
            vec!["users[0].remotes: found \"+10.0.0\""],
        ),
        (
            user("\"events\": \"10\""),
            vec!["users[0].events: found \"10\""],
        ),
        (
            user("\"filter\": \"1,2,x\""),
            vec!["users[0].filter: found \"1,2,x\""],
        ),
        (
            with(
                "\"rx-filter\": \"x\", \"threads\": 0, \"logging\": {\"log-level\": \"loud\", \"file-max-size\": 0}",
            ),
            vec![
                "rx-filter: found \"x\"",
                "threads: found 0",
                "logging.log-level: found \"loud\"",
                "logging.file-max-size: found 0",
            ],
        ),
        (
            with("\"socketcan\": {\"interface\": \"a/b\"}, \"max-clients\": -1"),
            vec!["socketcan.interface: found", "max-clients: found -1"],
        ),
    ]
}

#[test]
fn all_that_is_wrong_is_shown_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("websocksrv.json");
    let name = path.to_str().unwrap();
    let broken = broken();
    assert!(broken.len() >= 35, "{}", broken.len());
    for (configuration, findings) in broken {
        fs::write(&path, &configuration).unwrap();
        let output = tool(&["check", name], "");
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{configuration}\n{stderr}");
        assert_eq!(text(&output.stdout), "");
        for finding in findings {
            assert!(
                stderr.contains(finding),
                "{configuration}\n{finding}\n{stderr}"
            );
        }
        if std::env::var_os("SHOW_FINDINGS").is_some() {
            println!("{configuration}\n{}", stderr.replace(name, "FILE"));
        }
    }
}

#[test]
fn a_file_in_utf_16_and_a_name_that_is_nothing_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("websocksrv.json");
    fs::write(&path, b"\xFF\xFE{\0}\0").unwrap();
    for (argument, expected) in [
        (
            path.to_str().unwrap(),
            "found UTF-16, expected JSON text in UTF-8",
        ),
        (
            "websocksrv.jsn",
            "websocksrv.jsn: found no such file, nor a CAN interface",
        ),
        (
            "nofile;",
            "nofile;: found no such file, nor a CAN interface",
        ),
        (
            "websock;1",
            "websock;1: found no such file, nor a CAN interface",
        ),
        (
            "threads=3; websock",
            "found no such file, nor a CAN interface",
        ),
    ] {
        let output = tool(&["check", argument], "");
        assert_eq!(output.status.code(), Some(1));
        assert!(
            text(&output.stderr).contains(expected),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn scripts_get_json_and_give_the_standard_input() {
    let input = format!("{{{KEY}, \"threads\": 0,\n\"ping-timeout\": \"x\", \"thread\": 1}}");
    let output = tool(&["check", "--json", "-"], &input);
    assert_eq!(output.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["opens"], false);
    assert_eq!(found["errors"].as_array().unwrap().len(), 2);
    let errors = found["errors"].as_array().unwrap();
    let error = errors.iter().find(|error| error["line"] == 2).unwrap();
    assert_eq!(error["key"], "ping-timeout");
    assert_eq!(error["found"], "\"x\"");
    assert_eq!(error["expected"], "a whole number from 1 to 31536000");
    assert_eq!(error["file"], "standard input");
    assert_eq!(error["hint"], Value::Null);
    let warnings = found["warnings"].as_array().unwrap();
    let warning = warnings.iter().find(|warning| warning["key"] == "thread");
    assert_eq!(
        *warning.unwrap(),
        json!({
            "file": "standard input", "line": 2, "key": "thread", "found": "unknown key",
            "expected": null, "hint": "did you mean \"threads\"?",
            "message": "standard input:2: thread: unknown key; did you mean \"threads\"?",
        })
    );

    let good = format!("{{{KEY}, \"interface\": \"ws://127.0.0.1:0\"}}");
    let output = tool(&["check", "--json", "-"], &good);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["opens"], true);
    assert_eq!(tool(&["check", "-"], "can0").status.code(), Some(1));
}

#[test]
fn stored_passwords_that_all_can_read_are_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.json");
    fs::write(&users, r#"{"users": []}"#).unwrap();
    let configuration = format!(
        "{{{KEY}, \"interface\": \"ws://127.0.0.1:0\", \"path-users\": {:?}}}",
        users.to_str().unwrap()
    );
    for (mode, warned) in [(0o644, true), (0o640, false)] {
        fs::set_permissions(&users, PermissionsExt::from_mode(mode)).unwrap();
        let output = tool(&["check", &configuration], "");
        assert_eq!(output.status.code(), Some(0));
        let stderr = text(&output.stderr);
        assert_eq!(
            stderr.contains("everybody can read this users file"),
            warned,
            "{stderr}"
        );
    }
}

#[test]
fn old_configuration_strings_are_taken() {
    for argument in [
        "can7",
        "vcan12;0,0,0,-",
        ";threads=3",
        "lo;allow-default-key=true",
    ] {
        let output = tool(&["check", argument], "");
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{argument}: {stderr}");
    }
}

#[test]
fn a_key_in_another_case_is_a_known_one() {
    for (key, known) in [
        ("INTERFACE", "interface"),
        ("KEY-FILE", "key-file"),
        ("KeyFile", "key-file"),
        ("key_file", "key-file"),
        ("WEB-ROOT", "web-root"),
        ("PATH-USERS", "path-users"),
        ("TLS", "tls"),
    ] {
        let output = tool(&["check", &format!("{{{KEY}, \"{key}\": 1}}")], "");
        let expected = format!("1: {key}: unknown key; did you mean \"{known}\"?");
        let stderr = text(&output.stderr);
        assert!(stderr.contains(&expected), "{stderr}");
    }
}

#[test]
fn addresses_and_users_are_looked_at_beside_other_errors() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.json");
    let name = users.to_str().unwrap();
    fs::write(&users, r#"{"users": []}"#).unwrap();
    fs::set_permissions(&users, PermissionsExt::from_mode(0o644)).unwrap();
    let input = format!(
        "{{{KEY}, \"threads\": 0,\n\"interface\": [\"ws://192.0.2.1:1\",\n\"wss://192.0.2.2:2\"],\n\
         \"path-users\": {name:?}}}"
    );
    let output = tool(&["check", "-"], &input);
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    for expected in [
        "error: standard input:1: threads: found 0,",
        "error: standard input:2: interface[0]: found ws://192.0.2.1:1: ",
        "error: standard input:3: interface[1]: found TLS without the key tls",
        "the configuration is not in order: 3 errors",
        &format!("warning: {name}: everybody can read this users file"),
        &format!("warning: {name}: no users are configured"),
    ] {
        assert!(stderr.contains(expected), "{expected}\n{stderr}");
    }

    // If the users cannot be read it is not known that there are none.
    fs::write(&users, r#"{"users": [{"name": "a"}]}"#).unwrap();
    let output = tool(&["check", "-"], &input);
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("everybody can read this users file"),
        "{stderr}"
    );
    assert!(!stderr.contains("no users"), "{stderr}");
}

#[test]
fn each_finding_has_its_place() {
    for (configuration, _) in broken() {
        let output = tool(&["check", "--json", "-"], &configuration);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        for kind in ["errors", "warnings", "notes"] {
            for finding in found[kind].as_array().unwrap() {
                let place = &finding["file"];
                assert!(place.is_string(), "{finding}");
                let start = format!("{}:", place.as_str().unwrap());
                assert!(finding["message"].as_str().unwrap().starts_with(&start));
                assert!(
                    finding["line"].is_u64()
                        || !finding["key"].is_null()
                        || place != "standard input",
                    "{finding}"
                );
            }
        }
    }
}

//! `user`, on files.

use std::{fs, path::PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use vscpl2drv_websocksrv::auth::StoredPassword;

use super::{text, tool};

/// A folder with a configuration that names a users file, which is not there yet.
struct Place {
    _folder: TempDir,
    config: PathBuf,
    users: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("websocksrv.json");
        let users = folder.path().join("users.json");
        let text = serde_json::json!({"allow-default-key": true, "path-users": users});
        fs::write(&config, text.to_string()).unwrap();
        Self {
            _folder: folder,
            config,
            users,
        }
    }

    /// Runs `user ARGUMENTS --config CONFIG` and returns exit status, output, messages.
    fn user(&self, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
        let config = self.config.to_str().unwrap();
        let output = tool(
            &[&["user"], arguments, &["--config", config]].concat(),
            input,
        );
        (
            output.status.code(),
            text(&output.stdout).to_owned(),
            text(&output.stderr).to_owned(),
        )
    }

    fn records(&self) -> Value {
        let text = fs::read_to_string(&self.users).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["users"].take()
    }
}

#[test]
fn a_user_is_added_changed_shown_and_removed() {
    let place = Place::new();
    let arguments = [
        "add",
        "anna",
        "--rights",
        "user/set-filter",
        "--remotes",
        "-10.0.0.1",
        "--note",
        "n",
    ];
    let (code, out, err) = place.user(&arguments, "sécret\n");
    assert_eq!((code, &*out), (Some(0), ""), "{err}");
    assert!(err.contains("users.json: anna is added"), "{err}");
    let stored =
        |records: &Value| StoredPassword::parse(records[0]["password"].as_str().unwrap()).unwrap();
    let records = place.records();
    assert!(stored(&records).matches("anna", "sécret"));
    assert_eq!(records[0]["rights"], "user/set-filter");

    let password = place.config.with_file_name("password");
    fs::write(&password, "other\nmore\n").unwrap();
    let file = password.to_str().unwrap();
    let (code, _, err) = place.user(&["passwd", "anna", "--password-file", file], "");
    assert_eq!(code, Some(0), "{err}");
    assert!(stored(&place.records()).matches("anna", "other"));
    assert_eq!(place.records()[0]["note"], "n");

    let (_, out, _) = place.user(&["list"], "");
    assert!(out.starts_with("anna  may receive, send,"), "{out}");
    assert!(out.ends_with("from any address but 10.0.0.1\n"), "{out}");
    let (_, out, _) = place.user(&["show", "anna"], "");
    assert!(out.contains("stored as PBKDF2 with 600000 rounds"), "{out}");
    let (_, out, _) = place.user(&["show", "anna", "--json"], "");
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(shown["remotes"], "-10.0.0.1");
    let (_, out, _) = place.user(&["list", "--json"], "");
    assert_eq!(
        serde_json::from_str::<Value>(&out).unwrap(),
        Value::from(vec![shown])
    );

    let (code, _, err) = place.user(&["del", "anna"], "");
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(place.records(), Value::from(Vec::<Value>::new()));
}

#[test]
fn what_cannot_be_done_is_an_error_and_changes_nothing() {
    let place = Place::new();
    let (code, _, err) = place.user(&["list"], "");
    assert_eq!(code, Some(1));
    assert!(err.contains("users.json: there is no such file"), "{err}");
    assert_eq!(place.user(&["add", "anna"], "secret").0, Some(0));
    let before = fs::read_to_string(&place.users).unwrap();
    for (arguments, input, expected) in [
        (&["add", "anna"][..], "", "there is a user \"anna\" already"),
        (&["add", "b:c"], "secret", "a user name"),
        (&["add", "b"], "", "the password is empty"),
        (&["add", "b", "--rights", "usr"], "x", "found \"usr\""),
        (&["add", "b", "--remotes", "+x"], "x", "found \"+x\""),
        (
            &["add", "b", "--password-file", "/nonexistent"],
            "",
            "/nonexistent: No such",
        ),
        (&["del", "b"], "", "there is no user \"b\""),
        (&["passwd", "b"], "x", "there is no user \"b\""),
        (&["show", "b"], "", "there is no user \"b\""),
    ] {
        let (code, out, err) = place.user(arguments, input);
        assert_eq!((code, &*out), (Some(1), ""), "{arguments:?}");
        assert!(err.starts_with("error: "), "{err}");
        assert!(err.contains(expected), "{arguments:?}: {err}");
    }
    assert_eq!(fs::read_to_string(&place.users).unwrap(), before);

    fs::write(&place.config, r#"{"allow-default-key": true}"#).unwrap();
    let (_, _, err) = place.user(&["list"], "");
    assert!(err.contains("names no users file (path-users)"), "{err}");
}

#[test]
fn a_broken_record_is_warned_of_mended_and_in_nobodys_way() {
    let place = Place::new();
    assert_eq!(place.user(&["add", "anna"], "secret").0, Some(0));
    let text = fs::read_to_string(&place.users).unwrap();
    let broken = r#""users": [{"name": "bert", "x": 1e3, "password": "broken"},"#;
    fs::write(&place.users, text.replacen("\"users\": [", broken, 1)).unwrap();
    let warning = "users[0].password: found one field that is not 32 hex digits";
    for (arguments, input) in [
        (&["list"][..], ""),
        (&["show", "anna"], ""),
        (&["add", "carl"], "secret"),
        (&["passwd", "anna"], "secret"),
        (&["del", "carl"], ""),
    ] {
        let (code, _, err) = place.user(arguments, input);
        assert_eq!(code, Some(0), "{arguments:?}: {err}");
        assert!(err.contains("warning: ") && err.contains(warning), "{err}");
    }
    let (code, _, err) = place.user(&["show", "bert"], "");
    assert_eq!(code, Some(1));
    assert!(err.contains(warning), "{err}");

    let (code, _, err) = place.user(&["passwd", "bert"], "secret");
    assert_eq!(code, Some(0), "{err}");
    assert!(!err.contains("warning"), "{err}");
    let text = fs::read_to_string(&place.users).unwrap();
    assert!(
        text.contains(r#"{"name": "bert", "x": 1e3, "password": ""#),
        "{text}"
    );
    let (_, out, _) = place.user(&["list"], "");
    assert!(out.starts_with("bert  "), "{out}");
}

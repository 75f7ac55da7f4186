//! Changes that are saved into the file.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use vscpl2drv_websocksrv::driver::Driver;

use super::{ask, configuration, open, value, write};

#[test]
fn save_keeps_the_rest_of_the_file_its_mode_and_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("websocksrv.json");
    let text = configuration(
        r#""write":true,"socketcan":[{"interface":"nocan0","note":"mine"},{"interface":"nocan1"}],
           "users":[{"name":"a","password":"2d1e4f91dae49cd08eaba2293e422273"}]"#,
    );
    // Some editors begin with a mark.
    fs::write(&path, format!("\u{feff}{text}")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let driver = open(path.to_str().unwrap());
    for (name, new) in [
        ("log-level", json!("error")),
        ("filter", json!("3,10,0,-")),
        ("debug", json!(true)),
    ] {
        let reply = ask(
            &driver,
            &json!({"op": "writevar", "name": name, "arg": new}),
        );
        assert_eq!(reply["rv"], "OK", "{reply}");
    }
    assert_eq!(ask(&driver, &json!({"op": "save"}))["rv"], "OK");

    let mut expected: Value = serde_json::from_str(&text).unwrap();
    let logging = expected["logging"].as_object_mut().unwrap();
    logging.remove("console-level");
    logging.insert("console-log-level".into(), json!("error"));
    expected["socketcan"][0]["filter"] = json!("3,10,0,-");
    expected["socketcan"][0]["mask"] = json!("0,0,0,-");
    expected["debug"] = json!(true);
    let saved = fs::read_to_string(&path).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&saved).unwrap(), expected);
    assert!(
        saved.find("interface") < saved.find("users"),
        "the order is kept"
    );
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(files(folder.path()), 1);
    drop(driver);
    assert_eq!(value(&open(path.to_str().unwrap()), "debug"), true);
}

/// A driver with a bus or several, and its file.
fn open_file(folder: &Path, socketcan: &str) -> (Driver, PathBuf) {
    let path = folder.join("websocksrv.json");
    let more = format!(r#""write":true,"socketcan":{socketcan}"#);
    fs::write(&path, configuration(&more)).unwrap();
    (open(path.to_str().unwrap()), path)
}

#[test]
fn what_is_saved_of_a_bus_means_the_same_when_it_is_opened_again() {
    for (socketcan, name, new, filter, mask) in [
        (
            r#"{"filter":"0,10,0,-;0,255,0,-"}"#,
            "mask",
            "0,0x1FF,0,-",
            "0,10,0,-",
            "0,511,0,-",
        ),
        (
            r#"{"filter":"0,10,0,-;0,255,0,-"}"#,
            "filter",
            "0,20,0,-",
            "0,20,0,-",
            "0,255,0,-",
        ),
        (
            r#"{"filter":"0,10"}"#,
            "filter",
            "0,20,0,-",
            "0,20,0,-",
            "255,65535,0,-",
        ),
        ("{}", "filter", "0,20,0,-", "0,20,0,-", "0,0,0,-"),
        ("{}", "mask", "0,255,0,-", "0,0,0,-", "0,255,0,-"),
        (
            r#"{"filter":"0,10,0,-"}"#,
            "interface",
            "nocan1",
            "0,10,0,-",
            "255,65535,65535,-",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (driver, path) = open_file(folder.path(), socketcan);
        write(&driver, name, &json!(new));
        let shown =
            |driver: &Driver| ["interface", "filter", "mask"].map(|name| value(driver, name));
        let running = shown(&driver);
        assert_eq!(running[1..], [json!(filter), json!(mask)], "{socketcan}");
        assert_eq!(ask(&driver, &json!({"op": "save"}))["rv"], "OK");
        drop(driver);
        assert_eq!(shown(&open(path.to_str().unwrap())), running, "{socketcan}");
    }
}

#[test]
fn a_change_is_saved_into_the_bus_that_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (driver, path) = open_file(
        folder.path(),
        r#"[{"enable":false,"interface":"nocan0"},{"interface":"nocan1"},{"interface":"nocan2"}]"#,
    );
    write(&driver, "interface", &json!("nocan3"));
    assert_eq!(ask(&driver, &json!({"op": "save"}))["rv"], "OK");
    drop(driver);
    let saved: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(
        saved["socketcan"],
        json!([
            {"enable": false, "interface": "nocan0"},
            {"interface": "nocan3"},
            {"interface": "nocan2"},
        ])
    );
    assert_eq!(value(&open(path.to_str().unwrap()), "interface"), "nocan3");
}

#[test]
fn a_bus_that_the_file_does_not_have_any_more_is_not_saved() {
    let folder = tempfile::tempdir().unwrap();
    let (driver, path) = open_file(
        folder.path(),
        r#"[{"enable":false},{"interface":"nocan1"}]"#,
    );
    write(&driver, "interface", &json!("nocan3"));
    for socketcan in ["[{}]", "7"] {
        let text = configuration(&format!(r#""socketcan":{socketcan}"#));
        fs::write(&path, &text).unwrap();
        let reply = ask(&driver, &json!({"op": "save"}));
        assert_eq!(reply["rv"], "ERROR", "{reply}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn save_keeps_the_rights_and_the_owner_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (driver, path) = open_file(folder.path(), "{}");
    // More than the umask leaves, and where that is allowed another owner.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let _ = chown(&path, Some(12), Some(34));
    let rights = || {
        let metadata = fs::metadata(&path).unwrap();
        (
            metadata.mode(),
            metadata.uid(),
            metadata.gid(),
            metadata.ino(),
        )
    };
    let before = rights();
    write(&driver, "debug", &json!(true));
    assert_eq!(ask(&driver, &json!({"op": "save"}))["rv"], "OK");
    let after = rights();
    assert_eq!((after.0, after.1, after.2), (before.0, before.1, before.2));
    assert_ne!(after.3, before.3, "it is a new file");
}

#[test]
fn a_file_that_cannot_be_replaced_is_an_error_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("websocksrv.json");
    fs::write(&path, configuration(r#""write":true"#)).unwrap();
    let driver = open(path.to_str().unwrap());
    fs::write(&path, "{").unwrap();
    assert_eq!(ask(&driver, &json!({"op": "save"}))["rv"], "ERROR");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{");
    assert_eq!(files(folder.path()), 1);
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

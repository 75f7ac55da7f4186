//! Where a configuration comes from, and how paths in it are read.

use std::{env, fs};

use serde_json::json;
use tempfile::TempDir;
use vscpl2drv_websocksrv::{config::Config, http::StaticFiles, ws::Protocol};

use super::{assert_one_line, with_line};
use crate::common::{Client, Server, configuration, log_path, messages::Heard, open, user};

#[test]
fn relative_paths_are_those_from_the_folder_at_the_time_of_opening() {
    let folder = TempDir::new().unwrap();
    let here = env::current_dir().unwrap();
    let name_of_here = here.file_name().unwrap().to_str().unwrap();
    // Through this folder by its name, so that the path leads nowhere from another one.
    let up = "../".repeat(here.components().count() - 1);
    let relative = |name: &str| {
        let path = folder.path().join(name);
        format!("../{name_of_here}/{up}.{}", path.display())
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
    let StaticFiles::Folder(web_root) = config.http.files else {
        panic!("{:?}", config.http.files);
    };
    for (path, name) in [
        (config.file.unwrap(), "driver.json"),
        (web_root, "www"),
        (log, "log.txt"),
    ] {
        assert!(path.is_absolute(), "{path:?}");
        assert_eq!(path.file_name().unwrap(), name);
        let parent = path.parent().unwrap().canonicalize().unwrap();
        assert_eq!(parent, folder.path().canonicalize().unwrap());
    }
    let users = format!("{:?}", config.users_file.unwrap());
    assert!(users.contains("path: \"/"), "{users}");
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
        let mut client = Client::greeted(driver.addresses()[0], Protocol::Ws1);
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
    let mut client = Client::greeted(driver.addresses()[0], Protocol::Ws1);
    client.login("me");
}

#[test]
fn a_users_file_that_is_missing_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.json");
    let server = Server::start(json!({"path-users": path, "users": null}));
    server.wait_for_log(&format!(
        "warning inline configuration:1: path-users: {}: there is no such file; nobody can log in",
        path.display()
    ));
    let reply = server.connect(Protocol::Ws1).try_login("filed", "secret");
    assert_eq!(reply, Heard::failed("AUTH", 5));
    let users = json!({"users": [user("filed", json!({}))]});
    fs::write(&path, users.to_string()).unwrap();
    server.wait_for_log(&format!(
        "info {}: has changed, 1 user read",
        path.display()
    ));
    server.login(Protocol::Ws1, "filed");
}

#[test]
fn a_users_file_that_is_wrong_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.json");
    let name = path.to_string_lossy().into_owned();
    let error = || open(&with_line("path-users", &json!(path).to_string())).unwrap_err();
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

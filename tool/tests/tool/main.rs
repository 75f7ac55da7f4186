//! The command line tool as people use it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cert;
mod check;
mod client;
mod run;
mod setup;
mod user;

use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    path::Path,
    process::{Command, Output, Stdio},
};

use vscpl2drv_websocksrv::auth::StoredPassword;

const TOOL: &str = env!("CARGO_BIN_EXE_vscpl2drv-websocksrv");
const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/demo.json");

fn tool(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(TOOL)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has read anything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

#[test]
fn a_message_is_written_at_once_so_that_processes_can_share_a_pipe() {
    let (read, write) = UnixDatagram::pair().unwrap();
    let status = Command::new(TOOL)
        .args(["check", r#"{"thread":1}"#])
        .stdout(Stdio::null())
        .stderr(Stdio::from(OwnedFd::from(write)))
        .status();
    assert!(!status.unwrap().success());
    read.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4096];
    let mut messages = 0;
    while let Ok(size) = read.recv(&mut buffer) {
        let line = text(&buffer[..size]);
        assert!(line.contains(": ") && line.ends_with('\n'), "{line:?}");
        messages += 1;
    }
    assert!(messages > 1);
}

#[test]
fn check_says_what_a_good_configuration_is() {
    // The demo itself may run, which is a warning.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.json");
    let demo = fs::read_to_string(DEMO).unwrap();
    fs::write(&path, demo.replace(":8884", ":0")).unwrap();
    let path = path.to_str().unwrap();
    let output = tool(&["check", path], "");
    assert!(output.status.success());
    let stdout = text(&output.stdout);
    assert!(stdout.starts_with(&format!("OK {path}\n")), "{stdout}");
    for part in [
        "ws://localhost:0\n",
        "/ws1\n",
        "/ws2\n",
        "the one that everybody knows\n",
        "admin: may do everything; from only 127.0.0.0/8, ::1\n",
    ] {
        assert!(stdout.contains(part), "{stdout}");
    }
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn check_shows_warnings_and_notes_and_succeeds() {
    let output = tool(
        &[
            "check",
            r#"{"allow-default-key":true,"interface":"ws://127.0.0.1:0","thread":1,"encryption":0}"#,
        ],
        "",
    );
    assert!(output.status.success());
    let stderr = text(&output.stderr);
    for line in [
        "warning: inline configuration:1: thread: unknown key; did you mean \"threads\"?\n",
        "warning: inline configuration: users: no users are configured, so nobody can log in\n",
        "note: inline configuration:1: encryption: known, without effect\n",
    ] {
        assert!(stderr.contains(line), "{stderr}");
    }
}

#[test]
fn check_says_what_is_wrong_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("websocksrv.json");
    let name = path.to_str().unwrap();
    let key = r#""allow-default-key": true"#;
    for (configuration, expected) in [
        (
            format!("{{\n{key},\n\"threads\": 0}}"),
            ":3: threads: found 0, expected a whole number from 1 to 64",
        ),
        (format!("{{\n{key},\n"), "expected valid JSON"),
        ("{}".to_owned(), ":1: found no \"key-file\""),
        (
            format!("{{{key}, \"interface\": \"wss://localhost\"}}"),
            ":1: interface: found TLS without the key tls",
        ),
        (
            format!("{{{key}, \"path-users\": \"/\"}}"),
            ":1: path-users: found /: Is a directory",
        ),
        (
            format!("{{{key}, \"users\": [{{\"name\": \"a\"}}]}}"),
            ":1: users[0]: found no \"password\"",
        ),
    ] {
        fs::write(&path, &configuration).unwrap();
        let output = tool(&["check", name], "");
        assert_eq!(output.status.code(), Some(1), "{configuration}");
        assert_eq!(text(&output.stdout), "");
        let stderr = text(&output.stderr);
        assert!(stderr.contains(expected), "{stderr}");
        assert_eq!(stderr.matches("error: ").count(), 2, "{stderr}");
        let last = "error: the configuration is not in order: 1 error";
        assert_eq!(stderr.lines().last(), Some(last));
    }
    let output = tool(&["check", "/nonexistent.json"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/nonexistent.json"));
}

#[test]
fn check_warns_of_an_address_that_is_taken() {
    // No other test listens on this address, also when it is free again.
    let taken = TcpListener::bind("127.0.0.9:0").unwrap();
    let address = taken.local_addr().unwrap();
    let configuration = format!(r#"{{"allow-default-key":true,"interface":"ws://{address}"}}"#);
    let output = tool(&["check", &configuration], "");
    assert!(output.status.success());
    let stderr = text(&output.stderr);
    let expected = format!("warning: inline configuration:1: interface: ws://{address}: ");
    assert!(stderr.contains(&expected), "{stderr}");

    drop(taken);
    let output = tool(&["check", &configuration], "");
    assert!(!text(&output.stderr).contains("run already"));
}

#[test]
fn passwd_prints_what_the_users_file_stores() {
    for input in ["sécret: 1\r\nmore", "sécret: 1"] {
        let output = tool(&["passwd", "anna"], input);
        assert!(output.status.success());
        let stored = text(&output.stdout).strip_suffix('\n').unwrap();
        let stored = StoredPassword::parse(stored).unwrap();
        assert_eq!(stored.rounds(), 600_000);
        assert!(stored.matches("anna", "sécret: 1"));
        let stderr = text(&output.stderr);
        assert!(stderr.contains("users file"), "{stderr}");
        assert!(!stderr.contains("sécret"), "{stderr}");
    }
}

#[test]
fn passwd_refuses_what_nobody_could_log_in_with() {
    let long = "x".repeat(511);
    for (user, password, expected) in [
        ("anna", "", "empty"),
        ("anna", "\n", "empty"),
        ("anna", "secret \n", "ends with a space"),
        ("anna", "sec\tret\n", "control character"),
        ("a", &*long, "over 512 bytes"),
        ("a:b", "secret", "user name"),
        ("a;b", "secret", "user name"),
        (" ", "secret", "user name"),
    ] {
        let output = tool(&["passwd", user], password);
        assert_eq!(output.status.code(), Some(1), "{user:?} {password:?}");
        assert_eq!(text(&output.stdout), "");
        let stderr = text(&output.stderr);
        assert!(stderr.contains(expected), "{stderr}");
    }
    assert!(tool(&["passwd", "a"], &long[1..]).status.success());
}

#[test]
fn key_prints_32_hex_digits_another_time_others() {
    let keys = [(), ()].map(|()| {
        let output = tool(&["key"], "");
        assert!(output.status.success());
        assert!(text(&output.stderr).contains("key-file"));
        let key = text(&output.stdout).strip_suffix('\n').unwrap().to_owned();
        assert_eq!(hex::decode(&key).unwrap().len(), 16);
        key
    });
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn help_shows_examples_without_colours() {
    for command in [
        &[][..],
        &["run"],
        &["serve"],
        &["check"],
        &["setup"],
        &["user"],
        &["send"],
        &["watch"],
        &["passwd"],
        &["key"],
        &["cert"],
    ] {
        let output = tool(&[command, &["--help"]].concat(), "");
        assert!(output.status.success());
        let help = text(&output.stdout);
        let example = ["vscpl2drv-websocksrv", command.first().unwrap_or(&"run")].join(" ");
        let (_, examples) = help.split_once("Examples:\n").unwrap();
        assert!(examples.contains(&example), "{help}");
        assert!(!help.contains('\x1b'), "{help}");
    }
}

#[test]
fn a_wrong_command_line_is_refused_with_the_right_one() {
    for (arguments, expected) in [
        (&[][..], "Usage:"),
        (&["rum"], "'run'"),
        (&["run"], "<CONFIG>"),
        (&["run", DEMO, "--simulate", "0"], "from 0.001 to 100000"),
        (&["passwd"], "<USER>"),
    ] {
        let output = tool(arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let stderr = text(&output.stderr);
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn the_demo_needs_no_file_outside_the_project() {
    let demo = fs::read_to_string(DEMO).unwrap();
    for key in ["key-file", "path-users", "file-path", "web-root"] {
        assert!(!demo.contains(key), "{key}");
    }
    assert!(Path::new(DEMO).is_file());
}

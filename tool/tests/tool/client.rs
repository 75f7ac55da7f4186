//! `send` and `watch`, with a driver that runs.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use super::{
    TOOL,
    run::{Running, wait_for},
    text, tool,
};

/// Runs the tool as the demo's user, with more variables and arguments.
fn client(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(TOOL)
        .args(arguments)
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("VSCP_PASSWORD", "secret")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Lets the temperatures of the simulated house through.
const TEMPERATURES: &str = "3,10,6,-;7,0xFFFF,0xFFFF,-";

#[test]
fn events_are_sent_and_watched_over_both_protocols() {
    let running = Running::start(&["--simulate", "20"]);
    for path in ["", "/ws1", "/ws2"] {
        let url = format!("ws://{}{path}", running.address);
        let output = client(
            &[("VSCP_URL", &url)],
            &[
                "watch",
                "-n",
                "3",
                "-W",
                "60",
                "--class",
                "10",
                "--filter",
                TEMPERATURES,
            ],
        );
        assert!(output.status.success(), "{}", text(&output.stderr));
        let lines: Vec<_> = text(&output.stdout).lines().collect();
        assert_eq!(lines.len(), 3);
        for line in lines {
            assert!(line.contains("  Measurement, Temperature: "), "{line}");
            assert!(line.contains(" °C"), "{line}");
        }

        let output = client(
            &[],
            &[
                "watch",
                "--json",
                "-n",
                "1",
                "-W",
                "60",
                "--url",
                &url,
                "--filter",
                TEMPERATURES,
            ],
        );
        let event: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(event["measurement"]["unit"], "°C");
        assert_eq!(event["class-name"], "Measurement");

        let output = client(
            &[("VSCP_URL", &url)],
            &[
                "send",
                "--measurement",
                "temperature",
                "--value",
                "-1.5",
                "--unit",
                "1",
            ],
        );
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "note: 1 event sent\n");
        wait_for(&running.stdout, " 1060     6    3 ");
        let output = client(
            &[("VSCP_URL", &url)],
            &["send", "224,20,3,0,,,-,1,0xff", "0,30,5,0,,,-"],
        );
        assert_eq!(text(&output.stderr), "note: 2 events sent\n");
        assert!(wait_for(&running.stdout, "   20     3    7 ").ends_with("0x01,0xFF"));
        wait_for(&running.stdout, "   30     5    0 ");
        let output = client(
            &[("VSCP_URL", &url)],
            &[
                "send",
                "--class",
                "20",
                "--type",
                "9",
                "--priority",
                "1",
                "--data",
                "7",
            ],
        );
        assert!(output.status.success());
        assert!(wait_for(&running.stdout, "   20     9    1 ").ends_with("0x07"));
    }
}

#[test]
fn a_client_trusts_the_certificate_that_it_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let output = tool(
        &[
            "cert",
            "--out",
            folder.path().to_str().unwrap(),
            "127.0.0.1",
        ],
        "",
    );
    assert!(output.status.success());
    let keys = format!(
        r#""interface": "wss://127.0.0.1:0", "tls": {{"cert": {:?}, "key": {:?}}}"#,
        path("cert.pem"),
        path("key.pem")
    );
    let running = Running::start_with(&keys, &["--simulate", "20"]);
    let config = path("client.json");
    let settings = serde_json::json!({
        "url": format!("wss://{}/ws2", running.address),
        "user": "admin", "ca": path("cert.pem"),
    });
    fs::write(&config, settings.to_string()).unwrap();
    let arguments = [
        "watch",
        "-n",
        "1",
        "-W",
        "60",
        "--config",
        &config,
        "--filter",
        TEMPERATURES,
    ];
    let output = client(&[], &arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("Temperature"));

    let output = client(
        &[("VSCP_CA", "/etc/ssl/certs/ca-certificates.crt")],
        &arguments,
    );
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
}

#[test]
fn the_exit_status_tells_why_a_client_ended() {
    let running = Running::start(&[]);
    let url = format!("ws://{}", running.address);
    let of = |variables: &[(&str, &str)], arguments: &[&str]| {
        let output = client(&[&[("VSCP_URL", &*url)], variables].concat(), arguments);
        (output.status.code(), text(&output.stderr).to_owned())
    };
    let (code, err) = of(&[], &["watch", "-n", "1", "-W", "0.2"]);
    assert_eq!(code, Some(3));
    assert_eq!(err, "error: the time is over after 0 of 1 events\n");
    assert_eq!(of(&[], &["watch", "-W", "0.2"]).0, Some(0));
    let (code, err) = of(&[("VSCP_PASSWORD", "wrong")], &["watch", "-W", "60"]);
    assert_eq!(code, Some(4));
    let known = "error: the login with the well-known key (--key-file names that of the server) \
                 is refused: Not authorised.";
    assert!(err.starts_with(known), "{err}");
    let key = "00".repeat(16);
    let (code, err) = of(&[("VSCP_KEY", &*key)], &["watch", "-W", "60"]);
    assert_eq!(code, Some(4));
    assert!(err.starts_with("error: the login is refused: "), "{err}");
    let (code, err) = of(&[], &["send", "20,3"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("\"20,3\": type: found"), "{err}");
    let (code, err) = of(&[("VSCP_KEY", "12")], &["watch"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("key: found 2 hex digits"), "{err}");
    for arguments in [
        &["send"][..],
        &["watch", "-n", "0"],
        &["watch", "--filter", "x"],
    ] {
        assert_eq!(of(&[], arguments).0, Some(2), "{arguments:?}");
    }
    let (code, err) = of(&[("VSCP_URL", "ws://127.0.0.1:1")], &["watch"]);
    assert_eq!(code, Some(1));
    assert!(err.starts_with("error: ws://127.0.0.1:1/ws1: "), "{err}");
}

#[test]
fn what_is_odd_in_the_file_of_a_client_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("client.json");
    let name = path.to_str().unwrap();
    let file = r#"{"// u": 1, "url": "ws://127.0.0.1:1", "usr": "x", "PASSWORD": "y", "key": 7, "password": "s3cret"}"#;
    fs::write(&path, file).unwrap();
    let expected = [
        "usr: unknown key; did you mean \"user\"?",
        "PASSWORD: unknown key; did you mean \"password\"?",
        "key: no effect, expected a string",
        "others can read the secret in it (mode 644); chmod 600",
    ];
    for (mode, warned) in [(0o644, 4), (0o600, 3)] {
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let output = client(&[], &["watch", "--config", name]);
        let stderr = text(&output.stderr);
        for expected in &expected[..warned] {
            let line = format!("warning: {name}: {expected}\n");
            assert!(stderr.contains(&line), "{line}{stderr}");
        }
        assert_eq!(stderr.matches("warning: ").count(), warned, "{stderr}");
        assert!(!stderr.contains("s3cret"), "{stderr}");
    }
}

#[test]
fn a_class_that_is_no_number_is_refused_with_what_is_expected() {
    for command in ["watch", "send"] {
        let output = client(&[], &[command, "--class", "temperature", "--type", "1"]);
        assert_eq!(output.status.code(), Some(2));
        let stderr = text(&output.stderr);
        assert!(
            stderr.contains("expected a number from 0 to 65535"),
            "{stderr}"
        );
    }
}

//! `cert`.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use serde_json::{Value, json};
use vscpl2drv_websocksrv::driver::{Driver, Host};

use super::{text, tool};

#[test]
fn a_server_with_the_files_of_cert_is_trusted_by_who_has_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    for names in [&[][..], &["localhost", "127.0.0.1"]] {
        let output = tool(&[&["cert", "--out", out], names].concat(), "");
        assert!(output.status.success(), "{output:?}");
        assert!(text(&output.stderr).contains("localhost, 127.0.0.1"));
        let line = text(&output.stdout).strip_prefix("\"tls\": ").unwrap();
        let tls: Value = serde_json::from_str(line).unwrap();
        let certificate = tls["cert"].as_str().unwrap().to_owned();
        let key = tls["key"].as_str().unwrap().to_owned();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&key), 0o600);

        let config = json!({
            "interface": "wss://127.0.0.1:0",
            "tls": tls,
            "allow-default-key": true,
            "logging": {"console-enable-log": false},
        });
        let driver = Driver::open(&config.to_string(), None, Host::default()).unwrap();
        for host in ["localhost", "127.0.0.1"] {
            let url = format!("https://{host}:{}/nothing", driver.addresses()[0].port());
            let curl = Command::new("curl")
                .args(["-sS", "--ipv4", "--cacert", &certificate, &url])
                .output()
                .expect("curl");
            assert_eq!(text(&curl.stdout), "There is nothing here.\n", "{curl:?}");
        }
        [certificate, key]
            .iter()
            .for_each(|path| fs::remove_file(path).unwrap());
    }
}

#[test]
fn cert_replaces_nothing_and_leaves_nothing_half_done() {
    for there in ["cert.pem", "key.pem"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(there), "precious").unwrap();
        let output = tool(&["cert", "--out", folder.path().to_str().unwrap()], "");
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stdout), "");
        let stderr = text(&output.stderr);
        assert!(
            stderr.contains(&format!("{there}: File exists")),
            "{stderr}"
        );
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(files.len(), 1);
        let kept = fs::read_to_string(folder.path().join(there)).unwrap();
        assert_eq!(kept, "precious");
    }
}

#[test]
fn cert_refuses_what_no_server_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    for name in ["wss://localhost", "a b", "", "10.0.0.1:8884", "ä"] {
        let output = tool(&["cert", "--out", out, name], "");
        assert_eq!(output.status.code(), Some(1), "{name}");
        let stderr = text(&output.stderr);
        let expected = format!("error: {name:?} is no name or address of a server\n");
        assert_eq!(stderr, expected);
    }
    for name in ["*.example.org", "fe80::1", "10.0.0.1", "my_host"] {
        let output = tool(&["cert", "--days", "1", "--out", out, name], "");
        assert!(output.status.success(), "{output:?}");
        fs::remove_file(folder.path().join("cert.pem")).unwrap();
        fs::remove_file(folder.path().join("key.pem")).unwrap();
    }
}

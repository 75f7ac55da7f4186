//! openssl and curl as clients.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;
use tempfile::TempDir;

use crate::common::{
    Client, Server,
    tls::{Authority, VALID},
};

struct Secure {
    server: Server,
    folder: TempDir,
}

/// A server with TLS, and `ca.pem`, `client.pem` and `client.key` in its folder.
fn start(asks_clients: bool) -> Secure {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let client = authority.issue(VALID);
    fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
    fs::write(folder.path().join("client.pem"), client.certificate).unwrap();
    fs::write(folder.path().join("client.key"), client.key).unwrap();
    let mut tls = authority.tls(folder.path());
    if asks_clients {
        tls["ca"] = json!(folder.path().join("ca.pem"));
    }
    Secure {
        server: Server::start_tls(&tls, json!({})),
        folder,
    }
}

/// Its success, and all that it printed.
fn run(program: &str, arguments: &[&str], input: &str, folder: &Path) -> (bool, String) {
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn curl_gets_an_answer() {
    let Secure { server, folder } = start(false);
    let url = format!("https://localhost:{}/nothing", server.address().port());
    for version in [&["--tlsv1.2", "--tls-max", "1.2"][..], &["--tlsv1.3"]] {
        let arguments = [&["-sSi", "--ipv4", "--cacert", "ca.pem", &url], version].concat();
        let (success, text) = run("curl", &arguments, "", folder.path());
        assert!(success && text.starts_with("HTTP/1.1 404 "), "{text}");
        assert!(text.ends_with("There is nothing here.\n"), "{text}");
    }
}

#[test]
fn curl_is_told_that_the_port_speaks_tls() {
    let Secure { server, folder } = start(false);
    let url = format!("http://{}/ws1", server.address());
    let (success, text) = run("curl", &["-sS", &url], "", folder.path());
    assert!(success);
    assert_eq!(text, "This port speaks TLS: use https:// or wss://.\n");
}

#[test]
fn curl_needs_its_certificate_where_one_is_asked_for() {
    let Secure { server, folder } = start(true);
    let url = format!("https://localhost:{}/nothing", server.address().port());
    let base = ["-sSi", "--ipv4", "--cacert", "ca.pem", &url];
    let (success, text) = run("curl", &base, "", folder.path());
    assert!(!success && text.contains("certificate required"), "{text}");
    let identity = ["--cert", "client.pem", "--key", "client.key"];
    let (success, text) = run("curl", &[&base[..], &identity].concat(), "", folder.path());
    assert!(success && text.starts_with("HTTP/1.1 404 "), "{text}");
}

#[test]
fn openssl_gets_a_websocket_in_both_versions() {
    let Secure { server, folder } = start(false);
    let address = server.address().to_string();
    let request = Client::request("/ws1", "");
    for (option, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let arguments = [
            "s_client",
            "-connect",
            &address,
            "-servername",
            "localhost",
            "-CAfile",
            "ca.pem",
            "-verify_return_error",
            "-alpn",
            "h2,http/1.1",
            "-ign_eof",
            option,
        ];
        // A frame that is none, so that the server ends the connection.
        let input = format!("{request}\u{1}\u{1}\u{1}");
        let (_, text) = run("openssl", &arguments, &input, folder.path());
        assert!(text.contains("Verify return code: 0 (ok)"), "{text}");
        assert!(text.contains(&format!("New, {version}, ")), "{text}");
        assert!(text.contains("ALPN protocol: http/1.1"), "{text}");
        assert!(text.contains("HTTP/1.1 101 "), "{text}");
        assert!(text.contains("+;AUTH0;"), "{text}");
    }
}

#[test]
fn openssl_resumes_sessions() {
    let Secure { server, folder } = start(false);
    let address = server.address().to_string();
    let arguments = ["s_client", "-connect", &address, "-tls1_2", "-reconnect"];
    let (_, text) = run("openssl", &arguments, "", folder.path());
    assert_eq!(text.matches("Reused, TLSv1.2").count(), 5, "{text}");
}

//! Files that change while the driver runs.

use std::{fs, thread, time::Duration};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::{
    certificates::{Authority, EXPIRED, Files, VALID, put},
    client::{ANY, Peer},
    common::Server,
};

/// Files are looked at once a second.
fn wait_for_look() {
    thread::sleep(Duration::from_millis(1100));
}

#[test]
fn new_connections_get_the_new_certificate_and_the_old_ones_stay() {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let files = Files::write(folder.path(), &authority.issue(VALID));
    let server = Server::start(json!({"interface": "wss://127.0.0.1:0", "tls": files.tls()}));
    let peer = Peer::new(&authority, ANY, None);
    let first = peer.get(server.address()).unwrap();
    let mut client = peer.open(&server, Protocol::Ws1);

    wait_for_look();
    files.replace(&authority.issue(VALID));
    // Though it could have gone on with its session.
    let second = peer.get(server.address()).unwrap();
    assert_ne!(first.certificate(), second.certificate());
    server.wait_for_log(&format!(
        "info {}, {}: changed, new connections use what is there now",
        files.certificate.display(),
        files.key.display()
    ));
    let third = peer.get(server.address()).unwrap();
    assert_eq!(second.certificate(), third.certificate());

    client.command("NOOP");
    server.host_writes(1);
    client.expect_events([1]);
}

#[test]
fn files_that_are_wrong_change_nothing_and_the_log_says_why_once() {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let files = Files::write(folder.path(), &authority.issue(VALID));
    let server = Server::start(json!({"interface": "wss://127.0.0.1:0", "tls": files.tls()}));
    let peer = Peer::new(&authority, ANY, None);
    let first = peer.get(server.address()).unwrap();
    let certificate = files.certificate.display().to_string();
    let key = files.key.display().to_string();
    let new = authority.issue(VALID);
    wait_for_look();
    for (path, text, expected) in [
        (
            &files.certificate,
            Some("nothing"),
            format!("{certificate}: found no PEM, expected a certificate chain in PEM"),
        ),
        (
            &files.certificate,
            Some(&*authority.issue(EXPIRED).certificate),
            format!("{certificate}: found a certificate that expired on 2002-01-01T00:00:00Z"),
        ),
        // The first of two files that are written one after the other.
        (
            &files.certificate,
            Some(&*new.certificate),
            format!("{key}: found a key that does not match the certificate"),
        ),
        (
            &files.key,
            None,
            format!("{key}: found No such file or directory (os error 2)"),
        ),
    ] {
        match text {
            Some(text) => put(path, text),
            None => fs::remove_file(path).unwrap(),
        }
        for _ in 0..2 {
            let response = peer.get(server.address()).unwrap();
            assert_eq!(response.certificate(), first.certificate());
            wait_for_look();
        }
        let log = server.log();
        let lines: Vec<_> = log
            .lines()
            .filter(|line| line.contains(&expected))
            .collect();
        assert_eq!(lines.len(), 1, "{expected} in {log}");
        assert!(lines[0].starts_with("error "), "{lines:?}");
        assert!(
            lines[0].ends_with("; new connections use what was there before"),
            "{lines:?}"
        );
    }

    put(&files.key, &new.key);
    let response = peer.get(server.address()).unwrap();
    assert_ne!(response.certificate(), first.certificate());
}

#[test]
fn a_client_whose_authority_is_taken_out_is_let_in_no_more() {
    let authority = Authority::new("authority");
    let others = Authority::new("others");
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, others.pem()).unwrap();
    let mut tls = authority.tls(folder.path());
    tls["ca"] = json!(ca);
    let server = Server::start(json!({"interface": "wss://127.0.0.1:0", "tls": tls}));
    let peer = Peer::new(&authority, ANY, Some(&others.issue(VALID)));
    peer.get(server.address()).unwrap();

    wait_for_look();
    put(&ca, &authority.pem());
    assert_eq!(
        peer.get(server.address()).unwrap_err(),
        "received fatal alert: UnknownCA"
    );
}

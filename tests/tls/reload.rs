//! Files that change while the driver runs.

use std::{fs, thread};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::{
    client::{ANY, Peer},
    common::{
        Server,
        configuration::FILE_CHECK_INTERVAL,
        files::replace_file,
        tls::{Authority, EXPIRED, Files, VALID},
    },
};

#[test]
fn new_connections_get_the_new_certificate_and_the_old_ones_stay() {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let files = Files::write(folder.path(), &authority.issue(VALID));
    let server = Server::start_tls(&files.tls(), json!({}));
    let peer = Peer::new(&authority, ANY, None);
    let first = peer.get(server.address()).unwrap();
    let mut client = peer.open(&server, Protocol::Ws1);

    files.replace(&authority.issue(VALID));
    // The two files may be noticed one after the other.
    server.wait_for_log(&format!("{} changed", files.key.display()));
    // Though it could have gone on with its session.
    let second = peer.get(server.address()).unwrap();
    assert_ne!(first.certificate(), second.certificate());
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
    let server = Server::start_tls(&files.tls(), json!({}));
    let peer = Peer::new(&authority, ANY, None);
    let first = peer.get(server.address()).unwrap();
    let certificate = files.certificate.display().to_string();
    let key = files.key.display().to_string();
    let new = authority.issue(VALID);
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
            Some(text) => replace_file(path, text),
            None => fs::remove_file(path).unwrap(),
        }
        server.wait_for_log(&expected);
        // Long enough for further checks, which must not log it again.
        thread::sleep(10 * FILE_CHECK_INTERVAL);
        let response = peer.get(server.address()).unwrap();
        assert_eq!(response.certificate(), first.certificate());
        let log = server.log();
        let lines: Vec<_> = log
            .lines()
            .filter(|line| line.contains(&expected))
            .collect();
        assert_eq!(lines.len(), 1, "{expected} in {log}");
        assert!(lines[0].starts_with("error "), "{lines:?}");
        assert!(
            lines[0].ends_with("; new connections use the old ones"),
            "{lines:?}"
        );
    }

    replace_file(&files.key, &new.key);
    server.wait_for_log("TLS files reloaded for new connections: ");
    let response = peer.get(server.address()).unwrap();
    assert_ne!(response.certificate(), first.certificate());
    let log = server.close_and_log();
    let errors = log.lines().filter(|line| line.starts_with("error "));
    assert_eq!(errors.count(), 4, "{log}");
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
    let server = Server::start_tls(&tls, json!({}));
    let peer = Peer::new(&authority, ANY, Some(&others.issue(VALID)));
    peer.get(server.address()).unwrap();

    replace_file(&ca, &authority.pem());
    server.wait_for_log("TLS files reloaded for new connections: ");
    assert_eq!(
        peer.get(server.address()).unwrap_err(),
        "received fatal alert: UnknownCA"
    );
}

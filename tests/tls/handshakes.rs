//! Handshakes: versions, client certificates, sessions, and peers that do none.

use std::{
    fs,
    io::{Read, Write},
};

use rustls::{HandshakeKind, ProtocolVersion};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    client::{ANY, Peer, V1_2, V1_3},
    common::{
        Server,
        configuration::merge,
        tcp,
        tls::{Authority, EXPIRED, VALID},
    },
};

/// A server with TLS; `keys` are added to its key `tls`.
fn start(authority: &Authority, folder: &TempDir, keys: Value) -> Server {
    Server::start_tls(&merge(authority.tls(folder.path()), keys), json!({}))
}

#[test]
fn both_versions_are_spoken_and_http_in_them() {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let server = start(&authority, &folder, json!({}));
    for (versions, expected) in [
        (V1_2, ProtocolVersion::TLSv1_2),
        (V1_3, ProtocolVersion::TLSv1_3),
        (ANY, ProtocolVersion::TLSv1_3),
    ] {
        let peer = Peer::new(&authority, versions, None);
        let response = peer.get(server.address()).unwrap();
        assert_eq!(response.connection.protocol_version(), Some(expected));
        assert_eq!(response.status, 404);
    }
}

#[test]
fn a_version_that_is_too_old_is_refused() {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let server = start(&authority, &folder, json!({"min-version": "1.3"}));
    let refused = Peer::new(&authority, V1_2, None).get(server.address());
    assert_eq!(
        refused.unwrap_err(),
        "received fatal alert: ProtocolVersion"
    );
    Peer::new(&authority, V1_3, None)
        .get(server.address())
        .unwrap();
}

#[test]
fn only_clients_with_a_certificate_of_the_right_authority_are_let_in() {
    let authority = Authority::new("authority");
    let others = Authority::new("others");
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    // One of several.
    fs::write(&ca, Authority::new("third").pem() + &authority.pem()).unwrap();
    let server = start(&authority, &folder, json!({"ca": ca}));
    let right = authority.issue(VALID);
    let wrong = others.issue(VALID);
    let expired = authority.issue(EXPIRED);
    for versions in [V1_2, V1_3] {
        let get = |identity| Peer::new(&authority, versions, identity).get(server.address());
        let response = get(Some(&right)).unwrap();
        assert_eq!(response.status, 404);
        for (identity, alert) in [
            (Some(&wrong), "UnknownCA"),
            (Some(&expired), "CertificateExpired"),
            (None, "CertificateRequired"),
        ] {
            assert_eq!(
                get(identity).unwrap_err(),
                format!("received fatal alert: {alert}")
            );
        }
    }
    // Of many the first one.
    server.wait_for_log(
        "TLS handshake with 127.0.0.1 failed: invalid peer certificate: UnknownIssuer",
    );
}

#[test]
fn a_session_is_resumed() {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let server = start(&authority, &folder, json!({}));
    for versions in [V1_2, V1_3] {
        let peer = Peer::new(&authority, versions, None);
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let response = peer.get(server.address()).unwrap();
            assert_eq!(response.connection.handshake_kind(), Some(expected));
        }
    }
}

#[test]
fn no_session_is_resumed_where_clients_must_show_a_certificate() {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, authority.pem()).unwrap();
    let server = start(&authority, &folder, json!({"ca": ca}));
    let identity = authority.issue(VALID);
    for versions in [V1_2, V1_3] {
        let peer = Peer::new(&authority, versions, Some(&identity));
        for _ in 0..2 {
            let response = peer.get(server.address()).unwrap();
            assert_eq!(
                response.connection.handshake_kind(),
                Some(HandshakeKind::Full)
            );
        }
    }
}

#[test]
fn plain_http_gets_a_clear_answer() {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let server = start(&authority, &folder, json!({}));
    for request in [
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".into(),
        // More than is read of it.
        format!("POST /x HTTP/1.1\r\n\r\n{}", "x".repeat(60_000)),
    ] {
        let mut stream = tcp(server.address());
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 "), "{response}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
        assert_eq!(body, "This port speaks TLS: use https:// or wss://.\n");
    }
}

#[test]
fn what_is_neither_tls_nor_http_is_sent_away_at_once() {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let server = start(&authority, &folder, json!({}));
    for bytes in [&b"\0\0\0\0\0\0\0\0"[..], b"\x16\x03\x01\0\x05hello"] {
        let mut stream = tcp(server.address());
        stream.write_all(bytes).unwrap();
        // An alert, at most.
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.len() <= 7, "{answer:?}");
    }
    server.wait_for_log("TLS handshake with 127.0.0.1 failed: received corrupt message");
}

#[test]
fn plain_and_secure_interfaces_are_open_at_once() {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(json!({
        "interface": ["http://127.0.0.1:0", "https://127.0.0.1:0"],
        "tls": authority.tls(folder.path()),
    }));
    let [plain, secure] = server.driver.addresses() else {
        panic!("two addresses");
    };
    server.wait_for_log(&format!("listening on ws://{plain}, wss://{secure};"));
    assert_eq!(server.get("/nothing").status, 404);
    let response = Peer::new(&authority, ANY, None).get(*secure).unwrap();
    assert_eq!(response.status, 404);
}

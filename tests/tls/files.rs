//! Files that are refused and accepted.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    client::{ANY, Peer},
    common::{
        Server, log_path,
        net::free_address,
        open,
        tls::{Authority, EXPIRED, Files, NOT_YET, Pair, VALID},
    },
};

/// A configuration file for an address that is free; with a line for each key of `tls`.
fn configure(folder: &TempDir, address: SocketAddr, tls: &Value) -> String {
    let path = folder.path().join("config.json");
    let config = json!({
        "interface": format!("wss://{address}"),
        "tls": tls,
        "allow-default-key": true,
        "logging": {"file-enable-log": true, "file-path": log_path(folder)},
    });
    fs::write(&path, serde_json::to_string_pretty(&config).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn line_of(config: &str, key: &str) -> usize {
    let text = fs::read_to_string(config).unwrap();
    1 + text.lines().position(|line| line.contains(key)).unwrap()
}

#[test]
fn every_kind_of_key_is_read() {
    let authority = Authority::new("authority");
    for algorithm in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ECDSA_P521_SHA512,
        &rcgen::PKCS_ED25519,
        &rcgen::PKCS_RSA_SHA256,
    ] {
        let folder = tempfile::tempdir().unwrap();
        let pair = authority.issue_with(VALID, algorithm);
        assert!(pair.key.starts_with("-----BEGIN PRIVATE KEY-----"));
        let files = Files::write(folder.path(), &pair);
        let server = Server::start_tls(&files.tls(), json!({}));
        Peer::new(&authority, ANY, None)
            .get(server.address())
            .unwrap();
    }
}

#[test]
fn the_older_forms_of_keys_are_read() {
    for (arguments, label) in [
        (&["genrsa", "-traditional", "2048"][..], "RSA PRIVATE KEY"),
        // With a section of parameters before it.
        (
            &["ecparam", "-name", "prime256v1", "-genkey"],
            "EC PRIVATE KEY",
        ),
        (
            &["ecparam", "-name", "secp384r1", "-genkey", "-noout"],
            "EC PRIVATE KEY",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let key = openssl(arguments, folder.path());
        assert!(key.contains(&format!("-----BEGIN {label}-----")), "{key}");
        fs::write(folder.path().join("key.pem"), &key).unwrap();
        let request = [
            "req", "-x509", "-key", "key.pem", "-days", "9", "-subj", "/CN=x",
        ];
        let pair = Pair {
            certificate: openssl(&request, folder.path()),
            key,
        };
        let files = Files::write(folder.path(), &pair);
        let server = Server::start_tls(&files.tls(), json!({}));
        server.wait_for_log("listening on wss://");
    }
}

#[test]
fn certificate_and_key_may_be_in_one_file_with_text_between() {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let Pair { certificate, key } = authority.issue(VALID);
    let text = format!(
        "{key}issuer: somebody\n{certificate}\r\n{}",
        authority.pem()
    );
    let pair = Pair {
        certificate: text.clone(),
        key: text,
    };
    let files = Files::write(folder.path(), &pair);
    let server = Server::start(json!({
        "interface": "wss://127.0.0.1:0",
        "tls": {"certificate": files.certificate, "key": files.certificate},
    }));
    let response = Peer::new(&authority, ANY, None).get(server.address());
    let chain = response
        .unwrap()
        .connection
        .peer_certificates()
        .unwrap()
        .len();
    assert_eq!(chain, 2);
}

#[test]
fn errors_name_key_file_and_what_is_wrong_and_nothing_is_started() {
    let authority = Authority::new("authority");
    let good = authority.issue(VALID);
    let bad = |certificate: &str, key: &str| Pair {
        certificate: certificate.into(),
        key: key.into(),
    };
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let old_encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let chain = "a certificate chain in PEM";
    let key = "a private key in PEM (PKCS#8, PKCS#1 or SEC1) without a password";
    let valid = "a certificate that is valid now";
    for (pair, name, found, expected) in [
        (bad("", &good.key), "cert", "no PEM", chain),
        (bad("\0\u{1}binary", &good.key), "cert", "no PEM", chain),
        (
            bad(&good.key, &good.key),
            "cert",
            "PEM without a certificate",
            chain,
        ),
        (
            bad(&good.certificate.replace("-----END", "----END"), &good.key),
            "cert",
            "damaged PEM (no END line)",
            chain,
        ),
        (
            bad(&good.certificate.replacen("MII", "M!I", 1), &good.key),
            "cert",
            "damaged PEM (not base64)",
            chain,
        ),
        (
            bad(
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                &good.key,
            ),
            "cert",
            "a certificate that cannot be read (BadEncoding)",
            "an X.509 certificate of version 3",
        ),
        (
            authority.issue(EXPIRED),
            "cert",
            "a certificate that expired on 2002-01-01T00:00:00Z",
            valid,
        ),
        (
            authority.issue(NOT_YET),
            "cert",
            "a certificate that is not valid before 2998-01-01T00:00:00Z",
            valid,
        ),
        // Not only the first one counts.
        (
            bad(
                &(good.certificate.clone() + &authority.issue(EXPIRED).certificate),
                &good.key,
            ),
            "cert",
            "a certificate that expired on 2002-01-01T00:00:00Z",
            valid,
        ),
        (
            bad(&good.certificate, &authority.issue(VALID).key),
            "key",
            "a key that does not match the certificate",
            "the key of the certificate",
        ),
        (bad(&good.certificate, "key"), "key", "no PEM", key),
        (
            bad(&good.certificate, &good.certificate),
            "key",
            "PEM without a private key",
            key,
        ),
        (
            bad(&good.certificate, encrypted),
            "key",
            "a key with a password",
            key,
        ),
        (
            bad(&good.certificate, old_encrypted),
            "key",
            "a key with a password",
            key,
        ),
        (
            bad(
                &good.certificate,
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            ),
            "key",
            "a key that cannot be used",
            "an RSA key of 2048 bits or more, an ECDSA key (P-256, P-384, P-521) or an Ed25519 key",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::write(folder.path(), &pair);
        let address = free_address();
        let config = configure(&folder, address, &files.tls());
        let line = line_of(&config, &format!("\"{name}\": "));
        let path = match name {
            "cert" => files.certificate.display(),
            _ => files.key.display(),
        };
        let error =
            format!("{config}:{line}: tls.{name}: found {path}: {found}, expected {expected}");
        assert_eq!(open(&config).unwrap_err(), error);
        let log = fs::read_to_string(log_path(&folder)).unwrap();
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(log.ends_with(&format!("{error}\n")), "{log}");
        TcpListener::bind(address).unwrap();
    }
}

#[test]
fn files_that_are_missing_or_too_large_are_errors() {
    let authority = Authority::new("authority");
    for (key, path, found) in [
        (
            "cert",
            "/none.pem",
            "No such file or directory (os error 2)",
        ),
        ("key", "/", "Is a directory (os error 21)"),
        ("key", "/dev/zero", "a file of more than 1 MiB"),
        ("ca", "/none.pem", "No such file or directory (os error 2)"),
        ("ca", "/dev/null", "no PEM"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut tls = authority.tls(folder.path());
        tls[key] = json!(path);
        let config = configure(&folder, free_address(), &tls);
        let line = line_of(&config, &format!("\"{key}\": "));
        let error = open(&config).unwrap_err();
        let start = format!("{config}:{line}: tls.{key}: found {path}: {found}, expected ");
        assert!(error.starts_with(&start), "{error}");
    }
}

#[test]
fn wss_needs_certificate_and_key() {
    let open_inline = |interface: &str, tls: Value| {
        let config = json!({
            "allow-default-key": true,
            "interface": ["ws://127.0.0.1:0", interface],
            "tls": tls,
        });
        open(&config.to_string()).unwrap_err()
    };
    let start = "inline configuration:1: ";
    assert_eq!(
        open_inline("wss://127.0.0.1:0", json!(null)),
        format!(
            "{start}interface[1]: found TLS without the key tls, expected tls with cert and key; \
             vscpl2drv-websocksrv cert makes both files"
        )
    );
    assert_eq!(
        open_inline("https://127.0.0.1:0", json!({"key": "x"})),
        format!("{start}tls: found no \"cert\", expected the path of a certificate chain in PEM")
    );
    assert_eq!(
        open_inline("wss://127.0.0.1:0", json!({"cert": "x"})),
        format!("{start}tls: found no \"key\", expected the path of a private key in PEM")
    );
    assert_eq!(
        open_inline("wss://127.0.0.1:0", json!({"min-version": "1.1"})),
        format!("{start}tls.min-version: found \"1.1\", expected \"1.2\" or \"1.3\"")
    );
}

#[test]
fn beside_plain_interfaces_the_files_are_not_opened() {
    let server = Server::start(json!({"tls": {"cert": "/none", "key": "/none", "ca": "/none"}}));
    server.wait_for_log(
        "warning inline configuration:1: tls: without effect, no interface is wss://",
    );
}

#[test]
fn a_key_that_everybody_can_read_is_warned_of() {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let files = Files::write(folder.path(), &authority.issue(VALID));
    let set = |mode| {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(&files.key, permissions).unwrap();
        Server::start_tls(&files.tls(), json!({}))
    };
    let warning = "everybody can read this private key";
    set(0o644).wait_for_log(warning);
    let log = set(0o640).close_and_log();
    assert!(log.contains("listening on"), "{log}");
    assert!(!log.contains(warning), "{log}");
}

fn openssl(arguments: &[&str], folder: &Path) -> String {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("openssl");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

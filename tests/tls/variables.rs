//! Remote variables over TLS.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::Arc,
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::json;
use vscpl2drv_websocksrv::config::Config;

use crate::common::tls::{Authority, Pair, VALID};

/// A server with the one variable `a_interface`, for one connection. Its port.
fn server(pair: &Pair) -> u16 {
    let chain = vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let session = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = BufReader::new(StreamOwned::new(session, socket));
        let mut answer = "+OK\r\n";
        // Ends where the client does not trust this server.
        while stream.get_mut().write_all(answer.as_bytes()).is_ok() {
            let mut line = String::new();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            answer = match line.trim() {
                "VAR READVALUE a_interface" => "vcan7\r\n+OK\r\n",
                line if line.starts_with("VAR") => "-OK - Variable is not defined.\r\n",
                _ => "+OK\r\n",
            };
        }
    });
    port
}

#[test]
fn a_server_of_variables_is_trusted_by_its_certificate_and_name() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("ours");
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, authority.pem()).unwrap();
    let load = |issuer: &Authority, host: &str| {
        let port = server(&issuer.issue(VALID));
        let configuration = json!({
            "allow-default-key": true,
            "remote-variables": {
                "host": host, "port": port, "prefix": "a", "tls": true, "ca": ca, "required": true
            }
        });
        Config::load(&configuration.to_string()).map_err(|error| error.to_string())
    };

    let config = load(&authority, "localhost").unwrap();
    assert_eq!(config.buses[0].interface, "vcan7");
    let error = load(&Authority::new("others"), "localhost").unwrap_err();
    assert!(error.contains("UnknownIssuer"), "{error}");
    let error = load(&authority, "127.0.0.2").unwrap_err();
    assert!(
        error.contains("remote-variables: found 127.0.0.2:"),
        "{error}"
    );
}

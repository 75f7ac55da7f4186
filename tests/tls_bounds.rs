//! Peers that never finish their handshake: how many there may be, and for how long. Alone in
//! its process, whose sockets it counts.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rcgen::generate_simple_self_signed;
use serde_json::json;

use common::{Server, tcp, wait_until};

/// Peers.
const SILENT: usize = 600;

/// Connections of one listener that are served before a request.
const MAX_REQUESTS: usize = 512;

/// Sockets of this process.
fn sockets() -> usize {
    let files = fs::read_dir("/proc/self/fd").unwrap();
    let targets = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    targets
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

#[test]
fn handshakes_that_do_not_end_are_limited_in_number_and_time() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    let pair = generate_simple_self_signed(["localhost".into()]).unwrap();
    fs::write(&certificate, pair.cert.pem()).unwrap();
    fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
    let server = Server::start(json!({
        "interface": "wss://127.0.0.1:0",
        "tls": {"cert": certificate, "key": key},
    }));

    let before = sockets();
    let start = Instant::now();
    let mut peers: Vec<TcpStream> = (0..SILENT).map(|_| tcp(server.address())).collect();
    // Some say nothing, some begin a handshake.
    for peer in peers.iter_mut().step_by(2) {
        peer.write_all(b"\x16\x03\x01").unwrap();
    }
    let served = || sockets() - before - SILENT;
    // Those behind the first half are given less time.
    wait_until("many are served", || served() > MAX_REQUESTS / 2);

    // Whoever has something to say does not wait as long as those who have not.
    let mut other = tcp(server.address());
    other.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    other.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
    assert!(start.elapsed() < Duration::from_secs(7));
    drop(other);

    let mut end = Vec::new();
    peers[0].read_to_end(&mut end).unwrap();
    assert!(end.len() <= 7, "more than an alert: {end:?}");
    let time = start.elapsed();
    assert!(
        time > Duration::from_secs(9) && time < Duration::from_secs(15),
        "{time:?}"
    );
    assert!(served() <= MAX_REQUESTS);
    server.wait_for_log("no TLS with 127.0.0.1: timed out");

    // The others get their turn and their time, and then nobody is left.
    drop(peers);
    wait_until("nobody is served", || sockets() == before);
}

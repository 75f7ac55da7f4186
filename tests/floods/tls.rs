//! Peers that never finish their TLS handshake.

use std::{
    io::{Read, Write},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    CONNECTIONS, SHARE,
    common::{Server, process::sockets, tcp, tcp_from, tls::Authority, wait_until},
    start_with,
};

#[test]
fn handshakes_that_do_not_end_are_limited_in_number_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Authority::new("authority").tls(folder.path());
    let server = start_with(|| Server::start_tls(&tls, json!({})));
    let before = sockets();
    let start = Instant::now();
    let mut peers: Vec<_> = (0..CONNECTIONS)
        .map(|_| tcp_from(2, server.address()))
        .collect();
    // Some say nothing, some begin a handshake.
    for peer in peers.iter_mut().step_by(2) {
        // Those that are refused may be closed.
        let _ = peer.write_all(b"\x16\x03\x01");
    }
    let served = || sockets().saturating_sub(before + CONNECTIONS);
    wait_until("one address has its share", || {
        served() == CONNECTIONS / SHARE
    });

    // Whoever has something to say does not wait for those who have not.
    let mut other = tcp(server.address());
    other.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    other.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
    assert!(start.elapsed() < Duration::from_secs(7));
    drop(other);

    wait_until("their time is over", || served() == 0);
    assert!(start.elapsed() > Duration::from_secs(9));
    server.wait_for_log("TLS handshake with 127.0.0.1 failed: the client speaks HTTP without TLS");
}

//! Connections that are ended because somebody is too slow or fails too often.

use std::{
    fs,
    io::{self, Read, Write},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use super::FIN;
use crate::common::{
    BOTH, Server,
    client::{CLOSE, PING, PONG, TEXT, frame},
    messages::{Heard, auth, command},
    tcp,
};

#[test]
fn a_client_that_does_not_log_in_is_closed() {
    let server = Server::start(json!({"auth-timeout": 2, "max-auth-attempts": 100}));
    for protocol in BOTH {
        let start = Instant::now();
        let mut stays = server.open(protocol, "admin");
        let mut silent = server.connect(protocol);
        let mut talks = server.connect(protocol);
        let mut logged_out = server.login(protocol, "admin");
        logged_out.send(&auth(protocol, "00", "00"));
        assert_eq!(logged_out.hear(), Heard::failed("AUTH", 1));
        talks.command("NOOP");
        for client in [&mut silent, &mut talks, &mut logged_out] {
            assert_eq!(client.close_code(), 1008);
        }
        assert!(start.elapsed() >= Duration::from_secs(2));
        stays.command("NOOP");
    }
}

#[test]
fn a_client_that_is_logged_out_is_closed_though_there_are_no_pings() {
    let server = Server::start(json!({"auth-timeout": 2, "ping-interval": 0}));
    let mut clock = server.connect(Protocol::Ws1);
    let mut client = server.login(Protocol::Ws1, "admin");
    // Now its own time to log in has passed, too, and no timer is left but that of the logout.
    assert_eq!(clock.close_code(), 1008);
    client.command("NOOP");
    assert_eq!(client.ask("C;AUTH;00;00"), "-;AUTH;1;Syntax error.");
    assert_eq!(client.close_code(), 1008);
}

#[test]
fn a_client_that_fails_to_log_in_too_often_is_closed() {
    for protocol in BOTH {
        let server = Server::start(json!({"max-auth-attempts": 3}));
        let mut client = server.connect(protocol);
        let auth = auth(protocol, "00", "00");
        let noop = command(protocol, "NOOP");
        let messages = [&auth, &auth, &noop, &auth, &noop, &auth];
        let bytes: Vec<u8> = messages
            .iter()
            .flat_map(|message| frame(FIN | TEXT, message.as_bytes()))
            .collect();
        client.send_bytes(&bytes);
        for reply in [
            Heard::failed("AUTH", 1),
            Heard::failed("AUTH", 1),
            Heard::success("NOOP"),
            Heard::failed("AUTH", 1),
        ] {
            assert_eq!(client.hear(), reply);
        }
        let closing = client.frame().unwrap();
        assert_eq!(closing.opcode, CLOSE, "{closing:?}");
        assert_eq!(closing.payload[..2], 1008u16.to_be_bytes());
    }
    // Wrong passwords count as well.
    let server = Server::start(json!({"max-auth-attempts": 2}));
    let mut client = server.connect(Protocol::Ws2);
    assert_eq!(client.try_login("admin", "wrong"), Heard::failed("AUTH", 5));
    client.command("NOOP");
    assert_eq!(
        client.try_login("nobody", "secret"),
        Heard::failed("AUTH", 5)
    );
    assert_eq!(client.close_code(), 1008);
}

#[test]
fn pings_come_at_their_interval_and_a_client_that_answers_stays() {
    let server = Server::start(json!({"ping-interval": 1, "ping-timeout": 2}));
    let start = Instant::now();
    let mut client = server.connect(Protocol::Ws1);
    for count in 1..=3 {
        let frame = client.frame().unwrap();
        assert_eq!(frame.opcode, PING);
        let time = start.elapsed();
        assert!(
            time >= Duration::from_millis(950) * count,
            "ping {count} after {time:?}"
        );
        client.send_frame(FIN | PONG, &frame.payload);
    }
    client.command("NOOP");
}

#[test]
fn a_client_that_does_not_answer_pings_is_closed() {
    let server = Server::start(json!({"ping-interval": 1, "ping-timeout": 2}));
    for protocol in BOTH {
        // Before the client is heard for the last time.
        let start = Instant::now();
        let mut client = server.open(protocol, "admin");
        assert_eq!(client.frame().unwrap().opcode, PING);
        assert_eq!(client.close_code(), 1008);
        assert!(
            start.elapsed() >= Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
    }
}

#[test]
fn a_client_that_is_not_read_is_not_closed_for_pongs_that_are_not_seen() {
    // More replies than the sockets hold.
    const REQUESTS: usize = 100_000;
    let server = Server::start(json!({"ping-interval": 1, "ping-timeout": 1, "write-timeout": 60}));
    let mut client = server.open(Protocol::Ws1, "admin");
    let mut sender = client.stream.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            let request = frame(FIN | TEXT, b"C;COPYRIGHT");
            sender.write_all(&request.repeat(REQUESTS)).unwrap();
        });
        // The clock: clients that are closed after the same time, one after the other.
        for _ in 0..2 {
            assert_eq!(server.open(Protocol::Ws1, "admin").close_code(), 1008);
        }
        for _ in 0..REQUESTS {
            assert!(matches!(client.hear(), Heard::Success(_)));
        }
    });
    client.command("NOOP");
}

#[test]
fn a_download_that_nobody_takes_is_ended_and_one_that_is_taken_slowly_is_not() {
    const SIZE: u64 = 40_000_000;
    let root = tempfile::tempdir().unwrap();
    let file = fs::File::create(root.path().join("large.bin")).unwrap();
    file.set_len(SIZE).unwrap();
    let server = Server::start(json!({
        "enable-static": true, "web-root": root.path(), "write-timeout": 1,
    }));
    let [mut slow, _stuck] = [(); 2].map(|()| {
        let mut socket = tcp(server.address());
        let request = b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        socket.write_all(request).unwrap();
        socket
    });
    let mut buffer = vec![0; 100_000];
    let mut taken = 0;
    let ended = || server.log().contains("body to connection: timed out");
    while !ended() {
        slow.read_exact(&mut buffer).unwrap();
        taken += buffer.len() as u64;
        thread::sleep(Duration::from_millis(100));
    }
    let rest = io::copy(&mut slow, &mut io::sink()).unwrap();
    assert!(taken + rest > SIZE, "cut off after {}", taken + rest);
}

#[test]
fn without_pings_a_silent_client_stays() {
    let server = Server::start(json!({"ping-interval": 0, "ping-timeout": 1, "auth-timeout": 2}));
    let mut silent = server.open(Protocol::Ws1, "admin");
    // The clock: a client that is closed after 2 seconds.
    assert_eq!(server.connect(Protocol::Ws1).close_code(), 1008);
    server.host_writes(1);
    let frame = silent.frame().unwrap();
    assert_eq!(frame.opcode, TEXT, "no ping before the event");
}

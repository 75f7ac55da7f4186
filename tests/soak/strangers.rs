//! Peers that never log in: they guess, flood and break off.

use std::{
    io::Write,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use vscpl2drv_websocksrv::ws::Protocol::{Ws1, Ws2};

use crate::{
    churn::{Seen, count},
    common::{Client, client::frame, messages::Heard, tcp_from},
    site::{Site, reset_at_end},
};

/// A client that guesses passwords, from an address of its own: it is made to wait.
pub(crate) fn guess_passwords(site: &Site, ends: &AtomicBool, seen: &Seen) {
    let stream = tcp_from(2, site.plain);
    let mut client = Client::over(stream, "/ws1", Ws1, &[]);
    client.take_greeting();
    for _ in 0..5 {
        if ends.load(Relaxed) {
            return;
        }
        // Longer waits would be over after the end.
        if seen.wrong_logins.load(Relaxed) < 4 {
            assert_eq!(client.try_login("guest", "wrong"), Heard::failed("AUTH", 5));
            count(&seen.wrong_logins);
            client.challenge();
        } else {
            let crypto = "C;AUTH;00;00";
            assert_eq!(
                Heard::parse(Ws1, &client.ask(crypto)),
                Heard::failed("AUTH", 1)
            );
            count(&seen.wrong_logins);
        }
    }
    // So many are not forgiven.
    assert_eq!(client.close_code(), 1008);
    thread::sleep(Duration::from_millis(20));
}

/// A client that asks as much as it can, takes no answer for a while, and goes.
pub(crate) fn flood(site: &Site, _: &AtomicBool, seen: &Seen) {
    let stream = tcp_from(3, site.plain);
    let socket = stream.try_clone().unwrap();
    let mut client = Client::over(stream, "/ws2", Ws2, &[]);
    client.take_greeting();
    let noop = frame(0x81, br#"{"type":"C","command":"NOOP"}"#);
    let many = noop.repeat(500);
    socket.set_nonblocking(true).unwrap();
    for _ in 0..50 {
        if client.stream.write(&many).is_err() {
            break;
        }
    }
    reset_at_end(&socket);
    count(&seen.floods);
    thread::sleep(Duration::from_millis(50));
}

/// Connections that never become one: silent, half a request, nonsense, half of a TLS handshake.
pub(crate) fn break_off(site: &Site, _: &AtomicBool, seen: &Seen) {
    for (address, bytes) in [
        (site.plain, &b""[..]),
        (site.plain, b"GET /ws1 HT"),
        (site.plain, b"\x16\x03\x01\x02\x00\x01"),
        (
            site.plain,
            b"POST /rest HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nop=",
        ),
        (site.secure, b""),
        (site.secure, b"\x16\x03\x01\x02\x00\x01\x00"),
        (site.secure, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (site.secure, b"\x00\x01\x02"),
    ] {
        let mut stream = tcp_from(5, address);
        // The driver may have closed already.
        let _ = stream.write_all(bytes);
        count(&seen.handshakes);
    }
    thread::sleep(Duration::from_millis(20));
}

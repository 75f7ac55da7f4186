//! Frames and messages put together from them.

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use super::FIN;
use crate::common::{
    BOTH, Server,
    client::{BINARY, CLOSE, PING, PONG, TEXT, frame},
    messages::{Heard, command},
};

#[test]
fn fragments_are_put_together() {
    let server = Server::start(json!({}));
    for protocol in BOTH {
        let mut client = server.login(protocol, "admin");
        let message = command(protocol, "X\u{E4}\u{20AC}Y");
        let reply = Heard::failed("X\u{C4}\u{20AC}Y", 2);
        let bytes = message.as_bytes();
        // At every place, also within a character, with another frame between.
        for cut in 0..=bytes.len() {
            client.send_frame(TEXT, &bytes[..cut]);
            client.send_frame(FIN | PING, b"between");
            client.send_frame(FIN, &bytes[cut..]);
            let pong = client.frame().unwrap();
            assert_eq!((pong.opcode, &pong.payload[..]), (PONG, &b"between"[..]));
            assert_eq!(client.hear(), reply);
        }
        client.send_frame(TEXT, b"");
        for byte in bytes {
            client.send_frame(0, &[*byte]);
        }
        client.send_frame(FIN, b"");
        assert_eq!(client.hear(), reply);
    }
}

#[test]
fn frames_may_come_byte_by_byte() {
    let server = Server::start(json!({}));
    for protocol in BOTH {
        let mut client = server.connect(protocol);
        let message = command(protocol, "NOOP");
        for byte in frame(FIN | TEXT, message.as_bytes()) {
            client.send_bytes(&[byte]);
        }
        assert_eq!(client.hear(), Heard::success("NOOP"));
    }
}

#[test]
fn pings_are_answered_and_pongs_ignored() {
    let server = Server::start(json!({}));
    let mut client = server.connect(Protocol::Ws1);
    client.send_frame(FIN | PONG, b"not asked for");
    for payload in [&b""[..], b"abc", &[0xFF; 125]] {
        client.send_frame(FIN | PING, payload);
        let pong = client.frame().unwrap();
        assert_eq!((pong.opcode, &pong.payload[..]), (PONG, payload));
    }
    client.command("NOOP");
}

#[test]
fn what_is_no_text_message_closes_with_the_code_for_it() {
    let server = Server::start(json!({"max-message-size": 1000}));
    let unmasked = [FIN | TEXT, 4, b'C', b';', b'X', b'Y'];
    let too_long = [
        &[FIN | TEXT, 0xFF][..],
        &(1u64 << 62).to_be_bytes(),
        &[0; 4],
    ]
    .concat();
    let negative = [&[FIN | TEXT, 0xFF][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    let two = |first: (u8, &[u8]), second: (u8, &[u8])| {
        [frame(first.0, first.1), frame(second.0, second.1)].concat()
    };
    for (what, bytes, code) in [
        ("binary", frame(FIN | BINARY, b"C;NOOP"), 1003),
        ("empty binary", frame(FIN | BINARY, b""), 1003),
        (
            "binary in fragments",
            two((BINARY, b"C;"), (FIN, b"NOOP")),
            1003,
        ),
        ("no UTF-8", frame(FIN | TEXT, b"C;\xFF"), 1007),
        ("a surrogate", frame(FIN | TEXT, b"C;\xED\xA0\x80"), 1007),
        ("half a character", frame(FIN | TEXT, b"C;\xC3"), 1007),
        (
            "no UTF-8 in fragments",
            two((TEXT, b"C;\xC3"), (FIN, b"\x28")),
            1007,
        ),
        ("too large", frame(FIN | TEXT, &[b'x'; 1001]), 1009),
        (
            "too large together",
            two((TEXT, &[b'x'; 999]), (FIN, b"xx")),
            1009,
        ),
        ("far too large", too_long, 1009),
        ("no mask", unmasked.to_vec(), 1002),
        ("reserved bit 1", frame(FIN | 0x40 | TEXT, b"C;NOOP"), 1002),
        ("reserved bit 2", frame(FIN | 0x20 | TEXT, b"C;NOOP"), 1002),
        ("reserved bit 3", frame(FIN | 0x10 | TEXT, b"C;NOOP"), 1002),
        ("unknown opcode", frame(FIN | 3, b""), 1002),
        ("unknown control opcode", frame(FIN | 11, b""), 1002),
        ("a fragment of nothing", frame(FIN, b"C;NOOP"), 1002),
        (
            "a message in a message",
            two((TEXT, b"C;"), (FIN | TEXT, b"C;NOOP")),
            1002,
        ),
        ("a ping in fragments", frame(PING, b""), 1002),
        ("a long ping", frame(FIN | PING, &[0; 126]), 1002),
        ("a close of one byte", frame(FIN | CLOSE, &[3]), 1002),
    ] {
        let mut client = server.connect(Protocol::Ws1);
        client.send_bytes(&bytes);
        assert_eq!(client.close_code(), code, "{what}");
    }
    let mut client = server.connect(Protocol::Ws1);
    client.send_bytes(&negative);
    let code = client.close_code();
    assert!([1002, 1009].contains(&code), "{code}");
}

#[test]
fn a_message_of_the_largest_size_is_taken() {
    for (keys, size) in [(json!({}), 16_384), (json!({"max-message-size": 256}), 256)] {
        let server = Server::start(keys);
        let mut client = server.connect(Protocol::Ws1);
        let message = format!("C;NOOP;{}", "x".repeat(size - "C;NOOP;".len()));
        assert_eq!(client.ask(&message), "+;NOOP");
        client.send(&format!("{message}x"));
        assert_eq!(client.close_code(), 1009);
    }
}

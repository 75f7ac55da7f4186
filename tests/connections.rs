//! How connections are made, limited and ended.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use common::{
    BOTH, Server,
    client::{BINARY, CLOSE, Client, PING, PONG, TEXT, frame},
    speech::{Heard, auth, command},
    tcp, wait_until,
};

const FIN: u8 = 0x80;

#[test]
fn paths_that_are_not_configured_lead_nowhere() {
    let server = Server::start(json!({}));
    for path in [
        "/",
        "/ws",
        "/ws1/",
        "/ws11",
        "/WS1",
        "/ws3",
        "/restx",
        "/vscp",
        "/index.html",
    ] {
        let (status, _) = server.http(&Client::request(path, ""));
        assert_eq!(status, 404, "{path}");
        let (status, _) = server.http(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!(status, 404, "{path}");
    }
    for path in ["/ws1", "/ws2", "/ws1?a=b"] {
        assert_eq!(server.http(&Client::request(path, "")).0, 101, "{path}");
    }
}

#[test]
fn a_request_that_asks_for_no_websocket_is_told_to_upgrade() {
    let server = Server::start(json!({}));
    for path in ["/ws1", "/ws2"] {
        for request in [
            format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"),
            Client::request(path, "").replace("Upgrade: websocket", "Upgrade: h2c"),
            Client::request(path, "").replace("keep-alive, Upgrade", "keep-alive"),
            Client::request(path, "Content-Length: 0\r\n").replace("GET", "POST"),
        ] {
            let (status, response) = server.http(&request);
            assert_eq!(status, 426, "{request}");
            assert!(
                response
                    .to_lowercase()
                    .contains("\r\nupgrade: websocket\r\n"),
                "{response}"
            );
        }
        let old = Client::request(path, "").replace("Version: 13", "Version: 8");
        let (status, response) = server.http(&old);
        assert_eq!(status, 426);
        let version = "\r\nsec-websocket-version: 13\r\n";
        assert!(response.to_lowercase().contains(version), "{response}");
        let no_key = Client::request(path, "").replace("Sec-WebSocket-Key", "X-Key");
        assert_eq!(server.http(&no_key).0, 400);
    }
}

#[test]
fn the_sub_protocol_of_the_path_is_echoed_and_others_are_ignored() {
    let server = Server::start(json!({}));
    for (path, offered, echoed) in [
        ("/ws1", "vscp-std", Some("vscp-std")),
        ("/ws2", "vscp-json", Some("vscp-json")),
        ("/ws1", "mqtt, vscp-std", Some("vscp-std")),
        ("/ws1", "vscp-json", None),
        ("/ws2", "vscp-std", None),
        ("/ws2", "mqtt", None),
    ] {
        let header = format!("Sec-WebSocket-Protocol: {offered}\r\n");
        let (status, response) = server.http(&Client::request(path, &header));
        assert_eq!(status, 101, "{path} {offered}");
        let response = response.to_lowercase();
        let answer = response
            .lines()
            .find_map(|line| line.strip_prefix("sec-websocket-protocol: "));
        assert_eq!(answer, echoed, "{path} {offered}");
    }
}

#[test]
fn paths_are_as_configured_with_or_without_a_slash_in_front() {
    let server = Server::start(json!({"url-ws1": "ws1", "url-ws2": "/a/b"}));
    for (path, status) in [("/ws1", 101), ("/a/b", 101), ("/ws2", 404), ("/a", 404)] {
        assert_eq!(server.http(&Client::request(path, "")).0, status, "{path}");
    }
}

#[test]
fn a_protocol_that_is_switched_off_has_no_path() {
    for (off, path_off, path_on) in [
        ("enable-ws1", "/ws1", "/ws2"),
        ("enable-ws2", "/ws2", "/ws1"),
    ] {
        let server = Server::start(json!({off: false}));
        assert_eq!(server.http(&Client::request(path_off, "")).0, 404);
        assert_eq!(server.http(&Client::request(path_on, "")).0, 101);
    }
}

#[test]
fn only_the_listed_origins_may_open_a_websocket() {
    for (origins, origin, status) in [
        (json!(null), "https://evil.example", 101),
        (json!(["https://good.example"]), "https://good.example", 101),
        (json!("https://good.example"), "https://good.example", 101),
        (json!(["https://good.example"]), "https://evil.example", 403),
        (
            json!(["https://good.example"]),
            "https://good.example.evil.example",
            403,
        ),
        (json!(["https://good.example"]), "null", 403),
        (json!(["https://good.example"]), "", 101),
        (
            json!(["https://good.example", "*"]),
            "https://evil.example",
            101,
        ),
        (json!([]), "https://good.example", 403),
    ] {
        let server = Server::start(json!({"origins": origins}));
        let header = match origin {
            "" => String::new(),
            origin => format!("Origin: {origin}\r\n"),
        };
        for path in ["/ws1", "/ws2"] {
            let (got, _) = server.http(&Client::request(path, &header));
            assert_eq!(got, status, "{origins} {origin:?}");
        }
    }
}

#[test]
fn one_client_too_many_is_told_to_come_back_later() {
    for (keys, limit) in [
        (json!({"max-clients": 3}), 3),
        (json!({"max-clients-per-address": 2}), 2),
        (json!({"max-clients": 2, "max-clients-per-address": 5}), 2),
    ] {
        let server = Server::start(keys);
        let mut clients: Vec<Client> = (0..limit)
            .map(|index| server.connect(BOTH[index % 2]))
            .collect();
        for _ in 0..2 {
            let (status, response) = server.http(&Client::request("/ws1", ""));
            assert_eq!(status, 503);
            assert!(
                response.to_lowercase().contains("\r\nretry-after: "),
                "{response}"
            );
        }
        assert_eq!(server.driver.counters().turned_away.get(), 2);
        // One leaves, with or without a close frame.
        clients.remove(0);
        wait_until("there is room again", || {
            server.http(&Client::request("/ws1", "")).0 == 101
        });
        let mut last = clients.pop().unwrap();
        last.send_frame(FIN | CLOSE, &1000u16.to_be_bytes());
        assert_eq!(last.close_code(), 1000);
        wait_until("there is room again", || {
            server.http(&Client::request("/ws2", "")).0 == 101
        });
        server.wait_for_log("turning new ones away");
    }
}

#[test]
fn several_interfaces_are_listened_on() {
    let mut interfaces = vec!["ws://127.0.0.1:0", "127.0.0.2:0", "http://127.0.0.1:0"];
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        interfaces.push("[::1]:0");
    }
    let server = Server::start(json!({"interface": interfaces}));
    let addresses = server.driver.addresses().to_vec();
    assert_eq!(addresses.len(), interfaces.len());
    let mut clients: Vec<Client> = addresses
        .iter()
        .map(|address| {
            let mut client = Client::connect(*address, "/ws1", Protocol::Ws1);
            client.take_greeting();
            client.login("admin");
            client.command("OPEN");
            client
        })
        .collect();
    server.host_writes(1);
    clients
        .iter_mut()
        .for_each(|client| client.expect_events([1]));
}

#[test]
fn a_star_listens_on_all_addresses() {
    let server = Server::start(json!({"interface": "ws://*:0"}));
    let port = server.address().port();
    for last in [1, 2] {
        let address = SocketAddr::new(Ipv4Addr::new(127, 0, 0, last).into(), port);
        let mut client = Client::connect(address, "/ws2", Protocol::Ws2);
        client.take_greeting();
        client.login("admin");
    }
}

#[test]
fn requests_that_are_no_http_or_too_large_are_refused() {
    let server = Server::start(json!({}));
    for request in [
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "GET /ws1 HTTP/1.1\r\nbad header\r\n\r\n".to_owned(),
        Client::request("/ws1", &format!("X-Large: {}\r\n", "x".repeat(100_000))),
    ] {
        let mut stream = tcp(server.address());
        // The server may close before it has read all.
        let _ = stream.write_all(request.as_bytes());
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response);
        let response = String::from_utf8(response).unwrap();
        let refused = response.is_empty() || response.starts_with("HTTP/1.1 4");
        assert!(refused, "{response}");
    }
    server.login(Protocol::Ws1, "admin");
}

#[test]
fn connections_that_send_no_request_do_not_keep_clients_out() {
    let server = Server::start(json!({}));
    let address = server.address();
    let idle: Vec<_> = (0..600).map(|_| tcp(address)).collect();
    server.login(Protocol::Ws1, "admin");
    drop(idle);
}

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
        assert_eq!(client.hear(), Heard::done("NOOP"));
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

#[test]
fn replies_are_sent_before_a_close() {
    let server = Server::start(json!({}));
    let mut client = server.connect(Protocol::Ws1);
    let noop = frame(FIN | TEXT, b"C;NOOP");
    client.send_bytes(&[noop.repeat(20), frame(FIN | BINARY, b""), noop].concat());
    for _ in 0..20 {
        assert_eq!(client.hear(), Heard::done("NOOP"));
    }
    assert_eq!(client.close_code(), 1003);
}

#[test]
fn a_close_of_the_client_is_answered() {
    let server = Server::start(json!({}));
    for protocol in BOTH {
        for code in [1000u16, 1001, 3000, 4999] {
            let mut client = server.open(protocol, "admin");
            client.send_frame(FIN | CLOSE, &[&code.to_be_bytes()[..], b"bye"].concat());
            assert_eq!(client.close_code(), code);
        }
        let mut client = server.connect(protocol);
        let noop = frame(FIN | TEXT, command(protocol, "NOOP").as_bytes());
        client.send_bytes(&[noop.repeat(3), frame(FIN | CLOSE, &[0x03, 0xE8])].concat());
        for _ in 0..3 {
            assert_eq!(client.hear(), Heard::done("NOOP"));
        }
        assert_eq!(client.close_code(), 1000);
        let mut client = server.connect(protocol);
        client.send_frame(FIN | CLOSE, b"");
        assert_eq!(client.frame().unwrap().opcode, CLOSE);
        assert!(client.frame().is_none());
    }
}

#[test]
fn at_the_end_every_client_gets_1001() {
    let server = Server::start(json!({}));
    let mut clients: Vec<Client> = BOTH
        .into_iter()
        .flat_map(|protocol| {
            [
                server.connect(protocol),
                server.login(protocol, "admin"),
                server.open(protocol, "admin"),
            ]
        })
        .collect();
    // One in the middle of a message.
    clients[0].send_frame(TEXT, b"C;NO");
    let start = Instant::now();
    server.driver.close();
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    for client in &mut clients {
        assert_eq!(client.close_code(), 1001);
    }
    assert!(std::net::TcpStream::connect(server.address()).is_err());
}

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
            Heard::done("NOOP"),
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
        let mut client = server.open(protocol, "admin");
        let start = Instant::now();
        assert_eq!(client.frame().unwrap().opcode, PING);
        assert_eq!(client.close_code(), 1008);
        assert!(
            start.elapsed() >= Duration::from_millis(1900),
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
            assert!(matches!(client.hear(), Heard::Done(_)));
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
        let request = b"GET /large.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
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

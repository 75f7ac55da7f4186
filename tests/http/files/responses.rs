//! How a file is served: its headers, parts of it, and to whom.

use std::{
    fs,
    io::Write,
    time::{Duration, SystemTime},
};

use serde_json::json;

use super::{folder, open};
use crate::common::{Server, tcp, wait_until};

#[test]
fn files_are_served_with_their_types() {
    let folder = folder();
    for (name, kind) in [
        ("a.html", "text/html; charset=utf-8"),
        ("a.txt", "text/plain; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "application/javascript; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.png", "image/png"),
        ("a.ico", "image/x-icon"),
        ("a.woff2", "font/woff2"),
        ("a.wasm", "application/wasm"),
        ("a.unknown-kind", "application/octet-stream"),
        ("a", "application/octet-stream"),
    ] {
        fs::write(folder.path().join("www").join(name), name).unwrap();
        let server = open(&folder);
        let reply = server.get(&format!("/{name}"));
        assert_eq!((reply.status, reply.text()), (200, name));
        assert_eq!(reply.header("content-type"), Some(kind), "{name}");
    }
}

#[test]
fn parts_of_a_file_can_be_asked_for() {
    let folder = folder();
    let large = folder.path().join("www/large.bin");
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number / 7) as u8).collect();
    fs::write(large, &bytes).unwrap();
    let server = open(&folder);
    let get = |path: &str, range: &str| server.request("GET", path, &[("Range", range)], "");
    for (range, status, part, content_range) in [
        ("bytes=0-3", 206, "0123", Some("bytes 0-3/10")),
        ("bytes=3-", 206, "3456789", Some("bytes 3-9/10")),
        ("bytes=-2", 206, "89", Some("bytes 8-9/10")),
        ("bytes=9-9", 206, "9", Some("bytes 9-9/10")),
        ("bytes=10-", 416, "", Some("bytes */10")),
        ("bytes=-0", 416, "", Some("bytes */10")),
        ("bytes=8-99", 206, "89", Some("bytes 8-9/10")),
        (
            "bytes=8-99999999999999999999",
            206,
            "89",
            Some("bytes 8-9/10"),
        ),
        ("bytes=99999999999999999999-", 416, "", Some("bytes */10")),
        ("Bytes=00-03", 206, "0123", Some("bytes 0-3/10")),
        ("bytes=-10", 206, "0123456789", Some("bytes 0-9/10")),
        // All that there is.
        ("bytes=-11", 200, "0123456789", None),
        ("bytes=-99999999999999999999", 200, "0123456789", None),
        // No single part in a form that is understood.
        ("bytes=0-1,3-4", 200, "0123456789", None),
        ("bytes=5-3", 200, "0123456789", None),
        ("bytes=abc", 200, "0123456789", None),
        ("bytes=-", 200, "0123456789", None),
        ("bytes=", 200, "0123456789", None),
        ("bytes=+1-3", 200, "0123456789", None),
        ("bytes=--3", 200, "0123456789", None),
        ("lines=0-1", 200, "0123456789", None),
        ("bytes", 200, "0123456789", None),
        ("", 200, "0123456789", None),
    ] {
        let reply = get("/0123.txt", range);
        assert_eq!((reply.status, reply.text()), (status, part), "{range}");
        assert_eq!(reply.header("content-range"), content_range, "{range}");
        assert_eq!(reply.header("accept-ranges"), Some("bytes"), "{range}");
    }
    for range in ["bytes=0-", "bytes=0-0", "bytes=3-", "bytes=-1"] {
        let reply = get("/empty.txt", range);
        assert_eq!((reply.status, reply.text()), (200, ""), "{range}");
        assert_eq!(reply.header("content-range"), None, "{range}");
    }
    let twice = [("Range", "bytes=0-3"), ("Range", "bytes=5-6")];
    let reply = server.request("GET", "/0123.txt", &twice, "");
    assert_eq!((reply.status, reply.text()), (200, "0123456789"));
    let head = server.request("HEAD", "/0123.txt", &twice[..1], "");
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-length"), Some("10"));
    let reply = get("/large.bin", "bytes=-300001");
    assert!(reply.status == 200 && reply.body == bytes);
    let reply = get("/large.bin", "bytes=100000-299998");
    assert_eq!(reply.status, 206);
    assert!(reply.body == bytes[100_000..299_999]);
    assert!(server.get("/large.bin").body == bytes);
    // `If-Range` cannot be checked, so the whole file is sent.
    let conditional = [("Range", "bytes=0-3"), ("If-Range", "\"x\"")];
    let reply = server.request("GET", "/0123.txt", &conditional, "");
    assert_eq!((reply.status, reply.text()), (200, "0123456789"));
}

#[test]
fn what_a_browser_has_is_not_sent_again() {
    let folder = folder();
    let path = folder.path().join("www/0123.txt");
    let file = fs::File::options().write(true).open(&path).unwrap();
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_580_158_075);
    file.set_modified(modified).unwrap();
    let server = open(&folder);
    let first = server.get("/0123.txt");
    let date = "Mon, 27 Jan 2020 20:47:55 GMT";
    assert_eq!(first.header("last-modified"), Some(date));
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    let tag = first.header("etag").unwrap();
    let later = "Mon, 27 Jan 2020 20:47:56 GMT";
    let earlier = "Mon, 27 Jan 2020 20:47:54 GMT";
    for (name, value, status) in [
        ("If-None-Match", tag, 304),
        ("If-None-Match", &format!("\"x\", W/{tag}"), 304),
        ("If-None-Match", "*", 304),
        ("If-None-Match", "\"x\"", 200),
        ("If-Modified-Since", date, 304),
        ("If-Modified-Since", later, 304),
        ("If-Modified-Since", earlier, 200),
        ("If-Modified-Since", "yesterday", 200),
        ("If-Match", tag, 200),
        ("If-Match", "\"x\"", 412),
        ("If-Unmodified-Since", earlier, 412),
    ] {
        let reply = server.request("GET", "/0123.txt", &[(name, value)], "");
        assert_eq!(reply.status, status, "{name}: {value}");
        let body = if status == 200 { "0123456789" } else { "" };
        assert_eq!(reply.text(), body, "{name}: {value}");
    }
    fs::write(&path, "0123456780").unwrap();
    let reply = server.request("GET", "/0123.txt", &[("If-None-Match", tag)], "");
    assert_eq!((reply.status, reply.text()), (200, "0123456780"));
}

#[test]
fn a_file_with_a_time_that_http_cannot_write_is_served_without_one() {
    let folder = folder();
    let path = folder.path().join("www/0123.txt");
    let file = fs::File::options().write(true).open(&path).unwrap();
    let server = open(&folder);
    let year = Duration::from_secs(31_556_952);
    for modified in [
        SystemTime::UNIX_EPOCH - 10 * year,
        SystemTime::UNIX_EPOCH - Duration::from_millis(1),
    ] {
        file.set_modified(modified).unwrap();
        for method in ["GET", "HEAD"] {
            let reply = server.request(method, "/0123.txt", &[], "");
            let body = if method == "GET" { "0123456789" } else { "" };
            assert_eq!((reply.status, reply.text()), (200, body), "{modified:?}");
            assert_eq!(reply.header("last-modified"), None, "{modified:?}");
        }
    }
}

#[test]
fn precompressed_files_are_served_to_those_who_understand_them() {
    let folder = folder();
    let server = open(&folder);
    for (path, accepted, encoding, body) in [
        ("/app.js", "", None, "let plain;"),
        ("/app.js", "identity", None, "let plain;"),
        ("/app.js", "gzip", Some("gzip"), "gzip"),
        ("/app.js", "gzip, deflate, br, zstd", Some("br"), "brotli"),
        ("/app.js", "br;q=0.5, gzip;q=0.9", Some("gzip"), "gzip"),
        ("/app.js", "br;q=0", None, "let plain;"),
        ("/style.css", "gzip, br", Some("gzip"), "gzip"),
        ("/0123.txt", "gzip, br", None, "0123456789"),
    ] {
        // Once where the kernel has to look, once where it knows.
        for _ in 0..2 {
            let headers = [("Accept-Encoding", accepted)];
            let reply = server.request("GET", path, &headers, "");
            assert_eq!(
                (reply.status, reply.text()),
                (200, body),
                "{path} {accepted}"
            );
            assert_eq!(reply.header("content-encoding"), encoding);
            assert_eq!(reply.header("vary"), Some("accept-encoding"));
        }
    }
    let reply = server.request("GET", "/app.js", &[("Accept-Encoding", "br")], "");
    let kind = Some("text/javascript; charset=utf-8");
    assert_eq!(reply.header("content-type"), kind);
}

#[test]
fn only_get_and_head_are_understood() {
    let folder = folder();
    let server = open(&folder);
    let head = server.request("HEAD", "/0123.txt", &[], "");
    assert_eq!((head.status, head.text()), (200, ""));
    assert_eq!(head.header("content-length"), Some("10"));
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        for path in ["/0123.txt", "/nothing"] {
            let reply = server.request(method, path, &[], "");
            assert_eq!(reply.status, 405, "{method} {path}");
            assert_eq!(reply.header("allow"), Some("GET,HEAD"));
        }
    }
}

#[test]
fn browsers_are_told_what_a_page_may_do() {
    let folder = folder();
    let root = folder.path().join("www");
    let keys = json!({"enable-static": null, "web-root": root, "host-names": "*"});
    let server = Server::start(keys);
    let policy = |websockets: &str| {
        format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
             font-src 'self'; media-src 'self'; manifest-src 'self'; worker-src 'self'; \
             connect-src 'self'{websockets}; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'self'"
        )
    };
    for (host, websockets) in [
        (
            "panel.example",
            " ws://panel.example:* wss://panel.example:*",
        ),
        ("10.0.0.7:8884", " ws://10.0.0.7:* wss://10.0.0.7:*"),
        ("[::1]:8884", ""),
        ("a;script-src", ""),
        ("*", ""),
        ("", ""),
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let reply = server.raw(request.as_bytes());
        let found = reply.header("content-security-policy");
        assert_eq!(found, Some(policy(websockets).as_str()), "{host}");
    }
    for path in ["/", "/nothing", "/sub", "//x"] {
        let reply = server.get(path);
        assert_eq!(
            reply.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(
            reply.header("referrer-policy"),
            Some("no-referrer"),
            "{path}"
        );
        let found = reply.header("content-security-policy").unwrap();
        assert!(found.starts_with("default-src 'none'"), "{path}");
    }
}

#[test]
fn a_client_that_takes_nothing_is_given_up() {
    let folder = folder();
    let huge = fs::File::create(folder.path().join("www/huge.bin")).unwrap();
    huge.set_len(64 << 20).unwrap();
    let root = folder.path().join("www");
    let server = Server::start(json!({
        "enable-static": null, "web-root": root, "write-timeout": 1,
    }));
    let mut socket = tcp(server.address());
    let request = b"GET /huge.bin HTTP/1.1\r\nHost: localhost\r\n\r\n";
    socket.write_all(request).unwrap();
    let port = server.address().port();
    wait_until("it is connected", || connections(port) == 1);
    wait_until("it is given up", || connections(port) == 0);
}

/// Connections that the kernel has at a port of the loopback address.
fn connections(port: u16) -> usize {
    const ESTABLISHED: &str = "01";
    let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
    let local = format!("0100007F:{port:04X}");
    let fields = table.lines().map(|line| line.split_whitespace().collect());
    fields
        .filter(|fields: &Vec<_>| fields[1] == local && fields[3] == ESTABLISHED)
        .count()
}

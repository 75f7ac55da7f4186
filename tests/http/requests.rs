//! Requests that break the rules of HTTP and of websockets, or of who may use REST.

use std::{io::Write, net::Ipv4Addr, time::Duration};

use serde_json::json;

use crate::common::{Client, Response, Server, http::read_to_end, tcp};

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const HOST: &str = "Host: localhost\r\n";

/// Much shorter than the time that a client has to send a body.
const SOON: Duration = Duration::from_secs(5);

/// Sends bytes, and returns the whole response up to the end of the connection, which comes soon.
fn send(server: &Server, request: &str) -> String {
    let mut stream = tcp(server.address());
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    String::from_utf8(read_to_end(&mut stream)).unwrap()
}

fn assert_bad(server: &Server, request: &str, reason: &str) {
    let response = send(server, request);
    assert!(response.starts_with("HTTP/1.1 400 "), "{request}{response}");
    assert!(response.ends_with(reason), "{request}{response}");
}

#[test]
fn a_key_that_is_not_16_bytes_in_base64_is_refused() {
    let server = Server::start(json!({}));
    let valid = Client::request("/ws1", "");
    assert!(valid.contains(KEY));
    for value in [
        "",
        "dGhl",
        // 15 and 17 bytes.
        "dGhlIHNhbXBsZSBub25j",
        "dGhlIHNhbXBsZSBub25jZWU=",
        // No Base64: characters, padding, bits behind the last byte.
        "dGhlIHNhbXBsZSBub25j!Q==",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZR==",
    ] {
        let request = valid.replace(KEY, &format!("Sec-WebSocket-Key: {value}\r\n"));
        assert_bad(
            &server,
            &request,
            "Sec-WebSocket-Key is not 16 bytes in Base64.\n",
        );
    }
    let request = valid.replace(KEY, &KEY.repeat(2));
    assert_bad(
        &server,
        &request,
        "There is more than one Sec-WebSocket-Key.\n",
    );
    let request = valid.replace(KEY, "");
    assert_bad(&server, &request, "Sec-WebSocket-Key is missing.\n");
    assert_eq!(server.head_of(&valid).status, 101);
}

#[test]
fn http_1_0_cannot_ask_for_a_websocket() {
    let server = Server::start(json!({}));
    let request = Client::request("/ws2", "").replace("HTTP/1.1", "HTTP/1.0");
    let response = send(&server, &request);
    assert!(response.starts_with("HTTP/1.0 400 "), "{response}");
    assert!(
        response.ends_with("A websocket needs HTTP/1.1.\n"),
        "{response}"
    );
}

#[test]
fn a_request_for_a_websocket_with_a_body_is_refused() {
    let server = Server::start(json!({}));
    for (headers, body) in [
        ("Content-Length: 5\r\n", "hello"),
        // It never comes.
        ("Content-Length: 5\r\n", ""),
        ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
    ] {
        let request = Client::request("/ws1", headers) + body;
        assert_bad(
            &server,
            &request,
            "A request for a websocket has no body.\n",
        );
    }
    let request = Client::request("/ws1", "Content-Length: 0\r\n");
    assert_eq!(server.head_of(&request).status, 101);
}

#[test]
fn a_target_that_is_no_path_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(json!({"enable-static": true, "web-root": folder.path()}));
    for target in ["GET a=b", "GET localhost:80", "CONNECT localhost:80"] {
        let request = format!("{target} HTTP/1.1\r\n{HOST}\r\n");
        assert_bad(
            &server,
            &request,
            "The target of the request is not a path.\n",
        );
    }
    for target in ["GET http://localhost/a", "GET /a", "OPTIONS *"] {
        let request = format!("{target} HTTP/1.1\r\n{HOST}\r\n");
        assert_ne!(server.head_of(&request).status, 400, "{target}");
    }
}

#[test]
fn each_request_names_its_host_once() {
    let server = Server::start(json!({}));
    for path in ["/ws1", "/rest?op=status", "/nothing"] {
        let valid = Client::request(path, "");
        assert!(valid.contains(HOST));
        for (hosts, reason) in [
            ("", "The Host header is missing.\n"),
            (&*HOST.repeat(2), "There is more than one Host header.\n"),
            (
                "Host: a\r\nHost: b\r\n",
                "There is more than one Host header.\n",
            ),
            ("Host: a b\r\n", "The Host header is not a host.\n"),
            (
                "Host: user@localhost\r\n",
                "The Host header is not a host.\n",
            ),
        ] {
            assert_bad(&server, &valid.replace(HOST, hosts), reason);
        }
    }
    // Which it may leave out in HTTP/1.0, and have empty.
    for request in [
        "GET /nothing HTTP/1.0\r\n\r\n",
        "GET /nothing HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
    ] {
        let response = send(&server, request);
        assert!(response.contains(" 404 "), "{request}{response}");
    }
    let two = "GET /nothing HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n";
    let response = send(&server, two);
    assert!(response.starts_with("HTTP/1.0 400 "), "{response}");
}

#[test]
fn a_server_of_this_machine_does_not_answer_to_the_names_of_other_sites() {
    const PATHS: [&str; 4] = ["/ws1", "/ws2", "/rest?op=status", "/nothing"];
    const PAGE: &str = "Origin: http://evil.example\r\n";
    let answer = |server: &Server, path: &str, host: &str, headers: &str| {
        let request = Client::request(path, headers).replace("localhost", host);
        let mut stream = tcp(server.address());
        stream.write_all(request.as_bytes()).unwrap();
        Response::read_head(&mut stream).status
    };
    let server = Server::start(json!({"host-names": "Panel.example"}));
    for path in PATHS {
        for host in [
            "evil.example",
            "evil.example:8884",
            "localhost.evil.example",
        ] {
            assert_eq!(answer(&server, path, host, PAGE), 421, "{host} {path}");
        }
        for host in ["localhost:8884", "127.0.0.1", "[::1]:1", "panel.example:80"] {
            assert_ne!(answer(&server, path, host, PAGE), 421, "{host} {path}");
        }
    }
    // No browser opens a websocket without an origin, but programs give any Host.
    assert_eq!(answer(&server, "/ws1", "vscp", ""), 101);
    let evil = "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    let response = send(&server, evil);
    assert!(
        response.ends_with("list the name in the key host-names.\n"),
        "{response}"
    );
    server.wait_for_log(
        "warning request from 127.0.0.1 refused: \"evil.example\" is not a name of this machine; \
         list it in host-names to allow it",
    );
    // One that all can reach has names that only its administrator knows.
    for keys in [
        json!({"interface": "ws://*:0"}),
        json!({"host-names": ["a", "*"]}),
    ] {
        let server = Server::start(keys);
        let port = server.address().port();
        let mut stream = tcp((Ipv4Addr::LOCALHOST, port).into());
        stream.write_all(evil.as_bytes()).unwrap();
        assert_eq!(Response::read_head(&mut stream).status, 404);
    }
}

#[test]
fn a_body_is_chunked_once_or_not_at_all() {
    let server = Server::start(json!({}));
    let chunks = "b\r\nformat=json\r\n0\r\n\r\n";
    for codings in [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: , chunked\r\n",
    ] {
        for path in ["/rest", "/nothing"] {
            // What is behind the body is not answered.
            let request = format!(
                "POST {path} HTTP/1.1\r\n{HOST}{codings}\r\n{chunks}\
                 GET /nothing HTTP/1.1\r\n{HOST}\r\n"
            );
            assert_bad(
                &server,
                &request,
                "The transfer coding of the request is not chunked once.\n",
            );
        }
    }
    let request = format!(
        "POST /rest HTTP/1.1\r\n{HOST}Transfer-Encoding: Chunked\r\nConnection: close\r\n\r\n{chunks}"
    );
    let response = send(&server, &request);
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
}

#[test]
fn a_body_that_will_be_too_large_is_refused_before_it_comes() {
    let server = Server::start(json!({"max-message-size": 256}));
    for length in ["257", "1000000000000"] {
        for expectation in ["", "Expect: 100-continue\r\n"] {
            let request = format!(
                "POST /rest HTTP/1.1\r\n{HOST}{expectation}Content-Length: {length}\r\n\r\n"
            );
            let response = send(&server, &request);
            assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
        }
    }
}

#[test]
fn rest_refuses_pages_of_other_origins() {
    let open = "/rest?vscpuser=admin&vscpsecret=secret&format=json";
    let server = Server::start(json!({"cors-origins": ["https://listed.example"]}));
    let address = server.address();
    let ask = |method: &str, origin: &str| {
        let headers = format!("Host: {address}\r\nConnection: close\r\n{origin}");
        send(
            &server,
            &format!("{method} {open} HTTP/1.1\r\n{headers}\r\n"),
        )
    };
    for origin in [
        String::new(),
        format!("Origin: http://{address}\r\n"),
        "Origin: https://listed.example\r\n".to_owned(),
    ] {
        let response = ask("GET", &origin);
        assert!(response.starts_with("HTTP/1.1 200 "), "{origin}{response}");
        assert!(response.contains("vscpsession"), "{origin}{response}");
    }
    for origin in [
        "https://evil.example",
        "http://listed.example",
        "http://127.0.0.1",
        "null",
    ] {
        for method in ["GET", "POST", "OPTIONS"] {
            let response = ask(method, &format!("Origin: {origin}\r\n"));
            assert!(response.starts_with("HTTP/1.1 403 "), "{origin} {response}");
            assert!(!response.contains("vscpsession"), "{origin} {response}");
        }
    }
    assert_eq!(server.driver.counters().sessions.get(), 3);
    server.wait_for_log(
        "REST request from 127.0.0.1 refused: pages of \"https://evil.example\" may not use REST",
    );
}

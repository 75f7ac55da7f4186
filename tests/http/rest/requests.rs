//! Requests: methods, sizes, paths and the pages of other origins.

use std::{
    io::{Read, Write},
    process::Command,
};

use serde_json::{Value, json};

use crate::common::{Server, tcp};

#[test]
fn a_body_is_bounded() {
    let server = Server::start(json!({"max-message-size": 256}));
    for (length, status) in [(256, 200), (257, 413), (100_000, 413)] {
        let body = format!("op=status&x={}", "x".repeat(length - 12));
        assert_eq!(
            server.request("POST", "/rest", &[], &body).status,
            status,
            "{length}"
        );
    }
    let chunked = b"POST /rest HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
                    100\r\n\
                    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
                    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
                    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
                    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n\
                    1\r\nx\r\n0\r\n\r\n";
    assert_eq!(server.raw(chunked).status, 413);
    // A head is bounded too.
    let long = format!("/rest?x={}", "x".repeat(100_000));
    assert!(server.get(&long).status >= 400);
    server.session("admin");
}

#[test]
fn only_get_and_post_are_understood() {
    let server = Server::start(json!({}));
    for method in ["HEAD", "PUT", "DELETE", "PATCH", "TRACE"] {
        let reply = server.request(method, "/rest?op=status", &[], "");
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.header("allow"), Some("GET, POST, OPTIONS"));
    }
}

#[test]
fn pages_of_other_origins_are_allowed_as_configured() {
    let server = Server::start(json!({"cors-origins": ["https://a.example"]}));
    let a = ("Origin", "https://a.example");
    let b = ("Origin", "https://b.example");
    let ask = ("Access-Control-Request-Method", "POST");
    let allow = "access-control-allow-origin";

    let reply = server.request("OPTIONS", "/rest", &[a, ask], "");
    assert_eq!((reply.status, reply.text()), (204, ""));
    assert_eq!(reply.header(allow), Some("https://a.example"));
    assert_eq!(reply.header("vary"), Some("origin"));
    let methods = reply.header("access-control-allow-methods");
    assert_eq!(methods, Some("GET, POST, OPTIONS"));
    let headers = reply.header("access-control-allow-headers");
    assert_eq!(
        headers,
        Some("vscpuser, vscpsecret, vscpsession, content-type")
    );
    assert_eq!(reply.header("access-control-allow-credentials"), None);

    let reply = server.request("OPTIONS", "/rest", &[b, ask], "");
    assert_eq!(reply.status, 403);
    assert_eq!(reply.header(allow), None);
    assert_eq!(reply.header("access-control-allow-methods"), None);

    for (headers, allowed) in [(&[a][..], Some(a.1)), (&[b], None), (&[], None)] {
        let reply = server.request("GET", "/rest?op=6", headers, "");
        assert_eq!(reply.header(allow), allowed);
        assert_eq!(reply.header("vary"), Some("origin"));
    }

    let server = Server::start(json!({}));
    let reply = server.request("GET", "/rest?op=6", &[a], "");
    assert_eq!((reply.header(allow), reply.header("vary")), (None, None));

    let server = Server::start(json!({"cors-origins": "*"}));
    let reply = server.request("GET", "/rest?op=6", &[b], "");
    assert_eq!(reply.header(allow), Some(b.1));
}

#[test]
fn rest_is_where_it_is_configured() {
    for (keys, here, not_here) in [
        (
            json!({}),
            &["/rest", "/vscp/rest"][..],
            &["/rest/", "/Rest", "/api"][..],
        ),
        (
            json!({"url-rest": "api"}),
            &["/api", "/vscp/rest"],
            &["/rest"],
        ),
        (json!({"enable-rest": false}), &[], &["/rest", "/vscp/rest"]),
    ] {
        let server = Server::start(keys);
        for path in here {
            assert_eq!(server.get(&format!("{path}?op=6")).status, 200, "{path}");
        }
        for path in not_here {
            assert_eq!(server.get(&format!("{path}?op=6")).status, 404, "{path}");
        }
    }
}

#[test]
fn requests_of_one_connection_are_answered_one_after_the_other() {
    let server = Server::start(json!({}));
    let mut socket = tcp(server.address());
    let request = "GET /rest?op=6 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let last = "GET /rest?op=6 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    socket
        .write_all(format!("{request}{request}{last}").as_bytes())
        .unwrap();
    let mut answers = String::new();
    socket.read_to_string(&mut answers).unwrap();
    assert_eq!(
        answers.matches("0 -2 Invalid session \r\n").count(),
        3,
        "{answers}"
    );
}

#[test]
fn curl_is_served() {
    let server = Server::start(json!({}));
    let url = format!("http://{}/rest", server.address());
    let curl = |arguments: &[&str]| {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "20"])
            .args(arguments)
            .arg(&url)
            .output()
            .expect("curl");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let login = [
        "-d",
        "vscpuser=admin",
        "-d",
        "vscpsecret=secret",
        "-d",
        "format=json",
    ];
    let opened: Value = serde_json::from_str(&curl(&login)).unwrap();
    let sid = format!("vscpsession: {}", opened["vscpsession"].as_str().unwrap());
    let event = "vscpevent=0,20,3,,,,-,1,2,3";
    let sent = curl(&[
        "-G",
        "-H",
        &sid,
        "-d",
        "op=sendevent",
        "--data-urlencode",
        event,
    ]);
    assert_eq!(sent, "1 1 Success \r\n\r\nEverything is fine.\r\n");
    assert_eq!(&*server.host_reads().data, [1, 2, 3]);
    let status = curl(&[
        "-G",
        "-H",
        &sid,
        "-d",
        "op=close",
        "-o",
        "-",
        "-w",
        "%{http_code}",
    ]);
    assert!(status.ends_with("200"), "{status}");
}

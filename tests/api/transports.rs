//! Who could read the password on its way.

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{Client, Response, Server, http::exchange, tcp};

/// Sends a request of a page that knows the server as `host`, perhaps through a proxy.
fn request(server: &Server, method: &str, host: &str, headers: &str) -> Response {
    request_of(server, method, &format!("http://{host}"), headers)
}

/// The same of a page with this origin.
fn request_of(server: &Server, method: &str, origin: &str, headers: &str) -> Response {
    let body = r#"{"user": "admin", "password": "secret"}"#;
    let (_, host) = origin.split_once("://").unwrap();
    let request = format!(
        "{method} /api/login HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n{headers}\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    exchange(server.address(), request.as_bytes())
}

const PROXY: &str = "X-Forwarded-For: 10.0.0.7\r\n";

#[test]
fn without_tls_the_login_is_for_this_machine_unless_the_configuration_says_otherwise() {
    for (policy, host, proxy, offered, insecure) in [
        ("tls", "localhost:8884", "", true, false),
        ("tls", "127.0.0.1:8884", "", true, false),
        ("tls", "10.0.0.1:8884", "", false, false),
        ("tls", "panel.lan", "", false, false),
        ("tls", "localhost:8884", PROXY, false, false),
        ("any", "localhost:8884", "", true, false),
        ("any", "10.0.0.1:8884", "", true, true),
        ("any", "localhost:8884", PROXY, true, true),
        ("off", "localhost:8884", "", false, false),
        ("off", "10.0.0.1:8884", "", false, false),
    ] {
        let server = Server::start(json!({"panel-login": policy, "host-names": "panel.lan"}));
        let what = format!("{policy} {host} {proxy}");
        let state = request(&server, "GET", host, proxy).json();
        assert_eq!(state["offered"], offered, "{what}");
        assert_eq!(state["insecure"], insecure, "{what}");
        let reply = request(&server, "POST", host, proxy);
        assert_eq!(reply.status, if offered { 200 } else { 403 }, "{what}");
        assert_eq!(reply.header("set-cookie").is_some(), offered, "{what}");
        if !offered {
            let error = reply.json();
            let error = error["error"].as_str().unwrap();
            assert!(error.contains("panel-login"), "{error}");
        }
    }
}

#[test]
fn a_proxy_on_this_machine_says_if_its_client_speaks_tls() {
    let server = Server::start(json!({"host-names": "panel.lan"}));
    for (headers, good) in [
        ("X-Forwarded-Proto: https\r\n", true),
        ("X-Forwarded-Proto: http\r\n", false),
        (
            "X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n",
            false,
        ),
        ("X-Forwarded-Proto: \r\n", false),
        ("X-Real-IP: 10.0.0.7\r\n", false),
        ("Forwarded: for=10.0.0.7;proto=https\r\n", false),
    ] {
        let headers = &format!("{PROXY}{headers}");
        let post = |scheme: &str| {
            let origin = format!("{scheme}://panel.lan");
            request_of(&server, "POST", &origin, headers)
        };
        let reply = post("https");
        assert_eq!(reply.status, if good { 200 } else { 403 }, "{headers}");
        if good {
            let cookie = reply.header("set-cookie").unwrap();
            assert!(cookie.ends_with("; SameSite=Strict; Secure"), "{cookie}");
            // Anybody on the way could have written that page.
            assert_eq!(post("http").status, 403, "{headers}");
        }
    }
}

#[test]
fn a_cookie_counts_only_where_a_login_is_offered() {
    let server = Server::start(json!({}));
    let cookie = server.cookie("admin");
    let headers = format!("{PROXY}Cookie: {cookie}\r\n");
    let state = request(&server, "GET", "localhost:8884", &headers).json();
    assert_eq!(state["user"], json!(null));
    let headers = format!("Origin: http://localhost\r\n{headers}");
    let socket = tcp(server.address());
    let mut client = Client::greeted_with(socket, "/ws2", Protocol::Ws2, &headers);
    client.is_stranger();
    assert!(server.user_of(&cookie).is_some());
    // One from before a change of the configuration.
    let other = Server::start(json!({"panel-login": "off"}));
    assert_eq!(other.user_of(&cookie), None);
}

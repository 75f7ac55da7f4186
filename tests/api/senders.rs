//! Requests of other pages: forms, scripts, and pages whose name leads to this machine.

use serde_json::json;

use crate::{
    JSON, OWN,
    common::{Server, http::exchange},
};

/// The body of a good login.
const LOGIN: &str = r#"{"user": "admin", "password": "secret"}"#;

#[test]
fn what_changes_something_must_come_from_a_page_of_the_server() {
    let server = Server::start(json!({}));
    let site = |site| ("Sec-Fetch-Site", site);
    let foreign = ("Origin", "http://evil.example");
    for (headers, good) in [
        (vec![OWN], true),
        (vec![site("same-origin")], true),
        (vec![OWN, site("same-origin")], true),
        (vec![], false),
        (vec![foreign], false),
        (vec![("Origin", "null")], false),
        (vec![("Origin", "http://localhost:8885")], false),
        (vec![("Origin", "http://localhost")], false),
        (vec![OWN, foreign], false),
        (vec![foreign, site("same-origin")], false),
        (vec![OWN, site("cross-site")], false),
        (vec![site("cross-site")], false),
        (vec![site("same-site")], false),
        (vec![site("none")], false),
        (vec![("Referer", "http://localhost:8884/")], false),
    ] {
        let headers = [&headers[..], &[JSON]].concat();
        let reply = server.request("POST", "/api/login", &headers, LOGIN);
        assert_eq!(reply.status, if good { 200 } else { 403 }, "{headers:?}");
        let cookie = server.cookie("admin");
        let headers = [&headers[..], &[("Cookie", cookie.as_str())]].concat();
        let reply = server.request("POST", "/api/logout", &headers, "");
        assert_eq!(reply.status, if good { 200 } else { 403 }, "{headers:?}");
        assert_eq!(server.user_of(&cookie).is_none(), good, "{headers:?}");
    }
    server
        .wait_for_log("POST of /api/login from 127.0.0.1 refused: not from a page of this server");
}

#[test]
fn a_form_of_another_site_logs_nobody_in() {
    let server = Server::start(json!({}));
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        let headers = [("Origin", "http://evil.example"), ("Content-Type", kind)];
        let reply = server.request("POST", "/api/login", &headers, LOGIN);
        assert_eq!(reply.status, 403);
        assert_eq!(reply.header("set-cookie"), None);
    }
}

#[test]
fn a_script_of_another_site_is_told_nothing_and_asked_nothing() {
    let server = Server::start(json!({"cors-origins": ["http://evil.example"]}));
    let cookie = server.cookie("admin");
    for header in [
        ("Origin", "http://evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let headers = [header, ("Cookie", cookie.as_str())];
        let reply = server.request("GET", "/api/login", &headers, "");
        assert_eq!(reply.json()["user"], json!(null), "{header:?}");
        assert_eq!(reply.header("access-control-allow-origin"), None);
        let preflight = [headers[0], ("Access-Control-Request-Method", "POST")];
        let reply = server.request("OPTIONS", "/api/login", &preflight, "");
        assert_eq!(reply.status, 405);
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
}

#[test]
fn a_page_whose_name_leads_to_this_machine_is_not_answered() {
    let server = Server::start(json!({}));
    let request = format!(
        "POST /api/login HTTP/1.1\r\nHost: evil.example:8884\r\n\
         Origin: http://evil.example:8884\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{LOGIN}",
        LOGIN.len()
    );
    assert_eq!(exchange(server.address(), request.as_bytes()).status, 421);
}

//! The form of answers.

use serde_json::json;

use crate::{
    OWN,
    common::{Server, user},
};

#[test]
fn errors_are_json_with_their_status() {
    let server = Server::start(json!({}));
    for (method, path, status, error) in [
        ("GET", "/api", 404, "There is nothing here."),
        ("GET", "/api/", 404, "There is nothing here."),
        ("GET", "/api/nothing", 404, "There is nothing here."),
        ("GET", "/api/login/more", 404, "There is nothing here."),
        (
            "PUT",
            "/api/login",
            405,
            "Only GET, HEAD, POST is understood.",
        ),
        ("GET", "/api/logout", 405, "Only POST is understood."),
        ("POST", "/api/health", 405, "Only GET, HEAD is understood."),
    ] {
        let reply = server.request(method, path, &[OWN], "");
        assert_eq!(reply.status, status, "{path}: {reply:?}");
        assert_eq!(reply.json(), json!({ "error": error }), "{path}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("allow").is_some(), status == 405, "{path}");
    }
    assert_eq!(server.get("/apis").text(), "There is nothing here.\n");
}

#[test]
fn every_answer_is_for_the_page_alone_and_not_kept() {
    let server = Server::start(json!({}));
    for path in ["/api/login", "/api/health", "/api/nothing"] {
        let reply = server.get(path);
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            (
                "content-security-policy",
                "default-src 'none'; frame-ancestors 'none'",
            ),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path} {name}");
        }
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
}

#[test]
fn the_health_is_told_to_everybody() {
    let server = Server::start(json!({"enable-health": false, "panel-login": "off"}));
    let reply = server.get("/api/health");
    assert_eq!((reply.status, reply.json()), (200, json!({"status": "ok"})));
    let head = server.head_of("HEAD /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(head.status, 200);
}

#[test]
fn a_user_is_told_with_its_rights_in_words() {
    let server = Server::start(json!({"users": [
        user("admin", json!({"rights": "admin", "fullname": "The \"boss\""})),
        user("panel", json!({"rights": ["ws", "receive-events"]})),
    ]}));
    let reply = server.log_in("admin", "secret").json();
    assert_eq!(reply["user"]["name"], "admin");
    assert_eq!(reply["user"]["fullname"], "The \"boss\"");
    assert_eq!(reply["user"]["rights"][0], "admin");
    let reply = server.log_in("panel", "secret").json();
    let rights = json!(["websockets", "receive-events"]);
    let panel = json!({"name": "panel", "fullname": "", "rights": rights});
    let state = json!({"offered": true, "insecure": false, "user": panel});
    assert_eq!(reply, state);
}

//! Logins: the cookie, and how long it counts.

use serde_json::{Value, json};
use vscpl2drv_websocksrv::ws::Protocol;

use crate::{
    JSON, OWN,
    common::{Response, Server, messages::Heard, user, users::UsersFile, wait_until},
    cookie_of,
};

#[test]
fn a_login_gives_a_cookie_that_scripts_and_other_sites_do_not_see() {
    let server = Server::start(json!({}));
    assert_eq!(
        server.get("/api/login").json(),
        json!({"offered": true, "insecure": false, "user": null})
    );
    let reply = server.log_in("admin", "secret");
    let cookie = reply.header("set-cookie").unwrap();
    let (id, attributes) = cookie.split_once(';').unwrap();
    assert_eq!(attributes, " Path=/; HttpOnly; SameSite=Strict");
    let id = id.strip_prefix("vscplogin=").unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(server.user_of(&format!("vscplogin={id}")).unwrap(), "admin");
    assert_eq!(
        server.user_of(&format!("a=b; vscplogin={id}")).unwrap(),
        "admin"
    );
    assert_ne!(server.cookie("admin"), format!("vscplogin={id}"));
    for other in [
        "vscplogin=0",
        &format!("vscplogin={}", "0".repeat(32)),
        "",
        "a",
    ] {
        assert_eq!(server.user_of(other), None, "{other}");
    }
    assert!(!server.close_and_log().contains(id), "the log has the id");
}

#[test]
fn a_log_out_ends_the_login_alone_whose_cookie_it_has() {
    let server = Server::start(json!({}));
    let (first, second) = (server.cookie("admin"), server.cookie("admin"));
    let reply = server.log_out(&first);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["user"], Value::Null);
    assert_eq!(
        reply.header("set-cookie"),
        Some("vscplogin=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict")
    );
    assert_eq!(server.user_of(&first), None);
    assert_eq!(server.user_of(&second).unwrap(), "admin");
    for cookie in [&first, "vscplogin=x", ""] {
        assert_eq!(server.log_out(cookie).status, 200, "{cookie}");
    }
    assert_eq!(server.user_of(&second).unwrap(), "admin");
}

#[test]
fn a_new_login_takes_the_place_of_that_whose_cookie_it_has() {
    let server = Server::start(json!({}));
    let old = server.cookie("admin");
    let reply = server.log_in_with("user", "secret", &[("Cookie", &old)]);
    let new = cookie_of(&reply);
    assert_ne!(old, new);
    assert_eq!(server.user_of(&old), None);
    assert_eq!(server.user_of(&new).unwrap(), "user");
    let reply = server.log_in_with("user", "wrong", &[("Cookie", &new)]);
    assert_eq!(reply.status, 401);
    assert_eq!(server.user_of(&new).unwrap(), "user");
}

#[test]
fn failed_logins_look_alike() {
    let server = Server::start(json!({"debug": true, "enable-rest": false, "users": [
        user("admin", json!({"rights": "admin"})),
        user("away", json!({"rights": "admin", "remotes": "-127.0.0.0/8"})),
        user("rest", json!({"rights": 8})),
    ]}));
    for (name, password) in [
        ("admin", "wrong"),
        ("nobody", "secret"),
        ("away", "secret"),
        ("rest", "secret"),
        ("", ""),
    ] {
        let reply = server.log_in(name, password);
        assert_eq!(reply.status, 401, "{name}");
        let error = json!({"error": "The name or the password is wrong."});
        assert_eq!(reply.json(), error, "{name}");
        assert_eq!(reply.header("set-cookie"), None, "{name}");
        assert!(reply.header("www-authenticate").is_some(), "{name}");
    }
    let log = server.close_and_log();
    // Of the others the next line that is logged tells the number.
    assert!(
        log.contains("login of admin from 127.0.0.1 refused: wrong password"),
        "{log}"
    );
    assert!(!log.contains("secret"), "{log}");
}

#[test]
fn the_rights_web_and_websockets_are_each_enough() {
    let server = Server::start(json!({"users": [
        user("web", json!({"rights": 4})),
        user("ws", json!({"rights": 2})),
    ]}));
    for name in ["web", "ws"] {
        assert_eq!(server.user_of(&server.cookie(name)).unwrap(), name);
    }
}

#[test]
fn logins_of_all_kinds_are_throttled_together() {
    let server = Server::start(json!({"max-auth-attempts": 2}));
    let mut client = server.connect(Protocol::Ws2);
    let refused = client.try_login("admin", "wrong");
    assert_eq!(refused, Heard::failed("AUTH", 5));
    assert_eq!(server.log_in("admin", "wrong").status, 401);
    let reply = server.log_in("admin", "secret");
    assert_eq!(reply.status, 429);
    assert_eq!(reply.header("retry-after"), Some("60"));
    let reply = server.get("/rest?vscpuser=admin&vscpsecret=secret&format=json");
    assert_eq!(reply.json()["code"], -4, "{reply:?}");
    assert_eq!(server.log_in("user", "secret").status, 200);
}

#[test]
fn a_body_that_is_no_login_is_refused() {
    let server = Server::start(json!({"max-message-size": 1024}));
    let expected = json!({"error": r#"The body must be {"user": "...", "password": "..."}."#});
    for body in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"user": "admin"}"#,
        r#"{"user": "admin", "password": 5}"#,
        r#"{"user": "admin", "password": "secret"} x"#,
        "user=admin&password=secret",
        "\u{0}",
    ] {
        let reply = server.request("POST", "/api/login", &[OWN, JSON], body);
        assert_eq!(reply.status, 400, "{body}");
        assert_eq!(reply.json(), expected, "{body}");
    }
    let good = r#"{"user": "admin", "password": "secret", "more": 1}"#;
    let send = |headers: &[(&str, &str)], body: &str| -> Response {
        server.request("POST", "/api/login", headers, body)
    };
    assert_eq!(send(&[OWN, JSON], good).status, 200);
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        assert_eq!(send(&[OWN, ("Content-Type", kind)], good).status, 415);
    }
    assert_eq!(send(&[OWN], good).status, 415);
    assert_eq!(send(&[OWN, JSON], &" ".repeat(1025)).status, 413);
}

#[test]
fn a_cookie_counts_only_where_its_user_may_come_from() {
    let server = Server::start(json!({"users": [
        user("admin", json!({"rights": "admin", "remotes": "-127.0.0.2"})),
    ]}));
    let cookie = server.cookie("admin");
    assert_eq!(server.user_of_from(1, &cookie).unwrap(), "admin");
    assert_eq!(server.user_of_from(2, &cookie), None);
    assert_eq!(server.user_of_from(1, &cookie).unwrap(), "admin");
    server.wait_for_log("cookie of admin refused: admin may not log in from 127.0.0.2");
}

#[test]
fn a_change_of_the_user_is_one_of_its_logins() {
    let admin = |keys| user("admin", keys);
    let file = UsersFile::new(&[admin(json!({"rights": "admin"}))]);
    let server = Server::start(json!({"users": null, "path-users": file.path()}));
    let cookie = server.cookie("admin");
    let has_rights = |count| {
        let reply = server.request("GET", "/api/login", &[("Cookie", &cookie)], "");
        reply.json()["user"]["rights"].as_array().map(Vec::len) == count
    };
    file.replace(&[admin(json!({"rights": ["ws", "receive-events"]}))]);
    wait_until("other rights", || has_rights(Some(2)));
    file.replace(&[admin(json!({"rights": "admin", "remotes": "-*"}))]);
    wait_until("other addresses", || server.user_of(&cookie).is_none());
    file.replace(&[admin(json!({"rights": "rest"})), admin(json!({}))]);
    file.replace(&[admin(json!({}))]);
    wait_until("the old addresses", || server.user_of(&cookie).is_some());
    file.replace(&[]);
    wait_until("no user", || server.user_of(&cookie).is_none());
    file.replace(&[admin(json!({}))]);
    wait_until("a user again", || {
        server.log_in("admin", "secret").status == 200
    });
    assert_eq!(server.user_of(&cookie), None);
}

#[test]
fn a_user_has_a_limited_number_of_logins() {
    let server = Server::start(json!({}));
    let other = server.cookie("user");
    let cookies: Vec<_> = (0..40).map(|_| server.cookie("admin")).collect();
    let alive = |cookie: &&String| server.user_of(cookie).is_some();
    assert_eq!(cookies.iter().filter(alive).count(), 32);
    assert!(alive(&cookies.last().unwrap()));
    assert!(alive(&&other));
}

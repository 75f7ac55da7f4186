//! How sessions are opened, named, limited and ended.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{Server, user, users::UsersFile, wait_until};

#[test]
fn a_session_that_was_closed_is_gone() {
    let server = Server::start(json!({}));
    let sid = server.session("admin");
    assert_eq!(server.code(&sid, "op=close"), 1);
    for op in ["status", "open", "close", "6"] {
        assert_eq!(server.code(&sid, &format!("op={op}")), -2, "{op}");
    }
    for sid in ["x", "00", &"0".repeat(32), &"0".repeat(34), "%00"] {
        assert_eq!(server.code(sid, "op=status"), -2, "{sid}");
    }
    assert!(server.close_and_log().contains("REST session closed\n"));
}

#[test]
fn the_session_may_be_a_header_but_not_a_cookie() {
    let server = Server::start(json!({}));
    let sid = server.session("admin");
    let code = |headers: &[(&str, &str)]| {
        let reply = server.request("GET", "/rest?op=status&format=json", headers, "");
        reply.json()["code"].as_i64()
    };
    assert_eq!(code(&[("vscpsession", &sid)]), Some(1));
    assert_eq!(code(&[("VSCPSession", &sid.to_lowercase())]), Some(1));
    assert_eq!(code(&[("Cookie", &format!("vscpsession={sid}"))]), Some(-2));
    let login = [("vscpuser", "admin"), ("vscpsecret", "secret")];
    let opened = server.request("GET", "/rest", &login, "");
    assert!(opened.text().starts_with("1 1 Success vscpsession="));
}

#[test]
fn a_form_may_be_posted() {
    let server = Server::start(json!({}));
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let body = "vscpuser=admin&vscpsecret=secret&op=open&format=3";
    let opened = server.request("POST", "/vscp/rest", &[form], body).json();
    let sid = opened["vscpsession"].as_str().unwrap();
    let body = "op=sendevent&vscpevent=0%2C20%2C3%2C%2C%2C%2C-%2C+1%2C2";
    let sent = server.request("POST", "/rest", &[form, ("vscpsession", sid)], body);
    assert_eq!(sent.text(), "1 1 Success \r\n\r\nEverything is fine.\r\n");
    assert_eq!(&*server.host_reads().data, [1, 2]);
}

#[test]
fn a_login_may_take_the_place_of_a_session() {
    let server = Server::start(json!({"max-clients": 1}));
    for _ in 0..3 {
        let login = "vscpuser=admin&vscpsecret=secret";
        assert_eq!(
            server.login_code(&format!("{login}&op=3&vscpevent=0,20,3,,,,-")),
            1
        );
        assert_eq!(server.host_reads().class, 20);
        assert_eq!(
            server.login_code(&format!("{login}&op=10&type=6&value=1")),
            1
        );
        assert_eq!(server.host_reads().class, 1060);
        assert_eq!(server.login_code(&format!("{login}&op=4")), -6);
    }
    server.session("admin");
}

#[test]
fn sessions_are_limited() {
    let users = json!(["admin", "user", "other"].map(|name| user(name, json!({}))));
    let server = Server::start(json!({"max-clients": 2, "users": users}));
    let sid = server.session("admin");
    server.session("user");
    let login = "vscpuser=other&vscpsecret=secret";
    assert_eq!(server.login_code(login), -4);
    // Websockets have a limit of their own.
    let _websocket = server.connect(Protocol::Ws1);

    assert_eq!(server.code(&sid, "op=close"), 1);
    assert_eq!(server.login_code(login), 1);
}

#[test]
fn a_new_session_replaces_the_longest_idle_one_of_its_user_before_it_takes_the_last_place() {
    let users = json!(["admin", "user"].map(|name| user(name, json!({}))));
    let server = Server::start(json!({"max-clients": 3, "users": users}));
    let first = server.session("admin");
    let second = server.session("admin");
    assert_eq!(server.code(&first, "op=status"), 1);
    let third = server.session("admin");
    assert_eq!(server.code(&second, "op=status"), -2);
    for sid in [&first, &third] {
        assert_eq!(server.code(sid, "op=status"), 1);
    }
    // The last place is for somebody else.
    let other = server.session("user");
    assert_eq!(server.code(&other, "op=status"), 1);
}

#[test]
fn a_user_who_is_gone_or_has_another_password_loses_the_session() {
    let rights = json!({"rights": "admin"});
    let mut changed = user("changed", rights.clone());
    let file = UsersFile::new(&["stays", "changed", "gone"].map(|name| user(name, rights.clone())));
    let server = Server::start(json!({"path-users": file.path()}));
    let [stays, other, gone] = ["stays", "changed", "gone"].map(|name| server.session(name));
    changed["password"] = json!("0".repeat(32));
    file.replace(&[user("stays", rights.clone()), changed]);
    wait_until("the file is looked at", || {
        server.code(&gone, "op=status") == -2
    });
    assert_eq!(server.code(&other, "op=status"), -2);
    assert_eq!(server.code(&stays, "op=status"), 1);
}

#[test]
fn closing_the_driver_ends_sessions_without_waiting() {
    let server = Server::start(json!({}));
    server.session("admin");
    let start = Instant::now();
    let log = server.close_and_log();
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    assert!(log.contains("REST session closed, going away"), "{log}");
    assert!(log.contains("1 REST sessions"), "{log}");
}

#[test]
fn many_sessions_at_once_each_get_every_event_once() {
    let server = Server::start(json!({}));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let sid = server.session("admin");
                for _ in 0..20 {
                    assert_eq!(server.code(&sid, "op=3&vscpevent=0,20,3,,,,-"), 1);
                }
                server.code(&sid, "op=close");
            });
        }
    });
    let sid = server.session("admin");
    for _ in 0..160 {
        assert_eq!(server.host_reads().class, 20);
    }
    assert_eq!(server.code(&sid, "op=3&vscpevent=0,21,3,,,,-"), 1);
    assert_eq!(server.host_reads().class, 21);
}

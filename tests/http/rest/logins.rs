//! Logins that fail, and what is kept secret of them.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{
    Response, Server,
    http::{read_to_end, request},
    tcp, tcp_from, user, wait_until,
};

#[test]
fn failed_logins_look_alike_unless_debug_is_on() {
    for (debug, codes) in [(false, [-14, -14, -14, -14]), (true, [-14, -15, -16, -14])] {
        let server = Server::start(json!({"debug": debug, "users": [
            user("admin", json!({"rights": "admin"})),
            user("away", json!({"rights": "admin", "remotes": "-127.0.0.0/8"})),
            user("ws", json!({"rights": "ws1"})),
        ]}));
        for (parameters, code) in [
            "vscpuser=nobody&vscpsecret=secret",
            "vscpuser=away&vscpsecret=secret",
            "vscpuser=admin&vscpsecret=wrong",
            "vscpuser=ws&vscpsecret=secret",
        ]
        .iter()
        .zip(codes)
        {
            assert_eq!(server.login_code(parameters), code, "{parameters} {debug}");
        }
        assert_eq!(server.login_code("op=open"), -14);
    }
}

#[test]
fn the_answers_to_failures_wait_and_those_to_right_logins_do_not() {
    const FAILURES: usize = 6;
    let server = Server::start(json!({"metrics": "/metrics", "max-auth-attempts": 100}));
    let mut failures: Vec<_> = (0..FAILURES).map(|_| wrong_login(&server)).collect();
    wait_until("all are checked", || {
        let page = server.get("/metrics");
        page.text()
            .contains(&format!("{{reason=\"wrong_password\"}} {FAILURES}\n"))
    });
    let sid = server.session("admin");
    assert_eq!(server.code(&sid, "op=status"), 1);
    let waiting = failures.iter_mut().filter_map(answer_of).count() < FAILURES;
    assert!(waiting, "there are answers to all failures already");
}

#[test]
fn only_so_many_logins_of_one_address_wait() {
    const LOGINS: usize = 40;
    let server = Server::start(json!({"max-auth-attempts": 100}));
    let mut sockets: Vec<_> = (0..LOGINS).map(|_| wrong_login(&server)).collect();
    let mut refused = 0;
    wait_until("those that are too many are refused", || {
        sockets.retain_mut(|socket| match answer_of(socket) {
            None => true,
            Some(answer) => {
                refused += usize::from(answer.contains("Unable to create session"));
                false
            }
        });
        // Some of the first may be answered before the last come.
        refused >= 15
    });
    assert!(sockets.len() > 10, "the others wait");
}

#[test]
fn a_name_that_has_failed_too_often_is_refused_to_its_address_alone() {
    let server = Server::start(json!({"max-auth-attempts": 3}));
    for _ in 0..3 {
        assert_eq!(server.login_code("vscpuser=admin&vscpsecret=wrong"), -14);
    }
    let login = "format=plain&vscpuser=admin&vscpsecret=secret";
    assert_eq!(server.login_code("vscpuser=admin&vscpsecret=secret"), -4);
    server.session("user");
    server.login(Protocol::Ws1, "admin");
    let mut other = tcp_from(2, server.address());
    let request = request("GET", &format!("/rest?{login}"), &[], "");
    other.write_all(request.as_bytes()).unwrap();
    let answer = Response::parse(&read_to_end(&mut other));
    assert!(answer.text().starts_with("1 1 Success"), "{answer:?}");
}

/// Sends a login with a wrong password.
fn wrong_login(server: &Server) -> TcpStream {
    let path = "/rest?format=plain&vscpuser=admin&vscpsecret=wrong";
    let mut socket = tcp(server.address());
    socket
        .write_all(request("GET", path, &[], "").as_bytes())
        .unwrap();
    socket
}

/// Returns the answer, as far as it has come.
fn answer_of(socket: &mut TcpStream) -> Option<String> {
    let mut answer = [0; 1000];
    socket.set_nonblocking(true).unwrap();
    let count = socket.read(&mut answer);
    socket.set_nonblocking(false).unwrap();
    Some(String::from_utf8_lossy(&answer[..count.ok()?]).into_owned())
}

#[test]
fn passwords_and_session_ids_are_never_logged() {
    let server = Server::start(json!({"debug": true}));
    let sid = server.session("admin");
    assert_eq!(server.login_code("vscpuser=admin&vscpsecret=wr0ng"), -16);
    assert_eq!(server.code(&sid, "op=3&vscpsecret=s3cret&vscpevent=x"), -13);
    server.raw(b"GET /rest?vscpsecret=brok3n HTTP/1.1\r\nbad header\r\n\r\n");
    server.code(&sid, "op=close");
    let log = server.close_and_log();
    assert!(
        log.contains("login of admin from 127.0.0.1 refused: wrong password"),
        "{log}"
    );
    for secret in ["vscpsecret=", "wr0ng", "s3cret", "brok3n", &sid] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}

#[test]
fn rest_without_tls_is_warned_of_once_at_the_start() {
    let warning = "REST without TLS";
    let everywhere = "ws://*:0";
    for (keys, count) in [
        (json!({"interface": everywhere}), 1),
        (json!({"interface": everywhere, "enable-rest": false}), 0),
        // Only this machine can read what it says to itself.
        (json!({}), 0),
    ] {
        let log = Server::start(keys).close_and_log();
        assert_eq!(log.matches(warning).count(), count, "{log}");
    }
}

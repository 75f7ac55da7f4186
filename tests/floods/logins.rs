//! Websockets without a login.

use std::time::{Duration, Instant};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::{
    PENDING, SHARE, ask_for_websocket,
    common::{BOTH, Client, tcp, wait_until},
    start,
};

#[test]
fn clients_that_do_not_log_in_do_not_keep_others_out() {
    const CLIENTS: usize = 100;
    let server = start(json!({"max-clients": CLIENTS}));
    let begin = Instant::now();
    let strangers: Vec<_> = (0..CLIENTS)
        .map(|_| ask_for_websocket(server.address(), 2))
        .collect();
    let admitted = strangers.iter().filter(|(_, it)| *it == Some(101)).count();
    // Who has been waited for for a second gives way to another.
    let gave_way = begin.elapsed() > Duration::from_secs(1);
    let expected = PENDING / SHARE;
    assert!(
        admitted == expected || gave_way && admitted > expected,
        "{admitted}"
    );
    assert!(
        strangers
            .iter()
            .all(|(_, it)| matches!(it, Some(101 | 503)))
    );
    let users: Vec<_> = (0..CLIENTS)
        .map(|index| server.login(BOTH[index % 2], "admin"))
        .collect();
    assert_eq!(ask_for_websocket(server.address(), 1).1, Some(503));
    drop(users);
}

#[test]
fn who_does_not_log_in_for_the_longest_time_gives_way() {
    let server = start(json!({}));
    let mut first = Client::over(
        crate::common::tcp_from(2, server.address()),
        "/ws1",
        Protocol::Ws1,
        &[],
    );
    let hosts = 2..2 + SHARE as u8;
    let _strangers: Vec<_> = hosts
        .flat_map(|host| (0..PENDING / SHARE).map(move |_| host))
        .map(|host| ask_for_websocket(server.address(), host))
        .collect();
    wait_until("another one is admitted", || {
        ask_for_websocket(server.address(), 1).1 == Some(101)
    });
    assert_eq!(first.close_code(), 1013);
    server.wait_for_log("closed without a login, its place was needed");
    let stream = tcp(server.address());
    let mut user = Client::over(stream, "/ws2", Protocol::Ws2, &[]);
    user.take_greeting();
    user.login("admin");
}

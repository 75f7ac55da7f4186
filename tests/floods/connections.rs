//! Connections that are open and do little or nothing.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::{
    CONNECTIONS, HOST, OPEN_FILES, SHARE, ask,
    common::{net::is_closed, process::sockets, tcp_from, wait_until},
    start, visit,
};

/// More than there are places for.
const FLOOD: usize = 512;

#[test]
fn the_shares_of_the_open_files_are_logged_at_the_start() {
    let server = start(json!({}));
    server.wait_for_log(&format!(
        "info {OPEN_FILES} open files: at least {HOST} for the host, {CONNECTIONS} HTTP connections"
    ));
}

#[test]
fn requests_on_all_connections_of_one_address_do_not_keep_others_out() {
    let server = start(json!({}));
    let mut flood: Vec<_> = (0..FLOOD).map(|_| visit(&server, 2).0).collect();
    let share = CONNECTIONS / SHARE;
    wait_until("one address has its share", || {
        flood.retain(|stream| !is_closed(stream));
        flood.len() == share
    });
    let ends = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ends.load(Ordering::Relaxed) {
                flood.iter_mut().for_each(|stream| _ = ask(stream));
            }
        });
        let others: Vec<_> = (0..share).map(|_| visit(&server, 1)).collect();
        assert!(others.iter().all(|(_, status)| *status == Some(404)));
        let mut client = server.login(Protocol::Ws1, "admin");
        client.command("NOOP");
        ends.store(true, Ordering::Relaxed);
    });
    let counters = server.driver.counters();
    wait_until("counted", || {
        counters.evicted_connections.get() >= (FLOOD - share) as u64
    });
}

#[test]
fn idle_connections_of_many_addresses_give_way_to_new_ones() {
    let server = start(json!({}));
    let before = sockets();
    let hosts = 2..2 + 2 * SHARE as u8;
    let flood: Vec<_> = hosts
        .flat_map(|host| (0..CONNECTIONS / SHARE).map(move |_| host))
        .map(|host| visit(&server, host))
        .collect();
    assert!(flood.iter().all(|(_, status)| *status == Some(404)));
    let served = sockets() - before - flood.len();
    assert!(served <= CONNECTIONS, "{served}");
    let (mut stream, status) = visit(&server, 1);
    assert_eq!(status, Some(404));
    // It is idle now, too, but others hold more places.
    let _more: Vec<_> = (100..150).map(|host| visit(&server, host)).collect();
    assert_eq!(ask(&mut stream), Some(404));
}

#[test]
fn connections_without_a_request_give_way_in_a_moment() {
    let server = start(json!({}));
    let hosts = 2..2 + SHARE as u8;
    let silent: Vec<_> = hosts
        .flat_map(|host| (0..CONNECTIONS / SHARE).map(move |_| host))
        .map(|host| tcp_from(host, server.address()))
        .collect();
    wait_until("a visitor is served", || visit(&server, 1).1 == Some(404));
    assert!(silent.iter().any(is_closed));
    let mut client = server.login(Protocol::Ws1, "admin");
    client.command("NOOP");
}

#[test]
fn a_connection_too_many_is_told_so() {
    let server = start(json!({}));
    let share = CONNECTIONS / SHARE;
    let _silent: Vec<_> = (0..share).map(|_| tcp_from(2, server.address())).collect();
    let mut stream = tcp_from(2, server.address());
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("\r\nRetry-After: 10\r\n"), "{answer}");
    assert!(
        answer.ends_with("\r\n\r\nToo many connections.\n"),
        "{answer}"
    );
    assert_eq!(server.driver.counters().refused_connections.get(), 1);
    server.wait_for_log("warning too many connections: 127.0.0.2 turned away");
}

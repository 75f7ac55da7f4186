//! Events that are kept for clients which have not opened.

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{BOTH, Server, messages::Heard, wait_until};

#[test]
fn events_are_kept_until_open_which_replies_first() {
    let server = Server::start(json!({}));
    for protocol in BOTH {
        let mut client = server.login(protocol, "admin");
        for number in 1..=100 {
            server.host_writes(number);
        }
        assert_eq!(client.hear_until_noop(), []);
        client.send_command("OPEN");
        assert_eq!(client.hear(), Heard::success("OPEN"));
        client.expect_events(1..=100);
        server.host_writes(101);
        client.expect_events([101]);

        client.command("CLOSE");
        server.host_writes(102);
        server.host_writes(103);
        assert_eq!(client.hear_until_noop(), []);
        client.command("OPEN");
        client.expect_events([102, 103]);
    }
}

#[test]
fn an_event_that_a_client_sends_before_open_is_not_kept_for_itself() {
    let server = Server::start(json!({}));
    for protocol in BOTH {
        let mut client = server.login(protocol, "admin");
        let mut other = server.login(protocol, "admin");
        client.send_event(1);
        assert_eq!(client.hear(), Heard::success("EVENT"));
        server.host_writes(2);
        client.command("OPEN");
        client.expect_events([2]);
        other.command("OPEN");
        other.expect_events([1, 2]);
    }
}

#[test]
fn events_that_come_while_the_kept_ones_are_sent_go_behind_them() {
    const KEPT: u32 = 20_000;
    let server = Server::start(json!({}));
    for protocol in BOTH {
        let mut witness = server.open(Protocol::Ws1, "admin");
        let mut client = server.login(protocol, "admin");
        for number in 1..=KEPT {
            server.host_writes(number);
        }
        // When the other has got them, they are there for this one, too.
        witness.expect_events(1..=KEPT);
        client.send_command("OPEN");
        for number in KEPT + 1..=KEPT + 2000 {
            server.host_writes(number);
        }
        assert_eq!(client.hear(), Heard::success("OPEN"));
        client.expect_events(1..=KEPT + 2000);
        witness.expect_events(KEPT + 1..=KEPT + 2000);
    }
}

#[test]
fn only_events_that_pass_the_filter_are_kept() {
    let server = Server::start(json!({}));
    let mut client = server.login(Protocol::Ws1, "admin");
    assert_eq!(client.ask("C;SF;0,10,0,-;0,0xFFFF,0,-"), "+;SF");
    server.host_writes_text("0,11,1,,,1,-");
    server.host_writes_text("0,10,1,,,2,-");
    // When somebody else has got them, they are there for this one, too.
    let mut other = server.open(Protocol::Ws1, "admin");
    server.host_writes_text("0,10,1,,,3,-");
    other.expect_events([3]);
    client.hear_until_noop();
    assert_eq!(client.ask("C;SF;0;0"), "+;SF");
    client.command("OPEN");
    client.expect_events([2, 3]);
}

#[test]
fn clearing_the_queue_drops_the_kept_events() {
    let server = Server::start(json!({}));
    let mut witness = server.open(Protocol::Ws1, "admin");
    for protocol in BOTH {
        for word in ["CLRQ", "CLRQUEUE"] {
            let mut client = server.login(protocol, "admin");
            for number in 1..=10 {
                server.host_writes(number);
            }
            witness.expect_events(1..=10);
            client.send_command(word);
            assert!(matches!(client.hear(), Heard::Success(_)));
            server.host_writes(11);
            witness.expect_events([11]);
            client.command("OPEN");
            client.expect_events([11]);
        }
    }
}

#[test]
fn nothing_is_kept_for_a_client_before_its_login() {
    let server = Server::start(json!({}));
    let mut witness = server.open(Protocol::Ws1, "admin");
    for protocol in BOTH {
        let mut client = server.connect(protocol);
        server.host_writes(1);
        witness.expect_events([1]);
        client.login("admin");
        client.command("OPEN");
        server.host_writes(2);
        witness.expect_events([2]);
        client.expect_events([2]);
    }
}

#[test]
fn a_full_queue_drops_the_newest_events_and_counts_them_in_one_line_a_burst() {
    let server = Server::start(json!({"max-client-queue-size": 5}));
    let dropped = || server.driver.counters().dropped_closed.get();
    let mut client = server.login(Protocol::Ws2, "admin");
    for burst in 1..=2 {
        for number in 1..=12 {
            server.host_writes(number);
        }
        wait_until("7 more are dropped", || dropped() == 7 * burst);
        client.command("OPEN");
        client.expect_events(1..=5);
        client.command("CLOSE");
        wait_until("a line for each burst", || {
            server.log().matches("7 events dropped").count() as u64 == burst
        });
    }
    let log = server.close_and_log();
    assert_eq!(log.matches("7 events dropped").count(), 2, "{log}");
}

#[test]
fn a_queue_is_limited_in_bytes_too() {
    for key in ["max-client-queue-bytes", "max-queue-bytes"] {
        let server = Server::start(json!({key: 65_536}));
        let mut client = server.login(Protocol::Ws1, "admin");
        for number in 1..=5000 {
            server.host_writes(number);
        }
        let counters = server.driver.counters();
        wait_until("each is kept or dropped", || {
            counters.kept.get() as u64 + counters.dropped_closed.get() == 5000
        });
        let dropped = counters.dropped_closed.get();
        assert!(dropped > 0, "{key}");
        client.command("OPEN");
        let kept: Vec<_> = (dropped..5000).map(|_| client.hear()).collect();
        assert!(kept.contains(&Heard::Event(1)), "{key}");
        server.host_writes(5001);
        client.expect_events([5001]);
    }
}

#[test]
fn the_queue_size_has_its_old_name_too() {
    let server = Server::start(json!({"max-out-queue": 3}));
    let mut client = server.login(Protocol::Ws1, "admin");
    for number in 1..=4 {
        server.host_writes(number);
    }
    let dropped = || server.driver.counters().dropped_closed.get();
    wait_until("1 is dropped", || dropped() == 1);
    client.command("OPEN");
    client.expect_events(1..=3);
}

#[test]
fn a_client_that_is_logged_out_or_another_user_loses_the_kept_events() {
    let server = Server::start(json!({}));
    for protocol in BOTH {
        let mut client = server.login(protocol, "admin");
        server.host_writes(1);
        client.challenge();
        client.login("admin");
        server.host_writes(2);
        client.command("OPEN");
        client.expect_events([1, 2]);
        client.command("CLOSE");

        let mut witness = server.open(protocol, "admin");
        server.host_writes(3);
        witness.expect_events([3]);
        client.login("user");
        client.command("OPEN");
        server.host_writes(4);
        client.expect_events([4]);
    }
}

//! Logins: passwords, keys, addresses, and failures.

use std::{
    collections::VecDeque,
    fs,
    io::ErrorKind,
    net::{Ipv4Addr, Shutdown, SocketAddr},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use socket2::SockRef;
use vscpl2drv_websocksrv::{auth::password, ws::Protocol};

use crate::common::{
    BOTH, Client, DEADLINE, KEY, Server,
    messages::{Heard, auth, crypto, crypto_with},
    user,
    users::md5,
    wait_until,
};

/// The record of a user whose password takes seconds to check.
fn slow_user() -> Value {
    let stored = format!("00;{};10000000", "0".repeat(64));
    json!([{"name": "slow", "password": stored}])
}

/// Returns a client whose login is checked, or waits for that.
fn client_that_waits(server: &Server) -> Client {
    let mut client = server.connect(Protocol::Ws1);
    let crypto = crypto("slow:secret", &client.sid);
    client.send(&auth(Protocol::Ws1, &client.sid, &crypto));
    client
}

/// Returns true if the server has sent nothing that was not read.
fn has_nothing(client: &Client) -> bool {
    client.stream.set_nonblocking(true).unwrap();
    let next = client.stream.peek(&mut [0]).map_err(|error| error.kind());
    client.stream.set_nonblocking(false).unwrap();
    next == Err(ErrorKind::WouldBlock)
}

#[test]
fn logins_as_clients_in_the_field_encrypt_them_succeed() {
    let mut vectors = 0;
    for line in include_str!("../../vectors/login.tsv").lines() {
        if line.starts_with('#') {
            continue;
        }
        vectors += 1;
        let [key, iv, crypto, name, password] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("key");
        fs::write(&key_file, format!("{}\n", key.to_lowercase())).unwrap();
        let stored = md5(&format!("{name}:{password}"));
        let server = Server::start(json!({
            "allow-default-key": null,
            "key-file": key_file,
            "ws1-iv": "any",
            "users": [{"name": name, "password": stored}],
        }));
        for protocol in BOTH {
            let mut client = server.connect(protocol);
            client.send(&auth(protocol, iv, crypto));
            let heard = client.hear();
            assert!(matches!(heard, Heard::Success(_)), "{line}: {heard:?}");
        }
    }
    assert!(vectors >= 7, "{vectors}");
}

#[test]
fn every_padding_is_taken_for_every_length_of_a_login() {
    let names = (1..=33).map(|length| "n".repeat(length));
    let records: Vec<Value> = names.clone().map(|name| user(&name, json!({}))).collect();
    let server = Server::start(json!({"users": records}));
    for name in names {
        for padding in ["PKCS#7", "NUL", "spaces", "NUL and a block of it"] {
            let mut plain = format!("{name}:secret").into_bytes();
            let missing = 16 - plain.len() % 16;
            let full = plain.len() + missing;
            match padding {
                "PKCS#7" => plain.resize(full, missing as u8),
                "NUL" => plain.resize(plain.len().next_multiple_of(16), 0),
                "spaces" => plain.resize(plain.len().next_multiple_of(16), b' '),
                _ => plain.resize(full, 0),
            }
            let mut client = server.connect(Protocol::Ws2);
            let crypto = crypto_with(KEY, &client.sid, &plain);
            client.send(&auth(Protocol::Ws2, &client.sid, &crypto));
            assert_eq!(client.hear(), Heard::success("AUTH"), "{padding}, {name}");
        }
    }
}

#[test]
fn the_password_is_what_stands_behind_the_first_colon() {
    let record = json!({"name": "me", "password": md5("me:a:b: c")});
    let server = Server::start(json!({"users": [record]}));
    let mut client = server.connect(Protocol::Ws1);
    assert_eq!(client.try_login("me", "a:b: c"), Heard::success("AUTH1"));
    assert_eq!(client.try_login("me:a", "b: c"), Heard::success("AUTH1"));
    assert_eq!(client.try_login("me", "a"), Heard::failed("AUTH", 5));
}

#[test]
fn both_stored_forms_of_a_password_are_understood() {
    for line in include_str!("../../vectors/passwords.tsv").lines() {
        let [stored, name, password, result] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        if line.starts_with('#') {
            continue;
        }
        let server = Server::start(json!({"users": [{"name": name, "password": stored}]}));
        let reply = server.connect(Protocol::Ws1).try_login(name, password);
        let expected = match result {
            "match" => Heard::success("AUTH1"),
            _ => Heard::failed("AUTH", 5),
        };
        assert_eq!(reply, expected, "{line}");
    }
    let stored = password::store("me", "a b").unwrap();
    let server = Server::start(json!({"users": [{"user": "me", "credentials": stored}]}));
    let reply = server.connect(Protocol::Ws1).try_login("me", "a b");
    assert_eq!(reply, Heard::success("AUTH1"));
}

#[test]
fn a_second_login_replaces_the_first_and_a_failed_one_logs_out() {
    let server = Server::start(json!({}));
    for protocol in BOTH {
        let mut client = server.login(protocol, "admin");
        client.send_command("SF");
        assert_eq!(
            client.hear(),
            Heard::failed("SF", 1),
            "admin may set a filter"
        );
        client.login("user");
        client.send_command("SF");
        assert_eq!(client.hear(), Heard::failed("SF", 7), "user may not");
        client.command("OPEN");
        assert_eq!(client.try_login("user", "wrong"), Heard::failed("AUTH", 5));
        for word in ["SF", "OPEN", "CLOSE", "CLRQ"] {
            client.send_command(word);
            assert_eq!(client.hear(), Heard::failed(word, 5));
        }
        client.send_event(1);
        assert_eq!(client.hear(), Heard::failed("EVENT", 5));
        client.challenge();
        client.login("admin");
        client.command("OPEN");
    }
}

#[test]
fn only_the_addresses_of_the_user_may_log_in() {
    let cases = [
        (json!(""), true),
        (json!("127.0.0.1"), true),
        (json!(["+127.0.0.0/24", "+192.168.0.0/16"]), true),
        (json!("+*,-127.0.0.0/8"), false),
        (json!("-127.0.0.1"), false),
        (json!("10.0.0.1"), false),
        (json!("::1"), false),
        (json!("::ffff:127.0.0.1"), true),
    ];
    let records = cases
        .iter()
        .enumerate()
        .map(|(index, (remotes, _))| user(&format!("u{index}"), json!({"remotes": remotes})));
    let records = json!(records.collect::<Vec<_>>());
    for (index, (remotes, allowed)) in cases.iter().enumerate() {
        // A server for each: the second failure would have to wait. To one that listens on all
        // addresses an IPv4 client comes with an IPv6 address.
        let server = Server::start(json!({"users": records, "interface": "ws://*:0"}));
        let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), server.address().port());
        let mut client = Client::greeted(address, Protocol::Ws1);
        let reply = client.try_login(&format!("u{index}"), "secret");
        let expected = match allowed {
            true => Heard::success("AUTH1"),
            false => Heard::failed("AUTH", 5),
        };
        assert_eq!(reply, expected, "{remotes}");
    }
}

#[test]
fn the_answers_to_failures_wait_longer_and_longer() {
    let server = Server::start(json!({}));
    for least in [250, 500] {
        let mut client = server.connect(Protocol::Ws2);
        let start = Instant::now();
        assert_eq!(client.try_login("admin", "wrong"), Heard::failed("AUTH", 5));
        assert!(
            start.elapsed() >= Duration::from_millis(least),
            "{:?}",
            start.elapsed()
        );
    }
}

#[test]
fn a_right_password_does_not_wait_for_wrong_ones_from_the_same_address() {
    let server = Server::start(json!({}));
    let wrong = |_| {
        let mut client = server.connect(Protocol::Ws1);
        let crypto = crypto("admin:wrong", &client.sid);
        client.send(&auth(Protocol::Ws1, &client.sid, &crypto));
        client
    };
    let mut wrong: Vec<_> = (0..15).map(wrong).collect();
    let mut right = server.login(Protocol::Ws1, "admin");
    let waiting = wrong.iter().filter(|client| has_nothing(client)).count();
    assert!(waiting >= 10, "only {waiting} still wait for their answers");
    right.command("NOOP");
    assert_eq!(wrong[0].hear(), Heard::failed("AUTH", 5));
}

#[test]
fn who_has_logged_in_from_an_address_is_not_kept_out_by_guesses_with_other_names_from_there() {
    // There are places for guesses whose end the driver has not seen yet.
    let server = Server::start(json!({"max-auth-pending": 4096}));
    drop(server.login(Protocol::Ws1, "admin"));
    let guess = |number: usize| {
        let mut client = server.connect(Protocol::Ws1);
        let crypto = crypto(&format!("nobody{number}:wrong"), &client.sid);
        client.send(&auth(Protocol::Ws1, &client.sid, &crypto));
        client
    };
    let mut guesses: VecDeque<_> = (0..12).map(guess).collect();
    let mut right = server.connect(Protocol::Ws1);
    let crypto = crypto("admin:secret", &right.sid);
    right.send(&auth(Protocol::Ws1, &right.sid, &crypto));
    let mut number = guesses.len();
    let start = Instant::now();
    while has_nothing(&right) {
        guesses.push_back(guess(number));
        guesses.pop_front();
        number += 1;
        assert!(start.elapsed() < DEADLINE, "it waits for the guesses");
    }
    assert_eq!(right.hear(), Heard::success("AUTH1"));
}

#[test]
fn the_turn_of_an_address_is_waited_for_only_as_long_as_a_login_may_take() {
    let server = Server::start(json!({"users": slow_user(), "auth-timeout": 1}));
    let mut clients = [(); 2].map(|()| client_that_waits(&server));
    // The server decides which of them comes first.
    wait_until("one has an answer", || !clients.iter().all(has_nothing));
    clients.sort_by_key(has_nothing);
    let [late, checked] = &mut clients;
    assert_eq!(late.close_code(), 1008);
    assert!(has_nothing(checked), "is checked");
}

#[test]
fn a_slow_password_check_does_not_hold_up_others() {
    // About a second, which the others need only a small part of.
    let slow = format!("00;{};4000000", "0".repeat(64));
    let records = json!([
        user("admin", json!({"rights": "admin"})),
        {"name": "slow", "password": slow},
    ]);
    let server = Server::start(json!({"users": records, "threads": 1, "max-auth-concurrency": 1}));
    let mut other = server.open(Protocol::Ws1, "admin");
    let mut client = server.connect(Protocol::Ws1);
    let crypto = crypto("slow:secret", &client.sid);
    client.send(&auth(Protocol::Ws1, &client.sid, &crypto));
    for number in 1..=10 {
        server.host_writes(number);
        other.expect_events([number]);
        other.command("NOOP");
    }
    assert!(has_nothing(&client), "the reply is there already");
    assert_eq!(client.hear(), Heard::failed("AUTH", 5));
}

#[test]
fn a_client_that_goes_while_its_login_waits_is_noticed() {
    let server = Server::start(json!({"users": slow_user(), "metrics": "/metrics"}));
    let [first, goes, says_more, closes_half, resets] =
        [(); 5].map(|()| client_that_waits(&server));
    let [mut says_more, mut closes_half, mut resets] = [says_more, closes_half, resets];
    for client in [&mut says_more, &mut closes_half, &mut resets] {
        // More than is read while the login waits, and less than the socket holds.
        (0..1000).for_each(|_| client.send("C;NOOP"));
    }
    drop((goes, says_more));
    closes_half.stream.shutdown(Shutdown::Write).unwrap();
    let no_linger = Some(Duration::ZERO);
    SockRef::from(&resets.stream).set_linger(no_linger).unwrap();
    drop(resets);
    wait_until("only the first is left", || {
        let page = server.get("/metrics");
        page.text()
            .contains("websocksrv_clients{protocol=\"ws1\"} 1\n")
    });
    assert!(has_nothing(&first), "the others did not wait for it");
}

#[test]
fn without_users_nobody_can_log_in_and_the_log_says_so() {
    for keys in [json!({"users": null}), json!({"users": []})] {
        let server = Server::start(keys);
        let reply = server.connect(Protocol::Ws2).try_login("admin", "secret");
        assert_eq!(reply, Heard::failed("AUTH", 5));
        server.wait_for_log("warning no users are configured, so nobody can log in");
    }
}

#[test]
fn the_rule_for_addresses_is_logged_for_each_user() {
    let records = json!([
        user("a", json!({"remotes": "+10.0.0.0/8"})),
        user("b", json!({})),
        {"name": "c", "password": format!("00;{}", "0".repeat(64))},
    ]);
    let server = Server::start(json!({"users": records}));
    server.wait_for_log("info user a may log in from only 10.0.0.0/8\n");
    server.wait_for_log("info user b may log in from any address\n");
    server.wait_for_log("warning 2 of 3 users have a password stored as MD5");
    server.wait_for_log("(a, b)");
}

#[test]
fn no_password_or_key_is_ever_logged() {
    let server = Server::start(json!({}));
    for protocol in BOTH {
        let mut client = server.login(protocol, "admin");
        client.try_login("admin", "pa55word");
        client.try_login("pa55word", "");
    }
    // The name of a parameter, in a warning.
    let log = server.close_and_log().replace("vscpsecret", "");
    assert!(log.contains("admin logged in"), "{log}");
    for secret in [
        "pa55word",
        "secret",
        KEY,
        "2d1e4f91dae49cd08eaba2293e422273",
    ] {
        assert!(
            !log.to_lowercase().contains(&secret.to_lowercase()),
            "{secret}: {log}"
        );
    }
}

//! Who may log in, and what a user may do.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{
    fs,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use md5::{Digest, Md5};
use serde_json::{Value, json};
use vscpl2drv_websocksrv::{auth::password, ws::Protocol};

use common::{
    BOTH, KEY, Server,
    client::Client,
    speech::{Heard, auth, crypto, crypto_with},
    user, wait_until,
};

#[test]
fn logins_as_clients_in_the_field_encrypt_them_succeed() {
    let mut vectors = 0;
    for line in include_str!("vectors/login.tsv").lines() {
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
        let md5 = hex::encode(Md5::digest(format!("{name}:{password}")));
        let server = Server::start(json!({
            "allow-default-key": null,
            "key-file": key_file,
            "ws1-iv": "any",
            "users": [{"name": name, "password": md5}],
        }));
        for protocol in BOTH {
            let mut client = server.connect(protocol);
            client.send(&auth(protocol, iv, crypto));
            let heard = client.hear();
            assert!(matches!(heard, Heard::Done(_)), "{line}: {heard:?}");
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
            assert_eq!(client.hear(), Heard::done("AUTH"), "{padding}, {name}");
        }
    }
}

#[test]
fn the_password_is_what_stands_behind_the_first_colon() {
    let md5 = hex::encode(Md5::digest("me:a:b: c"));
    let server = Server::start(json!({"users": [{"name": "me", "password": md5}]}));
    let mut client = server.connect(Protocol::Ws1);
    assert_eq!(client.try_login("me", "a:b: c"), Heard::done("AUTH1"));
    assert_eq!(client.try_login("me:a", "b: c"), Heard::done("AUTH1"));
    assert_eq!(client.try_login("me", "a"), Heard::failed("AUTH", 5));
}

#[test]
fn both_stored_forms_of_a_password_are_understood() {
    for line in include_str!("vectors/passwords.tsv").lines() {
        let [stored, name, password, result] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        if line.starts_with('#') {
            continue;
        }
        let server = Server::start(json!({"users": [{"name": name, "password": stored}]}));
        let reply = server.connect(Protocol::Ws1).try_login(name, password);
        let expected = match result {
            "match" => Heard::done("AUTH1"),
            _ => Heard::failed("AUTH", 5),
        };
        assert_eq!(reply, expected, "{line}");
    }
    let stored = password::store("me", "a b").unwrap();
    let server = Server::start(json!({"users": [{"user": "me", "credentials": stored}]}));
    let reply = server.connect(Protocol::Ws1).try_login("me", "a b");
    assert_eq!(reply, Heard::done("AUTH1"));
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
fn the_rights_decide_which_events_may_be_sent() {
    let cases = [
        ("admin", &[20, 0, 512, 1024, 1028][..]),
        ("user", &[20, 0, 512, 1024]),
        ("0x17007F", &[20, 0, 512, 1024]),
        ("driver", &[20, 0, 512, 1024]),
        ("send-events", &[20]),
        ("send-events/l1ctrl-events", &[20, 0, 512]),
        ("send-events,l2ctrl-events", &[20, 1024]),
        ("Send-Events / HLO-Events", &[20, 1028]),
        ("l1ctrl-events/l2ctrl-events/hlo-events/receive-events", &[]),
        ("ws", &[]),
    ];
    let records = cases
        .iter()
        .enumerate()
        .map(|(index, (rights, _))| user(&format!("u{index}"), json!({"rights": rights})));
    let server = Server::start(json!({"users": records.collect::<Vec<_>>()}));
    for (index, (rights, allowed)) in cases.iter().enumerate() {
        let mut client = server.login(Protocol::Ws1, &format!("u{index}"));
        for class in [20, 0, 512, 1024, 1028] {
            let reply = client.ask(&format!("E;0,{class},3,,,,-"));
            let expected = match allowed.contains(&class) {
                true => "+;EVENT",
                false => "-;EVENT;6;Not allowed to send event.",
            };
            assert_eq!(reply, expected, "{rights}, class {class}");
        }
    }
}

#[test]
fn a_filter_may_be_set_only_with_the_right_to() {
    let records = json!([
        user("may", json!({"rights": ["user", "set-filter"]})),
        user("may-not", json!({"rights": "user"})),
    ]);
    let server = Server::start(json!({"users": records}));
    for (name, reply) in [
        ("may", "+;SF"),
        (
            "may-not",
            "-;SF;7;Not allowed to do that (check privileges)",
        ),
    ] {
        let mut client = server.login(Protocol::Ws1, name);
        assert_eq!(client.ask("C;SF;0,10,0,-;0,0xFFFF,0,-"), reply);
        assert_eq!(client.ask("C;SETFILTER;0,10,0,-;0,0xFFFF,0,-"), reply);
    }
}

#[test]
fn the_event_lists_limit_their_direction() {
    let records = json!([
        user("tx", json!({"events": ["10:*", "0x1E:9"]})),
        user("rx", json!({"events": "RX;10:*"})),
        user(
            "both",
            json!({"allow-events": [{"dir": "both", "class": 10, "type": 6}]})
        ),
        user("all", json!({"events": ""})),
    ]);
    let server = Server::start(json!({"users": records}));
    for (name, sent, received) in [
        (
            "tx",
            &["10,6", "10,7", "30,9"][..],
            &["10,6", "10,7", "30,9", "30,8"][..],
        ),
        ("rx", &["10,6", "10,7", "30,9", "30,8"], &["10,6", "10,7"]),
        ("both", &["10,6"], &["10,6"]),
        (
            "all",
            &["10,6", "10,7", "30,9", "30,8"],
            &["10,6", "10,7", "30,9", "30,8"],
        ),
    ] {
        let mut client = server.open(Protocol::Ws1, name);
        for event in ["10,6", "10,7", "30,9", "30,8"] {
            let reply = client.ask(&format!("E;0,{event},,,,-"));
            let expected = match sent.contains(&event) {
                true => "+;EVENT",
                false => "-;EVENT;6;Not allowed to send event.",
            };
            assert_eq!(reply, expected, "{name} sends {event}");
        }
        // The last one passes for all.
        for event in ["30,9", "30,8", "10,7", "10,6"] {
            server.host_writes_text(&format!("0,{event},,,1,-"));
        }
        for event in ["30,9", "30,8", "10,7", "10,6"] {
            if received.contains(&event) {
                let text = client.text();
                assert!(text.starts_with(&format!("E;0,{event},")), "{name}: {text}");
            }
        }
        assert_eq!(client.hear_until_noop(), [], "{name}");
    }
}

#[test]
fn a_priority_above_the_users_highest_is_lowered_to_it() {
    let records = json!([
        user("limited", json!({"max-priority": 3})),
        user(
            "by-event",
            json!({"events": [
                {"class": 10, "type": -1, "max-priority": 5},
                {"class": -1, "type": -1},
            ]})
        ),
        user("free", json!({})),
    ]);
    let server = Server::start(json!({"users": records}));
    for (name, event, head) in [
        ("limited", "0x00,10,6", 0x60),
        ("limited", "0x1F,10,6", 0x7F),
        ("limited", "0x60,10,6", 0x60),
        ("limited", "0xE0,10,6", 0xE0),
        ("by-event", "0x00,10,6", 0xA0),
        ("by-event", "0x00,11,6", 0x00),
        ("by-event", "0xC0,10,6", 0xC0),
        ("free", "0x00,10,6", 0x00),
    ] {
        let mut client = server.login(Protocol::Ws1, name);
        assert_eq!(client.ask(&format!("E;{event},,,,-")), "+;EVENT");
        assert_eq!(server.host_reads().head, head, "{name} {event}");
    }
}

#[test]
fn a_login_starts_with_the_filter_of_the_user() {
    let records = json!([
        user(
            "tens",
            json!({
                "rights": "admin", "filter": "0,10,0,-", "mask": "0,0xFFFF,0,-",
            })
        ),
        user("all", json!({})),
    ]);
    let server = Server::start(json!({"users": records}));
    for protocol in BOTH {
        let mut client = server.login(protocol, "tens");
        let write_both = || {
            server.host_writes_text("0,11,6,,,1,-");
            server.host_writes_text("0,10,6,,,2,-");
        };
        write_both();
        client.command("OPEN");
        client.expect_events([2]);

        let pass_all = match protocol {
            Protocol::Ws1 => "C;SF;0;0".to_owned(),
            Protocol::Ws2 => {
                json!({"type": "C", "command": "SF", "args": {"mask_class": 0}}).to_string()
            }
        };
        client.send(&pass_all);
        assert_eq!(client.hear(), Heard::done("SF"));
        write_both();
        client.expect_events([1, 2]);

        client.login("tens");
        write_both();
        client.expect_events([2]);
        client.login("all");
        write_both();
        client.expect_events([1, 2]);
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
        let mut client = Client::connect(address, "/ws1", Protocol::Ws1);
        client.take_greeting();
        let reply = client.try_login(&format!("u{index}"), "secret");
        let expected = match allowed {
            true => Heard::done("AUTH1"),
            false => Heard::failed("AUTH", 5),
        };
        assert_eq!(reply, expected, "{remotes}");
    }
}

#[test]
fn after_a_failure_the_next_login_from_there_has_to_wait() {
    let server = Server::start(json!({}));
    let mut client = server.connect(Protocol::Ws2);
    assert_eq!(
        client.try_login("nobody", "secret"),
        Heard::failed("AUTH", 5)
    );
    for least in [250, 500] {
        let mut other = server.connect(Protocol::Ws2);
        let start = Instant::now();
        assert_eq!(other.try_login("admin", "wrong"), Heard::failed("AUTH", 5));
        assert!(
            start.elapsed() >= Duration::from_millis(least),
            "{:?}",
            start.elapsed()
        );
    }
}

#[test]
fn a_slow_password_check_does_not_hold_up_others() {
    let slow = format!("00;{};200000", "0".repeat(64));
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
    client.stream.set_nonblocking(true).unwrap();
    let early = client.stream.peek(&mut [0]).map_err(|error| error.kind());
    assert_eq!(
        early,
        Err(ErrorKind::WouldBlock),
        "the reply is there already"
    );
    client.stream.set_nonblocking(false).unwrap();
    assert_eq!(client.hear(), Heard::failed("AUTH", 5));
}

#[test]
fn a_client_that_goes_while_its_login_waits_is_noticed_at_once() {
    let slow = format!("00;{};3000000", "0".repeat(64));
    let records = json!([{"name": "slow", "password": slow}]);
    let server = Server::start(json!({"users": records}));
    let mut first = server.connect(Protocol::Ws1);
    let mut second = server.connect(Protocol::Ws2);
    for client in [&mut first, &mut second] {
        let crypto = crypto("slow:secret", &client.sid);
        client.send(&auth(client.protocol, &client.sid, &crypto));
    }
    drop(second);
    server.wait_for_log("client 2: connection lost");
    first.stream.set_nonblocking(true).unwrap();
    let early = first.stream.peek(&mut [0]).map_err(|error| error.kind());
    assert_eq!(early, Err(ErrorKind::WouldBlock), "only after the first");
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

/// A server whose users are in a file.
fn with_file(users: &Value) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.json");
    fs::write(&path, users.to_string()).unwrap();
    let mut server = Server::start(json!({"users": null, "path-users": path, "ping-interval": 1}));
    // It goes with the server.
    server.more_folders.push(folder);
    server
}

fn write_users(server: &Server, users: &str) {
    fs::write(server.more_folders[0].path().join("users.json"), users).unwrap();
}

#[test]
fn users_who_are_removed_or_get_another_password_are_disconnected() {
    let other_password = hex::encode(Md5::digest("changed:other"));
    let record = |name: &str| user(name, json!({}));
    let server = with_file(&json!({"users": [record("stays"), record("goes"), record("changed")]}));
    let mut clients = ["stays", "goes", "changed"].map(|name| server.open(Protocol::Ws1, name));
    let mut nobody = server.connect(Protocol::Ws2);
    let users = json!({"users": [
        user("stays", json!({"rights": "receive-events"})),
        {"name": "changed", "password": other_password},
        record("new"),
    ]});
    write_users(&server, &users.to_string());
    // Whoever is there is asked with the pings, who comes at once.
    let [stays, goes, changed] = &mut clients;
    assert_eq!(goes.close_code(), 1008);
    assert_eq!(changed.close_code(), 1008);
    // What is open keeps its rights, a new login does not.
    assert_eq!(stays.ask("E;0,20,3,,,,-"), "+;EVENT");
    let mut again = server.login(Protocol::Ws1, "stays");
    assert_eq!(
        again.ask("E;0,20,3,,,,-"),
        "-;EVENT;6;Not allowed to send event."
    );
    server.login(Protocol::Ws2, "new");
    assert_eq!(nobody.try_login("changed", "other"), Heard::done("AUTH"));
}

#[test]
fn a_users_file_that_is_broken_leaves_the_old_users() {
    let server = with_file(&json!({"users": [user("old", json!({}))]}));
    let mut client = server.open(Protocol::Ws1, "old");
    for (users, error) in [
        ("{\"users\": [\n{]}", "users.json:2: found"),
        (
            "{\"users\": [{\"name\": \"old\"}]}",
            "users.json:1: users[0]: found no \"password\"",
        ),
    ] {
        write_users(&server, users);
        wait_until("a line about the file", || {
            // A look at the file comes with a login.
            server.login(Protocol::Ws1, "old");
            server.log().contains(error)
        });
        server.wait_for_log("the users stay as they were");
    }
    client.command("NOOP");
    write_users(
        &server,
        &json!({"users": [user("new", json!({}))]}).to_string(),
    );
    assert_eq!(client.close_code(), 1008);
    server.login(Protocol::Ws1, "new");
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
    server.driver.close();
    // The name of a parameter, in a warning.
    let log = server.log().replace("vscpsecret", "");
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

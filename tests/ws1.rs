//! The protocol ws1, message by message.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::HashSet;

use serde_json::json;
use vscpl2drv_websocksrv::{
    event::{Date, Guid},
    ws::Protocol,
};

use common::{
    GUID, KEY, Server,
    client::Client,
    speech::{Heard, crypto, crypto_with},
    text_of, user,
};

const WS1: Protocol = Protocol::Ws1;

/// Sends each message and expects exactly one reply to it.
fn expect_replies(client: &mut Client, table: &[(&str, &str)]) {
    for (message, reply) in table {
        assert_eq!(client.ask(message), *reply, "reply to {message:?}");
    }
    assert_eq!(client.ask("C;NOOP"), "+;NOOP", "a reply too many");
}

#[test]
fn each_connection_is_greeted_with_a_session_id_of_its_own() {
    let server = Server::start(json!({}));
    let mut sids = HashSet::new();
    for _ in 0..20 {
        let mut client = Client::connect(server.address(), "/ws1", WS1);
        let greeting = client.text();
        let sid = greeting.strip_prefix("+;AUTH0;").unwrap();
        assert_eq!(sid.len(), 32);
        let upper_hex = |c: char| matches!(c, '0'..='9' | 'A'..='F');
        assert!(sid.chars().all(upper_hex), "{sid}");
        assert!(sids.insert(sid.to_owned()));
    }
}

#[test]
fn commands_and_their_replies_before_login() {
    let server = Server::start(json!({}));
    let mut client = server.connect(WS1);
    let auth0 = format!("+;AUTH0;{}", client.sid);
    let version = concat!("+;VERSION;1.0.0.0;", env!("CARGO_PKG_VERSION"));
    expect_replies(
        &mut client,
        &[
            ("C;NOOP", "+;NOOP"),
            ("C;CHALLENGE", &auth0),
            ("C;CHALLENGE", &auth0),
            ("C;VERSION", version),
            ("C;VER", version),
            ("C;OPEN", "-;OPEN;5;Not authorised."),
            ("C;CLOSE", "-;CLOSE;5;Not authorised."),
            ("C;SF;0,0,0,-;0,0,0,-", "-;SF;5;Not authorised."),
            ("C;SETFILTER;0,0,0,-;0,0,0,-", "-;SF;5;Not authorised."),
            ("C;CLRQ", "-;CLRQ;5;Not authorised."),
            ("C;CLRQUEUE", "-;CLRQ;5;Not authorised."),
            ("C;CLRQUE", "-;CLRQ;5;Not authorised."),
            ("C;NOOPX", "-;NOOPX;5;Not authorised."),
            ("C;", "-;;5;Not authorised."),
            ("E;0,20,3,,,,-", "-;EVENT;5;Not authorised."),
            ("E;nonsense", "-;EVENT;5;Not authorised."),
            ("", "-;1;Syntax error."),
            (" \r\n", "-;1;Syntax error."),
            ("C", "-;1;Syntax error."),
            (
                "X;NOOP",
                "-;9;Unknown type, only know 'COMMAND' and 'EVENT'.",
            ),
        ],
    );
    let copyright = client.ask("C;COPYRIGHT");
    assert!(
        copyright.starts_with("+;COPYRIGHT;Copyright"),
        "{copyright}"
    );
}

#[test]
fn commands_and_their_replies_after_login() {
    let server = Server::start(json!({}));
    let mut client = server.login(WS1, "admin");
    let auth0 = format!("+;AUTH0;{}", client.sid);
    let guid = "FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:01";
    expect_replies(
        &mut client,
        &[
            ("C;NOOP", "+;NOOP"),
            ("C;CHALLENGE", &auth0),
            ("C;OPEN", "+;OPEN"),
            ("C;OPEN", "+;OPEN"),
            ("C;CLOSE", "+;CLOSE"),
            ("C;CLOSE", "+;CLOSE"),
            ("C;SF;0,0,0,-;0,0,0,-", "+;SF"),
            ("C;SETFILTER;1,10,6,-;7,0xFFFF,0,-", "+;SF"),
            (&format!("C;SF;0,0,0,{guid};0,0,0,{guid}"), "+;SF"),
            ("C;SF; 0, 10 ,6; 0,0xff", "+;SF"),
            ("C;SF", "-;SF;1;Syntax error."),
            ("C;SF;0,0,0,-", "-;SF;1;Syntax error."),
            ("C;SF;0,0,0,-;0,0,70000,-", "-;SF;1;Syntax error."),
            ("C;SF;256,0,0,-;0,0,0,-", "-;SF;1;Syntax error."),
            ("C;SF;0,x,0,-;0,0,0,-", "-;SF;1;Syntax error."),
            ("C;SF;0,0,0,FF:FF;0,0,0,-", "-;SF;1;Syntax error."),
            ("C;SF;0,0,0,-,9;0,0,0,-", "-;SF;1;Syntax error."),
            ("C;CLRQ", "+;CLRQ"),
            ("C;CLRQUEUE", "+;CLRQ"),
            ("C;CLRQUE", "+;CLRQ"),
            ("C;NOOPX", "-;NOOPX;2;Unknown command."),
            ("C;NOO", "-;NOO;2;Unknown command."),
            ("C;frobnicate;1;2", "-;FROBNICATE;2;Unknown command."),
            ("C;", "-;;2;Unknown command."),
            ("E;0,20,3,,,,-", "+;EVENT"),
            ("E;0,20,3,,,,-,1,2,3", "+;EVENT"),
            ("E;0,20", "-;EVENT;8;Parse error, invalid format."),
            ("E;", "-;EVENT;8;Parse error, invalid format."),
            ("E", "-;EVENT;8;Parse error, invalid format."),
            ("", "-;1;Syntax error."),
            ("?", "-;9;Unknown type, only know 'COMMAND' and 'EVENT'."),
        ],
    );
}

#[test]
fn commands_are_trimmed_and_their_case_is_ignored() {
    let server = Server::start(json!({}));
    let mut client = server.login(WS1, "admin");
    expect_replies(
        &mut client,
        &[
            ("c;noop", "+;NOOP"),
            ("  C;NoOp\r\n", "+;NOOP"),
            ("C; noop ", "+;NOOP"),
            ("\tC;open\n", "+;OPEN"),
            ("C;setFilter;0,0,0,-;0,0,0,-\n", "+;SF"),
            ("C;NOOP;and;more", "+;NOOP"),
            ("e;0,20,3,,,,-\n", "+;EVENT"),
        ],
    );
}

#[test]
fn replies_of_a_client_are_ignored() {
    let server = Server::start(json!({}));
    let mut client = server.connect(WS1);
    for reply in ["+;EVENT", "-;EVENT;8;Parse error", "+", "-"] {
        client.send(reply);
    }
    assert_eq!(client.ask("C;NOOP"), "+;NOOP");
}

#[test]
fn a_word_that_is_not_known_is_not_sent_back_at_length() {
    let server = Server::start(json!({}));
    let mut client = server.login(WS1, "admin");
    let reply = client.ask(&format!("C;{}", "x".repeat(10_000)));
    assert!(reply.starts_with("-;XXXX") && reply.ends_with("X;2;Unknown command."));
    assert!(reply.len() < 300, "{} bytes", reply.len());
}

#[test]
fn a_login_is_answered_with_the_fields_of_the_user() {
    let record = json!({
        "fullname": "A B",
        "note": "x;y",
        "rights": "user/set-filter",
        "remotes": ["+127.0.0.0/8", "+::1"],
        "events": ["10:*", "RX;0x1E:9"],
        "filter": "3,10,6,-",
        "mask": "7,0xFFFF",
    });
    let users = [user("other", json!({})), user("a b", record)];
    let fields = "1;a b;;A B;3,10,6,00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00;\
                  7,65535,0,00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00;\
                  68616319;+127.0.0.0/8,+::1;10:*/30:9;eDt5";
    for (key, word) in [
        (json!({}), "AUTH1"),
        (json!({"ws1-auth-reply": "AUTH1"}), "AUTH1"),
        (json!({"ws1-auth-reply": "AUTH"}), "AUTH"),
    ] {
        let mut keys = key;
        keys["users"] = json!(users);
        let server = Server::start(keys);
        let mut client = server.connect(WS1);
        let crypto = crypto("a b:secret", &client.sid);
        let reply = client.ask(&format!("C;AUTH;{};{crypto}", client.sid));
        assert_eq!(reply, format!("+;{word};{fields}"));
    }
}

#[test]
fn a_login_with_wrong_fields_is_a_syntax_error() {
    let server = Server::start(json!({"max-auth-attempts": 1000}));
    let mut client = server.connect(WS1);
    for fields in [
        "",
        ";",
        ";{sid}",
        ";{sid};",
        ";{sid};{crypto}00",
        ";{sid};00",
        ";{sid};{crypto}{crypto}{32 times}",
        ";{sid};zz{crypto}",
        ";{sid}00;{crypto}",
        ";00;{crypto}",
        ";{other};{crypto}",
        ";{crypto};{sid}",
    ] {
        client.challenge();
        let crypto = crypto("admin:secret", &client.sid);
        let fields = fields
            .replace("{sid}", &client.sid)
            .replace("{crypto}", &crypto)
            .replace("{other}", &"0".repeat(32))
            .replace("{32 times}", &crypto.repeat(32));
        let reply = client.ask(&format!("C;AUTH{fields}"));
        assert_eq!(reply, "-;AUTH;1;Syntax error.", "{fields}");
    }
    client.challenge();
    client.login("admin");
}

#[test]
fn a_login_may_be_written_in_any_case_and_with_spaces() {
    let server = Server::start(json!({}));
    for upper in [false, true] {
        let mut client = server.connect(WS1);
        let crypto = crypto("admin:secret", &client.sid);
        let message = format!(" c;auth; {} ; {crypto} \n", client.sid);
        let message = match upper {
            true => message.to_uppercase(),
            false => message.to_lowercase(),
        };
        let reply = client.ask(&message);
        assert!(reply.starts_with("+;AUTH1;0;admin;"), "{reply}");
    }
}

#[test]
fn the_iv_must_be_the_sid_unless_the_configuration_says_any() {
    let iv = "00112233445566778899AABBCCDDEEFF";
    let message = format!("C;AUTH;{iv};{}", crypto("admin:secret", iv));
    for (keys, accepted) in [
        (json!({}), false),
        (json!({"ws1-iv": "sid"}), false),
        (json!({"ws1-iv": "any"}), true),
    ] {
        let server = Server::start(keys);
        let reply = server.connect(WS1).ask(&message);
        if accepted {
            assert!(reply.starts_with("+;AUTH1;"), "{reply}");
        } else {
            assert_eq!(reply, "-;AUTH;1;Syntax error.");
        }
    }
}

#[test]
fn wrong_user_password_and_address_get_the_same_reply() {
    let users = json!([
        user("admin", json!({})),
        user("elsewhere", json!({"remotes": "10.0.0.1"})),
    ]);
    for (name, password) in [
        ("nobody", "secret"),
        ("admin", "Secret"),
        ("admin", ""),
        ("elsewhere", "secret"),
    ] {
        // A server for each: the second failure would have to wait.
        let server = Server::start(json!({"users": users}));
        let mut client = server.connect(WS1);
        let crypto = crypto(&format!("{name}:{password}"), &client.sid);
        let reply = client.ask(&format!("C;AUTH;{};{crypto}", client.sid));
        assert_eq!(reply, "-;AUTH;5;Not authorised.", "{name}:{password}");
    }
}

#[test]
fn what_decrypts_to_no_user_and_password_is_not_authorised() {
    for plain in [&[b'x'; 16][..], &[0xFF; 32], &[0; 16]] {
        let server = Server::start(json!({}));
        let mut client = server.connect(WS1);
        let crypto = crypto_with(KEY, &client.sid, plain);
        let reply = client.ask(&format!("C;AUTH;{};{crypto}", client.sid));
        assert_eq!(reply, "-;AUTH;5;Not authorised.");
    }
}

#[test]
fn after_a_failed_login_only_the_new_sid_is_good() {
    let server = Server::start(json!({}));
    let mut client = server.connect(WS1);
    let first = client.sid.clone();
    assert_eq!(client.ask("C;AUTH;0;0"), "-;AUTH;1;Syntax error.");
    let stale = crypto("admin:secret", &first);
    let reply = client.ask(&format!("C;AUTH;{first};{stale}"));
    assert_eq!(reply, "-;AUTH;1;Syntax error.");
    client.challenge();
    assert_ne!(client.sid, first);
    client.login("admin");
}

#[test]
fn an_event_of_a_client_reaches_the_host_as_the_vectors_say() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS1, "admin");
    let mut vectors = 0;
    for line in include_str!("vectors/events.tsv").lines() {
        let Some((text, expected)) = line.split_once('\t').filter(|_| !line.starts_with('#'))
        else {
            continue;
        };
        vectors += 1;
        let reply = client.ask(&format!("E;{text}"));
        if expected == "error" {
            assert_eq!(reply, "-;EVENT;8;Parse error, invalid format.", "{text}");
            continue;
        }
        assert_eq!(reply, "+;EVENT", "{text}");
        let event = server.host_reads();
        let fields: Vec<&str> = expected.split('|').collect();
        assert_eq!(event.head.to_string(), fields[0], "{text}");
        assert_eq!(event.class.to_string(), fields[1], "{text}");
        assert_eq!(event.kind.to_string(), fields[2], "{text}");
        let date = event.date.expect("the driver sets the date");
        match fields[4] {
            "now" => assert!(date >= Date::new(2025, 1, 1, 0, 0, 0).unwrap(), "{text}"),
            expected => assert_eq!(date.to_string(), expected, "{text}"),
        }
        match fields[5] {
            "clock" => assert_ne!(event.timestamp, 0, "{text}"),
            expected => assert_eq!(event.timestamp.to_string(), expected, "{text}"),
        }
        let guid: Guid = match fields[6] {
            "driver" => GUID.parse().unwrap(),
            expected => expected.parse().unwrap(),
        };
        assert_eq!(event.guid, guid, "{text}");
        assert_eq!(hex::encode_upper(&*event.data), fields[7], "{text}");
        assert_ne!(
            event.obid, 0,
            "the id of the connection, not what {text} says"
        );
    }
    assert!(vectors >= 19, "{vectors}");
}

#[test]
fn an_event_has_512_bytes_of_data_at_the_most() {
    let server = Server::start(json!({}));
    let mut client = server.login(WS1, "admin");
    let event = |bytes| format!("E;0,20,3,,,,-{}", ",0xFF".repeat(bytes));
    assert_eq!(client.ask(&event(512)), "+;EVENT");
    assert_eq!(server.host_reads().data[..], [0xFF; 512]);
    let reply = client.ask(&event(513));
    assert_eq!(reply, "-;EVENT;8;Parse error, invalid format.");
}

#[test]
fn an_event_of_the_host_is_sent_in_one_form() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS1, "admin");
    for (host, sent) in [
        (
            "0x60,10,6,7,2020-01-27T20:47:55Z,5,FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:01,1,255",
            "E;96,10,6,7,2020-01-27T20:47:55Z,5,FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:01,0x01,0xFF",
        ),
        (
            "0,65535,65535,4294967295,,4294967295,-",
            "E;0,65535,65535,4294967295,,4294967295,00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00",
        ),
        // Nanoseconds since 1970, frame version 1.
        (
            "0x0100,20,3,0,,1580158075123456789,-,0",
            "E;0,20,3,0,2020-01-27T20:47:55Z,3921478400,00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00,0x00",
        ),
    ] {
        server.host_writes_text(host);
        let micros = 1_580_158_075_123_456_u64 as u32;
        let sent = sent.replace("3921478400", &micros.to_string());
        assert_eq!(client.text(), sent);
    }
}

#[test]
fn an_event_without_time_stamp_gets_one_of_the_drivers_clock() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS1, "admin");
    let mut last = 0;
    for _ in 0..3 {
        server.host_writes_text("0,20,3,,,,-");
        let Heard::Event(stamp) = client.hear() else {
            panic!("no event");
        };
        assert!(stamp > last, "{stamp} after {last}");
        last = stamp;
    }
}

#[test]
fn nanoseconds_of_a_client_reach_the_host_and_other_clients_get_microseconds() {
    let server = Server::start(json!({}));
    let mut sender = server.login(WS1, "admin");
    let mut other = server.open(WS1, "admin");
    assert_eq!(sender.ask("E;0,20,3,,,1580158075123456789,-,7"), "+;EVENT");
    let event = server.host_reads();
    assert_eq!(event.unix_ns.unwrap().get(), 1_580_158_075_123_456_789);
    let text = text_of(&event);
    assert!(text.starts_with("0,20,3,"), "{text}");
    assert!(text.contains(",2020-01-27T20:47:55Z,"), "{text}");
    assert_eq!(other.text(), format!("E;{text}"));
}

#[test]
fn a_filter_lets_only_its_events_through() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS1, "admin");
    let guid = "FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00";
    for (filter, dropped, passing) in [
        ("0,10,0,-;0,0xFFFF,0,-", "0,11,6,,,{},-", "0,10,7,,,{},-"),
        ("0,0,6,-;0,0,0xFFFF,-", "0,10,262,,,{},-", "0,11,6,,,{},-"),
        ("0,0,6,-;0,0,255,-", "0,10,7,,,{},-", "0,10,262,,,{},-"),
        ("3,0,0,-;7,0,0,-", "0x40,10,6,,,{},-", "0x7F,10,6,,,{},-"),
        ("0,512,0;0,0xFE00", "0,10,6,,,{},-", "0,522,6,,,{},-"),
        (
            "0,0,0,{g}:01;0,0,0,{g}:FF",
            "0,10,6,,,{},{g}:02",
            "0,10,6,,,{},{g}:01",
        ),
        ("0;0", "", "0,99,99,,,{},-"),
    ] {
        let filter = filter.replace("{g}", guid);
        assert_eq!(client.ask(&format!("C;SF;{filter}")), "+;SF");
        for (event, number) in [(dropped, "1"), (passing, "2")] {
            if !event.is_empty() {
                let event = event.replace("{}", number).replace("{g}", guid);
                server.host_writes_text(&event);
            }
        }
        client.expect_events([2]);
    }
}

#[test]
fn a_filter_that_is_refused_leaves_the_old_one() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS1, "admin");
    assert_eq!(client.ask("C;SF;0,10,0,-;0,0xFFFF,0,-"), "+;SF");
    assert_eq!(client.ask("C;SF;0,0,0,-;0,x,0,-"), "-;SF;1;Syntax error.");
    server.host_writes_text("0,11,3,,,1,-");
    server.host_writes_text("0,10,3,,,2,-");
    client.expect_events([2]);
}

#[test]
fn the_text_of_an_event_reads_back() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS1, "admin");
    let text = "E;224,1024,3,0,2020-01-27T20:47:55Z,77,00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F,0x0F,0x00";
    assert_eq!(client.ask(text), "+;EVENT");
    let mut event = server.host_reads();
    event.obid = 0;
    server.driver.write(event, None).unwrap();
    // It is an echo of what the host was given, so a second time.
    server.host_writes_text(&text[2..]);
    assert_eq!(client.text(), text);
}

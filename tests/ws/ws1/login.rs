//! The greeting and the login.

use std::collections::HashSet;

use serde_json::json;

use super::WS1;
use crate::common::{
    Client, KEY, Server,
    messages::{crypto, crypto_with},
    user,
};

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

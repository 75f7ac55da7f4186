//! The greeting and the login.

use serde_json::json;

use super::{WS2, ask, failed, success};
use crate::common::{Client, Server, messages::crypto, user};

#[test]
fn a_client_is_greeted_without_the_key_command() {
    let server = Server::start(json!({}));
    let mut client = Client::connect(server.address(), "/ws2", WS2);
    let greeting = client.text();
    let sid = &greeting[r#"{"type":"+","args":["AUTH0",""#.len()..][..32];
    assert_eq!(
        greeting,
        format!(r#"{{"type":"+","args":["AUTH0","{sid}"]}}"#)
    );
    assert!(
        sid.chars().all(|c| matches!(c, '0'..='9' | 'A'..='F')),
        "{sid}"
    );
}

#[test]
fn a_login_is_answered_without_args() {
    let server = Server::start(json!({"ws1-auth-reply": "AUTH"}));
    let mut client = server.connect(WS2);
    let crypto = crypto("admin:secret", &client.sid);
    let args = json!({"iv": client.sid.to_lowercase(), "crypto": crypto.to_lowercase()});
    let message = json!({"type": "CMD", "command": "AUTH", "args": args});
    assert_eq!(
        ask(&mut client, &message.to_string()),
        success("AUTH", json!(null))
    );
}

#[test]
fn a_login_with_wrong_args_is_a_syntax_error() {
    let server = Server::start(json!({"max-auth-attempts": 1000}));
    let mut client = server.connect(WS2);
    let iv = client.sid.clone();
    let crypto = crypto("admin:secret", &iv);
    for args in [
        json!(null),
        json!({}),
        json!([]),
        json!("x"),
        json!({"iv": iv}),
        json!({"crypto": crypto}),
        json!({"iv": iv, "crypto": null}),
        json!({"iv": 5, "crypto": crypto}),
        json!({"iv": "", "crypto": crypto}),
        json!({"iv": iv, "crypto": ""}),
        json!({"iv": iv, "crypto": "00"}),
        json!({"iv": iv, "crypto": format!("{crypto}0")}),
        json!({"iv": iv, "crypto": crypto.repeat(33)}),
        json!({"iv": format!("{iv}00"), "crypto": crypto}),
        json!({"iv": iv.replace(|_: char| true, "g"), "crypto": crypto}),
    ] {
        let message = json!({"type": "CMD", "command": "AUTH", "args": args});
        let reply = ask(&mut client, &message.to_string());
        assert_eq!(reply, failed("AUTH", 1), "{args}");
    }
    let reply = ask(&mut client, r#"{"type":"CMD","command":"AUTH"}"#);
    assert_eq!(reply, failed("AUTH", 1));
}

#[test]
fn any_iv_will_do_unless_the_configuration_says_sid() {
    let iv = "00112233445566778899AABBCCDDEEFF";
    let args = json!({"iv": iv, "crypto": crypto("admin:secret", iv)});
    let message = json!({"type": "CMD", "command": "AUTH", "args": args}).to_string();
    for (keys, reply) in [
        (json!({}), success("AUTH", json!(null))),
        (json!({"ws2-iv": "any"}), success("AUTH", json!(null))),
        (json!({"ws2-iv": "sid"}), failed("AUTH", 1)),
    ] {
        let server = Server::start(keys);
        assert_eq!(ask(&mut server.connect(WS2), &message), reply);
    }
    let server = Server::start(json!({"ws2-iv": "sid"}));
    server.login(WS2, "admin");
}

#[test]
fn wrong_user_password_and_address_get_the_same_reply() {
    let users = json!([
        user("admin", json!({})),
        user("elsewhere", json!({"remotes": "-127.0.0.1"})),
    ]);
    for name_and_password in ["nobody:secret", "admin:Secret", "elsewhere:secret", "admin"] {
        let server = Server::start(json!({"users": users}));
        let mut client = server.connect(WS2);
        let args = json!({"iv": client.sid, "crypto": crypto(name_and_password, &client.sid)});
        let message = json!({"type": "CMD", "command": "AUTH", "args": args});
        let reply = ask(&mut client, &message.to_string());
        assert_eq!(reply, failed("AUTH", 5), "{name_and_password}");
    }
}

//! Commands and their replies.

use serde_json::json;

use super::WS1;
use crate::common::{Client, Server};

/// Sends each message and expects exactly one reply to it.
fn expect_replies(client: &mut Client, table: &[(&str, &str)]) {
    for (message, reply) in table {
        assert_eq!(client.ask(message), *reply, "reply to {message:?}");
    }
    assert_eq!(client.ask("C;NOOP"), "+;NOOP", "a reply too many");
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

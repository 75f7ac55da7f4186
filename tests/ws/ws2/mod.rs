//! The protocol ws2, message by message.

mod commands;
mod events;
mod filters;
mod login;

use serde_json::{Value, json};
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::Client;

const WS2: Protocol = Protocol::Ws2;

const TEXTS: [&str; 10] = [
    "Everything is OK.",
    "Syntax error.",
    "Unknown command.",
    "Transmit buffer full.",
    "Having problems to allocate memory.",
    "Not authorised.",
    "Not allowed to send event.",
    "Not allowed to do that (check privileges)",
    "Parse error, invalid format.",
    "Unknown type, only know 'COMMAND' and 'EVENT'.",
];

fn success(word: &str, args: Value) -> Value {
    json!({"type": "+", "command": word, "args": args})
}

fn failed(word: &str, code: usize) -> Value {
    json!({
        "type": "-", "command": word,
        "errcode": code, "errstr": TEXTS[code],
        "error-code": code, "error-str": TEXTS[code],
    })
}

fn ask(client: &mut Client, message: &str) -> Value {
    serde_json::from_str(&client.ask(message)).unwrap()
}

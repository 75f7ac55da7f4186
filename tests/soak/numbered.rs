//! Events with a number in their data: the driver dates those of the host, so that time stamps are
//! no use.

use std::io::{Read, Write};

use serde_json::{Value, json};
use vscpl2drv_websocksrv::{
    event::Event,
    ws::Protocol::{self, Ws1, Ws2},
};

use crate::common::{Client, event_of, messages};

/// A message that a client received.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The reply to an event that it sent: taken, or refused with a code.
    Reply(Result<(), u64>),
    /// An event with its number.
    Event(u32),
}

/// Returns event `number` of the host.
pub(crate) fn of_host(number: u32) -> Event {
    event_of(&text(3, number))
}

/// Returns the message with event `number` of a client. Its type is not that of the host's.
pub(crate) fn of_client(protocol: Protocol, number: u32) -> String {
    match protocol {
        Ws1 => format!("E;{}", text(4, number)),
        Ws2 => {
            let data = number.to_be_bytes();
            json!({"type": "EVENT", "event": {"class": 20, "type": 4, "data": data}}).to_string()
        }
    }
}

/// Returns event `number` as text, as REST takes it.
pub(crate) fn text(kind: u16, number: u32) -> String {
    let [a, b, c, d] = number.to_be_bytes();
    format!("0,20,{kind},,,,-,{a},{b},{c},{d}")
}

/// Takes the next message, which is an event or the reply to one.
pub(crate) fn hear<S: Read + Write>(client: &mut Client<S>) -> Heard {
    let message = client.text();
    let number = match client.protocol {
        Ws1 => in_text(&message),
        Ws2 => in_json(&message),
    };
    if let Some(number) = number {
        return Heard::Event(number);
    }
    match messages::Heard::parse(client.protocol, &message) {
        messages::Heard::Success(word) if word == "EVENT" => Heard::Reply(Ok(())),
        messages::Heard::Failed(word, code) if word == "EVENT" => Heard::Reply(Err(code)),
        _ => panic!("neither an event nor the reply to one: {message}"),
    }
}

/// Returns the number of an event of REST.
pub(crate) fn in_value(event: &Value) -> Option<u32> {
    let bytes: Option<Vec<u8>> = event["data"]
        .as_array()?
        .iter()
        .map(|byte| byte.as_u64()?.try_into().ok())
        .collect();
    Some(u32::from_be_bytes(bytes?.try_into().ok()?))
}

/// The data are the last four of eleven fields.
fn in_text(message: &str) -> Option<u32> {
    let event = message.strip_prefix("E;")?;
    let data = event
        .split(',')
        .skip(7)
        .map(|byte| match byte.strip_prefix("0x") {
            Some(digits) => u8::from_str_radix(digits, 16).ok(),
            None => byte.parse().ok(),
        });
    number(data)
}

/// Without a parser for JSON, which takes longer than the driver.
fn in_json(message: &str) -> Option<u32> {
    if !message.starts_with(r#"{"type":"E"#) {
        return None;
    }
    let (_, data) = message
        .split_once(r#""data":["#)
        .or(message.split_once(r#""vscpData":["#))?;
    let (data, _) = data.split_once(']')?;
    number(data.split(',').map(|byte| byte.trim().parse().ok()))
}

fn number(bytes: impl Iterator<Item = Option<u8>>) -> Option<u32> {
    let bytes: Option<Vec<u8>> = bytes.collect();
    Some(u32::from_be_bytes(bytes?.try_into().ok()?))
}

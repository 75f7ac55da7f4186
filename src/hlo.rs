//! High level objects: commands to the driver and its replies, in events of class 1028.
//!
//! The data of both: 16 bytes of the GUID that is addressed, one byte with the kind of the
//! payload in its upper half and its encryption in the lower, then the payload, which is JSON.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{Data, Event, Guid, MAX_DATA};

/// The class of high level objects.
pub const CLASS: u16 = 1028;

/// The type of commands.
pub const COMMAND: u16 = 1;

/// The type of replies.
pub const REPLY: u16 = 2;

/// Bytes before the payload: GUID and kind.
const HEAD: usize = 17;

/// Payload kinds, in the upper half of their byte.
const TEXT: u8 = 0;
const JSON: u8 = 2;
const BASE64: u8 = 3;

/// Largest number of payload bytes.
pub const MAX_PAYLOAD: usize = MAX_DATA - HEAD;

/// A command.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Command {
    /// The operation.
    pub op: String,
    /// The name of the variable.
    #[serde(default)]
    pub name: String,
    /// Its new value.
    #[serde(default)]
    pub arg: Value,
}

/// A reply.
#[derive(Debug, PartialEq, Serialize)]
pub struct Reply {
    op: String,
    rv: &'static str,
    result: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    arg: Option<Variable>,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: String,
}

/// A variable and its value.
#[derive(Debug, PartialEq, Serialize)]
pub struct Variable {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    value: Value,
}

/// Returns whether an event is a command to the driver of this GUID.
pub fn is_command(event: &Event, driver: Guid) -> bool {
    event.class == CLASS
        && event.kind == COMMAND
        && event.data.len() >= HEAD
        && event.data.starts_with(&driver.0)
}

/// Reads a command. Fails with what is wrong, for the note of a reply.
pub fn read(event: &Event) -> Result<Command, String> {
    let Some((head, payload)) = event.data.split_at_checked(HEAD) else {
        return Err(format!("found {} bytes", event.data.len()));
    };
    let (kind, encryption) = (head[HEAD - 1] >> 4, head[HEAD - 1] & 0x0F);
    if encryption != 0 {
        return Err(format!("found encryption {encryption}, expected 0"));
    }
    let json = match kind {
        TEXT | JSON => payload.to_vec(),
        BASE64 => BASE64_STANDARD
            .decode(payload.trim_ascii())
            .map_err(|error| format!("not Base64: {error}"))?,
        _ => return Err(format!("found kind {kind}, expected 0, 2 or 3")),
    };
    serde_json::from_slice(&json).map_err(|error| format!("not a command: {error}"))
}

impl Reply {
    /// Makes the reply to a command that was carried out, with the variable that it names.
    pub fn success(op: &str, variable: Option<(&str, Value)>) -> Self {
        Self {
            op: op.to_owned(),
            rv: "OK",
            result: 0,
            arg: variable.map(|(name, value)| Variable {
                name: name.to_owned(),
                kind: match value {
                    Value::Null => "null",
                    Value::Bool(_) => "bool",
                    Value::Number(_) => "number",
                    Value::String(_) => "string",
                    Value::Array(_) | Value::Object(_) => "json",
                },
                value,
            }),
            note: String::new(),
        }
    }

    /// Makes the reply to a command that was not carried out; `note` says why.
    pub fn error(op: &str, note: impl Into<String>) -> Self {
        Self {
            op: op.chars().take(16).collect(),
            rv: "ERROR",
            result: 1,
            arg: None,
            note: note.into(),
        }
    }

    /// Returns whether the command was carried out.
    pub fn is_success(&self) -> bool {
        self.result == 0
    }

    /// Makes the event that carries the reply from the driver to `receiver`. A reply that does not
    /// fit into `max_data` bytes becomes an error that says so. But a success of `writevar` stays
    /// one, without the variable, because the change was made.
    pub fn event(&self, receiver: Guid, driver: Guid, max_data: usize) -> Event {
        let room = max_data.min(MAX_DATA).saturating_sub(HEAD);
        // Strings and numbers always serialize.
        let mut payload = serde_json::to_vec(self).unwrap_or_default();
        if payload.len() > room {
            let note = format!("the reply has {} bytes, {room} are allowed", payload.len());
            let short = match self.is_success() {
                true if self.op == "writevar" => Self::success(&self.op, None),
                true => Self::error(&self.op, note),
                false => Self::error(&self.op, String::new()),
            };
            payload = serde_json::to_vec(&short).unwrap_or_default();
        }
        payload.truncate(MAX_PAYLOAD);
        let bytes = [&receiver.0[..], &[JSON << 4], &payload].concat();
        Event {
            head: 3 << 5,
            class: CLASS,
            kind: REPLY,
            obid: 0,
            date: None,
            timestamp: 0,
            unix_ns: None,
            guid: driver,
            // Never too many: the payload was cut.
            data: Data::copy_from(&bytes).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const DRIVER: Guid = Guid([0xD1; 16]);
    const SENDER: Guid = Guid([0x5E; 16]);

    fn command(kind: u8, payload: &[u8]) -> Event {
        let bytes = [&DRIVER.0[..], &[kind], payload].concat();
        Event {
            head: 0,
            class: CLASS,
            kind: COMMAND,
            obid: 0,
            date: None,
            timestamp: 0,
            unix_ns: None,
            guid: SENDER,
            data: Data::copy_from(&bytes).unwrap(),
        }
    }

    fn payload(event: &Event) -> Value {
        assert_eq!(
            (event.class, event.kind, event.guid),
            (CLASS, REPLY, DRIVER)
        );
        assert_eq!(event.data[..16], SENDER.0);
        assert_eq!(event.data[16], 0x20);
        serde_json::from_slice(&event.data[17..]).unwrap()
    }

    #[test]
    fn a_command_is_one_for_this_driver_with_a_payload() {
        let event = command(0x20, b"{}");
        assert!(is_command(&event, DRIVER));
        assert!(!is_command(&event, SENDER));
        for other in [
            Event {
                kind: REPLY,
                ..event.clone()
            },
            Event {
                class: 1024,
                ..event.clone()
            },
            Event {
                data: Data::copy_from(&DRIVER.0).unwrap(),
                ..event
            },
        ] {
            assert!(!is_command(&other, DRIVER));
        }
    }

    #[test]
    fn a_payload_is_text_json_or_base64() {
        let json = br#"{"op":"writevar","name":"debug","arg":true}"#;
        let base64 = BASE64_STANDARD.encode(json);
        let expected = Command {
            op: "writevar".into(),
            name: "debug".into(),
            arg: json!(true),
        };
        for event in [
            command(0x00, json),
            command(0x20, json),
            command(0x30, base64.as_bytes()),
        ] {
            assert_eq!(read(&event), Ok(expected.clone()));
        }
        let noop = read(&command(0x20, br#"{"op":"noop"}"#)).unwrap();
        assert_eq!((noop.name.as_str(), noop.arg), ("", Value::Null));
    }

    #[test]
    fn what_is_no_command_gets_a_reply_that_says_why() {
        for (event, note) in [
            (command(0x21, b"{}"), "found encryption 1, expected 0"),
            (command(0x10, b"{}"), "found kind 1, expected 0, 2 or 3"),
            (command(0x30, b"%"), "not Base64"),
            (command(0x20, b"{}"), "not a command: missing field `op`"),
            (command(0x20, b"\xFF"), "not a command"),
        ] {
            let reply = payload(
                &Reply::error("", read(&event).unwrap_err()).event(SENDER, DRIVER, MAX_DATA),
            );
            assert_eq!(
                (&reply["rv"], &reply["result"]),
                (&json!("ERROR"), &json!(1))
            );
            assert!(reply["note"].as_str().unwrap().starts_with(note), "{reply}");
        }
    }

    #[test]
    fn a_reply_carries_the_variable_with_its_type() {
        for (value, kind) in [
            (json!(true), "bool"),
            (json!(7), "number"),
            (json!("x"), "string"),
            (json!({"a": 1}), "json"),
        ] {
            let reply = Reply::success("readvar", Some(("a", value.clone())));
            assert_eq!(
                payload(&reply.event(SENDER, DRIVER, MAX_DATA)),
                json!({"op": "readvar", "rv": "OK", "result": 0,
                       "arg": {"name": "a", "type": kind, "value": value}})
            );
        }
    }

    #[test]
    fn a_reply_that_is_too_large_becomes_an_error() {
        let reply = Reply::success("readvar", Some(("a", "x".repeat(MAX_PAYLOAD).into())));
        for max_data in [MAX_DATA, 128] {
            let event = reply.event(SENDER, DRIVER, max_data);
            assert!(event.data.len() <= max_data, "{}", event.data.len());
            let reply = payload(&event);
            assert_eq!(reply["rv"], "ERROR");
            assert!(reply["note"].as_str().unwrap().starts_with("the reply has"));
        }
    }

    proptest! {
        #[test]
        fn any_payload_is_read_or_answered(
            kind in any::<u8>(),
            bytes in proptest::collection::vec(any::<u8>(), 0..=MAX_PAYLOAD),
        ) {
            if let Err(note) = read(&command(kind, &bytes)) {
                prop_assert!(Reply::error("", note).event(SENDER, DRIVER, 128).data.len() <= 128);
            }
        }
    }
}

//! ws2: one JSON object a message.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    session::{COPYRIGHT, Codec, Command, Done, Failure, Request, Sid, VERSION},
    ws1::login_fields,
};
use crate::{
    config::Dialect,
    event::{Event, EventError, Filter, filter::FilterChange, json},
};

/// How ws2 is written.
#[derive(Debug)]
pub(super) struct Ws2;

impl Codec for Ws2 {
    fn greeting(&self, sid: &Sid) -> String {
        format!(r#"{{"type":"+","args":["AUTH0","{}"]}}"#, sid.hex())
    }

    fn read<'m>(&self, message: &'m str) -> Result<Request<'m>, Failure> {
        let message: Message<'_> = serde_json::from_str(message).map_err(|_| Failure::Parse)?;
        let kind = message.kind.and_then(string).ok_or(Failure::UnknownType)?;
        match kind.trim().to_ascii_uppercase().as_str() {
            "C" | "CMD" | "COMMAND" => {
                let word = message.command.and_then(string).ok_or(Failure::Syntax)?;
                let args = message.args.map_or("null", RawValue::get);
                Ok(Request::Command(Command::new(&word, args)))
            }
            "E" | "EVENT" => Ok(Request::Event(message.event.map_or("null", RawValue::get))),
            "+" | "-" => Ok(Request::Reply),
            _ => Err(Failure::UnknownType),
        }
    }

    fn login(&self, args: &str) -> Option<([u8; 16], Vec<u8>)> {
        #[derive(Deserialize)]
        struct Args {
            iv: String,
            crypto: String,
        }

        let Args { iv, crypto } = serde_json::from_str(args).ok()?;
        login_fields(&iv, &crypto)
    }

    fn iv_is_sid(&self, dialect: &Dialect) -> bool {
        dialect.ws2_iv_is_sid
    }

    fn filter(&self, args: &str, mut present: Filter) -> Option<Filter> {
        let change: FilterChange = serde_json::from_str(args).ok()?;
        change.apply(&mut present);
        Some(present)
    }

    fn event(&self, text: &str) -> Result<Event, EventError> {
        json::parse(text)
    }

    fn done(&self, command: &Command<'_>, done: Done<'_>) -> String {
        let args = match done {
            Done::Plain | Done::LoggedIn { .. } => "null".to_owned(),
            Done::Sid(sid) => format!(r#"{{"sid":"{}"}}"#, sid.hex()),
            Done::Version => format!(r#"{{"version":"{VERSION}-0"}}"#),
            Done::Copyright => format!(r#"{{"copyright":"{COPYRIGHT}"}}"#),
        };
        // Only known commands are done: their words need no escapes.
        format!(
            r#"{{"type":"+","command":"{}","args":{args}}}"#,
            command.word
        )
    }

    fn failed(&self, command: &Command<'_>, failure: Failure) -> String {
        negative(&command.word, failure)
    }

    fn event_accepted(&self) -> &'static str {
        r#"{"type":"+","command":"EVENT","args":null}"#
    }

    fn not_understood(&self, failure: Failure) -> String {
        negative("", failure)
    }
}

fn negative(word: &str, failure: Failure) -> String {
    #[derive(serde::Serialize)]
    struct Negative<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
        command: &'a str,
        errcode: u8,
        errstr: &'a str,
        #[serde(rename = "error-code")]
        error_code: u8,
        #[serde(rename = "error-str")]
        error_str: &'a str,
    }

    let negative = Negative {
        kind: "-",
        command: word,
        errcode: failure.code(),
        errstr: failure.text(),
        error_code: failure.code(),
        error_str: failure.text(),
    };
    // Strings and numbers always serialize.
    serde_json::to_string(&negative).unwrap_or_default()
}

fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// A message whose parts are read when it is known what they should be. Of a key that is there
/// twice the last value counts; other keys are ignored.
#[derive(Default)]
struct Message<'m> {
    kind: Option<&'m RawValue>,
    command: Option<&'m RawValue>,
    args: Option<&'m RawValue>,
    event: Option<&'m RawValue>,
}

impl<'de: 'm, 'm> Deserialize<'de> for Message<'m> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MessageVisitor)
    }
}

struct MessageVisitor;

impl<'de> Visitor<'de> for MessageVisitor {
    type Value = Message<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut message = Message::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let field = match &*key {
                "type" => &mut message.kind,
                "command" => &mut message.command,
                "args" => &mut message.args,
                "event" => &mut message.event,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *field = Some(map.next_value()?);
        }
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_by_their_type() {
        for (message, expected) in [
            (r#"{"type":"C","command":"noop"}"#, "NOOP (null)"),
            (r#"{"type":"cmd","command":" Noop "}"#, "NOOP (null)"),
            (
                r#"{"type":" COMMAND ","command":"a","args":{"b": [1]}}"#,
                r#"A ({"b": [1]})"#,
            ),
            (r#"{"args":7,"command":"a","type":"C"}"#, "A (7)"),
            (
                r#"{"type":"X","type":"C","command":"a","command":"b"}"#,
                "B (null)",
            ),
            (
                r#"{"t\u0079pe":"\u0043","x":{"type":"E"},"command":"a"}"#,
                "A (null)",
            ),
            (
                r#"{"type":"E","event":{"class":1}}"#,
                r#"event {"class":1}"#,
            ),
            (r#"{"type":"event"}"#, "event null"),
            (r#"{"type":"+","command":"a"}"#, "reply"),
            (r#"{"type":" - "}"#, "reply"),
            (r#"{"type":"C"}"#, "Syntax"),
            (r#"{"type":"C","command":["NOOP"]}"#, "Syntax"),
            (r#"{"type":"++"}"#, "UnknownType"),
            (r#"{"type":["C"],"command":"NOOP"}"#, "UnknownType"),
            ("{}", "UnknownType"),
            ("[]", "Parse"),
            ("", "Parse"),
            (r#"{"type":"C","command":"NOOP"} x"#, "Parse"),
        ] {
            let read = match Ws2.read(message) {
                Ok(Request::Command(Command { word, args, .. })) => format!("{word} ({args})"),
                Ok(Request::Event(event)) => format!("event {event}"),
                Ok(Request::Reply) => "reply".into(),
                Err(failure) => format!("{failure:?}"),
            };
            assert_eq!(read, expected, "{message}");
        }
    }

    #[test]
    fn a_word_is_written_as_json() {
        assert_eq!(
            Ws2.failed(&Command::new("a\"b\\\n", ""), Failure::UnknownCommand),
            r#"{"type":"-","command":"A\"B\\","errcode":2,"errstr":"Unknown command.","error-code":2,"error-str":"Unknown command."}"#
        );
    }
}

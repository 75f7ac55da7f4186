//! ws2: one JSON object a message.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{
    session::{COPYRIGHT, Codec, Command, ErrorCode, Request, Success, VERSION},
    settings::Dialect,
    ws1::login_fields,
};
use crate::{
    client::SessionId,
    event::{Event, EventError, Filter, filter::FilterChange, json},
    json_fields::{self, JsonFields},
};

/// The codec of ws2.
#[derive(Debug)]
pub(super) struct Ws2;

impl Codec for Ws2 {
    fn greeting(&self, sid: SessionId) -> String {
        format!(r#"{{"type":"+","args":["AUTH0","{}"]}}"#, sid.hex())
    }

    fn read<'m>(&self, message: &'m str) -> Result<Request<'m>, ErrorCode> {
        let message: Message<'_> = serde_json::from_str(message).map_err(|_| ErrorCode::Parse)?;
        let kind = message
            .kind
            .and_then(string)
            .ok_or(ErrorCode::UnknownType)?;
        match kind.trim().to_ascii_uppercase().as_str() {
            "C" | "CMD" | "COMMAND" => {
                let word = message.command.and_then(string).ok_or(ErrorCode::Syntax)?;
                let args = message.args.map_or("null", RawValue::get);
                Ok(Request::Command(Command::new(&word, args)))
            }
            "E" | "EVENT" => Ok(Request::Event(message.event.map_or("null", RawValue::get))),
            "+" | "-" => Ok(Request::Reply),
            _ => Err(ErrorCode::UnknownType),
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

    fn encode_success(&self, command: &Command<'_>, success: Success<'_>) -> String {
        let args = match success {
            Success::Plain | Success::LoggedIn { .. } => "null".to_owned(),
            Success::Sid(sid) => format!(r#"{{"sid":"{}"}}"#, sid.hex()),
            Success::Version => format!(r#"{{"version":"{VERSION}-0"}}"#),
            Success::Copyright => format!(r#"{{"copyright":"{COPYRIGHT}"}}"#),
        };
        // Only known commands succeed, so the word needs no escapes.
        format!(
            r#"{{"type":"+","command":"{}","args":{args}}}"#,
            command.word
        )
    }

    fn encode_failure(&self, command: &Command<'_>, code: ErrorCode, text: &str) -> String {
        negative(&command.word, code, text)
    }

    fn event_accepted(&self) -> &'static str {
        r#"{"type":"+","command":"EVENT","args":null}"#
    }

    fn not_understood(&self, code: ErrorCode) -> String {
        negative("", code, code.text())
    }
}

fn negative(word: &str, code: ErrorCode, text: &str) -> String {
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
        errcode: code.code(),
        errstr: text,
        error_code: code.code(),
        error_str: text,
    };
    // Strings and numbers always serialize.
    serde_json::to_string(&negative).unwrap_or_default()
}

fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// The fields of a message, as they are written: how each is read depends on the type of the
/// message. If a key is repeated its last value counts; other keys are ignored.
#[derive(Default)]
struct Message<'m> {
    kind: Option<&'m RawValue>,
    command: Option<&'m RawValue>,
    args: Option<&'m RawValue>,
    event: Option<&'m RawValue>,
}

impl<'de> Deserialize<'de> for Message<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json_fields::read(deserializer)
    }
}

impl<'de> JsonFields<'de> for Message<'de> {
    const EXPECTED: &'static str = "an object";

    type Value = Option<&'de RawValue>;

    fn field(&mut self, key: &str) -> Option<&mut Self::Value> {
        Some(match key {
            "type" => &mut self.kind,
            "command" => &mut self.command,
            "args" => &mut self.args,
            "event" => &mut self.event,
            _ => return None,
        })
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
                Err(code) => format!("{code:?}"),
            };
            assert_eq!(read, expected, "{message}");
        }
    }

    #[test]
    fn a_word_is_written_as_json() {
        assert_eq!(
            Ws2.encode_failure(
                &Command::new("a\"b\\\n", ""),
                ErrorCode::UnknownCommand,
                ErrorCode::UnknownCommand.text()
            ),
            r#"{"type":"-","command":"A\"B\\","errcode":2,"errstr":"Unknown command.","error-code":2,"error-str":"Unknown command."}"#
        );
    }
}

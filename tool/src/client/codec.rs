//! Messages of ws1 and ws2, as a client writes and reads them.

use serde_json::{Value, json, value::RawValue};
use vscpl2drv_websocksrv::event::{Event, EventError, json as event_json, text};

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Ws1,
    Ws2,
}

/// A command to the server.
#[derive(Debug)]
pub(super) enum Command<'c> {
    Login { iv: &'c str, crypto: &'c str },
    Open,
}

/// A message of the server.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// The greeting, with the id of the session.
    Greeting(String),
    /// The command was carried out.
    Done,
    /// It is refused: the code and the reason.
    Refused(u8, String),
    Event(Box<Event>),
    /// A message that a client need not understand.
    Other,
}

impl Protocol {
    /// Returns the protocol that is served at a path.
    pub(super) fn of_path(path: &str) -> Self {
        match path.ends_with('2') {
            true => Self::Ws2,
            false => Self::Ws1,
        }
    }

    pub(super) fn command(self, command: &Command<'_>) -> String {
        match (self, command) {
            (Self::Ws1, Command::Login { iv, crypto }) => format!("C;AUTH;{iv};{crypto}"),
            (Self::Ws1, Command::Open) => "C;OPEN".to_owned(),
            (Self::Ws2, Command::Login { iv, crypto }) => {
                let args = json!({"iv": iv, "crypto": crypto});
                json!({"type": "CMD", "command": "AUTH", "args": args}).to_string()
            }
            (Self::Ws2, Command::Open) => json!({"type": "CMD", "command": "OPEN"}).to_string(),
        }
    }

    pub(super) fn event(self, event: &Event) -> String {
        let mut out = Vec::new();
        let (before, after) = match self {
            Self::Ws1 => {
                text::encode(event, &mut out);
                ("E;", "")
            }
            Self::Ws2 => {
                event_json::encode(event, event_json::Keys::Short, &mut out);
                ("{\"type\":\"EVENT\",\"event\":", "}")
            }
        };
        format!("{before}{}{after}", String::from_utf8_lossy(&out))
    }

    /// Reads a message. Fails if it is an event that cannot be understood.
    pub(super) fn read(self, message: &str) -> Result<Message, EventError> {
        match self {
            Self::Ws1 => read_ws1(message),
            Self::Ws2 => read_ws2(message),
        }
    }
}

fn read_ws1(message: &str) -> Result<Message, EventError> {
    if let Some(event) = message.strip_prefix("E;") {
        return Ok(Message::Event(Box::new(text::parse(event)?)));
    }
    let fields: Vec<_> = message.trim().split(';').collect();
    Ok(match fields[..] {
        ["+", "AUTH0", sid] => Message::Greeting(sid.to_owned()),
        ["+", ..] => Message::Done,
        ["-", .., code, text] => {
            Message::Refused(code.parse().unwrap_or_default(), text.to_owned())
        }
        _ => Message::Other,
    })
}

/// The parts of a message of ws2.
#[derive(Default)]
struct Parts {
    kind: String,
    event: Option<Box<RawValue>>,
    args: Value,
    code: u8,
    text: String,
}

impl Parts {
    fn of(message: &str) -> Option<Self> {
        let mut fields: std::collections::HashMap<String, Box<RawValue>> =
            serde_json::from_str(message).ok()?;
        let mut value = |key: &str| {
            let raw = fields.remove(key)?;
            serde_json::from_str::<Value>(raw.get()).ok()
        };
        let mut text = |key: &str| value(key)?.as_str().map(str::to_owned);
        let (kind, error) = (text("type")?, text("errstr").unwrap_or_default());
        let code = value("errcode").and_then(|code| code.as_u64());
        Some(Self {
            kind,
            args: value("args").unwrap_or_default(),
            code: code
                .and_then(|code| code.try_into().ok())
                .unwrap_or_default(),
            text: error,
            event: fields.remove("event"),
        })
    }
}

fn read_ws2(message: &str) -> Result<Message, EventError> {
    let parts = Parts::of(message).unwrap_or_default();
    Ok(match (&*parts.kind, parts.event) {
        ("EVENT" | "E", Some(event)) => Message::Event(Box::new(event_json::parse(event.get())?)),
        ("+", _) => match (&parts.args[0], &parts.args[1]) {
            (Value::String(word), Value::String(sid)) if word == "AUTH0" => {
                Message::Greeting(sid.clone())
            }
            _ => Message::Done,
        },
        ("-", _) => Message::Refused(parts.code, parts.text),
        _ => Message::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_both_protocols_are_read() {
        for (protocol, message, expected) in [
            (
                Protocol::Ws1,
                "+;AUTH0;00FF",
                Message::Greeting("00FF".into()),
            ),
            (Protocol::Ws1, "+;AUTH1;0;a;;;1;2", Message::Done),
            (
                Protocol::Ws1,
                "-;AUTH;5;Not authorised.",
                Message::Refused(5, "Not authorised.".into()),
            ),
            (
                Protocol::Ws2,
                r#"{"type":"+","args":["AUTH0","00FF"]}"#,
                Message::Greeting("00FF".into()),
            ),
            (
                Protocol::Ws2,
                r#"{"type":"+","command":"OPEN","args":null}"#,
                Message::Done,
            ),
            (
                Protocol::Ws2,
                r#"{"type":"-","command":"EVENT","errcode":6,"errstr":"No."}"#,
                Message::Refused(6, "No.".into()),
            ),
            (Protocol::Ws1, "x", Message::Other),
            (Protocol::Ws2, "x", Message::Other),
            (Protocol::Ws2, "{}", Message::Other),
        ] {
            assert_eq!(protocol.read(message).unwrap(), expected, "{message}");
        }
    }

    #[test]
    fn an_event_that_is_written_reads_back() {
        let guid = "FF:FF:FF:FF:FF:FF:FF:FE:00:01:02:03:04:05:00:01";
        let event = format!("96,10,6,0,2020-01-27T20:47:55Z,1,{guid},0x88,0x01");
        let event = text::parse(&event).unwrap();
        for protocol in [Protocol::Ws1, Protocol::Ws2] {
            let read = protocol.read(&protocol.event(&event)).unwrap();
            assert_eq!(read, Message::Event(Box::new(event.clone())));
        }
        assert!(Protocol::Ws1.read("E;x").is_err());
    }
}

//! Messages of both protocols, for tests that hold for both.

use std::io::{Read, Write};

use aes::{
    Aes128,
    cipher::{BlockModeEncrypt, KeyIvInit, block_padding::NoPadding},
};
use serde_json::{Value, json};
use vscpl2drv_websocksrv::ws::Protocol;

use super::{Client, KEY};

/// A message that a client received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A positive reply, with its word.
    Success(String),
    /// A negative reply, with its word and code.
    Failed(String, u64),
    /// An event. Tests tell events by their time stamp, which is never 0.
    Event(u32),
}

impl Heard {
    pub(crate) fn success(word: &str) -> Self {
        Self::Success(word.into())
    }

    pub(crate) fn failed(word: &str, code: u64) -> Self {
        Self::Failed(word.into(), code)
    }

    pub(crate) fn parse(protocol: Protocol, message: &str) -> Self {
        match protocol {
            Protocol::Ws1 => parse_ws1(message),
            Protocol::Ws2 => parse_ws2(message),
        }
        .unwrap_or_else(|| panic!("not understood: {message}"))
    }
}

impl<S: Read + Write> Client<S> {
    pub(crate) fn take_greeting(&mut self) {
        let greeting = self.text();
        self.sid = match self.protocol {
            Protocol::Ws1 => greeting.strip_prefix("+;AUTH0;").unwrap().into(),
            Protocol::Ws2 => {
                let greeting: Value = serde_json::from_str(&greeting).unwrap();
                greeting["args"][1].as_str().unwrap().into()
            }
        };
    }

    /// Sends a command and expects a positive reply.
    pub(crate) fn command(&mut self, word: &str) {
        self.send_command(word);
        assert_eq!(self.hear(), Heard::success(word));
    }

    pub(crate) fn send_command(&mut self, word: &str) {
        self.send(&command(self.protocol, word));
    }

    /// Logs in with the password `secret`.
    pub(crate) fn login(&mut self, user: &str) {
        let reply = self.try_login(user, "secret");
        let word = match self.protocol {
            Protocol::Ws1 => "AUTH1",
            Protocol::Ws2 => "AUTH",
        };
        assert_eq!(reply, Heard::success(word));
    }

    /// Logs in with the sid; the reply.
    pub(crate) fn try_login(&mut self, user: &str, password: &str) -> Heard {
        let crypto = crypto(&format!("{user}:{password}"), &self.sid);
        self.send(&auth(self.protocol, &self.sid, &crypto));
        self.hear()
    }

    /// Asks for the sid that is in force.
    pub(crate) fn challenge(&mut self) {
        let reply = self.ask(&command(self.protocol, "CHALLENGE"));
        self.sid = match self.protocol {
            Protocol::Ws1 => reply.strip_prefix("+;AUTH0;").unwrap().into(),
            Protocol::Ws2 => {
                let reply: Value = serde_json::from_str(&reply).unwrap();
                reply["args"]["sid"].as_str().unwrap().into()
            }
        };
    }

    /// Sends event `number`.
    pub(crate) fn send_event(&mut self, number: u32) {
        self.send(&event(self.protocol, number));
    }

    pub(crate) fn hear(&mut self) -> Heard {
        let message = self.text();
        Heard::parse(self.protocol, &message)
    }

    /// Sends a NOOP, and returns all that is heard before its reply.
    pub(crate) fn hear_until_noop(&mut self) -> Vec<Heard> {
        self.send_command("NOOP");
        let mut heard = Vec::new();
        loop {
            match self.hear() {
                Heard::Success(word) if word == "NOOP" => return heard,
                other => heard.push(other),
            }
        }
    }

    /// Expects events with these numbers, and nothing between them.
    pub(crate) fn expect_events(&mut self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            assert_eq!(self.hear(), Heard::Event(number));
        }
    }
}

pub(crate) fn command(protocol: Protocol, word: &str) -> String {
    match protocol {
        Protocol::Ws1 => format!("C;{word}"),
        Protocol::Ws2 => json!({"type": "CMD", "command": word}).to_string(),
    }
}

pub(crate) fn event(protocol: Protocol, number: u32) -> String {
    match protocol {
        Protocol::Ws1 => format!("E;0,20,3,0,,{number},-"),
        Protocol::Ws2 => {
            json!({"type": "EVENT", "event": {"class": 20, "type": 3, "timestamp": number}})
                .to_string()
        }
    }
}

pub(crate) fn auth(protocol: Protocol, iv: &str, crypto: &str) -> String {
    match protocol {
        Protocol::Ws1 => format!("C;AUTH;{iv};{crypto}"),
        Protocol::Ws2 => {
            json!({"type": "CMD", "command": "AUTH", "args": {"iv": iv, "crypto": crypto}})
                .to_string()
        }
    }
}

/// `text` encrypted with the well-known key, padded with NUL.
pub(crate) fn crypto(text: &str, iv: &str) -> String {
    let mut plain = text.as_bytes().to_vec();
    plain.resize(plain.len().next_multiple_of(16), 0);
    crypto_with(KEY, iv, &plain)
}

/// `plain`, 16, 32 .. bytes, encrypted.
pub(crate) fn crypto_with(key: &str, iv: &str, plain: &[u8]) -> String {
    let bytes = |hex: &str| <[u8; 16]>::try_from(hex::decode(hex).unwrap()).unwrap();
    let encryptor = cbc::Encryptor::<Aes128>::new(&bytes(key).into(), &bytes(iv).into());
    let mut buffer = plain.to_vec();
    let crypto = encryptor
        .encrypt_padded::<NoPadding>(&mut buffer, plain.len())
        .unwrap();
    hex::encode_upper(crypto)
}

fn parse_ws1(message: &str) -> Option<Heard> {
    let (first, rest) = message.split_once(';')?;
    let mut fields = rest.split(';');
    let word = fields.next()?.to_owned();
    match first {
        "+" => Some(Heard::Success(word)),
        "-" => match word.parse() {
            Ok(code) => Some(Heard::Failed(String::new(), code)),
            Err(_) => Some(Heard::Failed(word, fields.next()?.parse().ok()?)),
        },
        "E" => Some(Heard::Event(rest.split(',').nth(5)?.parse().ok()?)),
        _ => None,
    }
}

fn parse_ws2(message: &str) -> Option<Heard> {
    if message.starts_with(r#"{"type":"E"#) {
        // Parsed without serde_json, for tests with many events.
        let key = message
            .find(r#"TimeStamp":"#)
            .or(message.find(r#"timestamp":"#))?;
        let digits = message[key + r#"timestamp":"#.len()..].split(',').next()?;
        return Some(Heard::Event(digits.parse().ok()?));
    }
    let message: Value = serde_json::from_str(message).ok()?;
    let word = || Some(message.get("command")?.as_str()?.to_owned());
    match message["type"].as_str()? {
        "+" => Some(Heard::Success(word()?)),
        "-" => Some(Heard::Failed(word()?, message["errcode"].as_u64()?)),
        _ => None,
    }
}

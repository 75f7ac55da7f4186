//! ws1: text, fields separated by `;`.

use super::session::{COPYRIGHT, Codec, Command, Done, Failure, Request, Sid, VERSION, Verb};
use crate::{
    config::Dialect,
    event::{Event, EventError, Filter, text},
};

/// The version of the protocol, which VERSION answers before that of the driver.
const PROTOCOL_VERSION: &str = "1.0.0.0";

/// How ws1 is written.
#[derive(Debug)]
pub(super) struct Ws1;

impl Codec for Ws1 {
    fn greeting(&self, sid: &Sid) -> String {
        format!("+;AUTH0;{}", sid.hex())
    }

    fn read<'m>(&self, message: &'m str) -> Result<Request<'m>, Failure> {
        let message = message.trim();
        let rest = message.split_once(';').map(|(_, rest)| rest);
        match message.chars().next() {
            Some('E' | 'e') => Ok(Request::Event(rest.unwrap_or(""))),
            Some('C' | 'c') => {
                let rest = rest.ok_or(Failure::Syntax)?;
                let (word, args) = rest.split_once(';').unwrap_or((rest, ""));
                Ok(Request::Command(Command::new(word, args)))
            }
            Some('+' | '-') => Ok(Request::Reply),
            Some(_) => Err(Failure::UnknownType),
            None => Err(Failure::Syntax),
        }
    }

    fn login(&self, args: &str) -> Option<([u8; 16], Vec<u8>)> {
        let (iv, crypto) = args.split_once(';')?;
        login_fields(iv, crypto)
    }

    fn iv_is_sid(&self, dialect: &Dialect) -> bool {
        dialect.ws1_iv_is_sid
    }

    fn filter(&self, args: &str, _present: Filter) -> Option<Filter> {
        let (filter, mask) = args.split_once(';')?;
        Filter::parse_wire(filter, mask).ok()
    }

    fn event(&self, text: &str) -> Result<Event, EventError> {
        text::parse(text)
    }

    fn done(&self, command: &Command<'_>, done: Done<'_>) -> String {
        match done {
            Done::Plain => format!("+;{}", reply_word(command)),
            Done::Sid(sid) => self.greeting(sid),
            Done::LoggedIn { user, word } => format!("+;{word};{}", user.auth1_fields()),
            Done::Version => format!("+;VERSION;{PROTOCOL_VERSION};{VERSION}"),
            Done::Copyright => format!("+;COPYRIGHT;{COPYRIGHT}"),
        }
    }

    fn failed(&self, command: &Command<'_>, failure: Failure) -> String {
        let word = reply_word(command);
        format!("-;{word};{};{}", failure.code(), failure.text())
    }

    fn event_accepted(&self) -> &'static str {
        "+;EVENT"
    }

    fn not_understood(&self, failure: Failure) -> String {
        format!("-;{};{}", failure.code(), failure.text())
    }
}

/// `iv` and `crypto` from their hex digits: 16 bytes, and 1 to 32 blocks of 16.
pub(super) fn login_fields(iv: &str, crypto: &str) -> Option<([u8; 16], Vec<u8>)> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(iv.trim(), &mut bytes).ok()?;
    let crypto = crypto.trim();
    if !(32..=1024).contains(&crypto.len()) || !crypto.len().is_multiple_of(32) {
        return None;
    }
    Some((bytes, hex::decode(crypto).ok()?))
}

/// The one word that replies use for a command with synonyms.
fn reply_word<'c>(command: &'c Command<'_>) -> &'c str {
    match command.verb {
        Some(Verb::SetFilter) => "SF",
        Some(Verb::ClearQueue) => "CLRQ",
        Some(Verb::Version) => "VERSION",
        _ => &command.word,
    }
}

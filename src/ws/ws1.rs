//! ws1: text, fields separated by `;`.

use super::{
    session::{COPYRIGHT, Codec, Command, CommandKind, ErrorCode, Request, Success, VERSION},
    settings::Dialect,
};
use crate::{
    client::SessionId,
    event::{Event, EventError, Filter, text},
};

/// The version of the protocol, which VERSION answers before that of the driver.
const PROTOCOL_VERSION: &str = "1.0.0.0";

/// The codec of ws1.
#[derive(Debug)]
pub(super) struct Ws1;

impl Codec for Ws1 {
    fn greeting(&self, sid: SessionId) -> String {
        format!("+;AUTH0;{}", sid.hex())
    }

    fn read<'m>(&self, message: &'m str) -> Result<Request<'m>, ErrorCode> {
        let message = message.trim();
        let rest = message.split_once(';').map(|(_, rest)| rest);
        match message.chars().next() {
            Some('E' | 'e') => Ok(Request::Event(rest.unwrap_or(""))),
            Some('C' | 'c') => {
                let rest = rest.ok_or(ErrorCode::Syntax)?;
                let (word, args) = rest.split_once(';').unwrap_or((rest, ""));
                Ok(Request::Command(Command::new(word, args)))
            }
            Some('+' | '-') => Ok(Request::Reply),
            Some(_) => Err(ErrorCode::UnknownType),
            None => Err(ErrorCode::Syntax),
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

    fn encode_success(&self, command: &Command<'_>, success: Success<'_>) -> String {
        match success {
            Success::Plain => format!("+;{}", reply_word(command)),
            Success::Sid(sid) => self.greeting(sid),
            Success::LoggedIn { user, word } => format!("+;{word};{}", user.auth1_fields()),
            Success::Version => format!("+;VERSION;{PROTOCOL_VERSION};{VERSION}"),
            Success::Copyright => format!("+;COPYRIGHT;{COPYRIGHT}"),
        }
    }

    fn encode_failure(&self, command: &Command<'_>, code: ErrorCode, text: &str) -> String {
        let word = reply_word(command);
        format!("-;{word};{};{text}", code.code())
    }

    fn event_accepted(&self) -> &'static str {
        "+;EVENT"
    }

    fn not_understood(&self, code: ErrorCode) -> String {
        format!("-;{};{}", code.code(), code.text())
    }
}

/// Decodes `iv` and `crypto` from hex digits: 16 bytes, and 1 to 32 blocks of 16.
pub(super) fn login_fields(iv: &str, crypto: &str) -> Option<([u8; 16], Vec<u8>)> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(iv.trim(), &mut bytes).ok()?;
    let crypto = crypto.trim();
    if !(32..=1024).contains(&crypto.len()) || !crypto.len().is_multiple_of(32) {
        return None;
    }
    Some((bytes, hex::decode(crypto).ok()?))
}

/// Returns the word that replies use for a command with synonyms.
fn reply_word<'c>(command: &'c Command<'_>) -> &'c str {
    match command.kind {
        Some(CommandKind::SetFilter) => "SF",
        Some(CommandKind::ClearQueue) => "CLRQ",
        Some(CommandKind::Version) => "VERSION",
        _ => &command.word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_by_their_first_character() {
        for (message, expected) in [
            ("C;NOOP", "Some(Noop) NOOP ()"),
            (" c; noop ;a;b \r\n", "Some(Noop) NOOP (a;b)"),
            ("C;sf;0;0", "Some(SetFilter) SF (0;0)"),
            ("C;NOOPX;", "None NOOPX ()"),
            ("C;", "None  ()"),
            ("E;0,20,3,,,,-", "event 0,20,3,,,,-"),
            ("e;a;b", "event a;b"),
            ("E", "event "),
            ("+;EVENT", "reply"),
            ("-", "reply"),
            ("C", "Syntax"),
            ("", "Syntax"),
            ("\n", "Syntax"),
            ("X", "UnknownType"),
            ("\u{FC};", "UnknownType"),
        ] {
            let read = match Ws1.read(message) {
                Ok(Request::Command(Command { kind, word, args })) => {
                    format!("{kind:?} {word} ({args})")
                }
                Ok(Request::Event(event)) => format!("event {event}"),
                Ok(Request::Reply) => "reply".into(),
                Err(code) => format!("{code:?}"),
            };
            assert_eq!(read, expected, "{message:?}");
        }
    }

    #[test]
    fn the_fields_of_a_login_have_16_bytes_and_1_to_32_blocks() {
        let iv = "00112233445566778899aAbBcCdDeEfF";
        for blocks in [1, 2, 31, 32] {
            let crypto = iv.repeat(blocks);
            let (bytes, crypto) = login_fields(iv, &crypto).unwrap();
            assert_eq!(hex::encode(bytes), iv.to_lowercase());
            assert_eq!(crypto, bytes.repeat(blocks));
        }
        assert!(login_fields(&format!(" {iv} "), &format!("{iv}\n")).is_some());
        for (iv, crypto) in [
            (iv, ""),
            (iv, &iv[..30]),
            (iv, &iv[..31]),
            (iv, &iv.repeat(33)),
            (iv, &iv.replace('0', "g")),
            (iv, &format!("{}\u{FC}\u{FC}", &iv[..28])),
            (&iv[..30], iv),
            (&iv.repeat(2), iv),
            (&iv.replace('0', "-"), iv),
            ("", iv),
        ] {
            assert!(login_fields(iv, crypto).is_none(), "{iv} {crypto}");
        }
    }
}

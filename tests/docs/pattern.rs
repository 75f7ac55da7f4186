//! Words in braces, which stand for values that differ from run to run.

use std::{collections::HashMap, time::SystemTime};

use vscpl2drv_websocksrv::event::Date;

use crate::common::{GUID, messages::crypto};

/// What is known of the values so far.
pub(crate) struct Values {
    known: HashMap<&'static str, String>,
    /// When the example began.
    start: String,
}

/// A piece of a pattern.
enum Piece<'p> {
    Literal(&'p str),
    Placeholder(&'p str),
}

impl Values {
    pub(crate) fn new() -> Self {
        let known = [("guid", GUID), ("version", env!("CARGO_PKG_VERSION"))];
        Self {
            known: known.map(|(name, value)| (name, value.to_owned())).into(),
            start: now(),
        }
    }

    /// Returns what is sent: `text` with the values.
    pub(crate) fn fill(&self, text: &str) -> String {
        let value = |piece| match piece {
            Piece::Literal(literal) => literal.to_owned(),
            Piece::Placeholder(name) => match name.strip_prefix("login:") {
                Some(login) => crypto(login, &self.known["sid"]),
                None => self.known[name].clone(),
            },
        };
        pieces(text).into_iter().map(value).collect()
    }

    /// Fails unless `actual` is what `pattern` shows. Remembers the values that it has not known.
    pub(crate) fn expect(&mut self, place: &dyn std::fmt::Display, pattern: &str, actual: &str) {
        if let Err(rest) = self.matches(pattern, actual) {
            panic!("{place}:\nexpected {pattern}\n   found {actual}\ndiffers at {rest}");
        }
    }

    /// Returns an error if `actual` is something else: the part of it that differs.
    pub(crate) fn matches<'a>(&mut self, pattern: &str, actual: &'a str) -> Result<(), &'a str> {
        let pieces = pieces(pattern);
        let mut rest = actual;
        for (index, piece) in pieces.iter().enumerate() {
            let length = match piece {
                Piece::Literal(literal) => rest.starts_with(literal).then_some(literal.len()),
                Piece::Placeholder("text") => match pieces.get(index + 1) {
                    Some(Piece::Literal(end)) => rest.find(end),
                    _ => Some(rest.len()),
                },
                Piece::Placeholder(name) => self.value(name, rest),
            };
            rest = &rest[length.ok_or(rest)?..];
        }
        if rest.is_empty() { Ok(()) } else { Err(rest) }
    }

    /// Returns how long the value of a placeholder is that `text` starts with; `None` if it starts
    /// with something else.
    fn value(&mut self, name: &str, text: &str) -> Option<usize> {
        let hex = || {
            let value = text.get(..32)?;
            let upper_hex = |c: char| matches!(c, '0'..='9' | 'A'..='F');
            value.chars().all(upper_hex).then(|| value.to_owned())
        };
        if let Some(known) = self.known.get(name) {
            return text.starts_with(known).then_some(known.len());
        }
        match name {
            "sid" => _ = self.known.insert("sid", hex()?),
            "session" => _ = self.known.insert("session", hex()?),
            "new sid" => {
                let old = self.known.insert("sid", hex()?);
                return (old != hex()).then_some(32);
            }
            "now" => {
                let value = text.get(..self.start.len())?;
                // Dates in this form are in the order of their texts.
                return (*self.start <= *value && *value <= *now()).then_some(value.len());
            }
            "clock" | "obid" | "number" | "stamp" => {
                let digits = text.bytes().take_while(u8::is_ascii_digit).count();
                return (digits > 0).then_some(digits);
            }
            _ => panic!("unknown placeholder {{{name}}}"),
        }
        Some(32)
    }
}

fn pieces(mut text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while let Some(brace) = text[from..].find('{').map(|brace| brace + from) {
        let inside = &text[brace + 1..];
        // The braces of JSON have a quotation mark, another brace or nothing behind them.
        if !inside.starts_with(|c: char| c.is_ascii_lowercase()) {
            from = brace + 1;
            continue;
        }
        let (name, behind) = inside.split_once('}').expect("a closing brace");
        if brace > 0 {
            pieces.push(Piece::Literal(&text[..brace]));
        }
        pieces.push(Piece::Placeholder(name));
        (text, from) = (behind, 0);
    }
    if !text.is_empty() {
        pieces.push(Piece::Literal(text));
    }
    pieces
}

fn now() -> String {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Date::from_unix_ns(since_1970.unwrap().as_nanos() as u64).to_string()
}

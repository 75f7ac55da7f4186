//! A JSON text and where it came from.

use std::fs;

use serde_json::value::RawValue;

use super::{ConfigError, Node, Position};

/// A JSON text and where it came from.
#[derive(Debug)]
pub struct Source {
    name: String,
    pub(super) text: String,
    /// True if numbers and truth values are written as strings, which then is no reason for a
    /// warning.
    pub(super) has_text_values: bool,
}

impl Source {
    /// Makes a source that messages call `name`: a path, or "inline configuration".
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            has_text_values: false,
        }
    }

    /// Makes a source whose format has no numbers and truth values but in strings.
    pub fn with_text_values(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            has_text_values: true,
            ..Self::new(name, text)
        }
    }

    /// Reads a file. Fails if it cannot be read or is not UTF-8.
    pub fn read(path: &str) -> Result<Self, ConfigError> {
        let bytes = fs::read(path);
        let bytes = bytes.map_err(|error| ConfigError::new(path, error, "a readable file"))?;
        Self::from_bytes(path, bytes)
    }

    /// Makes a source of the bytes of a file. Fails if they are not UTF-8.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, ConfigError> {
        let expected = "JSON text in UTF-8";
        if is_utf16(&bytes) {
            let error = ConfigError::new(name, "UTF-16", expected);
            return Err(error.with_hint("save it with that encoding"));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            ConfigError::new(name, format_args!("byte {valid} is not UTF-8"), expected)
        })?;
        // Some editors begin every file with a byte order mark.
        Ok(Self::new(
            name,
            text.strip_prefix('\u{feff}').unwrap_or(&text),
        ))
    }

    /// Returns what messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the value that the text holds. Fails if its syntax is wrong.
    pub fn root(&self) -> Result<Node<'_>, ConfigError> {
        match serde_json::from_str::<&RawValue>(&self.text) {
            Ok(raw) => Ok(Node {
                source: self,
                text: raw.get(),
                path: String::new(),
            }),
            Err(error) => {
                let (found, expected) = match slip(&self.text, &error) {
                    Some((found, expected)) => (found.to_owned(), expected),
                    None => (reason(&error), "valid JSON"),
                };
                let position = Position {
                    line: Some(error.line()),
                    ..Position::of_text(&*self.name)
                };
                let found = format_args!("{found} (column {})", error.column());
                Err(position.error(found, expected))
            }
        }
    }
}

/// Returns true if a text has the marks of UTF-16: a byte order mark, or zeros between its first
/// characters.
fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xFF\xFE")
        || bytes.starts_with(b"\xFE\xFF")
        || matches!(bytes, [0, 1..=255, ..] | [1..=255, 0, ..])
}

/// Finds out whether a mistake that people often make is at the place of an error. Returns what was
/// found and what is expected.
fn slip(text: &str, error: &serde_json::Error) -> Option<(&'static str, &'static str)> {
    let start: usize = text
        .split_inclusive('\n')
        .take(error.line().checked_sub(1)?)
        .map(str::len)
        .sum();
    let place = (start + error.column().saturating_sub(1)).min(text.len());
    let here = text.as_bytes().get(place).copied();
    let before = text.as_bytes()[..place].trim_ascii_end().last().copied();
    match here {
        Some(b'/' | b'#') => Some((
            "a comment",
            "valid JSON, which has no comments (a key \"//\" can hold one)",
        )),
        Some(b'\'') => Some(("a single quote", "valid JSON, which has double quotes")),
        Some(b'}' | b']') if before == Some(b',') => Some((
            "a comma behind the last entry",
            "valid JSON, with a comma only between two entries",
        )),
        Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') if error.to_string().starts_with("key must be") => {
            Some((
                "a key without quotes",
                "valid JSON, with keys in double quotes",
            ))
        }
        _ if error.is_eof() => None,
        Some(b'"') if error.to_string().starts_with("expected `,`") => Some((
            "no comma in front of it",
            "valid JSON, with a comma between two entries",
        )),
        _ => None,
    }
}

/// Returns what serde_json says without the line and column, which are shown elsewhere.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    match text.strip_prefix("expected ") {
        Some(missing) => format!("no {missing}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_syntax_is_an_error_with_its_line() {
        let error = Source::new("f.json", "{\n \"a\" 1}").root().unwrap_err();
        assert_eq!(
            error.to_string(),
            "f.json:2: found no `:` (column 6), expected valid JSON"
        );
    }

    #[test]
    fn the_usual_slips_are_named() {
        for (text, found) in [
            (
                "{\"a\": 1,\n}",
                "f:2: found a comma behind the last entry (column 1)",
            ),
            (
                "{\"a\": [1, 2,]}",
                "f:1: found a comma behind the last entry (column 13)",
            ),
            ("{\n // x\n\"a\": 1}", "f:2: found a comment (column 2)"),
            ("{\"a\": 1 # x\n}", "f:1: found a comment (column 9)"),
            ("{'a': 1}", "f:1: found a single quote (column 2)"),
            ("{\"a\": 'b'}", "f:1: found a single quote (column 7)"),
            ("{a: 1}", "f:1: found a key without quotes (column 2)"),
            (
                "{\"a\": 1\n \"b\": 2}",
                "f:2: found no comma in front of it (column 2)",
            ),
            (
                "{\"a\": 1",
                "f:1: found EOF while parsing an object (column 7)",
            ),
        ] {
            let error = Source::new("f", text).root().unwrap_err().to_string();
            assert!(error.starts_with(found), "{text}: {error}");
            assert!(error.contains("expected valid JSON"), "{error}");
        }
    }

    #[test]
    fn text_in_utf_16_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        for bytes in [
            &b"\xFF\xFE{\0}\0"[..],
            b"\xFE\xFF\0{\0}",
            b"{\0}\0",
            b"\0{\0}",
        ] {
            fs::write(path, bytes).unwrap();
            let error = Source::read(path).unwrap_err().to_string();
            assert!(
                error.contains("found UTF-16, expected JSON text in UTF-8"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_deeply_nested_text_does_not_overflow_the_stack() {
        let source = Source::new("f.json", "[".repeat(1_000_000));
        assert!(source.root().is_err());
    }
}

//! A value in a JSON text.

use std::{
    fmt,
    ops::{Range, RangeInclusive},
};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ConfigError, Expected, Finding, Object, Position, Source, Warnings};
use crate::number::parse_decimal_or_hex;

/// Characters of a value that an error shows.
const MAX_SHOWN: usize = 60;

/// A value in a [`Source`].
#[derive(Clone, Debug)]
pub struct Node<'a> {
    pub(super) source: &'a Source,
    pub(super) text: &'a str,
    pub(super) path: String,
}

impl<'a> Node<'a> {
    /// Returns the path of keys to it, as in `tls.min-version` or `users[2].name`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns what messages call the text that it is in.
    pub fn source_name(&self) -> &'a str {
        self.source.name()
    }

    /// Returns the value as it is written.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Returns where in the text it is written.
    pub fn range(&self) -> Range<usize> {
        let start = self.text.as_ptr() as usize - self.source.text.as_ptr() as usize;
        start..start + self.text.len()
    }

    /// Returns file, line and path, for errors that show only when the text is gone.
    pub fn position(&self) -> Position {
        let before = self.source.text.as_bytes()[..self.range().start].iter();
        let lines = before.filter(|&&byte| byte == b'\n').count();
        Position {
            file: self.source.name().to_owned(),
            line: Some(lines + 1),
            key: self.path.clone(),
        }
    }

    /// Returns the path of a key in it.
    pub fn path_of(&self, key: &str) -> String {
        let dot = if self.path.is_empty() { "" } else { "." };
        format!("{}{dot}{key}", self.path)
    }

    /// Makes an error at this value that shows it.
    pub fn error(&self, expected: impl fmt::Display) -> ConfigError {
        self.error_found(self.shown(), expected)
    }

    /// Makes an error at this value that does not show it: because it is a secret, or because
    /// what is wrong is not the value itself.
    pub fn error_found(
        &self,
        found: impl fmt::Display,
        expected: impl fmt::Display,
    ) -> ConfigError {
        self.position().error(found, expected)
    }

    /// Makes an error at this value, the path of a file, that says what is wrong with the file.
    pub fn error_in_file(&self, error: &ConfigError) -> ConfigError {
        let Finding { expected, hint, .. } = error.finding();
        self.error_found(error.in_brief(), expected).with_hint(hint)
    }

    /// Returns whether it is written exactly like this.
    pub fn is(&self, json: &str) -> bool {
        self.text == json
    }

    /// Returns whether it is a JSON string.
    pub fn is_string(&self) -> bool {
        self.text.starts_with('"')
    }

    /// Returns whether it is a string of nothing but white space.
    pub fn is_blank(&self) -> bool {
        self.string().is_ok_and(|text| text.trim().is_empty())
    }

    /// Returns whether it is a JSON array.
    pub fn is_array(&self) -> bool {
        self.text.starts_with('[')
    }

    /// Returns whether it is a JSON object.
    pub fn is_object(&self) -> bool {
        self.text.starts_with('{')
    }

    /// Reads a string.
    pub fn string(&self) -> Result<String, ConfigError> {
        self.read("a string")
    }

    /// Reads a truth value. Also takes text, and 0 or 1, with a warning.
    pub fn boolean(&self, warnings: &mut Warnings) -> Result<bool, ConfigError> {
        let expected = "true or false";
        let value = match self.scalar(expected)?.to_ascii_lowercase().as_str() {
            "true" | "1" => true,
            "false" | "0" => false,
            _ => return Err(self.error(expected)),
        };
        if !self.is("true") && !self.is("false") && !self.is_text_by_format() {
            warnings.at(self, format_args!("{} is taken as {value}", self.shown()));
        }
        Ok(value)
    }

    /// Reads a whole number in `range`. Also takes `7.0`, and text with a warning.
    pub fn integer(
        &self,
        range: RangeInclusive<u64>,
        warnings: &mut Warnings,
    ) -> Result<u64, ConfigError> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let text = self.scalar(&expected)?;
        let whole = parse_decimal_or_hex(&text);
        let number = whole
            .or_else(|| self.whole_float())
            .filter(|number| range.contains(number));
        let number = number.ok_or_else(|| self.error(&expected))?;
        if self.is_string() && !self.is_text_by_format() {
            warnings.at(
                self,
                format_args!("{} is taken as the number {number}", self.shown()),
            );
        }
        Ok(number)
    }

    /// Returns the value if it is a number without a fraction, but written with a point or
    /// exponent.
    fn whole_float(&self) -> Option<u64> {
        if self.is_string() {
            return None;
        }
        let number: f64 = self.text().parse().ok()?;
        // Above this, a number with a fraction cannot be told from one without.
        const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
        (number.fract() == 0.0 && (0.0..=MAX_EXACT).contains(&number)).then_some(number as u64)
    }

    /// Reads a string that stands for something else.
    pub fn parsed<T, E: Expected>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ConfigError> {
        parse(&self.string()?).map_err(|error| self.error(error.expected()))
    }

    /// Reads one of a few words, in any case.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, ConfigError> {
        let word = self.is_string().then(|| self.string()).transpose()?;
        let found = choices
            .iter()
            .find(|(name, _)| word.as_ref().is_some_and(|w| w.eq_ignore_ascii_case(name)));
        match found {
            Some((_, value)) => Ok(*value),
            None => Err(self.error(one_of(choices))),
        }
    }

    /// Reads an array and returns its elements.
    pub fn array(&self) -> Result<Vec<Self>, ConfigError> {
        let elements: Vec<&'a RawValue> = self.read("a list [...]")?;
        Ok(elements
            .into_iter()
            .enumerate()
            .map(|(index, raw)| self.child(raw, format!("{}[{index}]", self.path)))
            .collect())
    }

    /// Returns the elements of an array, and any other value as the only element.
    pub fn elements(&self) -> Result<Vec<Self>, ConfigError> {
        match self.is_array() {
            true => self.array(),
            false => Ok(vec![self.clone()]),
        }
    }

    /// Reads an object and returns its entries.
    pub fn object(&self) -> Result<Object<'a>, ConfigError> {
        let entries = self.read("an object {...}")?;
        Ok(Object::new(entries, self))
    }

    pub(super) fn child(&self, raw: &'a RawValue, path: String) -> Self {
        Node {
            source: self.source,
            text: raw.get(),
            path,
        }
    }

    /// Returns what is written, without the quotes of a string.
    fn scalar(&self, expected: &str) -> Result<String, ConfigError> {
        if !self.is_string() {
            return Ok(self.text.to_owned());
        }
        Ok(self.read::<String>(expected)?.trim().to_owned())
    }

    fn is_text_by_format(&self) -> bool {
        self.is_string() && self.source.has_text_values
    }

    /// Returns the value on one line, cut to a readable length.
    fn shown(&self) -> String {
        let mut shown = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((cut, _)) = shown.char_indices().nth(MAX_SHOWN) {
            shown.truncate(cut);
            shown.push_str("...");
        }
        shown
    }

    fn read<T: Deserialize<'a>>(&self, expected: &str) -> Result<T, ConfigError> {
        serde_json::from_str(self.text).map_err(|_| self.error(expected))
    }
}

/// Lists the words of a choice, for messages.
pub fn one_of<T>(choices: &[(&str, T)]) -> String {
    let names: Vec<_> = choices.iter().map(|(n, _)| format!("\"{n}\"")).collect();
    names.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_warnings<T>(
        source: &Source,
        read: impl FnOnce(&Node<'_>, &mut Warnings) -> Result<T, ConfigError>,
    ) -> (Result<T, String>, Vec<String>) {
        let mut warnings = Warnings::default();
        let read = read(&source.root().unwrap(), &mut warnings);
        (
            read.map_err(|error| error.to_string()),
            warnings.into_lines(),
        )
    }

    #[test]
    fn errors_name_file_line_path_found_and_expected() {
        let text = "{\n \"a\": 1,\n \"b\": [\"x\",\n  {\"c\": true}]}";
        let source = Source::new("f.json", text);
        let mut root = source.root().unwrap().object().unwrap();
        let b = root.take(&["b"]).unwrap().array().unwrap();
        let c = b[1].object().unwrap().take(&["c"]).unwrap();
        assert_eq!(
            c.integer(0..=9, &mut Warnings::default())
                .unwrap_err()
                .to_string(),
            "f.json:4: b[1].c: found true, expected a whole number from 0 to 9"
        );
        assert_eq!(
            b[0].choice(&[("y", 1), ("z", 2)]).unwrap_err().to_string(),
            "f.json:3: b[0]: found \"x\", expected \"y\" or \"z\""
        );
    }

    #[test]
    fn numbers_may_be_written_as_text() {
        for (json, number, warning) in [
            ("7", Some(7), None),
            (
                "\"7\"",
                Some(7),
                Some("f:1: \"7\" is taken as the number 7"),
            ),
            (
                "\" 7 \"",
                Some(7),
                Some("f:1: \" 7 \" is taken as the number 7"),
            ),
            (
                "\"0x7\"",
                Some(7),
                Some("f:1: \"0x7\" is taken as the number 7"),
            ),
            ("\"+7\"", None, None),
            ("\"10\"", None, None),
            ("10", None, None),
            ("7.0", Some(7), None),
            ("0.7e1", Some(7), None),
            ("7.5", None, None),
            ("-7.0", None, None),
            ("1e400", None, None),
            ("\"7.0\"", None, None),
            ("\"x\"", None, None),
            ("\"\"", None, None),
            ("true", None, None),
            ("[7]", None, None),
        ] {
            let read = |node: &Node<'_>, warnings: &mut Warnings| node.integer(0..=9, warnings);
            let (value, warnings) = with_warnings(&Source::new("f", json), read);
            assert_eq!(value.clone().ok(), number, "{json}");
            assert_eq!(warnings, Vec::from_iter(warning), "{json}");
            if number.is_none() {
                let error = format!("f:1: found {json}, expected a whole number from 0 to 9");
                assert_eq!(value, Err(error));
            }
            let (value, warnings) = with_warnings(&Source::with_text_values("f", json), read);
            assert_eq!((value.ok(), warnings), (number, vec![]), "{json}");
        }
    }

    #[test]
    fn truth_values_may_be_written_as_text_or_number() {
        for (json, expected, warns) in [
            ("true", Some(true), false),
            ("false", Some(false), false),
            ("\"true\"", Some(true), true),
            ("\"False\"", Some(false), true),
            ("1", Some(true), true),
            ("0", Some(false), true),
            ("\"1\"", Some(true), true),
            ("2", None, false),
            ("\"yes\"", None, false),
            ("{}", None, false),
        ] {
            let read = |node: &Node<'_>, warnings: &mut Warnings| node.boolean(warnings);
            let (value, warnings) = with_warnings(&Source::new("f", json), read);
            assert_eq!(value.ok(), expected, "{json}");
            let warning = expected.filter(|_| warns);
            let warning = warning.map(|value| format!("f:1: {json} is taken as {value}"));
            assert_eq!(warnings, Vec::from_iter(warning), "{json}");
        }
    }
}

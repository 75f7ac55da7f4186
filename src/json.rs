//! Reading JSON so that every complaint can name file, line, key, what was found and what was
//! expected, and so that keys nobody asked for can be reported.

use std::{fmt, ops::RangeInclusive};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// A JSON text and where it came from.
#[derive(Debug)]
pub struct Source {
    name: String,
    text: String,
    /// Whether numbers and truth values may be written as strings.
    loose: bool,
}

impl Source {
    /// `name` is what error messages call it: a path, or "inline configuration".
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            loose: false,
        }
    }

    /// The same, for a text whose numbers and truth values may stand as strings.
    pub fn with_numbers_as_strings(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            loose: true,
            ..Self::new(name, text)
        }
    }

    /// Reads a file.
    pub fn read(path: &str) -> Result<Self, ConfigError> {
        match std::fs::read(path).map(String::from_utf8) {
            // Some editors begin every file so.
            Ok(Ok(text)) => Ok(Self::new(
                path,
                text.strip_prefix('\u{feff}').unwrap_or(&text),
            )),
            Ok(Err(error)) => Err(ConfigError::new(
                path,
                format!("byte {} is not UTF-8", error.utf8_error().valid_up_to()),
                "JSON text in UTF-8",
            )),
            Err(error) => Err(ConfigError::new(path, error, "a readable file")),
        }
    }

    /// What error messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value that the text holds, or where its syntax is wrong.
    pub fn root(&self) -> Result<Node<'_>, ConfigError> {
        match serde_json::from_str::<&RawValue>(&self.text) {
            Ok(raw) => Ok(Node {
                source: self,
                text: raw.get(),
                path: String::new(),
            }),
            Err(error) => Err(ConfigError {
                place: format!("{}:{}", self.name, error.line()),
                key: String::new(),
                found: format!("{} (column {})", reason(&error), error.column()),
                expected: "valid JSON".into(),
            }),
        }
    }
}

/// What is wrong in a configuration or users file. Shown on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    place: String,
    key: String,
    found: String,
    expected: String,
}

impl ConfigError {
    /// An error that belongs to no key.
    pub fn new(
        place: impl Into<String>,
        found: impl fmt::Display,
        expected: impl fmt::Display,
    ) -> Self {
        Self {
            place: place.into(),
            key: String::new(),
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }

    /// Where something is wrong and what was found there.
    pub fn finding(&self) -> String {
        format!("{}: {}", self.place.escape_debug(), self.found)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "found {}, expected {}", self.found, self.expected)
    }
}

impl std::error::Error for ConfigError {}

/// Why a text is not understood: what goes behind "expected" where the text itself is shown.
pub trait Misunderstanding {
    /// What should have been there.
    fn expected(&self) -> String;
}

impl Misunderstanding for &str {
    fn expected(&self) -> String {
        (*self).to_owned()
    }
}

/// A value in a [`Source`].
#[derive(Clone, Debug)]
pub struct Node<'a> {
    source: &'a Source,
    text: &'a str,
    path: String,
}

impl<'a> Node<'a> {
    /// The path of keys to it, as in `tls.min-version` or `users[2].name`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What error messages call the text that it is in.
    pub fn source_name(&self) -> &'a str {
        &self.source.name
    }

    /// File and line, as in `/etc/vscp/websocksrv.json:12`.
    pub fn place(&self) -> String {
        let offset = self.text.as_ptr() as usize - self.source.text.as_ptr() as usize;
        let lines = self.source.text.as_bytes()[..offset]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count();
        format!("{}:{}", self.source.name, lines + 1)
    }

    /// An error at this value that shows it.
    pub fn error(&self, expected: impl fmt::Display) -> ConfigError {
        let mut found: String = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((cut, _)) = found.char_indices().nth(60) {
            found.truncate(cut);
            found.push_str("...");
        }
        self.error_found(found, expected)
    }

    /// An error at this value that does not show it (because it is a secret, or because what is
    /// wrong is not the value itself).
    pub fn error_found(
        &self,
        found: impl fmt::Display,
        expected: impl fmt::Display,
    ) -> ConfigError {
        ConfigError {
            place: self.place(),
            key: self.path.clone(),
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }

    /// An error at this value, the path of a file, that says what is wrong with the file.
    pub fn error_in_file(&self, error: &ConfigError) -> ConfigError {
        self.error_found(error.finding(), &error.expected)
    }

    /// Whether it is written just so.
    pub fn is(&self, json: &str) -> bool {
        self.text == json
    }

    /// Whether it is a JSON string.
    pub fn is_string(&self) -> bool {
        self.text.starts_with('"')
    }

    /// Whether it is a JSON array.
    pub fn is_array(&self) -> bool {
        self.text.starts_with('[')
    }

    /// Whether it is a JSON object.
    pub fn is_object(&self) -> bool {
        self.text.starts_with('{')
    }

    /// A string.
    pub fn string(&self) -> Result<String, ConfigError> {
        self.read("a string")
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Result<bool, ConfigError> {
        let expected = "true or false";
        if self.source.loose && self.is_string() {
            return self.string()?.parse().map_err(|_| self.error(expected));
        }
        self.read(expected)
    }

    /// A whole number in `range`.
    pub fn integer(&self, range: RangeInclusive<u64>) -> Result<u64, ConfigError> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let number = if self.source.loose && self.is_string() {
            self.string()?.parse().map_err(|_| self.error(&expected))?
        } else {
            self.read(&expected)?
        };
        if range.contains(&number) {
            Ok(number)
        } else {
            Err(self.error(expected))
        }
    }

    /// A string that stands for something else.
    pub fn parsed<T, E: Misunderstanding>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ConfigError> {
        parse(&self.string()?).map_err(|error| self.error(error.expected()))
    }

    /// One of a few words, in any case.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, ConfigError> {
        let word = self.is_string().then(|| self.string()).transpose()?;
        let found = choices
            .iter()
            .find(|(name, _)| word.as_ref().is_some_and(|w| w.eq_ignore_ascii_case(name)));
        match found {
            Some((_, value)) => Ok(*value),
            None => {
                let names: Vec<_> = choices.iter().map(|(n, _)| format!("\"{n}\"")).collect();
                Err(self.error(names.join(" or ")))
            }
        }
    }

    /// The elements of an array.
    pub fn array(&self) -> Result<Vec<Node<'a>>, ConfigError> {
        let elements: Vec<&'a RawValue> = self.read("a list [...]")?;
        Ok(elements
            .into_iter()
            .enumerate()
            .map(|(index, raw)| self.child(raw, format!("{}[{index}]", self.path)))
            .collect())
    }

    /// The entries of an object.
    pub fn object(&self) -> Result<Object<'a>, ConfigError> {
        let Entries(entries) = self.read("an object {...}")?;
        let dot = if self.path.is_empty() { "" } else { "." };
        Ok(Object {
            entries: entries
                .into_iter()
                .map(|(key, raw)| {
                    let node = self.child(raw, format!("{}{dot}{key}", self.path));
                    (key, node)
                })
                .collect(),
            asked: Vec::new(),
        })
    }

    fn child(&self, raw: &'a RawValue, path: String) -> Self {
        Node {
            source: self.source,
            text: raw.get(),
            path,
        }
    }

    fn read<T: Deserialize<'a>>(&self, expected: &str) -> Result<T, ConfigError> {
        serde_json::from_str(self.text).map_err(|_| self.error(expected))
    }
}

/// The entries of a JSON object that nobody has asked for yet.
#[derive(Debug)]
pub struct Object<'a> {
    entries: Vec<(String, Node<'a>)>,
    asked: Vec<&'static str>,
}

impl<'a> Object<'a> {
    /// The value of a key with its synonyms; of several the last one. `null` is the same as
    /// absent.
    pub fn take(&mut self, names: &[&'static str]) -> Option<Node<'a>> {
        self.asked.extend(names);
        let mut last = None;
        self.entries.retain(|(key, node)| {
            let hit = names.contains(&key.as_str());
            if hit {
                last = Some(node.clone());
            }
            !hit
        });
        last.filter(|node| !node.is("null"))
    }

    /// Adds the entries of another object, which win over those that are there.
    pub fn overlay(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }

    /// A warning for each key that was not asked for, with the nearest key that was.
    pub fn finish(self, warnings: &mut Vec<String>) {
        for (key, node) in &self.entries {
            let nearest = self
                .asked
                .iter()
                .map(|known| (strsim::jaro_winkler(key, known), known))
                .filter(|(likeness, _)| *likeness > 0.8)
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let hint = nearest.map_or(String::new(), |(_, known)| {
                format!(", did you mean \"{known}\"?")
            });
            let place = node.place();
            warnings.push(format!("{place}: {}: unknown key{hint}", node.path));
        }
    }
}

struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_map(EntriesVisitor).map(Entries)
    }
}

/// What serde_json says without the place, which is said elsewhere.
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
    #![allow(clippy::unwrap_used)]

    use super::*;

    const TEXT: &str =
        "{\n \"a\": 1,\n \"b\": [\"x\",\n  {\"c\": true}],\n \"a\": 2, \"n\": null\n}";

    #[test]
    fn errors_name_file_line_path_found_and_expected() {
        let source = Source::new("f.json", TEXT);
        let mut root = source.root().unwrap().object().unwrap();
        let b = root.take(&["b"]).unwrap().array().unwrap();
        let c = b[1].object().unwrap().take(&["c"]).unwrap();
        assert_eq!(
            c.integer(0..=9).unwrap_err().to_string(),
            "f.json:4: b[1].c: found true, expected a whole number from 0 to 9"
        );
        assert_eq!(
            b[0].choice(&[("y", 1), ("z", 2)]).unwrap_err().to_string(),
            "f.json:3: b[0]: found \"x\", expected \"y\" or \"z\""
        );
    }

    #[test]
    fn the_last_of_several_values_counts_and_null_is_absent() {
        let source = Source::new("f.json", TEXT);
        let mut root = source.root().unwrap().object().unwrap();
        assert_eq!(root.take(&["x", "a"]).unwrap().integer(0..=9), Ok(2));
        assert!(root.take(&["n"]).is_none());
    }

    #[test]
    fn unknown_keys_are_named_with_the_nearest_known_one() {
        let source = Source::new("f.json", "{\"max-cleints\": 1,\n\"zzz\": 2}");
        let mut root = source.root().unwrap().object().unwrap();
        assert!(root.take(&["max-clients"]).is_none());
        let mut warnings = Vec::new();
        root.finish(&mut warnings);
        assert_eq!(
            warnings,
            [
                "f.json:1: max-cleints: unknown key, did you mean \"max-clients\"?",
                "f.json:2: zzz: unknown key",
            ]
        );
    }

    #[test]
    fn broken_syntax_is_an_error_with_its_line() {
        let error = Source::new("f.json", "{\n \"a\" 1}").root().unwrap_err();
        assert_eq!(
            error.to_string(),
            "f.json:2: found no `:` (column 6), expected valid JSON"
        );
    }

    #[test]
    fn a_deeply_nested_text_does_not_overflow_the_stack() {
        let source = Source::new("f.json", "[".repeat(1_000_000));
        assert!(source.root().is_err());
    }
}

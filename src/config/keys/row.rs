//! A row of the table: all there is to know about one key.

use super::kind::{Describe, Kind, Parse};
use crate::located_json::{ConfigError, Node, Warnings};

/// All there is to know about one key of the configuration.
#[derive(Debug)]
pub struct Row<K> {
    names: &'static [&'static str],
    kind: K,
    default: &'static str,
    doc: &'static str,
    manual: &'static str,
    empty: Empty,
    zero_is_default: bool,
    is_variable: bool,
    is_secret: bool,
}

/// The meaning of an empty string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// A value as any other.
    Value,
    /// That the key is not set.
    NotSet,
    /// An error.
    Refused,
}

impl<K> Row<K> {
    /// Makes a row. `names` are the key and its synonyms, `default` is JSON (of an
    /// [`Optional`](super::Optional) or [`Special`](super::Special) key the words of the manual),
    /// `doc` one sentence.
    pub(super) const fn new(
        names: &'static [&'static str],
        kind: K,
        default: &'static str,
        doc: &'static str,
    ) -> Self {
        Self {
            names,
            kind,
            default,
            doc,
            manual: "",
            empty: Empty::Value,
            zero_is_default: false,
            is_variable: false,
            is_secret: false,
        }
    }

    /// Adds what only the manual says.
    pub(super) const fn manual(mut self, text: &'static str) -> Self {
        self.manual = text;
        self
    }

    /// Takes an empty string as if the key was not there, as the C++ driver does.
    pub(super) const fn empty_is_not_set(mut self) -> Self {
        self.empty = Empty::NotSet;
        self
    }

    /// Refuses an empty string with an error that says so.
    pub(super) const fn empty_is_refused(mut self) -> Self {
        self.empty = Empty::Refused;
        self
    }

    /// Takes 0 as the default, with a warning.
    pub(super) const fn zero_is_default(mut self) -> Self {
        self.zero_is_default = true;
        self
    }

    /// Makes the key a variable that commands read and write at run time.
    pub(super) const fn variable(mut self) -> Self {
        self.is_variable = true;
        self
    }

    /// Keeps the value out of what commands can read.
    pub(super) const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// Returns the key, and behind it its synonyms.
    pub fn names(&self) -> &'static [&'static str] {
        self.names
    }

    /// Returns the key without its synonyms.
    pub const fn name(&self) -> &'static str {
        self.names[0]
    }

    pub(in crate::config) fn empty(&self) -> Empty {
        self.empty
    }
}

impl<K: Kind> Row<K> {
    /// Reads a value, or the default if there is none. Fails if the value is not what the row
    /// says.
    pub(in crate::config) fn read(
        &self,
        node: Option<&Node<'_>>,
        warnings: &mut Warnings,
    ) -> Result<K::Value, ConfigError> {
        let Some(node) = node else {
            return self.kind.default(self.default, warnings);
        };
        if self.zero_is_default && (node.is("0") || node.is("\"0\"")) {
            warnings.at(
                node,
                format_args!("0 is taken as the default, {}", self.default),
            );
            return self.kind.default(self.default, warnings);
        }
        self.kind.read(node, warnings)
    }

    /// Reads a text as a value. Fails with what was expected.
    pub fn parse(&self, text: &str) -> Result<K::Value, String>
    where
        K: Parse,
    {
        self.kind.parse(text)
    }
}

/// A row whatever the kind of its value is.
pub trait AnyRow: Sync {
    /// Returns the key, and behind it its synonyms.
    fn names(&self) -> &'static [&'static str];

    /// Returns one sentence about the key. Names of keys and words to type stand in backquotes.
    fn doc(&self) -> &'static str;

    /// Returns what the manual says besides, paragraphs with empty lines between them.
    fn manual(&self) -> &'static str;

    /// Returns the sentence about values.
    fn sentence(&self) -> String;

    /// Returns the default as the manual shows it.
    fn default_shown(&self) -> String;

    /// Returns the default in JSON, `None` if the key has none.
    fn default_json(&self) -> Option<&'static str>;

    /// Returns what a value must be, `None` if that depends.
    fn expected(&self) -> Option<String>;

    /// Returns values, in JSON, that are refused.
    fn wrong(&self) -> Vec<String>;

    /// Returns what an empty string means.
    fn empty(&self) -> Empty;

    /// Returns whether commands can read and write the key at run time.
    fn is_variable(&self) -> bool;

    /// Returns whether commands must not show the value.
    fn is_secret(&self) -> bool;
}

impl<K: Describe> AnyRow for Row<K> {
    fn names(&self) -> &'static [&'static str] {
        self.names
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn manual(&self) -> &'static str {
        self.manual
    }

    fn sentence(&self) -> String {
        self.kind.sentence()
    }

    fn default_shown(&self) -> String {
        match (self.default, self.kind.unit()) {
            ("\"\"" | "[]", _) => "none".to_owned(),
            (default, unit) if K::HAS_DEFAULT && !unit.is_empty() => format!("{default} {unit}"),
            (default, _) => default.trim_matches('"').to_owned(),
        }
    }

    fn default_json(&self) -> Option<&'static str> {
        K::HAS_DEFAULT.then_some(self.default)
    }

    fn expected(&self) -> Option<String> {
        self.kind.expected()
    }

    fn wrong(&self) -> Vec<String> {
        let mut wrong = self.kind.wrong();
        wrong.retain(|value| !(self.zero_is_default && value == "0"));
        wrong
    }

    fn empty(&self) -> Empty {
        self.empty
    }

    fn is_variable(&self) -> bool {
        self.is_variable
    }

    fn is_secret(&self) -> bool {
        self.is_secret
    }
}

//! The entries of an object, and the check of unknown keys.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Finding, Node, Position, Warnings, finding::on_one_line};
use crate::{
    json_fields::{self, JsonFields},
    wording::Counted,
};

/// Unknown keys of one object that are listed; more are counted.
const MAX_LISTED: usize = 20;

/// Bytes of a key for which a similar one is looked for: longer ones are not typing errors.
const MAX_SIMILAR: usize = 64;

/// How similar two keys must be for "did you mean", from 0 to 1.
const MIN_LIKENESS: f64 = 0.8;

/// The entries of a JSON object that have not been taken yet.
#[derive(Debug, Default)]
pub struct Object<'a> {
    /// Each with its rank: of several names of one thing, the entry with the highest one counts.
    entries: HashMap<String, (usize, Node<'a>)>,
    next_rank: usize,
    /// Keys that are there several times.
    repeated: Vec<String>,
}

impl<'a> Object<'a> {
    pub(super) fn new(entries: Entries<'a>, parent: &Node<'a>) -> Self {
        let node =
            |key: &str, raw: &'a RawValue| parent.child(raw, parent.path_of(&shortened(key)));
        Self {
            next_rank: entries.next_rank,
            repeated: entries.repeated,
            entries: entries
                .values
                .into_iter()
                .filter_map(|(key, (rank, raw))| {
                    let node = node(&key, raw.0?);
                    Some((key, (rank, node)))
                })
                .collect(),
        }
    }

    /// Returns the value of a key with its synonyms, the last one if there are several. Returns
    /// `None` if the key is not there.
    pub fn get(&self, names: &[&str]) -> Option<&Node<'a>> {
        let found = names.iter().filter_map(|name| self.entries.get(*name));
        found.max_by_key(|(rank, _)| *rank).map(|(_, node)| node)
    }

    /// Takes the value of a key as [`get`](Self::get) returns it, `None` if it is `null`.
    pub fn take(&mut self, names: &[&str]) -> Option<Node<'a>> {
        let found = names.iter().filter_map(|name| self.entries.remove(*name));
        let (_, last) = found.max_by_key(|(rank, _)| *rank)?;
        (!last.is("null")).then_some(last)
    }

    /// Adds the entries of another object, which win over those that are there.
    pub fn overlay(&mut self, other: Self) {
        let offset = self.next_rank;
        self.next_rank += other.next_rank;
        for (key, (rank, node)) in other.entries {
            self.entries.insert(key, (offset + rank, node));
        }
    }

    /// Warns of each key that is not in `known`, with the nearest one that is. A key that starts
    /// with `//` is a comment. Warns of keys that are there twice, too.
    pub fn warn_of_unknown_keys(&self, known: &[&str], warnings: &mut Warnings) {
        for key in self.repeated.iter().filter(|key| !key.starts_with("//")) {
            if let Some((_, node)) = self.entries.get(key) {
                warnings.at(node, "the key is there several times; this one counts");
            }
        }
        let entries = self.entries.iter();
        let mut unknown: Vec<_> = entries
            .filter(|(key, _)| !known.contains(&key.as_str()) && !key.starts_with("//"))
            .collect();
        unknown.sort_unstable_by_key(|(_, (rank, _))| *rank);
        for (key, (_, node)) in unknown.iter().take(MAX_LISTED) {
            let hint = nearest(key, known).map(|known| format!("did you mean \"{known}\"?"));
            warnings.at_with_hint(node, "unknown key", hint.unwrap_or_default());
        }
        if let Some((_, (_, node))) = unknown.get(MAX_LISTED) {
            let more = Counted((unknown.len() - MAX_LISTED) as u64, "more unknown key");
            let position = Position {
                key: String::new(),
                ..node.position()
            };
            warnings.add(Finding::new(position, more));
        }
    }
}

/// Returns the known key that is most like `key` in any case, if one is like it at all.
pub fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    if key.len() > MAX_SIMILAR {
        return None;
    }
    let key = key.to_lowercase();
    let likeness = |known: &&'k str| {
        let likeness = strsim::jaro_winkler(&key, &known.to_lowercase());
        (likeness, *known)
    };
    known
        .iter()
        .map(likeness)
        .filter(|(likeness, _)| *likeness > MIN_LIKENESS)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// Returns the key as messages show it.
fn shortened(key: &str) -> String {
    let end = key.char_indices().nth(MAX_SIMILAR);
    let end = end.map_or(key.len(), |(end, _)| end);
    on_one_line(&key[..end]).to_string()
}

/// The raw values of an object, by key.
#[derive(Default)]
pub(super) struct Entries<'a> {
    values: HashMap<String, (usize, Raw<'a>)>,
    next_rank: usize,
    /// At most [`MAX_LISTED`].
    repeated: Vec<String>,
}

/// A value as it is written, `None` until it has been read.
#[derive(Default)]
pub(super) struct Raw<'a>(Option<&'a RawValue>);

impl<'de> JsonFields<'de> for Entries<'de> {
    const EXPECTED: &'static str = "an object";

    type Value = Raw<'de>;

    fn field(&mut self, key: &str) -> Option<&mut Raw<'de>> {
        if self.values.contains_key(key)
            && self.repeated.len() < MAX_LISTED
            && !self.repeated.iter().any(|repeated| repeated == key)
        {
            self.repeated.push(key.to_owned());
        }
        let (rank, raw) = self.values.entry(key.to_owned()).or_default();
        *rank = self.next_rank;
        self.next_rank += 1;
        Some(raw)
    }
}

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json_fields::read(deserializer)
    }
}

impl<'de> Deserialize<'de> for Raw<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer).map(|raw| Self(Some(raw)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::located_json::Source;

    fn warnings_of(text: &str, known: &[&str]) -> Vec<String> {
        let source = Source::new("f.json", text);
        let object = source.root().unwrap().object().unwrap();
        let mut warnings = Warnings::default();
        object.warn_of_unknown_keys(known, &mut warnings);
        warnings.into_lines()
    }

    #[test]
    fn the_last_of_several_values_counts_and_null_is_absent() {
        let text = r#"{"a": 1, "b": 2, "c": 3, "b": 4, "n": null, "a": 5}"#;
        let source = Source::new("f.json", text);
        let mut object = source.root().unwrap().object().unwrap();
        assert!(object.take(&["b", "a"]).unwrap().is("5"));
        assert!(object.take(&["a", "b"]).is_none());
        assert!(object.take(&["n"]).is_none());
        assert!(object.take(&["c"]).unwrap().is("3"));
    }

    #[test]
    fn the_entries_of_an_overlay_win_also_under_other_names() {
        let [below, above] = [r#"{"a": 1, "b": 2, "c": 3}"#, r#"{"b": 4, "x": 5}"#]
            .map(|text| Source::new("f.json", text));
        let mut object = below.root().unwrap().object().unwrap();
        object.overlay(above.root().unwrap().object().unwrap());
        assert!(object.take(&["c"]).unwrap().is("3"));
        assert!(object.take(&["b"]).unwrap().is("4"));
        assert!(object.take(&["x", "a"]).unwrap().is("5"));
    }

    #[test]
    fn unknown_keys_are_named_with_the_nearest_known_one() {
        for key in ["KEY-FILE", "KeyFile", "keyfile", "KEY_FILE"] {
            assert_eq!(
                nearest(key, &["key", "file", "key-file"]),
                Some("key-file"),
                "{key}"
            );
        }
        assert_eq!(
            warnings_of(
                "{\"max-cleints\": 1,\n\"zzz\": 2, \"a\": 3}",
                &["max-clients", "a"]
            ),
            [
                "f.json:1: max-cleints: unknown key; did you mean \"max-clients\"?",
                "f.json:2: zzz: unknown key",
            ]
        );
    }

    #[test]
    fn a_key_that_is_there_several_times_is_a_warning_at_the_one_that_counts() {
        assert_eq!(
            warnings_of(
                "{\"a\": 1,\n\"a\": 2,\n\"a\": 3, \"//\": 1, \"//\": 2}",
                &["a"]
            ),
            ["f.json:3: a: the key is there several times; this one counts"]
        );
    }

    #[test]
    fn a_key_that_starts_with_two_slashes_is_a_comment() {
        let text = r#"{"//": "text", "// a": 1, "/a": 2}"#;
        assert_eq!(warnings_of(text, &["a"]), ["f.json:1: /a: unknown key"]);
    }

    #[test]
    fn many_unknown_keys_are_counted_and_long_ones_cut() {
        let long = "k".repeat(1000);
        let mut text = format!("{{\"{long}\": 0");
        for number in 1..80_000 {
            text += &format!(",\n\"keywort{number}\": 0");
        }
        text.push('}');
        let warnings = warnings_of(&text, &["keyword"]);
        assert_eq!(warnings.len(), MAX_LISTED + 1);
        assert_eq!(
            warnings[0],
            format!("f.json:1: {}: unknown key", &long[..MAX_SIMILAR])
        );
        assert_eq!(
            warnings[1],
            "f.json:2: keywort1: unknown key; did you mean \"keyword\"?"
        );
        assert_eq!(warnings[20], "f.json:21: 79980 more unknown keys");
    }
}

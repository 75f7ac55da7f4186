//! The text of a users file, changed only where a user is: all else stays as it is written.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::{
    config::{
        keys::{Describe, Row, users as rows},
        users::list,
    },
    located_json::{ConfigError, Node, Source, Warnings},
};

/// The text of a file that is new.
pub(super) const EMPTY: &str = "{\n  \"users\": []\n}\n";

/// Where the users stand in a text.
#[derive(Debug)]
pub(super) struct List {
    /// The list with its brackets.
    range: Range<usize>,
    records: Vec<Record>,
}

/// Where a user stands in a text.
#[derive(Debug)]
struct Record {
    range: Range<usize>,
    /// The name, empty if it has none that can be read.
    name: String,
    /// The values of the password and of its synonyms.
    passwords: Vec<Range<usize>>,
}

impl List {
    /// Finds the users in a text, also those whose records are wrong. Fails if there is no list.
    pub(super) fn find(source: &Source) -> Result<Self, ConfigError> {
        let node = list(source, &mut Warnings::default())?;
        Ok(Self {
            range: node.range(),
            records: node.array()?.iter().map(Record::of).collect(),
        })
    }

    /// Returns the names of the users.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.records.iter().map(|record| &*record.name)
    }

    /// Puts a user behind the others, in lines if they stand in lines.
    pub(super) fn append(&self, text: &mut String, record: Map<String, Value>) {
        let record = Value::from(record);
        let Some(last) = self.records.last() else {
            let list = format!("[\n{}\n  ]", indented(&record, "    "));
            return text.replace_range(self.range.clone(), &list);
        };
        let start = text[..last.range.start].rfind('\n').map(|end| end + 1);
        let indent = start.map(|start| &text[start..last.range.start]);
        let behind = match indent.filter(|indent| indent.trim().is_empty()) {
            Some(indent) => format!(",\n{}", indented(&record, indent)),
            None => format!(", {record}"),
        };
        text.insert_str(last.range.end, &behind);
    }

    /// Removes a user and the comma beside it.
    pub(super) fn remove(&self, text: &mut String, index: usize) {
        let own = &self.records[index].range;
        let before = index
            .checked_sub(1)
            .and_then(|index| self.records.get(index));
        let range = match (before, self.records.get(index + 1)) {
            (_, Some(next)) => own.start..next.range.start,
            (Some(before), None) => before.range.end..own.end,
            (None, None) => self.range.start + 1..self.range.end - 1,
        };
        text.replace_range(range, "");
    }

    /// Replaces the password of a user, under each of its names.
    pub(super) fn set_password(&self, text: &mut String, index: usize, password: &str) {
        let record = &self.records[index];
        let value = Value::from(password).to_string();
        if record.passwords.is_empty() {
            let inner = record.range.start + 1..record.range.end - 1;
            let comma = if text[inner.clone()].trim().is_empty() {
                ""
            } else {
                ", "
            };
            let entry = format!("{:?}: {value}{comma}", rows::PASSWORD.name());
            return text.insert_str(inner.start, &entry);
        }
        let mut ranges = record.passwords.clone();
        // From the end, so that the places of the others stay.
        ranges.sort_unstable_by_key(|range| range.start);
        for range in ranges.into_iter().rev() {
            text.replace_range(range, &value);
        }
    }
}

impl Record {
    fn of(node: &Node<'_>) -> Self {
        let name = nodes(node, &rows::NAME).max_by_key(|name| name.range().start);
        Self {
            range: node.range(),
            name: name.and_then(|name| name.string().ok()).unwrap_or_default(),
            passwords: nodes(node, &rows::PASSWORD)
                .map(|node| node.range())
                .collect(),
        }
    }
}

/// Returns the values of a key of a record and of its synonyms.
fn nodes<'s, K: Describe>(record: &Node<'s>, row: &Row<K>) -> impl Iterator<Item = Node<'s>> {
    let object = record.object().unwrap_or_default();
    let names = row.names().iter();
    names.filter_map(move |name| object.get(&[name]).cloned())
}

fn indented(record: &Value, indent: &str) -> String {
    let text = format!("{record:#}");
    let lines = text.lines().map(|line| format!("{indent}{line}"));
    lines.collect::<Vec<_>>().join("\n")
}

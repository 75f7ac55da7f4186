//! Which events a user may send and receive.

use std::fmt;

use super::number;
use crate::json::{ConfigError, Node};

/// Events by class and type, for sending, receiving or both.
///
/// Without an entry for a direction everything may go that way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventList {
    entries: Vec<Entry>,
    limits_sending: bool,
    limits_receiving: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    direction: Direction,
    /// `None` is any.
    class: Option<u16>,
    /// `None` is any.
    kind: Option<u16>,
    max_priority: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Tx,
    Rx,
    Both,
}

const DIRECTIONS: [(&str, Direction); 3] = [
    ("TX", Direction::Tx),
    ("RX", Direction::Rx),
    ("BOTH", Direction::Both),
];

impl EventList {
    /// Reads `[TX|RX|BOTH;]class:type` in a string (separated by `/` or commas), an object
    /// `{dir, class, type, max-priority}`, or a list of them.
    pub fn read(node: &Node<'_>, warnings: &mut Vec<String>) -> Result<Self, ConfigError> {
        let nodes = match node.is_array() {
            true => node.array()?,
            false => vec![node.clone()],
        };
        let mut entries = Vec::new();
        for node in nodes {
            if node.is_object() {
                entries.push(Entry::read(&node, warnings)?);
                continue;
            }
            for text in node.string()?.split(['/', ',']).map(str::trim) {
                if !text.is_empty() {
                    let entry = Entry::parse(text);
                    entries.push(entry.ok_or_else(|| {
                        node.error_found(
                            format_args!("{text:?}"),
                            "[TX;|RX;|BOTH;]class:type, each a number up to 65535 or *",
                        )
                    })?);
                }
            }
        }
        Ok(Self {
            limits_sending: entries.iter().any(Entry::is_tx),
            limits_receiving: entries.iter().any(Entry::is_rx),
            entries,
        })
    }

    /// Whether such an event may be sent by the user.
    pub fn may_send(&self, class: u16, kind: u16) -> bool {
        !self.limits_sending
            || (self.entries.iter()).any(|entry| entry.is_tx() && entry.matches(class, kind))
    }

    /// Whether such an event may be delivered to the user.
    pub fn may_receive(&self, class: u16, kind: u16) -> bool {
        !self.limits_receiving
            || (self.entries.iter()).any(|entry| entry.is_rx() && entry.matches(class, kind))
    }

    /// Whether there is any event that may not be delivered.
    pub fn limits_receiving(&self) -> bool {
        self.limits_receiving
    }

    /// The highest priority (0 is the highest of all, 7 the lowest) that such an event may be
    /// sent with. Of several entries the strictest counts.
    pub fn max_priority(&self, class: u16, kind: u16) -> Option<u8> {
        let hits = self.entries.iter();
        hits.filter(|entry| entry.is_tx() && entry.matches(class, kind))
            .filter_map(|entry| entry.max_priority)
            .max()
    }
}

/// `class:type`, separated by `/`, with `*` for any.
impl fmt::Display for EventList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.entries.iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            write_side(f, entry.class)?;
            f.write_str(":")?;
            write_side(f, entry.kind)?;
        }
        Ok(())
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        let (direction, event) = match text.split_once(';') {
            Some((word, event)) => {
                let mut known = DIRECTIONS.iter();
                let hit = known.find(|(name, _)| word.trim().eq_ignore_ascii_case(name));
                (hit?.1, event)
            }
            None => (Direction::Tx, text),
        };
        let (class, kind) = event.split_once(':')?;
        Some(Self {
            direction,
            class: parse_side(class)?,
            kind: parse_side(kind)?,
            max_priority: None,
        })
    }

    fn read(node: &Node<'_>, warnings: &mut Vec<String>) -> Result<Self, ConfigError> {
        let mut object = node.object()?;
        let direction = match object.take(&["dir"]) {
            Some(node) => node.choice(&DIRECTIONS)?,
            None => Direction::Tx,
        };
        let class = object.take(&["class"]).map(|node| read_side(&node));
        let kind = object.take(&["type"]).map(|node| read_side(&node));
        let priority = object.take(&["max-priority"]);
        let max_priority = match &priority {
            Some(node) if !node.is("-1") => Some(node.integer(0..=7)? as u8),
            _ => None,
        };
        if let (Direction::Rx, Some(node), Some(_)) = (direction, &priority, max_priority) {
            warnings.push(format!(
                "{}: {}: without effect, it is for events that are sent",
                node.place(),
                node.path()
            ));
        }
        object.finish(warnings);
        Ok(Self {
            direction,
            class: class.transpose()?.flatten(),
            kind: kind.transpose()?.flatten(),
            max_priority,
        })
    }

    fn is_tx(&self) -> bool {
        self.direction != Direction::Rx
    }

    fn is_rx(&self) -> bool {
        self.direction != Direction::Tx
    }

    fn matches(&self, class: u16, kind: u16) -> bool {
        self.class.is_none_or(|any| any == class) && self.kind.is_none_or(|any| any == kind)
    }
}

/// A class or a type; `Some(None)` is any.
fn parse_side(text: &str) -> Option<Option<u16>> {
    match text.trim() {
        "*" => Some(None),
        text => number(text)?.try_into().ok().map(Some),
    }
}

/// A class or a type of an object; `None` is any.
fn read_side(node: &Node<'_>) -> Result<Option<u16>, ConfigError> {
    let expected = "a number from 0 to 65535, or -1 for any";
    if node.is("-1") {
        return Ok(None);
    }
    if node.is_string() {
        return parse_side(&node.string()?).ok_or_else(|| node.error(expected));
    }
    let side = node.integer(0..=0xFFFF);
    Ok(Some(side.map_err(|_| node.error(expected))? as u16))
}

fn write_side(f: &mut fmt::Formatter<'_>, side: Option<u16>) -> fmt::Result {
    match side {
        Some(number) => write!(f, "{number}"),
        None => f.write_str("*"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::json::Source;

    fn read(json: &str) -> Result<(EventList, Vec<String>), String> {
        let source = Source::new("u.json", json);
        let mut warnings = Vec::new();
        match EventList::read(&source.root().unwrap(), &mut warnings) {
            Ok(list) => Ok((list, warnings)),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_list_limits_only_its_direction() {
        for (json, event, may_send, may_receive) in [
            ("\"\"", (10, 6), true, true),
            ("[]", (10, 6), true, true),
            ("[\"10:*\", \"30:9\"]", (10, 6), true, true),
            ("[\"10:*\", \"30:9\"]", (30, 9), true, true),
            ("[\"10:*\", \"30:9\"]", (30, 10), false, true),
            ("[\"10:*\", \"30:9\"]", (0, 0), false, true),
            ("\"10:*/30:9\"", (30, 10), false, true),
            ("\"10:*, 30:9\"", (30, 9), true, true),
            ("\"*:9\"", (77, 9), true, true),
            ("\"*:9\"", (77, 8), false, true),
            ("\"*:*\"", (77, 8), true, true),
            ("\"tx; 0x0A : 0xff\"", (10, 255), true, true),
            ("\"RX;10:6\"", (10, 6), true, true),
            ("\"RX;10:6\"", (10, 7), true, false),
            ("\"Both;10:6\"", (10, 6), true, true),
            ("\"Both;10:6\"", (10, 7), false, false),
            ("\"TX;10:6/RX;20:*\"", (20, 1), false, true),
            ("\"TX;10:6/RX;20:*\"", (10, 6), true, false),
            ("{\"class\": 10, \"type\": -1}", (10, 65535), true, true),
            ("{\"class\": 10, \"type\": -1}", (11, 65535), false, true),
            (
                "[{\"dir\": \"rx\", \"class\": \"0x0A\", \"type\": \"*\"}]",
                (10, 1),
                true,
                true,
            ),
            (
                "[{\"dir\": \"rx\", \"class\": \"0x0A\", \"type\": \"*\"}]",
                (9, 1),
                true,
                false,
            ),
            (
                "[\"20:1\", {\"dir\": \"BOTH\", \"type\": 3}]",
                (20, 1),
                true,
                false,
            ),
            (
                "[\"20:1\", {\"dir\": \"BOTH\", \"type\": 3}]",
                (20, 3),
                true,
                true,
            ),
        ] {
            let (list, warnings) = read(json).unwrap();
            let (class, kind) = event;
            assert_eq!(
                list.may_send(class, kind),
                may_send,
                "send {json} {event:?}"
            );
            assert_eq!(
                list.may_receive(class, kind),
                may_receive,
                "receive {json} {event:?}"
            );
            assert_eq!(warnings, [""; 0]);
        }
    }

    #[test]
    fn the_strictest_priority_of_all_entries_for_sending_counts() {
        let json = "[{\"class\": 10, \"max-priority\": 3}, {\"type\": 6, \"max-priority\": 5},
            {\"dir\": \"RX\", \"max-priority\": 7}, {\"class\": 30, \"max-priority\": -1}]";
        let (list, warnings) = read(json).unwrap();
        assert_eq!(list.max_priority(10, 1), Some(3));
        assert_eq!(list.max_priority(10, 6), Some(5));
        assert_eq!(list.max_priority(30, 6), Some(5));
        assert_eq!(list.max_priority(30, 7), None);
        assert_eq!(list.max_priority(1, 1), None);
        assert_eq!(
            warnings,
            ["u.json:2: [2].max-priority: without effect, it is for events that are sent"]
        );
    }

    #[test]
    fn what_cannot_be_read_is_an_error_that_names_it() {
        for (json, start) in [
            (
                "[\"10:*\",\n\"10\"]",
                "u.json:2: [1]: found \"10\", expected [TX;|RX;|BOTH;]class",
            ),
            ("\"10:65536\"", "u.json:1: found \"10:65536\""),
            ("\"-1:1\"", "u.json:1: found \"-1:1\""),
            ("\"TRX;10:1\"", "u.json:1: found \"TRX;10:1\""),
            ("\"10:1:2\"", "u.json:1: found \"10:1:2\""),
            ("\":\"", "u.json:1: found \":\""),
            ("7", "u.json:1: found 7, expected a string"),
            (
                "{\"class\": 65536}",
                "u.json:1: class: found 65536, expected a number from 0",
            ),
            (
                "{\"type\": -2}",
                "u.json:1: type: found -2, expected a number from 0",
            ),
            (
                "{\"type\": \"x\"}",
                "u.json:1: type: found \"x\", expected a number from 0",
            ),
            (
                "{\"dir\": \"up\"}",
                "u.json:1: dir: found \"up\", expected \"TX\" or \"RX\"",
            ),
            (
                "{\"max-priority\": 8}",
                "u.json:1: max-priority: found 8, expected a whole number",
            ),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.starts_with(start), "{error}");
        }
    }

    #[test]
    fn unknown_keys_of_an_entry_are_warnings() {
        let (_, warnings) = read("[{\"clas\": 1}]").unwrap();
        assert_eq!(
            warnings,
            ["u.json:1: [0].clas: unknown key, did you mean \"class\"?"]
        );
    }

    #[test]
    fn it_is_shown_without_directions() {
        let (list, _) = read("[\"10:*\", \"RX;0x1E:9\", {\"type\": 3}]").unwrap();
        assert_eq!(list.to_string(), "10:*/30:9/*:3");
        assert!(list.limits_receiving());
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_and_allows_exactly_its_entries(
            entries in prop::collection::vec(
                (prop::option::of(0u16..4), prop::option::of(0u16..4)), 1..5),
            class in 0u16..4,
            kind in 0u16..4,
        ) {
            let texts = entries.iter().map(|(class, kind)| {
                let side = |side: &Option<u16>| side.map_or("*".into(), |n| n.to_string());
                format!("{}:{}", side(class), side(kind))
            });
            let text = texts.collect::<Vec<_>>().join("/");
            let (list, _) = read(&format!("{text:?}")).unwrap();
            let expected = entries.iter()
                .any(|(c, k)| c.is_none_or(|c| c == class) && k.is_none_or(|k| k == kind));
            prop_assert_eq!(list.may_send(class, kind), expected);
            prop_assert!(list.may_receive(class, kind));
            prop_assert_eq!(list.to_string(), text);
        }
    }
}

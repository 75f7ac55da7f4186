//! The events that a user may send and receive.

use std::fmt;

use super::Unreadable;
use crate::number::parse_decimal_or_hex;

/// A list of events by class and type for each direction. Without an entry for a direction all
/// events are allowed in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventRules {
    entries: Vec<EventRule>,
    limits_sending: bool,
    limits_receiving: bool,
}

/// One entry of [`EventRules`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRule {
    /// The direction that it holds for.
    pub direction: Direction,
    /// The class of the events, `None` for any.
    pub class: Option<u16>,
    /// The type of the events, `None` for any.
    pub kind: Option<u16>,
    /// The highest priority that the user may send them with. 0 is the highest of all, 7 the
    /// lowest.
    pub max_priority: Option<u8>,
}

/// A direction, as the user sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the user.
    Tx,
    /// To the user.
    Rx,
    /// Both directions.
    Both,
}

impl Direction {
    /// Each direction with its word in the users file.
    pub const WORDS: [(&str, Self); 3] = [("TX", Self::Tx), ("RX", Self::Rx), ("BOTH", Self::Both)];
}

impl EventRules {
    /// Returns rules with these entries.
    pub fn new(entries: Vec<EventRule>) -> Self {
        Self {
            limits_sending: entries.iter().any(EventRule::is_tx),
            limits_receiving: entries.iter().any(EventRule::is_rx),
            entries,
        }
    }

    /// Returns true if the user may send such an event.
    pub fn may_send(&self, class: u16, kind: u16) -> bool {
        !self.limits_sending
            || (self.entries.iter()).any(|entry| entry.is_tx() && entry.matches(class, kind))
    }

    /// Returns true if the user may receive such an event.
    pub fn may_receive(&self, class: u16, kind: u16) -> bool {
        !self.limits_receiving
            || (self.entries.iter()).any(|entry| entry.is_rx() && entry.matches(class, kind))
    }

    /// Returns true if there are events that the user may not receive.
    pub fn limits_receiving(&self) -> bool {
        self.limits_receiving
    }

    /// Returns the highest priority (0 is the highest of all, 7 the lowest) that the user may send
    /// such an event with, `None` if it is not limited. Of several entries the strictest counts.
    pub fn max_priority(&self, class: u16, kind: u16) -> Option<u8> {
        let hits = self.entries.iter();
        hits.filter(|entry| entry.is_tx() && entry.matches(class, kind))
            .filter_map(|entry| entry.max_priority)
            .max()
    }
}

/// Shows `CLASS:TYPE` of each entry, separated by `/`, with `*` for any.
impl fmt::Display for EventRules {
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

impl EventRule {
    /// Reads entries `[TX|RX|BOTH;]CLASS:TYPE`, separated by `/` or commas. Fails with the first
    /// entry that cannot be read.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, Unreadable<'_>> {
        let entries = text.split(['/', ',']).map(str::trim);
        let entries = entries.filter(|entry| !entry.is_empty());
        entries
            .map(|entry| Self::parse(entry).ok_or(Unreadable(entry)))
            .collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let (direction, event) = match text.split_once(';') {
            Some((word, event)) => {
                let mut known = Direction::WORDS.iter();
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

/// Reads a class or a type. Returns `Some(None)` for `*`, and `None` for a text that is neither
/// `*` nor a number.
pub(crate) fn parse_side(text: &str) -> Option<Option<u16>> {
    match text.trim() {
        "*" => Some(None),
        text => parse_decimal_or_hex(text)?.try_into().ok().map(Some),
    }
}

fn write_side(f: &mut fmt::Formatter<'_>, side: Option<u16>) -> fmt::Result {
    match side {
        Some(number) => write!(f, "{number}"),
        None => f.write_str("*"),
    }
}

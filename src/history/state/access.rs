//! Decides who may see values, by the kinds of events that they came with.

use smallvec::SmallVec;

use super::MayReceive;
use crate::event::{Event, Guid};

/// Classes and types that are remembered: those that one quantity can come with are fewer.
const MAX_KINDS: usize = 16;

/// The kinds of events that the values of a sensor came with. A user must be allowed to receive all
/// of them to see the sensor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Access {
    /// Class and type of each kind.
    kinds: SmallVec<[(u16, u16); 2]>,
    /// The priorities that the events had, a bit for each.
    priorities: u8,
}

impl Access {
    /// Adds the kind of an event.
    pub(super) fn note(&mut self, event: &Event) {
        let kind = (event.class, event.kind);
        if !self.kinds.contains(&kind) && self.kinds.len() < MAX_KINDS {
            self.kinds.push(kind);
        }
        self.priorities |= 1 << event.priority();
    }

    /// Returns true if somebody may receive events of all these kinds from a node.
    pub(super) fn allows(&self, guid: &Guid, may_receive: &MayReceive<'_>) -> bool {
        self.kinds
            .iter()
            .all(|(class, kind)| allows(self.priorities, *class, *kind, guid, may_receive))
    }

    /// Returns it as text for the store.
    pub(in crate::history) fn to_text(&self) -> String {
        let kinds = self
            .kinds
            .iter()
            .map(|(class, kind)| format!(" {class}:{kind}"));
        format!("{}{}", self.priorities, kinds.collect::<String>())
    }

    /// Reads it from such a text. Returns `None` for another one.
    pub(in crate::history) fn from_text(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let priorities = words.next()?.parse().ok()?;
        let kinds = words.take(MAX_KINDS).map(|word| {
            let (class, kind) = word.split_once(':')?;
            Some((class.parse().ok()?, kind.parse().ok()?))
        });
        Some(Self {
            kinds: kinds.collect::<Option<_>>()?,
            priorities,
        })
    }
}

/// Returns true if somebody may receive events of a kind with all these priorities.
pub(super) fn allows(
    priorities: u8,
    class: u16,
    kind: u16,
    guid: &Guid,
    may_receive: &MayReceive<'_>,
) -> bool {
    (0..8)
        .filter(|priority| priorities & 1 << priority != 0)
        .all(|priority| may_receive(priority, class, kind, guid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::text;

    #[test]
    fn all_kinds_and_priorities_must_be_allowed() {
        let mut access = Access::default();
        for event in ["0x60,10,6,,,,-,1", "0x20,1040,6,,,,-,1", "0x60,10,6,,,,-,1"] {
            access.note(&text::parse(event).unwrap());
        }
        assert_eq!(access.to_text(), "10 10:6 1040:6");
        assert_eq!(Access::from_text("10 10:6 1040:6"), Some(access.clone()));
        let zero = Guid::ZERO;
        assert!(access.allows(&zero, &|priority, _, _, _| priority % 2 == 1));
        assert!(!access.allows(&zero, &|priority, _, _, _| priority == 3));
        assert!(!access.allows(&zero, &|_, class, _, _| class == 10));
        for text in ["", "x", "10 10", "300 1:1", "1 1:70000"] {
            assert_eq!(Access::from_text(text), None, "{text}");
        }
    }
}

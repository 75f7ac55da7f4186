//! The rights of users.

use super::Unreadable;
use crate::number::parse_decimal_or_hex;

/// A set of rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights(u64);

impl Rights {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// TCP/IP link interface.
    pub const TCPIP: Self = Self(0x1);
    /// Websocket protocols ws1 and ws2.
    pub const WEBSOCKETS: Self = Self(0x2);
    /// Web interface.
    pub const WEB: Self = Self(0x4);
    /// REST interface.
    pub const REST: Self = Self(0x8);
    /// UDP interface.
    pub const UDP: Self = Self(0x10);
    /// MQTT interface.
    pub const MQTT: Self = Self(0x20);
    /// Multicast interface.
    pub const MULTICAST: Self = Self(0x40);
    /// Send events.
    pub const SEND_EVENT: Self = Self(0x1_0000);
    /// Send level I protocol events (class 0 and 512).
    pub const SEND_L1CTRL: Self = Self(0x2_0000);
    /// Send level II protocol events (class 1024).
    pub const SEND_L2CTRL: Self = Self(0x4_0000);
    /// Send HLO (high level object) events (class 1028).
    pub const SEND_HLO: Self = Self(0x8_0000);
    /// Receive events.
    pub const RCV_EVENT: Self = Self(0x10_0000);
    /// Set the filter of the session.
    pub const SETFILTER: Self = Self(0x400_0000);
    /// Set the GUID of the session.
    pub const SETGUID: Self = Self(0x800_0000);
    /// Test commands.
    pub const TEST: Self = Self(0x1000_0000);
    /// Interface commands.
    pub const INTERFACE: Self = Self(0x2000_0000);
    /// Restart the daemon.
    pub const RESTART: Self = Self(0x4000_0000);
    /// Shut the daemon down.
    pub const SHUTDOWN: Self = Self(0x8000_0000);

    /// Change the names of nodes and sensors. No daemon knows this right.
    pub const NAMES: Self = Self(0x1_0000_0000);

    /// Everything.
    pub const ADMIN: Self = Self(u64::MAX);
    /// Use every interface; send and receive all events, except that HLO events are not sent.
    pub const USER: Self = Self(0x17_007F);

    /// Reads names and numbers separated by `/` or `,`, and returns the rights of all of them.
    /// Fails with the first word that is neither.
    pub fn parse(text: &str) -> Result<Self, Unreadable<'_>> {
        let mut bits = 0;
        for word in text.split(['/', ',']).map(str::trim) {
            if word.is_empty() {
                continue;
            }
            let named = NAMES
                .iter()
                .find(|(name, _)| word.eq_ignore_ascii_case(name));
            let known = named.map(|(_, rights)| rights.0);
            bits |= known
                .or_else(|| parse_decimal_or_hex(word))
                .ok_or(Unreadable(word))?;
        }
        Ok(Self(bits))
    }

    /// Returns the set whose number is `bits`.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Returns the names that [`parse`](Self::parse) knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Returns the rights of both sets.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns true if all of `rights` are in the set.
    pub fn contains(self, rights: Self) -> bool {
        self.0 & rights.0 == rights.0
    }

    /// Returns true if one of `rights` is in the set, or if there are none in `rights`.
    pub fn contains_one_of(self, rights: Self) -> bool {
        rights == Self::NONE || self.0 & rights.0 != 0
    }

    /// Returns the words for the single rights of the set, and first `admin` if it has them all.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let single = SINGLE
            .iter()
            .filter(move |(_, right)| self.contains(*right));
        let admin = (self == Self::ADMIN).then_some("admin");
        admin.into_iter().chain(single.map(|(word, _)| *word))
    }

    /// Returns the number of the set, one bit for each right.
    pub fn bits(self) -> u64 {
        self.0
    }
}

impl Default for Rights {
    fn default() -> Self {
        Self::USER
    }
}

const NAMES: &[(&str, Rights)] = &[
    ("admin", Rights::ADMIN),
    ("user", Rights::USER),
    ("driver", Rights(0x17_0000)),
    ("web", Rights(0x17_0004)),
    ("rest", Rights(0x17_0008)),
    ("tcp", Rights(0x17_0001)),
    ("websockets", Rights(0x17_0002)),
    ("mqtt", Rights(0x17_0020)),
    ("udp", Rights(0x17_0010)),
    ("tcpip", Rights::TCPIP),
    ("ws", Rights::WEBSOCKETS),
    ("ws1", Rights::WEBSOCKETS),
    ("ws2", Rights::WEBSOCKETS),
    ("multicast", Rights::MULTICAST),
    ("send-events", Rights::SEND_EVENT),
    ("receive-events", Rights::RCV_EVENT),
    ("l1ctrl-events", Rights::SEND_L1CTRL),
    ("l2ctrl-events", Rights::SEND_L2CTRL),
    ("hlo-events", Rights::SEND_HLO),
    ("set-filter", Rights::SETFILTER),
    ("set-guid", Rights::SETGUID),
    ("test", Rights::TEST),
    ("interface", Rights::INTERFACE),
    ("restart", Rights::RESTART),
    ("shutdown", Rights::SHUTDOWN),
    ("names", Rights::NAMES),
];

/// The words for single rights.
const SINGLE: &[(&str, Rights)] = &[
    ("tcpip", Rights::TCPIP),
    ("websockets", Rights::WEBSOCKETS),
    ("web", Rights::WEB),
    ("rest", Rights::REST),
    ("udp", Rights::UDP),
    ("mqtt", Rights::MQTT),
    ("multicast", Rights::MULTICAST),
    ("send-events", Rights::SEND_EVENT),
    ("l1ctrl-events", Rights::SEND_L1CTRL),
    ("l2ctrl-events", Rights::SEND_L2CTRL),
    ("hlo-events", Rights::SEND_HLO),
    ("receive-events", Rights::RCV_EVENT),
    ("set-filter", Rights::SETFILTER),
    ("set-guid", Rights::SETGUID),
    ("test", Rights::TEST),
    ("interface", Rights::INTERFACE),
    ("restart", Rights::RESTART),
    ("shutdown", Rights::SHUTDOWN),
    ("names", Rights::NAMES),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_rights_is_enough_and_of_none_nothing_is_needed() {
        let pages = Rights::WEB.union(Rights::WEBSOCKETS);
        assert!(Rights::WEB.contains_one_of(pages));
        assert!(!Rights::REST.contains_one_of(pages));
        assert!(Rights::NONE.contains_one_of(Rights::NONE));
    }

    #[test]
    fn the_words_of_a_set_are_those_of_its_rights() {
        let words: Vec<_> = Rights::WEB.union(Rights::SEND_EVENT).words().collect();
        assert_eq!(words, ["web", "send-events"]);
        assert_eq!(Rights::ADMIN.words().next(), Some("admin"));
        assert_eq!(Rights::ADMIN.words().count(), SINGLE.len() + 1);
    }

    #[test]
    fn contains_asks_for_all_bits() {
        let both = Rights(Rights::SEND_EVENT.0 | Rights::SEND_HLO.0);
        assert!(both.contains(Rights::SEND_HLO));
        assert!(Rights::ADMIN.contains(both));
        assert!(!Rights::USER.contains(both));
        assert!(!Rights::default().contains(Rights::SETFILTER));
        assert!(Rights::default().contains(Rights::WEBSOCKETS));
    }
}

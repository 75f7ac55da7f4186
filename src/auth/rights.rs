//! What a user may do.

use super::number;
use crate::json::{ConfigError, Node};

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
    /// Send high level object events (class 1028).
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

    /// Everything.
    pub const ADMIN: Self = Self(u64::MAX);
    /// Every interface; send and receive all events but high level objects.
    pub const USER: Self = Self(0x17_007F);

    /// Reads names or a number, in a string (separated by `/` or `,`) or in a list, all OR-ed.
    pub fn read(node: &Node<'_>) -> Result<Self, ConfigError> {
        if !node.is_array() {
            return read_one(node).map(Self);
        }
        let mut bits = 0;
        for element in node.array()? {
            bits |= read_one(&element)?;
        }
        Ok(Self(bits))
    }

    /// Whether all of `rights` are in it.
    pub fn contains(self, rights: Self) -> bool {
        self.0 & rights.0 == rights.0
    }

    /// The number that stands for it.
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
];

fn read_one(node: &Node<'_>) -> Result<u64, ConfigError> {
    if !node.is_string() {
        let bits = node.integer(0..=u64::MAX);
        return bits.map_err(|_| node.error(expected()));
    }
    let mut bits = 0;
    for word in node.string()?.split(['/', ',']).map(str::trim) {
        if word.is_empty() {
            continue;
        }
        let named = NAMES
            .iter()
            .find(|(name, _)| word.eq_ignore_ascii_case(name));
        let found = named.map(|(_, rights)| rights.0).or_else(|| number(word));
        bits |= found.ok_or_else(|| node.error_found(format_args!("{word:?}"), expected()))?;
    }
    Ok(bits)
}

fn expected() -> String {
    let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
    format!("a number or names of {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::json::Source;

    fn read(json: &str) -> Result<u64, String> {
        let source = Source::new("u.json", json);
        let rights = Rights::read(&source.root().unwrap());
        rights.map(Rights::bits).map_err(|error| error.to_string())
    }

    #[test]
    fn names_numbers_and_lists_are_ored() {
        for (json, bits) in [
            ("\"admin\"", u64::MAX),
            ("\"user\"", 0x17007F),
            ("\"driver\"", 0x170000),
            ("\"web\"", 0x170004),
            ("\"rest\"", 0x170008),
            ("\"tcp\"", 0x170001),
            ("\"websockets\"", 0x170002),
            ("\"mqtt\"", 0x170020),
            ("\"udp\"", 0x170010),
            ("\"tcpip\"", 0x1),
            ("\"ws\"", 0x2),
            ("\"ws1\"", 0x2),
            ("\"ws2\"", 0x2),
            ("\"multicast\"", 0x40),
            ("\"send-events\"", 0x10000),
            ("\"l1ctrl-events\"", 0x20000),
            ("\"l2ctrl-events\"", 0x40000),
            ("\"hlo-events\"", 0x80000),
            ("\"receive-events\"", 0x100000),
            ("\"set-filter\"", 0x4000000),
            ("\"set-guid\"", 0x8000000),
            ("\"test\"", 0x10000000),
            ("\"interface\"", 0x20000000),
            ("\"restart\"", 0x40000000),
            ("\"shutdown\"", 0x80000000),
            ("\"Set-Filter / TEST,,ws1\"", 0x14000002),
            ("[\"user\", \"\"]", 0x17007F),
            ("[\"tcpip/ws\", 8, \"0x40\", \"16\"]", 0x5B),
            ("\"\"", 0),
            ("[]", 0),
            ("3", 3),
            ("18446744073709551615", u64::MAX),
            ("\"0xFFFFFFFFFFFFFFFF\"", u64::MAX),
        ] {
            assert_eq!(read(json), Ok(bits), "{json}");
        }
    }

    #[test]
    fn what_is_no_right_is_an_error_that_names_it() {
        for (json, found) in [
            ("\"user/bogus\"", "u.json:1: found \"bogus\", expected"),
            (
                "[\"user\",\n\"+1\"]",
                "u.json:2: [1]: found \"+1\", expected",
            ),
            ("-1", "u.json:1: found -1, expected"),
            ("true", "u.json:1: found true, expected"),
            ("{}", "u.json:1: found {}, expected"),
            ("[[1]]", "u.json:1: [0]: found [1], expected"),
            ("\"0x10000000000000000\"", "found \"0x10000000000000000\""),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(found), "{error}");
        }
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

    proptest! {
        #[test]
        fn every_number_is_read_in_each_of_its_forms(bits: u64) {
            for json in [format!("{bits}"), format!("\"{bits}\""), format!("\"{bits:#x}\"")] {
                prop_assert_eq!(read(&json), Ok(bits));
            }
        }
    }
}

//! The addresses that a user may come from.

use crate::{
    auth::AddressRules,
    located_json::{ConfigError, Node},
};

/// Reads `[+|-]address[/bits]` or `*`, in a string (separated by commas) or in a list. Fails
/// at the first entry that is neither.
pub(super) fn read(node: &Node<'_>) -> Result<AddressRules, ConfigError> {
    let mut rules = AddressRules::default();
    for node in node.elements()? {
        let text = node.string()?;
        let entries = AddressRules::parse(&text)
            .map_err(|entry| node.error_found(entry, "[+|-]address[/bits] or *"))?;
        rules.append(entries);
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::prelude::*;

    use super::*;
    use crate::located_json::Source;

    fn read(json: &str) -> Result<AddressRules, String> {
        let source = Source::new("u.json", json);
        let list = super::read(&source.root().unwrap());
        list.map_err(|error| error.to_string())
    }

    #[test]
    fn the_last_match_wins_and_the_rest_depends_on_the_allowed() {
        for (json, peer, allowed) in [
            ("\"\"", "8.8.8.8", true),
            ("[]", "::1", true),
            ("[\"\", \" \"]", "::1", true),
            (
                "[\"+127.0.0.0/24\", \"+192.168.0.0/16\"]",
                "127.0.0.9",
                true,
            ),
            (
                "[\"+127.0.0.0/24\", \"+192.168.0.0/16\"]",
                "192.168.4.5",
                true,
            ),
            (
                "[\"+127.0.0.0/24\", \"+192.168.0.0/16\"]",
                "127.0.1.1",
                false,
            ),
            ("[\"+127.0.0.1\", \"+fe80::/64\"]", "fe80::7", true),
            ("[\"+127.0.0.1\", \"+fe80::/64\"]", "fe80:0:0:1::7", false),
            ("[\"+127.0.0.1\", \"+fe80::/64\"]", "127.0.0.2", false),
            ("\"10.0.0.0/8\"", "10.1.2.3", true),
            ("\"10.0.0.0/8\"", "11.1.2.3", false),
            ("\"10.0.0.0/8\"", "::1", false),
            ("\"-10.0.0.1\"", "10.0.0.1", false),
            ("\"-10.0.0.1\"", "10.0.0.2", true),
            ("\"-10.0.0.1\"", "::ffff:10.0.0.1", false),
            ("\"+10.0.0.0/8, -10.0.0.1\"", "10.0.0.1", false),
            ("\"-10.0.0.1, +10.0.0.0/8\"", "10.0.0.1", true),
            ("\"+10.0.0.0/8,-10.0.0.1\"", "10.0.0.2", true),
            ("\"+10.0.0.0/8,-10.0.0.1\"", "9.0.0.2", false),
            ("\"-*, + 10.0.0.1\"", "10.0.0.1", true),
            ("\"-*,+10.0.0.1\"", "fe80::1", false),
            ("\"*\"", "fe80::1", true),
            ("\"+*,-::1\"", "::1", false),
            ("\"+0.0.0.0/0\"", "1.2.3.4", true),
            ("\"+0.0.0.0/0\"", "::1", false),
            ("\"+::/0\"", "::ffff:1.2.3.4", false),
            ("\"+192.168.1.77/24\"", "192.168.1.3", true),
            ("\"+::ffff:10.0.0.0/104\"", "10.9.9.9", true),
            ("\"+::ffff:10.0.0.1\"", "::ffff:10.0.0.1", true),
            ("\"+::ffff:10.0.0.1\"", "10.0.0.2", false),
        ] {
            let list = read(json).unwrap();
            assert_eq!(list.allows(peer.parse().unwrap()), allowed, "{json} {peer}");
        }
    }

    #[test]
    fn what_is_no_address_is_an_error_that_names_it() {
        for (json, start) in [
            ("\"+127.0.0.1,+lo\"", "u.json:1: found \"+lo\""),
            (
                "\"127.0.0\"",
                "u.json:1: found \"127.0.0\", expected [+|-]address[/bits] or *",
            ),
            (
                "[\"10.0.0.1\",\n \"10.0.0.0/33\"]",
                "u.json:2: [1]: found \"10.0.0.0/33\", expected",
            ),
            ("\"+-10.0.0.1\"", "u.json:1: found \"+-10.0.0.1\""),
            ("\"+\"", "u.json:1: found \"+\""),
            ("\"10.0.0.0/\"", "u.json:1: found \"10.0.0.0/\""),
            ("\"10.*\"", "u.json:1: found \"10.*\""),
            ("\"fe80::1%eth0\"", "u.json:1: found"),
            ("7", "u.json:1: found 7, expected a string"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.starts_with(start), "{error}");
        }
    }

    #[test]
    fn the_rule_is_shown_in_words_and_as_a_list() {
        for (json, words, list) in [
            ("\"\"", "any address", ""),
            (
                "\"10.0.0.1, +10.1.0.0/16\"",
                "only 10.0.0.1, 10.1.0.0/16",
                "+10.0.0.1,+10.1.0.0/16",
            ),
            (
                "\"-::1,-fe80::/64\"",
                "any address but ::1, fe80::/64",
                "-::1,-fe80::/64",
            ),
            (
                "\"-*,+10.0.0.1\"",
                "the addresses that -*,+10.0.0.1 allows (the last match decides)",
                "-*,+10.0.0.1",
            ),
        ] {
            let read = read(json).unwrap();
            assert_eq!(read.to_string(), words);
            assert_eq!(read.list(), list);
        }
    }

    proptest! {
        #[test]
        fn a_list_agrees_with_comparing_bit_by_bit(
            entries in prop::collection::vec((any::<bool>(), 0u32..64, 26u8..=32), 0..6),
            peer in 0u32..64,
        ) {
            let mut allowed = !entries.iter().any(|(allow, ..)| *allow);
            for (allow, address, bits) in &entries {
                if (address ^ peer) >> (32 - bits) == 0 {
                    allowed = *allow;
                }
            }
            let texts = entries.iter().map(|(allow, address, bits)| {
                let sign = if *allow { "+" } else { "-" };
                format!("{sign}{}/{bits}", Ipv4Addr::from_bits(*address))
            });
            let list = read(&format!("{:?}", texts.collect::<Vec<_>>())).unwrap();
            let peer = Ipv4Addr::from_bits(peer);
            prop_assert_eq!(list.allows(IpAddr::V4(peer)), allowed);
            prop_assert_eq!(list.allows(IpAddr::V6(peer.to_ipv6_mapped())), allowed);
            prop_assert_eq!(read(&format!("{:?}", list.list())).unwrap(), list);
        }
    }
}

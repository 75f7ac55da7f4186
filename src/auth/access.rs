//! Which addresses a user may come from.

use std::{fmt, net::IpAddr};

use ipnet::{IpNet, Ipv4Net};

use crate::json::{ConfigError, Node};

/// Addresses allowed and denied, in order; the last one that matches counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessList(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    allow: bool,
    /// `None` is `*`.
    net: Option<IpNet>,
}

impl AccessList {
    /// Reads `[+|-]address[/bits]` or `*`, in a string (separated by commas) or in a list.
    pub fn read(node: &Node<'_>) -> Result<Self, ConfigError> {
        let nodes = match node.is_array() {
            true => node.array()?,
            false => vec![node.clone()],
        };
        let mut entries = Vec::new();
        for node in nodes {
            for text in node.string()?.split(',').map(str::trim) {
                if !text.is_empty() {
                    let entry = Entry::parse(text);
                    entries.push(entry.ok_or_else(|| {
                        node.error_found(format_args!("{text:?}"), "[+|-]address[/bits] or *")
                    })?);
                }
            }
        }
        Ok(Self(entries))
    }

    /// Whether a peer may log in from there. An IPv4-mapped IPv6 address counts as IPv4.
    pub fn allows(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        let hit = self.0.iter().rev().find(|entry| match entry.net {
            Some(net) => net.contains(&peer),
            None => true,
        });
        hit.map_or(self.allows_others(), |entry| entry.allow)
    }

    /// The list as it is written, separated by commas: `+10.0.0.0/8,-10.0.0.1`.
    pub fn list(&self) -> String {
        let entries = self.0.iter().map(|entry| {
            let sign = if entry.allow { '+' } else { '-' };
            format!("{sign}{entry}")
        });
        entries.collect::<Vec<_>>().join(",")
    }

    /// What holds for an address that no entry matches.
    fn allows_others(&self) -> bool {
        !self.0.iter().any(|entry| entry.allow)
    }
}

/// The rule in words.
impl fmt::Display for AccessList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allowed = self.0.iter().filter(|entry| entry.allow).count();
        let nets: Vec<_> = self.0.iter().map(Entry::to_string).collect();
        let nets = nets.join(", ");
        match allowed {
            _ if self.0.is_empty() => f.write_str("any address"),
            0 => write!(f, "any address but {nets}"),
            _ if allowed == self.0.len() => write!(f, "only {nets}"),
            _ => write!(f, "the last match of {}, others denied", self.list()),
        }
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        let (allow, address) = match text.strip_prefix('-') {
            Some(address) => (false, address),
            None => (true, text.strip_prefix('+').unwrap_or(text)),
        };
        let address = address.trim_start();
        if address == "*" {
            return Some(Self { allow, net: None });
        }
        let net = match address.contains('/') {
            true => address.parse().ok()?,
            false => IpNet::from(address.parse::<IpAddr>().ok()?),
        };
        let net = Some(unmapped(net));
        Some(Self { allow, net })
    }
}

/// The addresses alone, without the sign.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.net {
            None => f.write_str("*"),
            Some(net) if net.prefix_len() == net.max_prefix_len() => write!(f, "{}", net.addr()),
            Some(net) => write!(f, "{net}"),
        }
    }
}

/// IPv4-mapped IPv6 addresses as the IPv4 addresses that the peers are compared by.
fn unmapped(net: IpNet) -> IpNet {
    let bits = net.prefix_len().checked_sub(96);
    match (net.addr().to_canonical(), bits) {
        (IpAddr::V4(address), Some(bits)) if matches!(net, IpNet::V6(_)) => {
            Ipv4Net::new(address, bits).map_or(net, IpNet::V4)
        }
        _ => net,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;
    use crate::json::Source;

    fn read(json: &str) -> Result<AccessList, String> {
        let source = Source::new("u.json", json);
        let list = AccessList::read(&source.root().unwrap());
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
                "the last match of -*,+10.0.0.1, others denied",
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

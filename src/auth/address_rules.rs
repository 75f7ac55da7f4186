//! The addresses that a user may log in from.

use std::{fmt, net::IpAddr};

use ipnet::{IpNet, Ipv4Net};

use super::Unreadable;

/// Allowed and denied addresses in the order of the users file. The last entry that matches an
/// address decides about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressRules(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    allow: bool,
    /// `None` for `*`, all addresses.
    net: Option<IpNet>,
}

impl AddressRules {
    /// Reads entries `[+|-]ADDRESS[/BITS]` or `[+|-]*`, separated by commas. Fails with the first
    /// entry that cannot be read.
    pub fn parse(text: &str) -> Result<Self, Unreadable<'_>> {
        let entries = text.split(',').map(str::trim);
        let entries = entries.filter(|entry| !entry.is_empty());
        entries
            .map(|entry| Entry::parse(entry).ok_or(Unreadable(entry)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Appends the entries of `others`, which thereby decide first.
    pub fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// Returns true if the user may log in from `peer`. An IPv4-mapped IPv6 address (RFC 4291
    /// §2.5.5.2) counts as IPv4.
    pub fn allows(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        let hit = self.0.iter().rev().find(|entry| match entry.net {
            Some(net) => net.contains(&peer),
            None => true,
        });
        hit.map_or(self.allows_others(), |entry| entry.allow)
    }

    /// Returns the entries as the users file has them: `+10.0.0.0/8,-10.0.0.1`.
    pub fn list(&self) -> String {
        let entries = self.0.iter().map(|entry| {
            let sign = if entry.allow { '+' } else { '-' };
            format!("{sign}{entry}")
        });
        entries.collect::<Vec<_>>().join(",")
    }

    /// Returns true if an address that no entry matches is allowed: that is so if the entries only
    /// deny.
    fn allows_others(&self) -> bool {
        !self.0.iter().any(|entry| entry.allow)
    }
}

/// Shows the rules in words, for the log: `only 10.0.0.0/8`.
impl fmt::Display for AddressRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allowed = self.0.iter().filter(|entry| entry.allow).count();
        let nets: Vec<_> = self.0.iter().map(Entry::to_string).collect();
        let nets = nets.join(", ");
        match allowed {
            _ if self.0.is_empty() => f.write_str("any address"),
            0 => write!(f, "any address but {nets}"),
            _ if allowed == self.0.len() => write!(f, "only {nets}"),
            _ => write!(
                f,
                "the addresses that {} allows (the last match decides)",
                self.list()
            ),
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

/// Shows the addresses without the sign.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.net {
            None => f.write_str("*"),
            Some(net) if net.prefix_len() == net.max_prefix_len() => write!(f, "{}", net.addr()),
            Some(net) => write!(f, "{net}"),
        }
    }
}

/// Converts a network of IPv4-mapped IPv6 addresses to the IPv4 network that it stands for, since
/// peers are compared as IPv4.
fn unmapped(net: IpNet) -> IpNet {
    let bits = net.prefix_len().checked_sub(96);
    match (net.addr().to_canonical(), bits) {
        (IpAddr::V4(address), Some(bits)) if matches!(net, IpNet::V6(_)) => {
            Ipv4Net::new(address, bits).map_or(net, IpNet::V4)
        }
        _ => net,
    }
}

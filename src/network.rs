//! The part of an address by which limits count peers.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// An IPv4 address, or the /64 of an IPv6 address, since a host may use all addresses of its /64
/// (RFC 4291 §2.5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Network(IpAddr);

impl Network {
    /// Returns the network of an address. An IPv4-mapped IPv6 address counts as IPv4.
    pub(crate) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
            }
            ipv4 => ipv4,
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(address) => write!(f, "{address}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_counts_by_64_bits_and_a_mapped_address_as_ipv4() {
        let of = |address: &str| Network::of(address.parse().unwrap());
        for (address, other, same) in [
            ("2001:db8:1:2:3::4", "2001:db8:1:2:ffff::", true),
            ("2001:db8:1:2::", "2001:db8:1:3::", false),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.2", false),
            ("10.0.0.1", "10.0.0.0", false),
        ] {
            assert_eq!(of(address) == of(other), same, "{address} {other}");
        }
        assert_eq!(of("2001:db8::1").to_string(), "2001:db8::/64");
        assert_eq!(of("10.0.0.1").to_string(), "10.0.0.1");
    }
}

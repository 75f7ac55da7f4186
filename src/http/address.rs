//! The addresses to listen on: the key `interface`.

use std::{fmt, net::IpAddr, str::FromStr};

const DEFAULT_PORT: u16 = 8884;

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// True for `wss://` and `https://`: clients speak TLS.
    pub tls: bool,
    /// A name, or an address without brackets, of IPv6 with its scope (`fe80::1%eth0`). `None` for
    /// `*`, all addresses of the machine.
    pub host: Option<String>,
    /// The port. 0 lets the system choose a free one.
    pub port: u16,
}

impl Listen {
    /// Returns true if only this machine can reach the address.
    pub fn is_local(&self) -> bool {
        self.host.as_deref().is_some_and(|host| {
            let address: Result<IpAddr, _> = host.parse();
            host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback())
        })
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            tls: false,
            host: Some("localhost".into()),
            port: DEFAULT_PORT,
        }
    }
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str =
            "ws://HOST:PORT, HOST a name, an IPv4 address, an [IPv6] address or *, PORT 0 to 65535";
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("ws", text));
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "ws" | "http" => false,
            "wss" | "https" => true,
            _ => return Err(EXPECTED),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = if let Some(bracketed) = rest.strip_prefix('[') {
            let (host, port) = bracketed.split_once(']').ok_or(EXPECTED)?;
            check_ipv6(host).ok_or(EXPECTED)?;
            match port {
                "" => (host, None),
                _ => (host, Some(port.strip_prefix(':').ok_or(EXPECTED)?)),
            }
        } else if let Some((host, port)) = rest.split_once(':') {
            (host, Some(port))
        } else if !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()) {
            ("*", Some(rest))
        } else {
            (rest, None)
        };
        let port = match port {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| EXPECTED)?
            }
            Some(_) => return Err(EXPECTED),
            None => DEFAULT_PORT,
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let host = match host {
            "*" | "" => None,
            _ if host.contains(':') || host.chars().all(plain) => Some(host.to_owned()),
            _ => return Err(EXPECTED),
        };
        Ok(Self { tls, host, port })
    }
}

/// Checks an IPv6 address, which may have a scope: the number or the name of a network interface.
fn check_ipv6(text: &str) -> Option<()> {
    /// `IFNAMSIZ` of `linux/if.h`, without the NUL.
    const MAX_NAME: usize = 15;
    let (address, scope) = match text.split_once('%') {
        Some((address, scope)) => (address, Some(scope)),
        None => (text, None),
    };
    address.parse::<std::net::Ipv6Addr>().ok()?;
    let is_name = |scope: &str| {
        let allowed = |c: char| c.is_ascii_graphic() && !"/%[]".contains(c);
        (1..=MAX_NAME).contains(&scope.len()) && scope.chars().all(allowed)
    };
    scope.is_none_or(is_name).then_some(())
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "wss" } else { "ws" };
        match &self.host {
            None => write!(f, "{scheme}://*:{}", self.port),
            Some(host) if host.contains(':') => write!(f, "{scheme}://[{host}]:{}", self.port),
            Some(host) => write!(f, "{scheme}://{host}:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_an_interface_is_understood() {
        for (text, expected) in [
            ("ws://localhost:8884", "ws://localhost:8884"),
            ("wss://example.org:443/", "wss://example.org:443"),
            ("http://10.0.0.1", "ws://10.0.0.1:8884"),
            ("HTTPS://[::1]:99", "wss://[::1]:99"),
            ("[fe80::1]", "ws://[fe80::1]:8884"),
            ("ws://[fe80::1%eth0]:80", "ws://[fe80::1%eth0]:80"),
            ("[fe80::1%2]", "ws://[fe80::1%2]:8884"),
            ("[fe80::1%br-lan.7@x]", "ws://[fe80::1%br-lan.7@x]:8884"),
            ("*", "ws://*:8884"),
            ("*:0", "ws://*:0"),
            (":80", "ws://*:80"),
            ("8885", "ws://*:8885"),
            ("my-host", "ws://my-host:8884"),
            (" ws://a:1 ", "ws://a:1"),
        ] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "ftp://a:1",
            "ws://a:65536",
            "ws://a:x",
            "ws://a:",
            "ws://[::1:80",
            "ws://[zz]:80",
            "ws://[::1]80",
            "ws://a b:80",
            "ws://a:+8",
            "ws://::1:80",
            "ws://[fe80::1%]:80",
            "ws://[fe80::1%a/b]:80",
            "ws://[fe80::1%a%b]:80",
            "ws://[fe80::1%a-name-of-16-chr]:80",
            "ws://[fe80%eth0]:80",
            "ws://10.0.0.1%eth0:80",
        ] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_understood_or_refused_without_panic(text in ".*") {
            if let Ok(listen) = text.parse::<Listen>() {
                prop_assert_eq!(listen.to_string().parse::<Listen>().unwrap(), listen);
            }
        }
    }
}

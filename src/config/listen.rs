//! Where to listen: the `interface` key.

use std::{fmt, str::FromStr};

const DEFAULT_PORT: u16 = 8884;

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Whether TLS is asked for (`wss://`, `https://`).
    pub tls: bool,
    /// A name or an address without brackets; `None` for all addresses (`*`).
    pub host: Option<String>,
    /// 0 lets the system choose.
    pub port: u16,
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
            host.parse::<std::net::Ipv6Addr>().map_err(|_| EXPECTED)?;
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
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        let host = match host {
            "*" | "" => None,
            _ if host.chars().all(plain) => Some(host.to_owned()),
            _ => return Err(EXPECTED),
        };
        Ok(Self { tls, host, port })
    }
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
    #![allow(clippy::unwrap_used)]

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
    fn what_is_no_interface_is_refused() {
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

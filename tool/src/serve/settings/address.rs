//! The address of a broker.

use std::fmt;

use super::Secret;

/// How a broker is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Scheme {
    /// TCP.
    Tcp,
    /// TLS.
    Tls,
    /// A websocket.
    Ws,
    /// A websocket over TLS.
    Wss,
}

/// The address of a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::serve) struct Address {
    pub(in crate::serve) scheme: Scheme,
    /// A name, or an IP address without brackets.
    pub(in crate::serve) host: String,
    pub(in crate::serve) port: u16,
    /// The path of a websocket, with its slash.
    pub(in crate::serve) path: String,
}

/// A URL as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::serve) struct Url {
    /// `None` if it has none.
    pub(in crate::serve) scheme: Option<Scheme>,
    pub(in crate::serve) user: String,
    pub(in crate::serve) password: Secret,
    pub(in crate::serve) host: String,
    pub(in crate::serve) port: Option<u16>,
    pub(in crate::serve) path: String,
}

const SCHEMES: [(&str, Scheme); 8] = [
    ("mqtt", Scheme::Tcp),
    ("tcp", Scheme::Tcp),
    ("mqtts", Scheme::Tls),
    ("stcp", Scheme::Tls),
    ("ssl", Scheme::Tls),
    ("tls", Scheme::Tls),
    ("ws", Scheme::Ws),
    ("wss", Scheme::Wss),
];

/// Examples of addresses, for messages.
pub(in crate::serve) const EXPECTED: &str = "an address like broker, 10.0.0.1:1883, mqtt://user@broker:1883, mqtts://broker or wss://broker/mqtt, with %25 for a % and %40 for a @ in user and password";

impl Scheme {
    /// Returns true if the connection is encrypted.
    pub(in crate::serve) fn is_encrypted(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// Returns the port that is usual.
    pub(in crate::serve) fn port(self) -> u16 {
        match self {
            Self::Tcp => 1883,
            Self::Tls => 8883,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }

    /// Returns the same with TLS.
    pub(in crate::serve) fn encrypted(self) -> Self {
        match self {
            Self::Tcp | Self::Tls => Self::Tls,
            Self::Ws | Self::Wss => Self::Wss,
        }
    }
}

impl Url {
    /// Reads `[SCHEME://][USER[:PASSWORD]@]HOST[:PORT][/PATH]`, with user and password escaped as in
    /// all URLs: `%40` for `@`. Returns `None` for any other text.
    pub(in crate::serve) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => {
                let found = SCHEMES
                    .iter()
                    .find(|(name, _)| scheme.eq_ignore_ascii_case(name))?;
                (Some(found.1), rest)
            }
            None => (None, text),
        };
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, format!("/{path}")),
            None => (rest, String::new()),
        };
        let is_websocket = matches!(scheme, Some(Scheme::Ws | Scheme::Wss));
        if !is_websocket && path.len() > 1 {
            return None;
        }
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => (login, place),
            None => ("", authority),
        };
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (host, port) = split_port(place)?;
        let is_host = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/');
        let (user, password) = (unescaped(user)?, Secret(unescaped(password)?));
        is_host.then(|| Self {
            scheme,
            user,
            password,
            host: host.to_owned(),
            port,
            path: if is_websocket { path } else { String::new() },
        })
    }
}

/// Replaces `%` and two hexadecimal digits by their byte. Returns `None` if an escape is wrong, or
/// the result is no text.
fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.as_bytes().split_at_checked(2)?;
        let mut byte = [0];
        hex::decode_to_slice(digits, &mut byte).ok()?;
        bytes.extend(byte);
        bytes.extend(rest);
    }
    String::from_utf8(bytes).ok()
}

/// Splits a host from its port. An IPv6 address with a port is in brackets.
fn split_port(place: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        return match port {
            "" => Some((host, None)),
            port => Some((host, Some(port.strip_prefix(':')?.parse().ok()?))),
        };
    }
    match place.matches(':').count() {
        1 => {
            let (host, port) = place.split_once(':')?;
            Some((host, Some(port.parse().ok()?)))
        }
        _ => Some((place, None)),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scheme,
            host,
            port,
            path,
        } = self;
        let scheme = match scheme {
            Scheme::Tcp => "mqtt",
            Scheme::Tls => "mqtts",
            Scheme::Ws => "ws",
            Scheme::Wss => "wss",
        };
        match host.contains(':') {
            true => write!(f, "{scheme}://[{host}]:{port}{path}"),
            false => write!(f, "{scheme}://{host}:{port}{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_usual_forms_of_an_address_are_read() {
        let parts = |text: &str| {
            let url = Url::parse(text).unwrap();
            let Secret(password) = url.password;
            (url.scheme, url.user, password, url.host, url.port, url.path)
        };
        let of = |scheme, user: &str, password: &str, host: &str, port, path: &str| {
            let [user, password, host, path] = [user, password, host, path].map(str::to_owned);
            (scheme, user, password, host, port, path)
        };
        for (text, expected) in [
            ("broker", of(None, "", "", "broker", None, "")),
            (" broker:1884 ", of(None, "", "", "broker", Some(1884), "")),
            ("::1", of(None, "", "", "::1", None, "")),
            ("[::1]:1884", of(None, "", "", "::1", Some(1884), "")),
            (
                "mqtt://anna@b:1",
                of(Some(Scheme::Tcp), "anna", "", "b", Some(1), ""),
            ),
            (
                "MQTTS://a:p@s:s@b/",
                of(Some(Scheme::Tls), "a", "p@s:s", "b", None, ""),
            ),
            (
                "mqtt://a%3Ab%40c:p%25%C3%BC%2f@b",
                of(Some(Scheme::Tcp), "a:b@c", "p%\u{fc}/", "b", None, ""),
            ),
            ("stcp://b", of(Some(Scheme::Tls), "", "", "b", None, "")),
            (
                "ws://b/mqtt",
                of(Some(Scheme::Ws), "", "", "b", None, "/mqtt"),
            ),
            (
                "wss://b:443",
                of(Some(Scheme::Wss), "", "", "b", Some(443), ""),
            ),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
        for text in [
            "",
            "http://b",
            "b:x",
            "b:70000",
            "[::1",
            "mqtt://b/topic",
            "a b",
            "mqtt://",
            "mqtt://a:p%@b",
            "mqtt://a:p%4@b",
            "mqtt://a:p%zz@b",
            "mqtt://a:p%+1@b",
            "mqtt://a%FF@b",
        ] {
            assert_eq!(Url::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_is_shown_as_it_is_written() {
        let address = |host: &str| Address {
            scheme: Scheme::Tls,
            host: host.to_owned(),
            port: 8883,
            path: String::new(),
        };
        assert_eq!(address("b").to_string(), "mqtts://b:8883");
        assert_eq!(address("::1").to_string(), "mqtts://[::1]:8883");
    }
}

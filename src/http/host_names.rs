//! The names that requests may have in the header Host if the server listens on an address that
//! only this machine can reach.
//!
//! A page of any site could use such a server if a browser on this machine shows the page: the site
//! lets its name resolve to 127.0.0.1 after the page was loaded ("DNS rebinding"). For the browser
//! the site and the server are one origin then. But the header Host still has the name of the site.

use std::net::{IpAddr, Ipv6Addr};

use hyper::header::HeaderValue;

/// The hosts that are allowed: `localhost` and all addresses, which no other site can have, and a
/// list of names.
#[derive(Clone, Debug, Default)]
pub struct HostNames {
    /// In lower case.
    names: Vec<String>,
    /// True if every name is allowed.
    any: bool,
}

impl HostNames {
    /// Returns the names of the machine, and `names`; with the name `*` any.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let mut names: Vec<_> = names.into_iter().collect();
        names
            .iter_mut()
            .for_each(|name| name.make_ascii_lowercase());
        Self {
            any: names.iter().any(|name| name == "*"),
            names,
        }
    }

    /// Returns true for a Host (RFC 9110 §7.2) of this machine: one of the names, `localhost` or a
    /// name below it (RFC 6761 §6.3), an address, which no other site can have, or none.
    pub(super) fn allow(&self, host: Option<&HeaderValue>) -> bool {
        let Some(host) = host.filter(|_| !self.any) else {
            return true;
        };
        let Some(host) = name_of(host) else {
            return false;
        };
        host.is_empty()
            || is_localhost(&host)
            || address_of(&host).is_some()
            || self.names.contains(&host)
    }
}

/// Returns true for a Host that leads from each machine to itself.
pub(super) fn is_loopback(host: &HeaderValue) -> bool {
    let is_loopback = |host: String| {
        is_localhost(&host) || address_of(&host).is_some_and(|address| address.is_loopback())
    };
    name_of(host).is_some_and(is_loopback)
}

/// Returns a Host without its port and the dot at its end, in lower case.
fn name_of(host: &HeaderValue) -> Option<String> {
    let host = host.to_str().ok()?.to_ascii_lowercase();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => &host,
    };
    Some(name.strip_suffix('.').unwrap_or(name).to_owned())
}

fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

fn address_of(host: &str) -> Option<IpAddr> {
    match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(address) => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok().filter(IpAddr::is_ipv4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_the_machine_an_address_or_a_name_that_is_listed() {
        let names = HostNames::new(["Panel.example".to_owned()]);
        for (host, allowed) in [
            ("localhost", true),
            ("LOCALHOST:8884", true),
            ("localhost.:8884", true),
            ("vscp.localhost", true),
            ("127.0.0.1", true),
            ("127.0.0.1:8884", true),
            ("[::1]", true),
            ("[::1]:8884", true),
            ("192.168.1.7:8884", true),
            ("[fe80::1]:1", true),
            ("", true),
            (":8884", true),
            ("panel.example", true),
            ("PANEL.example:80", true),
            ("evil.example", false),
            ("evil.example:8884", false),
            ("a.panel.example", false),
            ("panel.example.evil.example", false),
            ("localhost.evil.example", false),
            ("evillocalhost", false),
            ("127.0.0.1.evil.example", false),
            ("1", false),
            ("[evil]", false),
            ("::1", false),
        ] {
            let value = HeaderValue::from_str(host).unwrap();
            assert_eq!(names.allow(Some(&value)), allowed, "{host}");
            let any = HostNames::new(["*".to_owned()]);
            assert!(any.allow(Some(&value)), "{host}");
        }
        assert!(names.allow(None));
    }
}

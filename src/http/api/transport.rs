//! Who could read a request on its way.

use hyper::{
    HeaderMap,
    header::{FORWARDED, HOST, HeaderName, VIA},
};

use crate::http::{host_names, route::Peer};

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The headers that proxies add.
const OF_PROXIES: [HeaderName; 7] = [
    X_FORWARDED_PROTO,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-real-ip"),
    FORWARDED,
    VIA,
];

/// The way that a request took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// Over TLS, to the driver or to a proxy on this machine.
    Encrypted,
    /// From a program on this machine.
    Loopback,
    /// Readable on the network.
    Plain,
}

impl Transport {
    /// Returns the way of a request with these headers.
    ///
    /// A proxy on this machine connects as a program on this machine does. A request counts as one
    /// of a proxy if it has a header that proxies add, or if its Host is not a loopback name or
    /// address. A header that says that the client speaks TLS is believed only if it comes from
    /// this machine.
    pub(super) fn of(peer: &Peer, headers: &HeaderMap) -> Self {
        if peer.secure {
            return Self::Encrypted;
        }
        if !peer.is_local && !peer.address.is_loopback() {
            return Self::Plain;
        }
        if OF_PROXIES.iter().any(|name| headers.contains_key(name)) {
            return match is_forwarded_from_tls(headers) {
                true => Self::Encrypted,
                false => Self::Plain,
            };
        }
        match headers.get(HOST).is_some_and(host_names::is_loopback) {
            true => Self::Loopback,
            false => Self::Plain,
        }
    }
}

/// Returns true if all proxies say that they were asked over TLS.
fn is_forwarded_from_tls(headers: &HeaderMap) -> bool {
    let values = headers.get_all(X_FORWARDED_PROTO).iter();
    let mut schemes = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    let is_https = |scheme: &[u8]| scheme.trim_ascii().eq_ignore_ascii_case(b"https");
    schemes.next().is_some_and(is_https) && schemes.all(is_https)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;
    use crate::http::tests::peer;

    #[tokio::test]
    async fn a_proxy_on_this_machine_is_no_client_on_this_machine() {
        use Transport::{Encrypted, Loopback, Plain};
        let mut peer = peer(false).await;
        let localhost = ("host", "localhost:8884");
        for (headers, expected) in [
            (vec![localhost], Loopback),
            (vec![("host", "127.0.0.1:8884")], Loopback),
            (vec![("host", "[::1]")], Loopback),
            (vec![("host", "panel.localhost")], Loopback),
            (vec![], Plain),
            (vec![("host", "panel.lan")], Plain),
            (vec![("host", "10.0.0.7")], Plain),
            (vec![localhost, ("x-forwarded-for", "10.0.0.7")], Plain),
            (vec![localhost, ("x-forwarded-proto", "http")], Plain),
            (vec![localhost, ("x-forwarded-proto", "https")], Encrypted),
            (vec![localhost, ("x-forwarded-proto", "")], Plain),
            (
                vec![localhost, ("x-forwarded-proto", "https, HTTPS")],
                Encrypted,
            ),
            (vec![localhost, ("x-forwarded-proto", "https, http")], Plain),
            (
                vec![
                    ("host", "panel.lan"),
                    ("x-forwarded-for", "10.0.0.7"),
                    ("x-forwarded-proto", "https"),
                ],
                Encrypted,
            ),
            (
                vec![localhost, ("forwarded", "for=10.0.0.7;proto=https")],
                Plain,
            ),
            (vec![localhost, ("via", "1.1 proxy")], Plain),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in &headers {
                map.append(*name, HeaderValue::from_static(value));
            }
            assert_eq!(Transport::of(&peer, &map), expected, "{headers:?}");
            peer.is_local = false;
            assert_eq!(Transport::of(&peer, &map), expected, "{headers:?}");
            peer.address = "10.0.0.1".parse().unwrap();
            assert_eq!(Transport::of(&peer, &map), Plain, "{headers:?}");
            peer.secure = true;
            assert_eq!(Transport::of(&peer, &map), Encrypted, "{headers:?}");
            (peer.secure, peer.is_local) = (false, true);
            peer.address = std::net::Ipv4Addr::LOCALHOST.into();
        }
    }
}

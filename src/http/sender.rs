//! Tells requests of the server's own pages from those of other pages.

use hyper::{
    HeaderMap,
    header::{HOST, HeaderName, HeaderValue, ORIGIN},
};

/// The header in which a browser tells how the page of a request is related to the server
/// (<https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The sender of a request, as the headers tell it that no page can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// A page of this server.
    OwnPage,
    /// A page of another origin.
    OtherPage,
    /// No page, or a browser that does not tell.
    Unknown,
}

impl Sender {
    /// Returns the sender of a request with these headers. With `secure`, pages that came without
    /// TLS are others: anybody on the way could have written them.
    pub(super) fn of(headers: &HeaderMap, secure: bool) -> Self {
        let sites = headers.get_all(SEC_FETCH_SITE).iter();
        let by_site = sites.map(|site| match site.as_bytes() {
            b"same-origin" => Self::OwnPage,
            // Typed into the address bar.
            b"none" => Self::Unknown,
            _ => Self::OtherPage,
        });
        by_site.fold(Self::by_origin(headers, secure), Self::and)
    }

    /// Returns the sender by the header Origin alone, which each websocket of a browser has
    /// (RFC 6455 §4.1).
    pub(super) fn by_origin(headers: &HeaderMap, secure: bool) -> Self {
        let host = headers.get(HOST);
        let origins = headers.get_all(ORIGIN).iter();
        let by_origin = origins.map(|origin| match is_own(origin, host, secure) {
            true => Self::OwnPage,
            false => Self::OtherPage,
        });
        by_origin.fold(Self::Unknown, Self::and)
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::OtherPage, _) | (_, Self::OtherPage) => Self::OtherPage,
            (Self::OwnPage, _) | (_, Self::OwnPage) => Self::OwnPage,
            _ => Self::Unknown,
        }
    }
}

/// Returns true if the origin is that of the server itself, whose name the client gives as `host`.
pub(super) fn is_own(origin: &HeaderValue, host: Option<&HeaderValue>, secure: bool) -> bool {
    let (Ok(origin), Some(Ok(host))) = (origin.to_str(), host.map(HeaderValue::to_str)) else {
        return false;
    };
    let origin = origin.to_ascii_lowercase();
    let own = match origin.split_once("://") {
        Some(("https", own)) => own,
        // Without TLS of our own there may be a proxy with it, so that both schemes are possible.
        Some(("http", own)) if !secure => own,
        _ => return false,
    };
    own == host.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_the_servers_own_if_all_that_the_browser_says_agrees() {
        use Sender::{OtherPage, OwnPage, Unknown};
        let own = ("origin", "http://vscp.example:8884");
        let foreign = ("origin", "http://evil.example");
        let site = |site| ("sec-fetch-site", site);
        for (headers, plain, secure) in [
            (vec![], Unknown, Unknown),
            (vec![own], OwnPage, OtherPage),
            (
                vec![("origin", "https://vscp.example:8884")],
                OwnPage,
                OwnPage,
            ),
            (vec![("origin", "null")], OtherPage, OtherPage),
            (vec![foreign], OtherPage, OtherPage),
            (vec![own, foreign], OtherPage, OtherPage),
            (vec![site("same-origin")], OwnPage, OwnPage),
            (vec![site("same-site")], OtherPage, OtherPage),
            (vec![site("cross-site")], OtherPage, OtherPage),
            (vec![site("none")], Unknown, Unknown),
            (vec![site("Same-Origin")], OtherPage, OtherPage),
            (vec![own, site("same-origin")], OwnPage, OtherPage),
            (vec![own, site("cross-site")], OtherPage, OtherPage),
            (vec![foreign, site("same-origin")], OtherPage, OtherPage),
            (
                vec![site("same-origin"), site("cross-site")],
                OtherPage,
                OtherPage,
            ),
        ] {
            let mut map = HeaderMap::new();
            map.insert(HOST, HeaderValue::from_static("vscp.example:8884"));
            for (name, value) in &headers {
                map.append(*name, HeaderValue::from_static(value));
            }
            assert_eq!(Sender::of(&map, false), plain, "{headers:?}");
            assert_eq!(Sender::of(&map, true), secure, "{headers:?}");
        }
    }
}

//! Decides which pages may use REST: cross-origin requests
//! (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use std::net::IpAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ALLOW, HOST, HeaderValue, ORIGIN, VARY,
    },
};

use super::METHODS;
use crate::{
    http::sender::is_own,
    metrics::{Excerpt, LogLimit},
};

/// The origins whose pages may use REST, besides those of this server.
#[derive(Debug)]
pub(super) struct Origins {
    /// As browsers send them, `*` for all.
    allowed: Vec<String>,
    refusals: LogLimit,
}

impl Origins {
    pub(super) fn new(allowed: Vec<String>) -> Self {
        Self {
            allowed,
            refusals: LogLimit::default(),
        }
    }

    /// Returns true if a request may be answered: it comes from no page of another origin, or from
    /// one of an allowed origin. Logs some of those that may not.
    pub(super) fn admit(&self, address: IpAddr, is_secure: bool, headers: &HeaderMap) -> bool {
        let foreign = |origin: &&HeaderValue| {
            !self.is_allowed(origin) && !is_own(origin, headers.get(HOST), is_secure)
        };
        let Some(origin) = headers.get_all(ORIGIN).iter().find(foreign) else {
            return true;
        };
        if let Some(repeats) = self.refusals.allow_line() {
            tracing::warn!(
                "REST request from {address} refused: pages of {} may not use REST; list their \
                 origin in cors-origins to allow them{repeats}",
                Excerpt(origin.as_bytes())
            );
        }
        false
    }

    /// Answers the preflight request of a browser.
    pub(super) fn preflight(&self, request: &HeaderMap) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().insert(ALLOW, METHODS);
        if self.allow_origin(request, &mut response) {
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            for (name, value) in [
                (
                    ACCESS_CONTROL_ALLOW_HEADERS,
                    "vscpuser, vscpsecret, vscpsession, content-type",
                ),
                (ACCESS_CONTROL_MAX_AGE, "600"),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        response
    }

    /// Lets the page that sent the request read the response, if its origin is allowed. Returns
    /// true if it is.
    pub(super) fn allow_origin(
        &self,
        request: &HeaderMap,
        response: &mut Response<Full<Bytes>>,
    ) -> bool {
        if self.allowed.is_empty() {
            return false;
        }
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("origin"));
        let origin = request.get(ORIGIN);
        match origin.filter(|origin| self.is_allowed(origin)) {
            Some(origin) => {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                true
            }
            None => false,
        }
    }

    fn is_allowed(&self, origin: &HeaderValue) -> bool {
        let mut allowed = self.allowed.iter();
        allowed.any(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::test_log::TestLog;

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn admits(allowed: &[&str], secure: bool, headers: &[(&'static str, &str)]) -> bool {
        let allowed = allowed.iter().map(|&origin| origin.to_owned()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        Origins::new(allowed).admit(HOME, secure, &map)
    }

    #[test]
    fn pages_of_the_server_itself_and_of_listed_origins_are_admitted() {
        let host = ("host", "Vscp.example:8884");
        for (origin, plain, secure) in [
            ("http://vscp.example:8884", true, false),
            ("https://vscp.example:8884", true, true),
            ("HTTPS://VSCP.example:8884", true, true),
            ("https://listed.example", true, true),
            ("http://listed.example", false, false),
            ("https://vscp.example", false, false),
            ("https://vscp.example:8884.evil.example", false, false),
            ("https://evil.example", false, false),
            ("ws://vscp.example:8884", false, false),
            ("null", false, false),
            ("", false, false),
        ] {
            let headers = [host, ("origin", origin)];
            let listed = ["https://listed.example"];
            assert_eq!(admits(&listed, false, &headers), plain, "{origin}");
            assert_eq!(admits(&listed, true, &headers), secure, "{origin}");
            assert!(admits(&["*"], true, &headers), "{origin}");
        }
        assert!(admits(&[], true, &[host]), "no page, or one of the server");
        assert!(!admits(&[], false, &[("origin", "http://a")]), "no host");
        let two = [("origin", "https://a"), ("origin", "https://b")];
        assert!(!admits(&["https://a"], false, &two));
    }

    #[test]
    fn refusals_are_logged_but_not_each_of_them() {
        let log = TestLog::start();
        let origins = Origins::new(Vec::new());
        let origin = HeaderValue::from_static("https://evil.example");
        let headers = HeaderMap::from_iter([(ORIGIN, origin)]);
        for _ in 0..10 {
            assert!(!origins.admit(HOME, true, &headers));
        }
        assert_eq!(
            log.take(),
            [
                "WARN REST request from 127.0.0.1 refused: pages of \"https://evil.example\" may \
                 not use REST; list their origin in cors-origins to allow them"
            ]
        );
    }
}

//! What a request asks for: the parameters in its URL, its body and its headers.

use std::{fmt, str::FromStr};

use hyper::http::request::Parts;

use super::reply::Failure;
use crate::auth::Credentials;

/// Parameters that may be headers as well.
const HEADERS: [&str; 3] = ["vscpuser", "vscpsecret", "vscpsession"];

/// The parameters of a request. Names are the same in any case; those without a value count as
/// absent. Of several values the last counts; the body goes before the URL, and both go before
/// the headers.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Of a request whose body is `body`.
    pub(super) fn new(head: &Parts, body: &[u8]) -> Self {
        let mut params = Vec::new();
        for name in HEADERS {
            if let Some(value) = head.headers.get(name)
                && let Ok(value) = str::from_utf8(value.as_bytes())
            {
                params.push((name.to_owned(), value.trim().to_owned()));
            }
        }
        let query = head.uri.query().unwrap_or("").as_bytes();
        for text in [query, body] {
            params.extend(form_urlencoded::parse(text).into_owned());
        }
        params.retain(|(_, value)| !value.is_empty());
        Self(params)
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut last_first = self.0.iter().rev();
        last_first
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, Failure> {
        self.get(name).ok_or(Failure::MissingData)
    }

    /// The value of a parameter, which must be one that can be understood.
    pub(super) fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, Failure> {
        let value = self.get(name).map(|value| value.trim().parse());
        value.transpose().map_err(|_| Failure::Range)
    }

    /// User and password, where there is a user.
    pub(super) fn credentials(&self) -> Option<Credentials> {
        Some(Credentials {
            user: self.get("vscpuser")?.to_owned(),
            password: self.get("vscpsecret").unwrap_or("").to_owned(),
        })
    }
}

/// Without the values: one may be a password.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use hyper::Request;

    use super::*;

    fn params(url: &str, headers: &[(&str, &str)], body: &str) -> Params {
        let mut request = Request::builder().uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        Params::new(&head, body.as_bytes())
    }

    #[test]
    fn the_body_goes_before_the_url_and_both_before_the_headers() {
        let headers = [("vscpuser", "h"), ("VSCPSecret", "h"), ("op", "h")];
        let params = params("/rest?vscpuser=u&op=u&op=U", &headers, "Op=b");
        for (name, value) in [
            ("vscpuser", Some("u")),
            ("vscpsecret", Some("h")),
            ("op", Some("b")),
            ("VSCPUSER", Some("u")),
            ("count", None),
        ] {
            assert_eq!(params.get(name), value, "{name}");
        }
        let credentials = params.credentials().unwrap();
        assert_eq!((&*credentials.user, &*credentials.password), ("u", "h"));
    }

    #[test]
    fn values_are_decoded_as_forms_are() {
        let params = params("/rest?a=1+2%2C%20%41&b&c=&%64=%ff", &[], "e=%");
        for (name, value) in [
            ("a", Some("1 2, A")),
            ("b", None),
            ("c", None),
            ("d", Some("\u{FFFD}")),
            ("e", Some("%")),
        ] {
            assert_eq!(params.get(name), value, "{name}");
        }
    }

    #[test]
    fn numbers_that_are_out_of_range_are_told_from_missing_ones() {
        let params = params("/rest?a=255&b=256&c=-1&d=x&e=%2012%20", &[], "");
        for (name, value) in [
            ("a", Ok(Some(255))),
            ("b", Err(Failure::Range)),
            ("c", Err(Failure::Range)),
            ("d", Err(Failure::Range)),
            ("e", Ok(Some(12))),
            ("f", Ok(None)),
        ] {
            assert_eq!(params.parsed::<u8>(name), value, "{name}");
        }
        assert_eq!(params.required("f"), Err(Failure::MissingData));
    }

    #[test]
    fn values_are_not_shown() {
        let params = params("/rest?vscpuser=u&vscpsecret=secret", &[], "");
        assert_eq!(format!("{params:?}"), r#"["vscpuser", "vscpsecret"]"#);
    }
}

//! The parameters of a request, in its URL, its body and its headers.

use std::{fmt, str::FromStr};

use hyper::http::request::Parts;

use super::reply::RestError;
use crate::{auth::Credentials, number::parse_decimal_or_hex};

/// The parameters that may be headers, too.
const HEADERS: [&str; 3] = ["vscpuser", "vscpsecret", "vscpsession"];

/// The parameters of a request. The case of names does not matter, and parameters without a value
/// count as absent. Of several values the last counts; those in the body override those in the URL,
/// and both override the headers.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads the parameters of a request with the given head and body.
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

    /// Returns the value of a parameter, `None` if it is absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut last_first = self.0.iter().rev();
        last_first
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns the value of a parameter. Fails if it is absent.
    pub(super) fn required(&self, name: &str) -> Result<&str, RestError> {
        self.get(name).ok_or(RestError::MissingData)
    }

    /// Returns the number that a parameter is, `None` if it is absent. Fails if it is no number, or
    /// out of the range of `T`.
    pub(super) fn number<T: TryFrom<u64>>(&self, name: &str) -> Result<Option<T>, RestError> {
        let number = |value: &str| parse_decimal_or_hex(value.trim())?.try_into().ok();
        let value = self
            .get(name)
            .map(|value| number(value).ok_or(RestError::Range));
        value.transpose()
    }

    /// Returns the parsed value of a parameter, `None` if it is absent. Fails if it cannot be
    /// parsed.
    pub(super) fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, RestError> {
        let value = self.get(name).map(|value| value.trim().parse());
        value.transpose().map_err(|_| RestError::Range)
    }

    /// Returns the user and the password, `None` if there is no user.
    pub(super) fn credentials(&self) -> Option<Credentials> {
        Some(Credentials {
            user: self.get("vscpuser")?.to_owned(),
            password: self.get("vscpsecret").unwrap_or("").to_owned(),
        })
    }
}

/// Shows the names only, since a value may be a password.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
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
    fn the_body_overrides_the_url_and_both_override_the_headers() {
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
        let params = params(
            "/rest?a=255&b=256&c=-1&d=x&e=%2012%20&g=0xfF&h=%2B1",
            &[],
            "",
        );
        for (name, value) in [
            ("a", Ok(Some(255))),
            ("b", Err(RestError::Range)),
            ("c", Err(RestError::Range)),
            ("d", Err(RestError::Range)),
            ("e", Ok(Some(12))),
            ("f", Ok(None)),
            ("g", Ok(Some(255))),
            ("h", Err(RestError::Range)),
        ] {
            assert_eq!(params.number::<u8>(name), value, "{name}");
        }
        assert_eq!(params.required("f"), Err(RestError::MissingData));
    }

    #[test]
    fn values_are_not_shown() {
        let params = params("/rest?vscpuser=u&vscpsecret=secret", &[], "");
        assert_eq!(format!("{params:?}"), r#"["vscpuser", "vscpsecret"]"#);
    }
}

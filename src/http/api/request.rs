//! A request, as the paths of the API see it.

use bytes::Bytes;
use hyper::{
    HeaderMap, StatusCode,
    header::{CONTENT_TYPE, COOKIE, HeaderValue},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use super::{PATH, reply::ApiError, transport::Transport};
use crate::{
    client::SessionId,
    http::{route::Peer, sender::Sender},
};

/// The name of the cookie of a login.
pub(super) const COOKIE_NAME: &str = "vscplogin";

/// The largest number of cookies of that name that are looked at.
const MAX_COOKIES: usize = 4;

/// A request.
#[derive(Debug)]
pub(super) struct ApiRequest<'r> {
    peer: &'r Peer,
    head: &'r Parts,
    transport: Transport,
    body: Bytes,
}

impl<'r> ApiRequest<'r> {
    /// Returns a request without a body.
    pub(super) fn new(peer: &'r Peer, head: &'r Parts) -> Self {
        Self {
            peer,
            head,
            transport: Transport::of(peer, &head.headers),
            body: Bytes::new(),
        }
    }

    /// Adds the body.
    pub(super) fn with_body(self, body: Bytes) -> Self {
        Self { body, ..self }
    }

    /// Returns the part of the path below that of the API.
    pub(super) fn path(&self) -> &'r str {
        let path = self.head.uri.path();
        path.strip_prefix(PATH).unwrap_or(path)
    }

    /// Returns the whole path.
    pub(super) fn full_path(&self) -> &'r str {
        self.head.uri.path()
    }

    /// Returns the method; HEAD counts as GET.
    pub(super) fn method(&self) -> &'r str {
        match self.head.method.as_str() {
            "HEAD" => "GET",
            method => method,
        }
    }

    /// Returns the headers.
    pub(super) fn headers(&self) -> &'r HeaderMap {
        &self.head.headers
    }

    /// Returns the client.
    pub(super) fn peer(&self) -> &'r Peer {
        self.peer
    }

    /// Returns the way that the request took.
    pub(super) fn transport(&self) -> Transport {
        self.transport
    }

    /// Returns which page has sent the request.
    pub(super) fn sender(&self) -> Sender {
        Sender::of(&self.head.headers, self.transport == Transport::Encrypted)
    }

    /// Returns the value of a parameter in the URL, the last if there are several.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let query = self.head.uri.query().unwrap_or("").as_bytes();
        let named = form_urlencoded::parse(query).filter(|(key, _)| key == name);
        named.last().map(|(_, value)| value.into_owned())
    }

    /// Reads the body, which must be JSON. Fails with 415 or 400; `expected` says what it must be.
    pub(super) fn json<T: DeserializeOwned>(&self, expected: &str) -> Result<T, ApiError> {
        self.check_type()?;
        // The error of serde could show a password.
        serde_json::from_slice(&self.body)
            .map_err(|_| ApiError::bad_request(format!("The body must be {expected}.")))
    }

    /// Returns the text of the body, which is said to be JSON. Fails with 415 or 400.
    pub(super) fn json_text(&self) -> Result<&str, ApiError> {
        self.check_type()?;
        str::from_utf8(&self.body)
            .map_err(|_| ApiError::bad_request("The body must be JSON in UTF-8."))
    }

    fn check_type(&self) -> Result<(), ApiError> {
        let kind = self.head.headers.get(CONTENT_TYPE);
        // A form of another site cannot send this type.
        if !kind.is_some_and(is_json) {
            let text = "The Content-Type of the body must be application/json.";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
        }
        Ok(())
    }
}

/// Returns the ids in the cookies of a login that a request has sent: more than one if there are
/// several servers of one name.
pub(crate) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = SessionId> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.split_once('='))
        .filter(|(name, _)| name.trim() == COOKIE_NAME)
        .filter_map(|(_, value)| SessionId::parse(value.trim()))
        .take(MAX_COOKIES)
}

fn is_json(kind: &HeaderValue) -> bool {
    let kind = kind.to_str().unwrap_or("");
    let kind = kind.split_once(';').map_or(kind, |(kind, _)| kind);
    // The second is that of a change (RFC 7396 §4).
    ["application/json", "application/merge-patch+json"]
        .iter()
        .any(|known| kind.trim().eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookies_of_a_login_are_found_among_others() {
        let id = "0123456789ABCDEF0123456789ABCDEF";
        for (values, count) in [
            (vec![], 0),
            (vec![format!("vscplogin={id}")], 1),
            (vec![format!("a=b; vscplogin={id}; c")], 1),
            (vec!["a=b".to_owned(), format!(" vscplogin = {id} ")], 1),
            (vec![format!("vscplogin=; vscplogin={id}")], 1),
            (vec![format!("vscplogin={id};vscplogin={id}")], 2),
            (vec![format!("vscplogin={id};").repeat(100)], MAX_COOKIES),
            (vec![format!("xvscplogin={id}; VSCPLOGIN={id}")], 0),
            (vec![format!("vscplogin={id}0; vscplogin=\"{id}\"")], 0),
        ] {
            let values = values.iter().map(|value| HeaderValue::from_str(value));
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(COOKIE, value.unwrap());
            }
            assert_eq!(cookies(&headers).count(), count, "{headers:?}");
        }
    }

    #[test]
    fn the_type_of_json_may_have_parameters() {
        for (kind, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("application/jsonp", false),
            ("text/plain", false),
            ("text/plain; application/json", false),
            ("", false),
        ] {
            assert_eq!(is_json(&HeaderValue::from_static(kind)), expected, "{kind}");
        }
    }
}

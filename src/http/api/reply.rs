//! Answers: JSON, and errors as `{"error": "..."}`.

use std::borrow::Cow;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{
        ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
    },
};
use serde::Serialize;

/// The answer to a request that was understood, or the error to answer.
pub(super) type ApiResult = Result<Response<Full<Bytes>>, ApiError>;

/// The header WWW-Authenticate of a 401 answer. Its scheme says that a page logs in with a cookie
/// (<https://datatracker.ietf.org/doc/html/draft-broyer-http-cookie-auth-00>). Browsers do not know
/// the scheme, and so do not ask the user for a password.
const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Cookie form-action=\"/api/login\", cookie-name=vscplogin");

/// The seconds after which a client that has failed too often may try again.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("60");

/// The seconds after which a client may try again if there is too much to do.
const BUSY_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// Returns an answer with this value in JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response<Full<Bytes>> {
    // The values of the API are objects of strings and numbers, which always serialize.
    let text = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// An error to answer.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    text: Cow<'static, str>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    /// Returns an error with a sentence for people.
    pub(super) fn new(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            text: text.into(),
            headers: Vec::new(),
        }
    }

    /// 400: the request is not understood.
    pub(super) fn bad_request(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// 401: nobody is logged in.
    pub(super) fn unauthorized() -> Self {
        Self::wrong_credentials("Nobody is logged in.")
    }

    /// 401: the name or the password is wrong.
    pub(super) fn wrong_credentials(text: &'static str) -> Self {
        let mut error = Self::new(StatusCode::UNAUTHORIZED, text);
        error.headers.push((WWW_AUTHENTICATE, CHALLENGE));
        error
    }

    /// 403: the sender may not do that.
    pub(super) fn forbidden(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, text)
    }

    /// 404: there is no such path.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing here.")
    }

    /// 405: the path has only these methods.
    pub(super) fn method(allowed: &'static str) -> Self {
        let text = format!("Only {allowed} is understood.");
        let mut error = Self::new(StatusCode::METHOD_NOT_ALLOWED, text);
        error
            .headers
            .push((ALLOW, HeaderValue::from_static(allowed)));
        error
    }

    /// 429: too many logins have failed.
    pub(super) fn too_many(text: &'static str) -> Self {
        let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, text);
        error.headers.push((RETRY_AFTER, RETRY_SECONDS));
        error
    }

    /// 503: there is too much to do.
    pub(super) fn busy(text: &'static str) -> Self {
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, text);
        error.headers.push((RETRY_AFTER, BUSY_SECONDS));
        error
    }

    /// Closes the connection, since the body of the request was not read.
    pub(super) fn and_close(mut self) -> Self {
        self.headers
            .push((CONNECTION, HeaderValue::from_static("close")));
        self
    }

    /// Returns the answer.
    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        #[derive(Serialize)]
        struct Body<'e> {
            error: &'e str,
        }

        let error = self.text.trim_end();
        let mut response = json(self.status, &Body { error });
        response.headers_mut().extend(self.headers);
        response
    }
}

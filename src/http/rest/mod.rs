//! REST: clients send and read events with single HTTP requests.
//!
//! This file has the HTTP part. [`origins`] decides which pages may use REST, [`params`] reads the
//! parameters of a request, [`operations`] carries it out, [`reply`] is the result and [`format`]
//! encodes it. [`sessions`] keeps what lasts from one request to the next.

mod format;
mod operations;
mod origins;
mod params;
mod reply;
mod sessions;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Body,
    header::{
        ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
        REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
    },
};

use self::{
    format::Format,
    origins::Origins,
    params::Params,
    reply::{Reply, RestError},
    sessions::Sessions,
};
use super::{
    body,
    route::{Peer, answer},
};
use crate::{client::Shared, http::Settings};

/// The path that REST always has, besides the configured one.
pub(crate) const FIXED_PATH: &str = "/vscp/rest";

/// How long a session lasts after its last request.
const EXPIRY: Duration = Duration::from_secs(600);

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, OPTIONS");

/// The REST interface.
#[derive(Debug)]
pub(crate) struct Rest {
    path: String,
    origins: Origins,
    jsonp: bool,
    explain_logins: bool,
    max_body: usize,
    max_failed_logins: usize,
    sessions: Arc<Sessions>,
    shared: Arc<Shared>,
}

impl Rest {
    /// Returns the REST interface as configured, `None` if it is switched off.
    pub(crate) fn new(settings: &Settings, shared: Arc<Shared>) -> Option<Self> {
        Some(Self {
            path: settings.urls.rest.clone()?,
            origins: Origins::new(settings.cors_origins.clone()),
            jsonp: settings.jsonp,
            explain_logins: settings.explain_logins,
            max_body: settings.max_body,
            max_failed_logins: settings.max_failed_logins,
            sessions: Arc::new(Sessions::new(shared.clone(), EXPIRY)),
            shared,
        })
    }

    /// Returns true if REST is served at this path.
    pub(super) fn is_at(&self, path: &str) -> bool {
        path == self.path || path == FIXED_PATH
    }

    /// Answers a request.
    pub(crate) async fn answer<B>(&self, peer: &Peer, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let (head, body) = request.into_parts();
        let body = match head.method {
            _ if !self.origins.admit(peer.address, peer.secure, &head.headers) => {
                Err((StatusCode::FORBIDDEN, "This origin is not allowed.\n"))
            }
            Method::GET => Ok(Bytes::new()),
            Method::POST => body::read(body, self.max_body).await,
            Method::OPTIONS => return self.origins.preflight(&head.headers),
            _ => {
                let text = "Only GET and POST are understood.\n";
                let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, text);
                response.headers_mut().insert(ALLOW, METHODS);
                return response;
            }
        };
        let mut response = match body {
            Ok(body) => {
                peer.place.note_working();
                self.reply(peer, &Params::new(&head, &body)).await
            }
            Err((status, text)) => {
                let mut response = answer(status, text);
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
                response
            }
        };
        let headers = response.headers_mut();
        for (name, value) in [
            (CACHE_CONTROL, "no-store"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            (
                CONTENT_SECURITY_POLICY,
                "default-src 'none'; frame-ancestors 'none'",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        self.origins.allow_origin(&head.headers, &mut response);
        response
    }

    /// Carries the request out, and encodes the result in the format that it asks for.
    async fn reply(&self, peer: &Peer, params: &Params) -> Response<Full<Bytes>> {
        let format = match params.get("format") {
            None => Some(Format::default()),
            Some(name) => {
                Format::parse(name).filter(|format| *format != Format::Jsonp || self.jsonp)
            }
        };
        let (result, status) = match format {
            Some(_) => (self.run(peer, params).await, StatusCode::OK),
            None => (Err(RestError::UnsupportedFormat), StatusCode::BAD_REQUEST),
        };
        let format = format.unwrap_or_default();
        let mut response = Response::new(Full::from(format.encode(&result)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(format.content_type()),
        );
        if let Ok(Reply::Session { sid, .. }) = &result {
            let secure = if peer.secure { "; Secure" } else { "" };
            let cookie = format!("vscpsession={sid}; Path=/; HttpOnly; SameSite=Strict{secure}");
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                headers.insert(SET_COOKIE, cookie);
            }
        }
        response
    }
}

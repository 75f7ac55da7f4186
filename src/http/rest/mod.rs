//! REST: events over single requests.
//!
//! Here is the HTTP of it. [`params`] is what a request asks for, [`operations`] does it, [`reply`]
//! is what comes of it and [`format`] how that is written; [`sessions`] is what stays between
//! requests.

mod format;
mod operations;
mod params;
mod reply;
mod sessions;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Body,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY,
        CONTENT_TYPE, HeaderValue, ORIGIN, REFERRER_POLICY, SET_COOKIE, VARY,
        X_CONTENT_TYPE_OPTIONS,
    },
    http::request::Parts,
};
use tokio::time::timeout;

use self::{
    format::Format,
    params::Params,
    reply::{Failure, Reply},
    sessions::Sessions,
};
use super::route::{Peer, answer};
use crate::{config::Web, ws::connection::Server};

/// Where REST is, wherever else it is.
pub const FIXED_PATH: &str = "/vscp/rest";

/// Time without a request after which a session ends.
const EXPIRY: Duration = Duration::from_secs(600);

/// Time for a client to send the body of its request.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, OPTIONS");

/// The REST interface.
#[derive(Debug)]
pub struct Rest {
    path: String,
    cors_origins: Vec<String>,
    jsonp: bool,
    /// Whether failed logins say why.
    debug: bool,
    sessions: Arc<Sessions>,
    server: Arc<Server>,
}

impl Rest {
    /// As configured; `None` where it is switched off. With `debug` failed logins say why.
    pub fn new(web: &Web, debug: bool, server: Arc<Server>) -> Option<Self> {
        Some(Self {
            path: web.rest.clone()?,
            cors_origins: web.cors_origins.clone(),
            jsonp: web.jsonp,
            debug,
            sessions: Arc::new(Sessions::new(server.clone(), EXPIRY)),
            server,
        })
    }

    /// Whether it is at this path.
    pub(super) fn is_at(&self, path: &str) -> bool {
        path == self.path || path == FIXED_PATH
    }

    /// Answers a request.
    pub(super) async fn answer<B>(&self, peer: Peer, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let (head, body) = request.into_parts();
        let body = match head.method {
            Method::GET => Ok(Bytes::new()),
            Method::POST => self.body(body).await,
            Method::OPTIONS => return self.preflight(&head),
            _ => {
                let text = "Only GET and POST are understood.\n";
                let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, text);
                response.headers_mut().insert(ALLOW, METHODS);
                return response;
            }
        };
        let mut response = match body {
            Ok(body) => self.reply(peer, &Params::new(&head, &body)).await,
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
        self.allow_origin(&head, &mut response);
        response
    }

    async fn body<B>(&self, body: B) -> Result<Bytes, (StatusCode, &'static str)>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let body = Limited::new(body, self.server.limits.message_size);
        match timeout(BODY_TIMEOUT, body.collect()).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err((
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is larger than the key max-message-size allows.\n",
            )),
            Ok(Err(_)) => Err((StatusCode::BAD_REQUEST, "The body is broken.\n")),
            Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "The body came too slowly.\n")),
        }
    }

    /// What browsers ask before a page of another origin may use REST.
    fn preflight(&self, head: &Parts) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().insert(ALLOW, METHODS);
        if self.allow_origin(head, &mut response) {
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

    /// Says that a page of the request's origin may read the response, where it may.
    fn allow_origin(&self, head: &Parts, response: &mut Response<Full<Bytes>>) -> bool {
        if self.cors_origins.is_empty() {
            return false;
        }
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("origin"));
        let Some(origin) = head.headers.get(ORIGIN) else {
            return false;
        };
        let mut allowed = self.cors_origins.iter();
        let allowed =
            allowed.any(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes());
        if allowed {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
        allowed
    }

    async fn reply(&self, peer: Peer, params: &Params) -> Response<Full<Bytes>> {
        let format = match params.get("format") {
            None => Some(Format::default()),
            Some(name) => {
                Format::parse(name).filter(|format| *format != Format::Jsonp || self.jsonp)
            }
        };
        let (result, status) = match format {
            Some(_) => (self.run(peer, params).await, StatusCode::OK),
            None => (Err(Failure::UnsupportedFormat), StatusCode::BAD_REQUEST),
        };
        let format = format.unwrap_or_default();
        let mut response = Response::new(Full::from(format.write(&result)));
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

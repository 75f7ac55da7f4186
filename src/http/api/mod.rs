//! The API of web pages: JSON at the paths below `/api`.
//!
//! This file passes each request to what serves its path: each group of paths has a file of its
//! own. [`request`] is a request, [`reply`] the answer to it. A page logs in by [`login`],
//! [`logins`] knows what its cookie stands for, and [`transport`] who could read what it sends.
//! [`viewer`] decides what of the history a user may see.

mod health;
mod history;
mod login;
mod logins;
mod names;
mod nodes;
pub(crate) mod parameters;
mod reply;
mod request;
mod sensors;
mod system;
mod transport;
mod viewer;

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response,
    body::Body,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
        X_CONTENT_TYPE_OPTIONS,
    },
    http::request::Parts,
};
use tokio::sync::Semaphore;

pub(crate) use self::logins::Logins;
use self::{
    reply::{ApiError, ApiResult},
    request::ApiRequest,
};
use super::{PanelLogin, Settings, body, route::Peer, sender::Sender};
use crate::{
    auth::{Rights, User},
    client::Shared,
    history::{History, MAX_QUERIES},
    log::RecentLines,
    metrics::LogLimit,
    names::Names,
};

/// The path that all of it is below.
const PATH: &str = "/api";

/// Lets no other page have the answer, even as a script or a picture
/// (<https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header>).
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// The parts of the driver that the API tells of.
#[derive(Debug)]
pub(crate) struct Sources {
    /// The state that all connections share.
    pub(crate) shared: Arc<Shared>,
    /// The state and the past of the bus.
    pub(crate) history: Arc<History>,
    /// The names of nodes and sensors.
    pub(crate) names: Arc<Names>,
    /// The last warnings.
    pub(crate) recent: RecentLines,
}

/// The API.
#[derive(Debug)]
pub(crate) struct Api {
    shared: Arc<Shared>,
    history: Arc<History>,
    names: Arc<Names>,
    recent: RecentLines,
    started: Instant,
    /// One permit for each query of the history that runs.
    queries: Arc<Semaphore>,
    /// Limits the lines about queries that fail.
    failures: LogLimit,
    logins: Arc<Logins>,
    panel_login: PanelLogin,
    max_body: usize,
    max_failed_logins: usize,
    /// Limits the lines about requests of other pages.
    refusals: LogLimit,
}

impl Api {
    /// Returns the API as configured.
    pub(crate) fn new(settings: &Settings, sources: Sources) -> Self {
        let Sources {
            shared,
            history,
            names,
            recent,
        } = sources;
        Self {
            history,
            names,
            recent,
            started: Instant::now(),
            queries: Arc::new(Semaphore::new(MAX_QUERIES)),
            failures: LogLimit::default(),
            logins: Arc::new(Logins::new(
                shared.authenticator.clone(),
                shared.registry.clone(),
            )),
            panel_login: settings.panel_login,
            max_body: settings.max_body,
            max_failed_logins: settings.max_failed_logins,
            refusals: LogLimit::default(),
            shared,
        }
    }

    /// Returns the logins of pages.
    pub(crate) fn logins(&self) -> &Arc<Logins> {
        &self.logins
    }

    /// Returns true if the path is one of the API.
    pub(super) fn is_at(path: &str) -> bool {
        let rest = path.strip_prefix(PATH);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Answers a request.
    pub(crate) async fn answer<B>(&self, peer: &Peer, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let (head, body) = request.into_parts();
        let answered = match self.receive(peer, &head, body).await {
            Ok(request) => self.respond(&request).await,
            Err(error) => Err(error),
        };
        let mut response = answered.unwrap_or_else(ApiError::into_response);
        let headers = response.headers_mut();
        for (name, value) in [
            (CACHE_CONTROL, "no-store"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
            (
                CONTENT_SECURITY_POLICY,
                "default-src 'none'; frame-ancestors 'none'",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// Passes a request to what its path stands for. HEAD counts as GET.
    async fn respond(&self, request: &ApiRequest<'_>) -> ApiResult {
        match (request.path(), request.method()) {
            ("/health", "GET") => Ok(self.health()),
            ("/health", _) => Err(ApiError::method("GET, HEAD")),
            ("/login", "GET") => Ok(self.login_state(request)),
            ("/login", "POST") => self.log_in(request).await,
            ("/login", _) => Err(ApiError::method("GET, HEAD, POST")),
            ("/logout", "POST") => Ok(self.log_out(request)),
            ("/logout", _) => Err(ApiError::method("POST")),
            ("/names", "GET") => self.names(request).await,
            ("/names", "PUT") => self.replace_names(request).await,
            ("/names", _) => Err(ApiError::method("GET, HEAD, PUT")),
            (path, "PATCH") if path.starts_with("/names/") => self.patch_name(request).await,
            (path, _) if path.starts_with("/names/") => Err(ApiError::method("PATCH")),
            ("/sensors", "GET") => self.sensors(request),
            ("/nodes", "GET") => self.nodes(request),
            ("/history", "GET") => self.series(request).await,
            ("/events", "GET") => self.events(request).await,
            ("/system", "GET") => self.system(request),
            ("/sensors" | "/nodes" | "/history" | "/events" | "/system", _) => {
                Err(ApiError::method("GET, HEAD"))
            }
            _ => Err(ApiError::not_found()),
        }
    }

    /// Reads a request. Fails if it would change something and does not come from a page of this
    /// server, or if its body cannot be read.
    async fn receive<'r, B>(
        &self,
        peer: &'r Peer,
        head: &'r Parts,
        body: B,
    ) -> Result<ApiRequest<'r>, ApiError>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let request = ApiRequest::new(peer, head);
        // No path has other methods.
        let changes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        if !changes.contains(&head.method) {
            return Ok(request);
        }
        if request.sender() != Sender::OwnPage {
            if let Some(repeats) = self.refusals.allow_line() {
                tracing::warn!(
                    "{} of {} from {} refused: not from a page of this server{repeats}",
                    request.method(),
                    request.full_path(),
                    peer.address
                );
            }
            let text = "Only pages of this server may change something: the header Origin or \
                        Sec-Fetch-Site must say that the request comes from one.";
            return Err(ApiError::forbidden(text).and_close());
        }
        let max_body = self.max_names(&request).unwrap_or(self.max_body);
        let body = body::read(body, max_body).await;
        let body = body.map_err(|(status, text)| ApiError::new(status, text).and_close())?;
        peer.place.note_working();
        Ok(request.with_body(body))
    }

    /// Returns the user whose login the cookie of a request stands for. Fails with 401 if there is
    /// none.
    fn user(&self, request: &ApiRequest<'_>) -> Result<Arc<User>, ApiError> {
        self.logged_in(request)
            .map(|(_, user)| user)
            .ok_or_else(ApiError::unauthorized)
    }
}

/// Fails with 403 if the user does not have all of the rights.
fn demand(user: &User, rights: Rights) -> Result<(), ApiError> {
    match user.rights.contains(rights) {
        true => Ok(()),
        false => Err(ApiError::forbidden("The user has no right to do that.")),
    }
}

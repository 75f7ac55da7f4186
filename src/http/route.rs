//! Passes each request to what serves its path.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Incoming,
    header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, ORIGIN, UPGRADE},
};
use tower_http::services::fs::ServeFileSystemResponseBody;

use super::{
    HostNames, api::Api, files::Files, monitor, rest::Rest, rules, settings::Urls,
    upgrade::websocket,
};
use crate::{
    client::{Place, Places},
    metrics::{Excerpt, LogLimit},
    monitoring::Monitor,
    ws::{Protocol, connection::Server},
};

/// The paths, and what serves them.
#[derive(Debug)]
pub(crate) struct Router {
    /// The paths.
    pub urls: Urls,
    /// The names of the server on addresses of this machine.
    pub host_names: HostNames,
    /// Origins whose pages may open a websocket, `None` for any.
    pub origins: Option<Vec<String>>,
    /// Serves websockets.
    pub server: Arc<Server>,
    /// Serves REST, `None` if it is switched off.
    pub rest: Option<Rest>,
    /// Serves the paths below `/api`.
    pub api: Api,
    /// Makes the page of metrics.
    pub(crate) monitor: Arc<Monitor>,
    /// Serves all other paths, `None` if there are no files to serve.
    pub files: Option<Files>,
    /// The places of all connections.
    pub(crate) places: Arc<Places>,
    /// Limits the lines about requests.
    pub(crate) log_limits: LogLimits,
}

impl Router {
    /// Returns whether pages of an origin may open a websocket.
    pub(super) fn allows_origin(&self, origin: &HeaderValue) -> bool {
        let is = |allowed: &String| allowed.as_bytes() == origin.as_bytes();
        let origins = self.origins.as_ref();
        origins.is_none_or(|origins| origins.iter().any(is))
    }
}

/// Limits the lines about requests that fail or are refused.
#[derive(Debug, Default)]
pub(crate) struct LogLimits {
    /// Connections that get no place.
    pub(super) connections: LogLimit,
    /// Requests that break off or are no HTTP.
    pub(super) broken: LogLimit,
    /// Requests for other hosts.
    hosts: LogLimit,
    /// Websockets of pages that may not open one.
    pub(super) origins: LogLimit,
    /// Websockets that begin.
    pub(super) websockets: LogLimit,
    /// Websockets that break off before they begin.
    pub(super) upgrades: LogLimit,
}

/// The sender of a request.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// The address of the client; IPv4 if it is an IPv4-mapped IPv6 address.
    pub(crate) address: IpAddr,
    /// True if the connection has TLS.
    pub(crate) secure: bool,
    /// True if it came to an address that only this machine can reach.
    pub(crate) is_local: bool,
    /// The place of the connection.
    pub(crate) place: Arc<Place>,
}

/// Answers a request. Starts a task for each websocket after its answer.
pub(super) async fn route(
    router: &Arc<Router>,
    peer: &Peer,
    request: Request<Incoming>,
) -> Response<Either<Full<Bytes>, ServeFileSystemResponseBody>> {
    let checked = rules::check_target(&request)
        .and_then(|()| rules::check_host(&request))
        .and_then(|()| rules::check_coding(&request));
    if let Err(text) = checked {
        return bad_request(text).map(Either::Left);
    }
    let host = request.headers().get(HOST);
    let may_be_a_page = !is_program(request.headers());
    if peer.is_local && may_be_a_page && !router.host_names.allow(host) {
        return wrong_host(router, peer.address, host).map(Either::Left);
    }
    let path = request.uri().path();
    let response = if Some(path) == router.urls.ws1.as_deref() {
        websocket(router, peer, Protocol::Ws1, request).await
    } else if Some(path) == router.urls.ws2.as_deref() {
        websocket(router, peer, Protocol::Ws2, request).await
    } else if let Some(rest) = router.rest.as_ref().filter(|rest| rest.is_at(path)) {
        Box::pin(rest.answer(peer, request)).await
    } else if Some(path) == router.urls.metrics.as_deref() {
        monitor::metrics(router, peer.address, request.method()).await
    } else if Some(path) == router.urls.health.as_deref() {
        monitor::health(&router.server.shared, request.method())
    } else if Api::is_at(path) {
        Box::pin(router.api.answer(peer, request)).await
    } else if let Some(files) = &router.files {
        return Box::pin(files.answer(request)).await;
    } else {
        answer(StatusCode::NOT_FOUND, "There is nothing here.\n")
    };
    response.map(Either::Left)
}

/// Returns true if no page of a browser has sent a request: a browser tells the origin of each
/// websocket that it opens (RFC 6455 §4.1), and lets no page ask for another upgrade.
fn is_program(headers: &HeaderMap) -> bool {
    headers.contains_key(UPGRADE) && !headers.contains_key(ORIGIN)
}

/// Refuses a request for another host.
fn wrong_host(
    router: &Router,
    address: IpAddr,
    host: Option<&HeaderValue>,
) -> Response<Full<Bytes>> {
    if let Some(repeats) = router.log_limits.hosts.allow_line() {
        let host = host.map_or(&b""[..], HeaderValue::as_bytes);
        tracing::warn!(
            "request from {address} refused: {} is not a name of this machine; list it in \
             host-names to allow it{repeats}",
            Excerpt(host)
        );
    }
    let text = "This server knows its machine by another name. Use localhost or an address, or list \
                the name in the key host-names.\n";
    answer(StatusCode::MISDIRECTED_REQUEST, text)
}

/// Answers 400 and closes: the start of the next request is unknown.
pub(super) fn bad_request(text: &'static str) -> Response<Full<Bytes>> {
    let mut response = answer(StatusCode::BAD_REQUEST, text);
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

/// Returns a response with a short text.
pub(super) fn answer(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

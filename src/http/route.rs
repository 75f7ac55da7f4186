//! What a request leads to.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{
        ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER,
        SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
        UPGRADE,
    },
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tower_http::services::fs::ServeFileSystemResponseBody;

use super::{files::Files, patience::Patience, rest::Rest};
use crate::{
    config::Urls,
    metrics::{self, Gauges},
    ws::{
        Protocol,
        clients::{Kind, Ticket},
        connection::{self, Server},
    },
};

/// Seconds after which a client that was turned away may try again.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("10");

/// Where the paths lead.
#[derive(Debug)]
pub struct Router {
    /// The paths.
    pub urls: Urls,
    /// Origins that may open a websocket, `None` for any.
    pub origins: Option<Vec<String>>,
    /// What serves websockets.
    pub server: Arc<Server>,
    /// The REST interface, `None` where it is switched off.
    pub rest: Option<Rest>,
    /// Path of the metrics page, `None` where there is none.
    pub metrics: Option<String>,
    /// Everything else, `None` where there is nothing else.
    pub files: Option<Files>,
}

/// Who sends a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// Where the client is, never an IPv4 address in the clothes of an IPv6 one.
    pub(super) address: IpAddr,
    /// Whether nobody else can read what is sent.
    pub(super) secure: bool,
}

/// Answers a request; one for a websocket goes on as such behind the answer.
pub(super) async fn route(
    router: &Router,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<Either<Full<Bytes>, ServeFileSystemResponseBody>> {
    let path = request.uri().path();
    let response = if Some(path) == router.urls.ws1.as_deref() {
        websocket(router, peer.address, Protocol::Ws1, request)
    } else if Some(path) == router.urls.ws2.as_deref() {
        websocket(router, peer.address, Protocol::Ws2, request)
    } else if let Some(rest) = router.rest.as_ref().filter(|rest| rest.is_at(path)) {
        Box::pin(rest.answer(peer, request)).await
    } else if Some(path) == router.metrics.as_deref() {
        metrics(&router.server, peer, request.method())
    } else if let Some(files) = &router.files {
        return Box::pin(files.answer(request)).await;
    } else {
        answer(StatusCode::NOT_FOUND, "There is nothing here.\n")
    };
    response.map(Either::Left)
}

fn metrics(server: &Server, peer: Peer, method: &Method) -> Response<Full<Bytes>> {
    if !peer.address.is_loopback() {
        let text = "This page is for clients on the same machine.\n";
        return answer(StatusCode::FORBIDDEN, text);
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, "Only GET is understood.\n");
        let methods = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, methods);
        return response;
    }
    let count = |kind| server.clients.count_of(kind);
    let gauges = Gauges {
        clients: [
            ("ws1", count(Kind::Websocket(Protocol::Ws1))),
            ("ws2", count(Kind::Websocket(Protocol::Ws2))),
            ("rest", count(Kind::Rest)),
        ],
        queues: server.hub.waiting(),
        logins_refused: server.gate.refused(),
    };
    let mut response = Response::new(Full::from(metrics::page(&server.counters, &gauges)));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn websocket(
    router: &Router,
    address: IpAddr,
    protocol: Protocol,
    mut request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let headers = request.headers();
    if request.method() != Method::GET
        || !lists(headers, &CONNECTION, "upgrade")
        || !lists(headers, &UPGRADE, "websocket")
    {
        let mut response = answer(
            StatusCode::UPGRADE_REQUIRED,
            "This is a websocket: connect with a ws:// URL.\n",
        );
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        return response;
    }
    let version = headers.get(SEC_WEBSOCKET_VERSION);
    if version.is_none_or(|version| version != "13") {
        let mut response = answer(
            StatusCode::UPGRADE_REQUIRED,
            "Only websocket version 13 is understood.\n",
        );
        let headers = response.headers_mut();
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return response;
    }
    let Some(key) = headers.get(SEC_WEBSOCKET_KEY) else {
        return answer(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing.\n");
    };
    let accept = derive_accept_key(key.as_bytes());
    if let (Some(allowed), Some(origin)) = (&router.origins, headers.get(ORIGIN))
        && !allowed
            .iter()
            .any(|allowed| allowed.as_bytes() == origin.as_bytes())
    {
        tracing::warn!("{address}: a page of {origin:?} may not connect (key origins)");
        return answer(StatusCode::FORBIDDEN, "This origin is not allowed.\n");
    }
    let subprotocol = lists(headers, &SEC_WEBSOCKET_PROTOCOL, protocol.subprotocol());
    let kind = Kind::Websocket(protocol);
    let Some(ticket) = router.server.clients.admit(kind, address) else {
        let mut response = answer(StatusCode::SERVICE_UNAVAILABLE, "Too many clients.\n");
        response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS);
        return response;
    };

    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(serve(router.server.clone(), protocol, ticket, upgrade));

    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    if subprotocol {
        let name = HeaderValue::from_static(protocol.subprotocol());
        headers.insert(SEC_WEBSOCKET_PROTOCOL, name);
    }
    response
}

async fn serve(server: Arc<Server>, protocol: Protocol, ticket: Ticket, upgrade: OnUpgrade) {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            tracing::debug!("{}: {error}", ticket.address());
            return;
        }
    };
    // What was put in comes out.
    let Ok(parts) = upgraded.downcast::<TokioIo<Patience>>() else {
        tracing::error!("an upgraded connection is no socket");
        return;
    };
    let socket = parts.io.into_inner().into_inner();
    // Not the buffer that it is part of, which is large and would stay.
    let early = Bytes::copy_from_slice(&parts.read_buf);
    drop(parts.read_buf);
    // Not on the stack of this task, which waits for as long as the client stays.
    Box::pin(connection::serve(server, protocol, ticket, socket, early)).await;
}

/// Whether a header that lists words has this one.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(word))
}

/// A short text.
pub(super) fn answer(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

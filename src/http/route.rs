//! What a request leads to.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{
        CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER,
        SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
        UPGRADE,
    },
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::{
    config::Urls,
    socket::Socket,
    ws::{
        Protocol,
        clients::Ticket,
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
}

/// Answers a request; one for a websocket goes on as such behind the answer.
pub(super) fn route(
    router: &Router,
    address: IpAddr,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let path = Some(request.uri().path());
    let protocol = if path == router.urls.ws1.as_deref() {
        Protocol::Ws1
    } else if path == router.urls.ws2.as_deref() {
        Protocol::Ws2
    } else {
        return answer(StatusCode::NOT_FOUND, "There is nothing here.\n");
    };
    websocket(router, address, protocol, request)
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
    let Some(ticket) = router.server.clients.admit(address) else {
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
    let Ok(parts) = upgraded.downcast::<TokioIo<Socket>>() else {
        tracing::error!("an upgraded connection is no socket");
        return;
    };
    // Not on the stack of this task, which waits for as long as the client stays.
    Box::pin(connection::serve(
        server,
        protocol,
        ticket,
        parts.io.into_inner(),
        parts.read_buf,
    ))
    .await;
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

fn answer(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

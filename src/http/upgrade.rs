//! Connections that become websockets (RFC 6455 §4.2).

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{
        CONNECTION, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT,
        SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioIo;

use super::{
    route::{Peer, Router, answer, bad_request},
    rules,
    write_timeout::WriteTimeout,
};
use crate::{
    auth::User,
    client::ClientGuard,
    metrics::Excerpt,
    ws::{Protocol, connection},
};

/// The Retry-After of a client that was turned away, in seconds.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("10");

/// Answers a request for a websocket, and starts the task that serves it after the answer.
pub(super) async fn websocket(
    router: &Arc<Router>,
    peer: &Peer,
    protocol: Protocol,
    mut request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let accept = match check(router, peer.address, &request) {
        Ok(accept) => accept,
        Err(refusal) => return *refusal,
    };
    let subprotocol = lists(
        request.headers(),
        &SEC_WEBSOCKET_PROTOCOL,
        protocol.subprotocol(),
    );
    let Some((guard, user)) = admit(router, peer, protocol, request.headers()).await else {
        let mut response = answer(StatusCode::SERVICE_UNAVAILABLE, "Too many clients.\n");
        response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS);
        return response;
    };

    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(serve(router.clone(), protocol, guard, user, upgrade));

    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if subprotocol {
        let name = HeaderValue::from_static(protocol.subprotocol());
        headers.insert(SEC_WEBSOCKET_PROTOCOL, name);
    }
    response
}

/// Admits the client, with the user that its cookie has logged in. Returns `None` if there is no
/// place for it.
async fn admit(
    router: &Router,
    peer: &Peer,
    protocol: Protocol,
    headers: &HeaderMap,
) -> Option<(ClientGuard, Option<Arc<User>>)> {
    let login = router.api.login_of_websocket(peer, headers);
    let registry = &router.server.shared.registry;
    let admitted = registry.admit_websocket(protocol.kind(), peer.address);
    let mut guard = admitted.await?;
    let Some((id, user)) = login else {
        return Some((guard, None));
    };
    if !guard.note_login() {
        return None;
    }
    guard.set_login(id);
    guard.set_user(Some(user.clone()));
    // It may have ended before the registry knew of it.
    if !router.api.is_login(peer, id) {
        guard.disconnect();
    }
    Some((guard, Some(user)))
}

/// Returns the answer to the key of a request for a websocket, or the response that refuses the
/// request.
fn check(
    router: &Router,
    address: IpAddr,
    request: &Request<Incoming>,
) -> Result<HeaderValue, Box<Response<Full<Bytes>>>> {
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
        return Err(response.into());
    }
    let version = headers.get(SEC_WEBSOCKET_VERSION);
    if version.is_none_or(|version| version != "13") {
        let mut response = answer(
            StatusCode::UPGRADE_REQUIRED,
            "Only websocket version 13 is understood.\n",
        );
        let headers = response.headers_mut();
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return Err(response.into());
    }
    let accept = rules::check_upgrade(request).map_err(|text| Box::new(bad_request(text)))?;
    match headers.get(ORIGIN) {
        Some(origin) if !router.allows_origin(origin) => {
            if let Some(repeats) = router.log_limits.origins.allow_line() {
                tracing::warn!(
                    "websocket from {address} refused: pages of {} may not connect; list their \
                     origin in origins to allow them{repeats}",
                    Excerpt(origin.as_bytes())
                );
            }
            let text = "This origin is not allowed.\n";
            Err(answer(StatusCode::FORBIDDEN, text).into())
        }
        _ => Ok(accept),
    }
}

async fn serve(
    router: Arc<Router>,
    protocol: Protocol,
    guard: ClientGuard,
    user: Option<Arc<User>>,
    upgrade: OnUpgrade,
) {
    let server = router.server.clone();
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            if let Some(repeats) = router.log_limits.upgrades.allow_line() {
                tracing::debug!("websocket of {} failed: {error}{repeats}", guard.label());
            }
            return;
        }
    };
    // The type that `listen` gives to hyper.
    let Ok(parts) = upgraded.downcast::<TokioIo<WriteTimeout>>() else {
        tracing::error!(
            "websocket of {} failed: the connection has an unexpected type",
            guard.label()
        );
        return;
    };
    if let Some(repeats) = router.log_limits.websockets.allow_line() {
        tracing::debug!("{}: {}{repeats}", guard.label(), protocol.subprotocol());
    }
    let socket = parts.io.into_inner().into_inner();
    // A copy, since the buffer is large and a slice would keep it allocated.
    let early = Bytes::copy_from_slice(&parts.read_buf);
    drop(parts.read_buf);
    // On the heap, so that this task, which lives as long as the client, stays small.
    let served = connection::serve(server, protocol, guard, user, socket, early);
    Box::pin(served).await;
}

/// Returns true if a header that lists words (RFC 9110 §5.6.1) has this one.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(word))
}

//! Answers what the driver tells of itself.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
};

use super::route::{Router, answer};
use crate::{client::Shared, monitoring::Health, runtime::on_blocking_thread};

/// Answers with the metrics page, to clients at addresses that may see it.
pub(super) async fn metrics(
    router: &Arc<Router>,
    address: IpAddr,
    method: &Method,
) -> Response<Full<Bytes>> {
    if !router.monitor.allows(address) {
        let text = "This page is not for your address; see the key metrics-allow.\n";
        return answer(StatusCode::FORBIDDEN, text);
    }
    if !is_read(method) {
        return read_only();
    }
    // It reads files of /proc, and may be long.
    let page = on_blocking_thread({
        let router = router.clone();
        move || router.monitor.page(&router.server.shared)
    });
    let Some(page) = page.await else {
        return answer(StatusCode::SERVICE_UNAVAILABLE, "The driver closes.\n");
    };
    let mut response = Response::new(Full::from(page));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Answers whether the driver is well, to everybody: it tells nothing else.
pub(super) fn health(shared: &Shared, method: &Method) -> Response<Full<Bytes>> {
    if !is_read(method) {
        return read_only();
    }
    show_health(shared)
}

/// Returns the answer that tells whether the driver is well.
pub(super) fn show_health(shared: &Shared) -> Response<Full<Bytes>> {
    let health = Health::of(&shared.hub);
    let mut response = answer(
        match health {
            Health::Well => StatusCode::OK,
            Health::HostHangs => StatusCode::SERVICE_UNAVAILABLE,
        },
        health.json(),
    );
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Answers a request that is not to read something that can only be read.
fn read_only() -> Response<Full<Bytes>> {
    let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, "Only GET is understood.\n");
    let methods = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(ALLOW, methods);
    response
}

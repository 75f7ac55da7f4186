//! REST, request by request.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE},
};

use super::{
    server::{block_on, end, exchange, peer, router},
    text,
};
use crate::http::rest::Rest;

/// Sends REST a request for each line `METHOD URL BODY`; lines `NAME: VALUE` before it are its
/// headers. `{sid}` stands for the session that was opened last.
pub fn rest(data: &[u8]) {
    let Some(text) = text(data) else { return };
    block_on(async {
        let router = router();
        let shared = router.server.shared.clone();
        let rest = Arc::new(router.rest.expect("REST"));
        let mut headers = Vec::new();
        let mut sid = String::new();
        for line in text.lines() {
            let line = line.replace("{sid}", &sid);
            if let Some((name, value)) = line.split_once(": ") {
                headers.push((name.to_owned(), value.to_owned()));
                continue;
            }
            exchange(&shared.hub);
            if let Some(request) = request(&line, std::mem::take(&mut headers))
                && let Some(new) = respond(&rest, request).await
            {
                sid = new;
            }
        }
        drop(rest);
        end(&shared).await;
    });
}

/// Returns the request of a line, `None` if it is none.
pub(super) fn request(line: &str, headers: Vec<(String, String)>) -> Option<Request<Full<Bytes>>> {
    let mut parts = line.splitn(3, ' ');
    let mut request = Request::builder().method(parts.next()?).uri(parts.next()?);
    for (name, value) in headers {
        let name = HeaderName::try_from(name).ok()?;
        request = request.header(name, HeaderValue::try_from(value).ok()?);
    }
    let body = parts.next().unwrap_or_default().to_owned();
    request.body(Full::from(body)).ok()
}

/// Returns the session that the request has opened.
async fn respond(rest: &Rest, request: Request<Full<Bytes>>) -> Option<String> {
    let response = rest.answer(&peer().await, request).await;
    let cookie = response.headers().get(SET_COOKIE).cloned();
    check(response).await;
    let cookie = cookie?.to_str().expect("a cookie").to_owned();
    let sid = cookie.strip_prefix("vscpsession=").expect("a sid");
    Some(sid.split_once(';').expect("attributes").0.to_owned())
}

async fn check(response: Response<Full<Bytes>>) {
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    assert!(!head.status.is_server_error(), "{head:?}");
    let json = match head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes) {
        Some(b"application/json") => &body[..],
        Some(b"application/javascript") => {
            let body = body.strip_suffix(b");").expect("a call");
            let start = b"typeof handler === 'function' && handler(";
            body.strip_prefix(start).expect("a call")
        }
        _ => return,
    };
    assert_eq!(head.status, StatusCode::OK);
    assert!(serde_json::from_slice::<serde_json::Value>(json).is_ok());
}

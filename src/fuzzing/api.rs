//! The API of pages, request by request.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, header::SET_COOKIE};

use super::{
    rest::request,
    server::{block_on, end, peer, router},
    text,
};
use crate::http::api::Api;

/// Sends the API a request for each line `METHOD URL BODY`; lines `NAME: VALUE` before it are its
/// headers. `{cookie}` stands for the id of the login that was opened last.
pub fn api(data: &[u8]) {
    let Some(text) = text(data) else { return };
    block_on(async {
        let router = router();
        let mut headers = Vec::new();
        let mut cookie = String::new();
        for line in text.lines() {
            let line = line.replace("{cookie}", &cookie);
            if let Some((name, value)) = line.split_once(": ") {
                headers.push((name.to_owned(), value.to_owned()));
                continue;
            }
            if let Some(request) = request(&line, std::mem::take(&mut headers))
                && let Some(new) = respond(&router.api, request).await
            {
                cookie = new;
            }
        }
        end(&router.server.shared).await;
    });
}

/// Returns the id of the login that the request has opened.
async fn respond(api: &Api, request: Request<Full<Bytes>>) -> Option<String> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let headers = request.headers();
    let has_sender = headers.contains_key("origin") || headers.contains_key("sec-fetch-site");
    let response = api.answer(&peer().await, request).await;
    let cookie = response.headers().get(SET_COOKIE).cloned();
    assert!(cookie.is_none() || (changes && has_sender && response.status().is_success()));
    assert!(!changes || has_sender || !response.status().is_success());
    check(response).await;
    let cookie = cookie?.to_str().expect("a cookie").to_owned();
    let id = cookie.strip_prefix("vscplogin=").expect("an id");
    Some(id.split_once(';').expect("attributes").0.to_owned())
}

async fn check(response: Response<Full<Bytes>>) {
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    assert!(!head.status.is_server_error(), "{head:?}");
    let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["error"].is_string(), !head.status.is_success());
}

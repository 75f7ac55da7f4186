//! Checks that a request keeps the rules of HTTP and websockets.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use hyper::{
    HeaderMap, Request, Version,
    body::Body,
    header::{HOST, HeaderName, HeaderValue, SEC_WEBSOCKET_KEY, TRANSFER_ENCODING},
    http::uri::Authority,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Bytes of a Sec-WebSocket-Key (RFC 6455 §4.1).
const KEY_LENGTH: usize = 16;

/// Checks the Host header (RFC 9112 §3.2): HTTP/1.1 needs one, no version may have two, and it
/// names a host or is empty. Fails with the text to answer.
pub(super) fn check_host<B>(request: &Request<B>) -> Result<(), &'static str> {
    match single(request.headers(), &HOST) {
        Err(Doubled) => Err("There is more than one Host header.\n"),
        Ok(None) if request.version() > Version::HTTP_10 => Err("The Host header is missing.\n"),
        Ok(Some(host)) if !names_host(host) => Err("The Host header is not a host.\n"),
        Ok(_) => Ok(()),
    }
}

/// Checks the target of a request (RFC 9112 §3.2): a path, a URL, or `*`. An authority is for
/// CONNECT, which is for proxies. Fails with the text to answer.
pub(super) fn check_target<B>(request: &Request<B>) -> Result<(), &'static str> {
    match request.uri().path() {
        "*" => Ok(()),
        path if path.starts_with('/') => Ok(()),
        _ => Err("The target of the request is not a path.\n"),
    }
}

/// Checks that a body has no transfer coding but chunked, and that once (RFC 9112 §6.1): another
/// server could see the end of the request elsewhere. Fails with the text to answer.
pub(super) fn check_coding<B>(request: &Request<B>) -> Result<(), &'static str> {
    match single(request.headers(), &TRANSFER_ENCODING) {
        Ok(None) => Ok(()),
        Ok(Some(coding)) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err("The transfer coding of the request is not chunked once.\n"),
    }
}

/// Checks a request for a websocket (RFC 6455 §4.2.1), and returns the Sec-WebSocket-Accept to
/// answer. Fails with the text to answer.
pub(super) fn check_upgrade<B: Body>(request: &Request<B>) -> Result<HeaderValue, &'static str> {
    // RFC 9110 §7.8: HTTP/1.0 has no upgrades.
    if request.version() < Version::HTTP_11 {
        return Err("A websocket needs HTTP/1.1.\n");
    }
    // Its bytes could be taken for frames.
    if !request.body().is_end_stream() {
        return Err("A request for a websocket has no body.\n");
    }
    let key = match single(request.headers(), &SEC_WEBSOCKET_KEY) {
        Ok(Some(key)) => key.as_bytes(),
        Ok(None) => return Err("Sec-WebSocket-Key is missing.\n"),
        Err(Doubled) => return Err("There is more than one Sec-WebSocket-Key.\n"),
    };
    match BASE64_STANDARD.decode(key) {
        Ok(bytes) if bytes.len() == KEY_LENGTH => {}
        _ => return Err("Sec-WebSocket-Key is not 16 bytes in Base64.\n"),
    }
    HeaderValue::from_str(&derive_accept_key(key)).map_err(|_| "Sec-WebSocket-Key is unusable.\n")
}

/// Error text: a header that may occur once occurs twice.
struct Doubled;

fn single<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'h HeaderValue>, Doubled> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(Doubled),
    }
}

/// Returns true for `HOST`, `HOST:PORT` and for nothing, which a client sends that has no name for
/// the server.
fn names_host(value: &HeaderValue) -> bool {
    let value = value.as_bytes();
    value.is_empty() || Authority::try_from(value).is_ok() && !value.contains(&b'@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port_or_nothing() {
        for (host, valid) in [
            ("localhost", true),
            ("my_host.example:8884", true),
            ("10.0.0.1:80", true),
            ("[::1]:80", true),
            ("", true),
            ("user@host", false),
            ("a b", false),
            ("a/b", false),
            ("http://a", false),
            ("[::1", false),
        ] {
            let value = HeaderValue::from_str(host).unwrap();
            assert_eq!(names_host(&value), valid, "{host}");
        }
    }
}

//! The panel: the files that the library has in itself. `build.rs` puts them in, compressed, too.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{
        ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH,
        VARY,
    },
    http::request::Parts,
};

use crate::http::route::answer;

/// A file of the panel.
struct File {
    /// Its path without the slash before it.
    name: &'static str,
    content_type: &'static str,
    /// True if pages of a `web-root` can use it.
    is_for_clients: bool,
    plain: Content,
    gzip: Content,
}

/// A form of a file.
struct Content {
    bytes: &'static [u8],
    /// Its ETag (RFC 9110 §8.8.3).
    tag: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/panel.rs"));

/// Answers a request for a file of the panel. Returns `None` if there is no such file.
pub(super) fn serve(head: &Parts) -> Option<Response<Full<Bytes>>> {
    let path = match head.uri.path() {
        "/" => "/index.html",
        path => path,
    };
    Some(respond(find(path)?, head))
}

/// Returns true if [`serve`] has a module for pages of a `web-root` at this path.
pub(crate) fn is_for_clients(path: &str) -> bool {
    find(path).is_some_and(|file| file.is_for_clients)
}

fn find(path: &str) -> Option<&'static File> {
    let name = path.strip_prefix('/')?;
    FILES.iter().find(|file| file.name == name)
}

fn respond(file: &'static File, head: &Parts) -> Response<Full<Bytes>> {
    if !matches!(head.method, Method::GET | Method::HEAD) {
        let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, "Only GET is understood.\n");
        let methods = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, methods);
        return response;
    }
    let is_compressed = accepts_gzip(&head.headers);
    let content = if is_compressed {
        &file.gzip
    } else {
        &file.plain
    };
    let mut response = Response::new(Full::default());
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::from_static(content.tag));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if has(&head.headers, content.tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let kind = HeaderValue::from_static(file.content_type);
    headers.insert(CONTENT_TYPE, kind);
    if is_compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    *response.body_mut() = Full::from(content.bytes);
    response
}

/// Returns true if the client has the content with this tag (RFC 9110 §13.1.2).
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH).iter();
    let tags = tags.filter_map(|value| value.to_str().ok());
    // No tag of ours has a comma.
    tags.flat_map(|tags| tags.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// Returns true if the client takes gzip (RFC 9110 §12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let codings = values.flat_map(|codings| codings.split(','));
    let mut any = false;
    for coding in codings {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().to_ascii_lowercase();
        let weight = weight.strip_prefix("q=").unwrap_or("1").parse();
        let is_accepted = weight.unwrap_or(1.0) > 0.0;
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => return is_accepted,
            "*" => any = is_accepted,
            _ => {}
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_clients_that_take_it() {
        for (values, expected) in [
            (&[][..], false),
            (&[""], false),
            (&["gzip"], true),
            (&["deflate, GZIP;q=0.5, br"], true),
            (&["br", "x-gzip"], true),
            (&["br;q=1.0, *;q=0.1"], true),
            (&["*"], true),
            (&["gzip;q=0"], false),
            (&["gzip; q=0.000, *"], false),
            (&["*;q=0"], false),
            (&["identity"], false),
            (&["gzipped"], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(ACCEPT_ENCODING, HeaderValue::from_static(value));
            }
            assert_eq!(accepts_gzip(&headers), expected, "{values:?}");
        }
    }

    #[test]
    fn a_tag_is_found_in_a_list() {
        for (value, expected) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(value));
            assert_eq!(has(&headers, "\"a\""), expected, "{value}");
        }
    }

    #[test]
    fn each_file_has_tags_of_its_own() {
        let tags = FILES
            .iter()
            .flat_map(|file| [file.plain.tag, file.gzip.tag]);
        let mut tags: Vec<_> = tags.collect();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), 2 * FILES.len());
        assert!(FILES.iter().any(|file| file.name == "index.html"));
    }
}

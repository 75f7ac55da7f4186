//! Static files: those in the folder `web-root`, or without one the [`panel`], whose files are part
//! of the library. The JavaScript modules of the panel that other pages can import are also served
//! with a folder, if the folder does not have them.
//!
//! tower-http does the HTTP of a folder (types, ranges, conditions, precompressed files), and
//! [`folder`] opens the files. This file adds the headers for browsers.

mod folder;
pub(crate) mod panel;
mod range;

use std::{io, path::Path, sync::Arc};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue,
        IF_RANGE, RANGE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    },
    http::request::Parts,
};
use tower_http::services::fs::{ServeDir, ServeFileSystemResponseBody};

use self::folder::Folder;
use super::{route::answer, settings::StaticFiles};
use crate::metrics::LogLimit;

/// Static files.
#[derive(Debug)]
pub(crate) struct Files {
    /// The folder, `None` for the panel.
    root: Option<Arc<Path>>,
    /// Limits the log lines about files that could not be served (status 500).
    failures: LogLimit,
}

impl Files {
    /// Makes the files, `None` if there are to be none. Their folder need not be there yet.
    pub(crate) fn new(files: StaticFiles) -> Option<Self> {
        Some(Self {
            root: match files {
                StaticFiles::Off => return None,
                StaticFiles::Panel => None,
                StaticFiles::Folder(root) => Some(root.into()),
            },
            failures: LogLimit::default(),
        })
    }

    /// Answers a request. Its body is not looked at.
    pub(crate) async fn answer<B>(
        &self,
        request: Request<B>,
    ) -> Response<Either<Full<Bytes>, ServeFileSystemResponseBody>> {
        let (head, _) = request.into_parts();
        let policy = policy(head.headers.get(HOST));
        let mut response = match &self.root {
            Some(root) if panel::is_for_clients(head.uri.path()) => {
                let response = self.serve_folder(root, head.clone()).await;
                match panel::serve(&head) {
                    Some(own) if response.status() == StatusCode::NOT_FOUND => {
                        own.map(Either::Left)
                    }
                    _ => response,
                }
            }
            Some(root) => self.serve_folder(root, head).await,
            None => {
                panel::serve(&head).map_or_else(not_found, |response| response.map(Either::Left))
            }
        };
        let headers = response.headers_mut();
        name_charset(headers);
        headers.insert(CONTENT_SECURITY_POLICY, policy);
        for (name, value) in [
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            // Browsers keep files and ask each time whether they have changed.
            (CACHE_CONTROL, "no-cache"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    async fn serve_folder(
        &self,
        root: &Arc<Path>,
        mut head: Parts,
    ) -> Response<Either<Full<Bytes>, ServeFileSystemResponseBody>> {
        // With If-Range a part may be sent only if the file has not changed (RFC 9110 §13.1.5).
        // Before it is opened that is not known; the whole file is always a right answer.
        if head.headers.contains_key(IF_RANGE) {
            head.headers.remove(RANGE);
        }
        range::clean(&head.method, &mut head.headers);
        if head.uri.path().starts_with("//") {
            // In a redirect to this path a browser would take its first part for another host.
            return not_found();
        }
        match serve(root.clone(), head).await {
            Ok(response) if response.status() == StatusCode::NOT_FOUND => not_found(),
            Ok(response) => response.map(Either::Right),
            Err(error) => self.failed(&error),
        }
    }

    fn failed(
        &self,
        error: &io::Error,
    ) -> Response<Either<Full<Bytes>, ServeFileSystemResponseBody>> {
        use io::ErrorKind::{
            InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied,
        };
        let nothing_there = matches!(
            error.kind(),
            InvalidFilename | InvalidInput | NotADirectory | NotFound | PermissionDenied
        );
        if nothing_there || error.raw_os_error() == Some(libc::ELOOP) {
            return not_found();
        }
        if let Some(repeats) = self.failures.allow_line() {
            tracing::warn!("a static file could not be served: {error}{repeats}");
        }
        let text = "The file cannot be read.\n";
        answer(StatusCode::INTERNAL_SERVER_ERROR, text).map(Either::Left)
    }
}

async fn serve(
    root: Arc<Path>,
    mut head: Parts,
) -> io::Result<Response<ServeFileSystemResponseBody>> {
    let folder = Folder::new(root);
    let mut service = ServeDir::with_backend("", folder)
        .precompressed_br()
        .precompressed_gzip();
    if !head.headers.contains_key(RANGE) {
        return service.try_call(Request::from_parts(head, ())).await;
    }
    let request = Request::from_parts(head.clone(), ());
    let response = service.try_call(request).await?;
    // A range of the last N bytes is the whole file if that is shorter (RFC 9110 §14.1.2), but
    // tower-http refuses it. An empty file has no part that could be sent. Both get the whole file.
    let refused = response.status() == StatusCode::RANGE_NOT_SATISFIABLE;
    if is_empty(response.headers()) || (refused && range::is_suffix(&head.headers)) {
        head.headers.remove(RANGE);
        return service.try_call(Request::from_parts(head, ())).await;
    }
    Ok(response)
}

/// Adds UTF-8 to the types of texts without a charset: browsers would guess, and wrongly.
fn name_charset(headers: &mut HeaderMap) {
    let Some(kind) = headers.get_mut(CONTENT_TYPE) else {
        return;
    };
    let Ok(text) = kind.to_str() else {
        return;
    };
    let is_text = text.starts_with("text/") || text == "application/javascript";
    if is_text
        && !text.contains(';')
        && let Ok(with_charset) = HeaderValue::try_from(format!("{text}; charset=utf-8"))
    {
        *kind = with_charset;
    }
}

/// Returns whether a response is that of an empty file.
fn is_empty(headers: &HeaderMap) -> bool {
    let range = headers.get(CONTENT_RANGE).map(HeaderValue::as_bytes);
    range.is_some_and(|range| range.ends_with(b"/0"))
}

fn not_found() -> Response<Either<Full<Bytes>, ServeFileSystemResponseBody>> {
    answer(StatusCode::NOT_FOUND, "There is nothing here.\n").map(Either::Left)
}

/// Returns the header Content-Security-Policy: a page may load scripts, styles and pictures from
/// this server only, and open websockets on any port of the host that it was loaded from.
fn policy(host: Option<&HeaderValue>) -> HeaderValue {
    // The grammar of the policy allows no other characters in a host. So with an IPv6 address
    // websockets are allowed by 'self' alone, which includes only the port of the page.
    let clean = |name: &&str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
    };
    let host = host.and_then(|host| host.to_str().ok());
    let name = host.map(|host| host.split_once(':').map_or(host, |(name, _)| name));
    let websockets = match name.filter(clean) {
        Some(name) => format!(" ws://{name}:* wss://{name}:*"),
        None => String::new(),
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; media-src 'self'; manifest-src 'self'; worker-src 'self'; \
         connect-src 'self'{websockets}; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'self'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

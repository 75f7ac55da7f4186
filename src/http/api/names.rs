//! `/api/names`: the names of nodes and sensors.
//!
//! A request that changes names must have the header If-Match (RFC 9110 §13.1.1) with the version
//! that the page has read, or with `*`. If the names were changed since that version, the request
//! fails with 412. So no page overwrites a change that it has not seen, unless it sends `*`.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, ETAG, HeaderValue, IF_MATCH},
};

use super::{
    Api, demand,
    reply::{ApiError, ApiResult},
    request::ApiRequest,
    viewer::check_memory,
};
use crate::{
    auth::{Rights, User},
    located_json::{Expected, Source},
    names::{ChangeError, Document, MAX_BYTES, Names, Subject},
    runtime::on_blocking_thread,
};

/// How long a page can wait for a change.
const MAX_WAIT: Duration = Duration::from_secs(25);

/// The name of the body of a request in errors.
const BODY: &str = "the body";

/// The path of the entries, below that of the API.
const ENTRIES: &str = "/names/";

impl Api {
    /// Returns the largest body of a change of names, `None` for other requests and for users who
    /// may not change any.
    pub(super) fn max_names(&self, request: &ApiRequest<'_>) -> Option<usize> {
        if request.path() != "/names" && !request.path().starts_with(ENTRIES) {
            return None;
        }
        let user = self.user(request).ok()?;
        user.rights.contains(Rights::NAMES).then_some(MAX_BYTES)
    }

    /// Tells the names. With the parameter `after`, a version, waits until there is another one.
    pub(super) async fn names(&self, request: &ApiRequest<'_>) -> ApiResult {
        self.reader_of_names(request)?;
        let document = match request.parameter("after") {
            None => self.names.current(),
            Some(version) => {
                let changed = self
                    .names
                    .wait_for_change(version.trim_matches('"'), MAX_WAIT);
                match changed.await {
                    Ok(Some(document)) => document,
                    Ok(None) => return Ok(nothing_new()),
                    Err(_) => return Err(ApiError::busy("Too many pages wait. Try again later.")),
                }
            }
        };
        check_memory(document.json().len())?;
        // The login may have ended while it was waited, and rights may have changed.
        let user = self.reader_of_names(request)?;
        Ok(show(&document, &user))
    }

    /// Returns the user of a request, who may read names.
    fn reader_of_names(&self, request: &ApiRequest<'_>) -> Result<Arc<User>, ApiError> {
        let user = self.user(request)?;
        let rights = Rights::RCV_EVENT.union(Rights::NAMES);
        if !user.rights.contains_one_of(rights) {
            demand(&user, Rights::RCV_EVENT)?;
        }
        Ok(user)
    }

    /// Replaces all names.
    pub(super) async fn replace_names(&self, request: &ApiRequest<'_>) -> ApiResult {
        let body = Source::new(BODY, request.json_text()?);
        self.change_names(request, move |names, version| names.replace(version, &body))
            .await
    }

    /// Changes the entry of a node or sensor by a merge patch (RFC 7396).
    pub(super) async fn patch_name(&self, request: &ApiRequest<'_>) -> ApiResult {
        let key = request.path().strip_prefix(ENTRIES).unwrap_or_default();
        let key = decoded(key);
        let subject: Subject = key.parse().map_err(|error: crate::names::SubjectError| {
            let expected = error.expected();
            ApiError::bad_request(format!("the path: found {key:?}, expected {expected}."))
        })?;
        let body = Source::new(BODY, request.json_text()?);
        self.change_names(request, move |names, version| {
            names.patch(version, subject, &body)
        })
        .await
    }

    async fn change_names(
        &self,
        request: &ApiRequest<'_>,
        change: impl FnOnce(&Names, Option<&str>) -> Result<Arc<Document>, ChangeError> + Send + 'static,
    ) -> ApiResult {
        let user = self.user(request)?;
        demand(&user, Rights::NAMES)?;
        let version = self.version(request)?;
        let names = self.names.clone();
        // The disk may be slow.
        let changed = on_blocking_thread(move || change(&names, version.as_deref())).await;
        match changed {
            Some(Ok(document)) => {
                let address = request.peer().address;
                tracing::info!("names changed by {} from {address}", user.name);
                Ok(show(&document, &user))
            }
            Some(Err(error)) => Err(not_changed(&error)),
            None => Err(ApiError::busy("The driver closes.")),
        }
    }

    /// Returns the version in the header If-Match, `None` for `*`, any version. Fails with 428 if
    /// the request has no such header, and with 412 if the header does not list the present
    /// version.
    fn version(&self, request: &ApiRequest<'_>) -> Result<Option<String>, ApiError> {
        let Some(tags) = request.headers().get(IF_MATCH) else {
            let text = "The header If-Match must name the version (the ETag of /api/names) that is \
                        to be changed.";
            return Err(ApiError::new(StatusCode::PRECONDITION_REQUIRED, text));
        };
        let tags = tags.to_str().unwrap_or_default();
        if tags.trim() == "*" {
            return Ok(None);
        }
        let current = self.names.current();
        let quoted = format!("\"{}\"", current.version());
        match tags.split(',').any(|tag| tag.trim() == quoted) {
            true => Ok(Some(current.version().to_owned())),
            false => Err(other_version()),
        }
    }
}

/// Returns the answer with the names that a user may see: all if it may change them, else those of
/// nodes whose events its filter lets through.
fn show(document: &Document, user: &User) -> Response<Full<Bytes>> {
    let shown = match user.rights.contains(Rights::NAMES) {
        true => document.json().clone(),
        false => document.json_of(|guid| user.filter.passes_guid(guid)),
    };
    let mut response = Response::new(Full::from(shown));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let tag = format!("\"{}\"", document.version());
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

fn nothing_new() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn not_changed(error: &ChangeError) -> ApiError {
    match error {
        ChangeError::NoFile => ApiError::new(
            StatusCode::CONFLICT,
            "There is no file for names: set the key names to its path.",
        ),
        ChangeError::OtherVersion => other_version(),
        ChangeError::FileChanged(path) => {
            let path = path.display();
            let text = format!(
                "{path} has been changed and is not read yet, or cannot be read: see the log."
            );
            ApiError::new(StatusCode::CONFLICT, text)
        }
        ChangeError::Wrong(error) => ApiError::bad_request(format!("{error}.")),
        ChangeError::Disk(path, error) => {
            let path = path.display();
            tracing::error!("{path}: names cannot be written: {error}");
            let text = format!("{path} cannot be written: {error}.");
            ApiError::new(StatusCode::INSUFFICIENT_STORAGE, text)
        }
    }
}

fn other_version() -> ApiError {
    let text = "The names have been changed: read them again.";
    ApiError::new(StatusCode::PRECONDITION_FAILED, text)
}

/// Replaces escaped bytes (`%3A`) of a path.
fn decoded(path: &str) -> String {
    // `form_urlencoded` unescapes the value after an equals sign. There a plus sign would be a
    // space and an ampersand the end; in a path they stand for themselves, so they are escaped
    // first.
    let pair = format!("={}", path.replace('+', "%2B").replace('&', "%26"));
    let mut pairs = form_urlencoded::parse(pair.as_bytes());
    pairs
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_an_entry_may_be_escaped() {
        for (path, expected) in [
            ("FF:01/2", "FF:01/2"),
            ("FF%3A01%2F2", "FF:01/2"),
            ("a+b&c=d", "a+b&c=d"),
            ("%", "%"),
            ("", ""),
        ] {
            assert_eq!(decoded(path), expected);
        }
    }
}

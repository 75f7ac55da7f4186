//! Requests for files.

use std::{fs, path::Path};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_RANGE, HeaderName, HeaderValue, LOCATION},
};

use super::{
    server::{block_on, in_folder},
    text,
};
use crate::http::{
    StaticFiles,
    files::{Files, panel},
};

/// The files, by name and size.
const FILES: [(&str, usize); 4] = [
    ("empty.txt", 0),
    ("ten", 10),
    ("large.bin", 70_000),
    ("sub/index.html", 1),
];

/// Puts the files into a folder, and a secret beside them that no request may reach.
pub(super) fn fill(folder: &Path) {
    fs::create_dir(folder.join("sub")).expect("a folder");
    for (name, size) in FILES {
        fs::write(folder.join(name), content(size)).expect("a file");
    }
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|index| index as u8).collect()
}

/// Sends one request: the first line is `METHOD PATH`, the others are headers `NAME: VALUE`. A part
/// of a file is what Content-Range says, and nothing is served but the files and what belongs to the
/// panel.
pub fn files(data: &[u8]) {
    let Some(request) = text(data).and_then(request) else {
        return;
    };
    let is_get = request.method() == Method::GET;
    let path = request.uri().path().to_owned();
    in_folder(fill, |folder| {
        let files = Files::new(StaticFiles::Folder(folder.to_owned())).expect("files");
        let (head, body) = block_on(async {
            let (head, body) = files.answer(request).await.into_parts();
            (head, body.collect().await.expect("a body").to_bytes())
        });
        assert!(!head.status.is_server_error(), "{head:?}");
        // Modules of the panel are served beside the files of the folder.
        let is_module = panel::is_for_clients(&path);
        if !is_get || is_module || head.headers.contains_key(CONTENT_ENCODING) {
            return;
        }
        let range = head.headers.get(CONTENT_RANGE);
        match head.status {
            StatusCode::OK => assert!(is_file(&body), "{path}: {} bytes", body.len()),
            StatusCode::PARTIAL_CONTENT => check_part(range.expect("Content-Range"), &body),
            StatusCode::RANGE_NOT_SATISFIABLE => assert!(range.is_some()),
            status if status.is_redirection() => {
                let location = head.headers.get(LOCATION);
                let away = |to: &HeaderValue| to.as_bytes().starts_with(b"//");
                assert!(!location.is_some_and(away), "{location:?}");
            }
            _ => assert!(range.is_none()),
        }
    });
}

fn request(text: &str) -> Option<Request<Full<Bytes>>> {
    let mut lines = text.lines();
    let (method, path) = lines.next()?.split_once(' ')?;
    // No other targets come here.
    let path = Some(path).filter(|path| path.starts_with('/'))?;
    let mut request = Request::builder().method(method).uri(path);
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        let name = HeaderName::try_from(name).ok()?;
        request = request.header(name, HeaderValue::try_from(value).ok()?);
    }
    request.body(Full::default()).ok()
}

fn is_file(body: &[u8]) -> bool {
    FILES.iter().any(|(_, size)| body == content(*size))
}

fn check_part(range: &HeaderValue, body: &[u8]) {
    let range = range.to_str().expect("text");
    let (part, size) = range
        .strip_prefix("bytes ")
        .and_then(|range| range.split_once('/'))
        .expect("a range");
    let (first, last) = part.split_once('-').expect("two numbers");
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let file = content(number(size));
    assert_eq!(body, &file[number(first)..=number(last)], "{range}");
}

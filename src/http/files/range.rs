//! Which part of a file a request asks for.

use hyper::{
    HeaderMap, Method,
    header::{HeaderValue, RANGE},
};

/// Removes a `Range` header that is malformed, asks for several parts, or belongs to another method
/// than GET: RFC 9110 §14.2 wants it to be ignored, but [`tower_http`] would refuse the request.
/// Rewrites any other to the one form that [`tower_http`] parses.
pub(super) fn clean(method: &Method, headers: &mut HeaderMap) {
    let mut values = headers.get_all(RANGE).iter();
    let value = match (values.next(), values.next()) {
        (Some(value), None) if method == Method::GET => value.to_str().ok().and_then(one_part),
        _ => None,
    };
    let value = value.and_then(|value| HeaderValue::try_from(value).ok());
    headers.remove(RANGE);
    headers.extend(value.map(|value| (RANGE, value)));
}

/// Returns true if a header that [`clean`] has rewritten asks for the last N bytes of a file, and N
/// is not 0. Every file that is not empty has such a part.
pub(super) fn is_suffix(headers: &HeaderMap) -> bool {
    let value = headers.get(RANGE).map(HeaderValue::as_bytes);
    value.is_some_and(|value| value.starts_with(b"bytes=-") && value != b"bytes=-0")
}

fn one_part(text: &str) -> Option<String> {
    let (unit, part) = text.split_once('=')?;
    let (first, last) = part.trim_ascii().split_once('-')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    match (first, last) {
        ("", last) => Some(format!("bytes=-{}", number(last)?)),
        (first, "") => Some(format!("bytes={}-", number(first)?)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then(|| format!("bytes={first}-{last}"))
        }
    }
}

/// A number that is too large for any file is the largest one.
fn number(digits: &str) -> Option<u64> {
    let clean = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    clean.then(|| digits.parse().unwrap_or(u64::MAX))
}

//! The parameters of queries.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

use jiff::Timestamp;

use super::{reply::ApiError, request::ApiRequest};
use crate::{located_json::Expected, number::parse_decimal_or_hex};

/// The largest number of milliseconds since 1970, and the lowest when negated: a number that
/// JavaScript can hold.
const MAX_TIME: i64 = 1 << 53;

/// Characters of a value that an error shows.
const MAX_SHOWN: usize = 60;

/// Reads a time: RFC 3339, or milliseconds since 1970. Returns `None` if it is not there.
pub(super) fn time(request: &ApiRequest<'_>, name: &str) -> Result<Option<i64>, ApiError> {
    let Some(text) = request.parameter(name) else {
        return Ok(None);
    };
    match parse_time(&text) {
        Some(time) => Ok(Some(time)),
        None => Err(wrong(
            name,
            &text,
            "a time as 2026-01-31T12:00:00Z, or milliseconds since 1970",
        )),
    }
}

/// Reads a time from a text, in milliseconds since 1970.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let range = -MAX_TIME..=MAX_TIME;
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|time| range.contains(time));
    }
    // A plus sign that is not escaped is a space.
    let timestamp: Timestamp = text.replace(' ', "+").parse().ok()?;
    Some(timestamp.as_millisecond())
}

/// Reads a number in a range. Returns `None` if it is not there.
pub(super) fn number<T: TryFrom<u64>>(
    request: &ApiRequest<'_>,
    name: &str,
    range: RangeInclusive<u64>,
) -> Result<Option<T>, ApiError> {
    let Some(text) = request.parameter(name) else {
        return Ok(None);
    };
    let number = parse_decimal_or_hex(&text).filter(|number| range.contains(number));
    match number.and_then(|number| T::try_from(number).ok()) {
        Some(number) => Ok(Some(number)),
        None => {
            let (min, max) = range.into_inner();
            let expected = format_args!("a whole number from {min} to {max}");
            Err(wrong(name, &text, expected))
        }
    }
}

/// Reads a text that stands for something. Returns `None` if it is not there.
pub(super) fn parsed<T: FromStr<Err: Expected>>(
    request: &ApiRequest<'_>,
    name: &str,
) -> Result<Option<T>, ApiError> {
    let Some(text) = request.parameter(name) else {
        return Ok(None);
    };
    let value = text.parse().map(Some);
    value.map_err(|error: T::Err| wrong(name, &text, error.expected()))
}

/// Reads a time span: until now if `to` is not there, and of `default` milliseconds if `from` is
/// not.
pub(super) fn span(request: &ApiRequest<'_>, default: i64) -> Result<[i64; 2], ApiError> {
    let to = time(request, "to")?;
    let to = to.unwrap_or_else(|| Timestamp::now().as_millisecond());
    let from = time(request, "from")?.unwrap_or((to - default).max(-MAX_TIME));
    match from < to {
        true => Ok([from, to]),
        false => Err(wrong("from", &from.to_string(), "a time before the end")),
    }
}

/// Returns the error about a parameter.
pub(super) fn wrong(name: &str, found: &str, expected: impl Display) -> ApiError {
    let found: String = found.chars().take(MAX_SHOWN).collect();
    ApiError::bad_request(format!("{name}: found {found:?}, expected {expected}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_or_a_number() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-5", Some(-5)),
            ("1769860800000", Some(1_769_860_800_000)),
            ("2026-01-31T12:00:00Z", Some(1_769_860_800_000)),
            ("2026-01-31T13:00:00.5+01:00", Some(1_769_860_800_500)),
            ("2026-01-31T13:00:00 01:00", Some(1_769_860_800_000)),
            ("9007199254740993", None),
            ("99999999999999999999", None),
            ("2026-01-31", None),
            ("-", None),
            ("", None),
            ("1.5", None),
            ("now", None),
        ] {
            assert_eq!(parse_time(text), expected, "{text}");
        }
    }
}

//! Events as payloads of messages: four formats, each with the names and times of daemons before and
//! after 2026.

mod binary;
mod json;
mod string;
mod xml;

#[cfg(test)]
mod tests;

use vscpl2drv_websocksrv::event::{Event, HEAD_FRAME_VERSION, HEAD_UNIX_NS};

/// The largest payload that is read.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// The form of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// An object.
    Json,
    /// An element `event`.
    Xml,
    /// Fields with commas between them.
    String,
    /// A frame with a check sum.
    Binary,
}

/// The names and the times in a payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Those of daemons before 2026: names that begin with `vscp`, date and microseconds.
    #[default]
    Legacy,
    /// Those of daemons from 2026 on: nanoseconds since 1970.
    Ns,
    /// JSON with both names; the other formats are as [`Dialect::Legacy`].
    Both,
}

/// How payloads are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoding {
    /// The form.
    pub(crate) format: Format,
    /// The names.
    pub(crate) dialect: Dialect,
    /// True if JSON has the value of a measurement as a number.
    pub(crate) has_measurement: bool,
}

/// Why a payload is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PayloadError {
    /// Nothing in it.
    #[error("an empty payload")]
    Empty,
    /// More than any event has. Of a very large one only the start is here.
    #[error("a payload of {0} bytes or more, expected at most {MAX_BYTES}")]
    TooLarge(usize),
    /// Neither JSON nor XML, and no six commas.
    #[error("text without six commas, expected an event")]
    NoEvent,
    /// Not what its first byte promised.
    #[error("{format}: found {found}, expected {expected}")]
    Wrong {
        /// The format.
        format: Format,
        /// The finding.
        found: String,
        /// The form that it should have.
        expected: &'static str,
    },
}

/// The content of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// The event; class and type are 0 where they are missing.
    pub(crate) event: Event,
    /// False if the payload left class or type to the topic.
    pub(crate) has_kind: bool,
}

impl Format {
    /// The words of the configuration.
    pub(crate) const WORDS: [(&str, Self); 4] = [
        ("json", Self::Json),
        ("xml", Self::Xml),
        ("string", Self::String),
        ("binary", Self::Binary),
    ];

    /// Returns its word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Xml => "xml",
            Self::String => "string",
            Self::Binary => "binary",
        }
    }

    /// Finds out the format by the first byte behind a byte order mark and white space.
    fn detect(payload: &[u8]) -> Self {
        match trimmed(payload).first() {
            _ if payload.first() == Some(&0) => Self::Binary,
            Some(b'{') => Self::Json,
            Some(b'<') => Self::Xml,
            _ => Self::String,
        }
    }

    fn wrong(self, found: impl ToString, expected: &'static str) -> PayloadError {
        PayloadError::Wrong {
            format: self,
            found: found.to_string().chars().take(60).collect(),
            expected,
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::Xml => "XML",
            Self::String => "text",
            Self::Binary => "a binary frame",
        })
    }
}

impl Encoding {
    /// Writes an event.
    pub(crate) fn encode(&self, event: &Event) -> Vec<u8> {
        let mut out = Vec::with_capacity(300);
        match self.format {
            Format::Json => json::encode(event, self, &mut out),
            Format::Xml => xml::encode(event, self.dialect, &mut out),
            Format::String => string::encode(event, self.dialect, &mut out),
            Format::Binary => binary::encode(event, self.dialect, &mut out),
        }
        out
    }
}

/// Reads a payload, in the format that it shows if none is given.
pub(crate) fn decode(payload: &[u8], format: Option<Format>) -> Result<Decoded, PayloadError> {
    match payload.len() {
        0 => return Err(PayloadError::Empty),
        length if length > MAX_BYTES => return Err(PayloadError::TooLarge(length)),
        _ => {}
    }
    let format = format.unwrap_or_else(|| Format::detect(payload));
    if format == Format::Binary {
        return binary::decode(payload);
    }
    let text = str::from_utf8(trimmed(payload));
    let text = text.map_err(|error| {
        format.wrong(
            format_args!("byte {} is not UTF-8", error.valid_up_to()),
            "text",
        )
    })?;
    match format {
        Format::Json => json::decode(text),
        Format::Xml => xml::decode(text),
        _ => string::decode(text),
    }
}

/// Returns a text without a byte order mark and white space around it.
fn trimmed(payload: &[u8]) -> &[u8] {
    let text = payload.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(payload);
    text.trim_ascii()
}

/// Returns the time of an event in nanoseconds since 1970, 0 if it has none.
///
/// A date has whole seconds. The time stamp gives the part of the second if it is below one second,
/// or if it is the low 32 bits of the microseconds since 1970 in that second (see
/// [`Event::set_unix_ns`]). Any other time stamp is of another clock and is ignored.
fn unix_ns(event: &Event) -> u64 {
    match (event.unix_ns, event.date) {
        (Some(ns), _) => ns.get(),
        (None, Some(date)) => date.to_unix_ns().map_or(0, |ns| {
            let second = (ns / 1000) as u32;
            let micros = match event.timestamp {
                micros @ 0..1_000_000 => micros,
                low_bits => low_bits.wrapping_sub(second),
            };
            let within_second = Some(micros).filter(|micros| *micros < 1_000_000);
            ns + u64::from(within_second.unwrap_or(0)) * 1000
        }),
        (None, None) => 0,
    }
}

/// Returns a head with the bits of a frame that has nanoseconds.
fn ns_head(event: &Event) -> u16 {
    event.head & !HEAD_FRAME_VERSION | HEAD_UNIX_NS
}

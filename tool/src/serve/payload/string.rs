//! Payloads that are text with commas.

use std::io::Write;

use vscpl2drv_websocksrv::event::{Event, Guid, text};

use super::{Decoded, Dialect, Format, PayloadError, ns_head, unix_ns};

/// The commas of an event without data.
const MIN_COMMAS: usize = 6;

pub(super) fn encode(event: &Event, dialect: Dialect, out: &mut Vec<u8>) {
    if dialect != Dialect::Ns {
        return text::encode(event, out);
    }
    // Writing to memory does not fail.
    let _ = write!(
        out,
        "{},{},{},{},,{},",
        ns_head(event),
        event.class,
        event.kind,
        event.obid,
        unix_ns(event),
    );
    event.guid.encode(out);
    for byte in event.data.iter() {
        let _ = write!(out, ",0x{byte:02X}");
    }
}

pub(super) fn decode(text: &str) -> Result<Decoded, PayloadError> {
    if text.bytes().filter(|byte| *byte == b',').count() < MIN_COMMAS - 1 {
        return Err(PayloadError::NoEvent);
    }
    let event = match with_empty_date(text) {
        Some(text) => parse(&text, Format::String)?,
        None if text.bytes().filter(|byte| *byte == b',').count() < MIN_COMMAS => {
            return Err(PayloadError::NoEvent);
        }
        None => parse(text, Format::String)?,
    };
    Ok(Decoded {
        event,
        has_kind: true,
    })
}

pub(super) fn parse(text: &str, format: Format) -> Result<Event, PayloadError> {
    text::parse(text).map_err(|error| PayloadError::Wrong {
        format,
        found: format!("{} {:?}", error.field, error.found),
        expected: error.expected,
    })
}

/// Some builds of early 2026 left the empty date out: returns the text with it.
fn with_empty_date(text: &str) -> Option<String> {
    let mut fields = text.splitn(7, ',').map(str::trim);
    let stamp = fields.nth(4)?;
    let guid = fields.next()?;
    let is_short = stamp.bytes().all(|byte| byte.is_ascii_digit())
        && !stamp.is_empty()
        && guid.contains(':')
        && Guid::parse_wire(guid).is_some();
    is_short.then(|| {
        let (start, _) = text.match_indices(',').nth(3).unwrap_or_default();
        format!("{},{}", &text[..start], &text[start..])
    })
}

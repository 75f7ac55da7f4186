//! Binary payloads: a zero byte and a frame as VSCP has it for UDP and multicast.

use std::num::NonZeroU64;

use vscpl2drv_websocksrv::event::{Data, Date, Event, Guid, MAX_DATA, kept_head};

use super::{Decoded, Dialect, Format, PayloadError, ns_head, unix_ns};

/// The packet type with date and microseconds.
const TYPE_LEGACY: u8 = 0x00;

/// The packet type with nanoseconds.
const TYPE_NS: u8 = 0x10;

/// Marker, type, head, time, class, type, GUID and size.
const HEADER: usize = 37;

/// The bit of the head that says that there is no check sum, and what is then in its place.
const HEAD_NO_CRC: u16 = 0x08;
const NO_CRC: u16 = 0xAA55;

pub(super) fn encode(event: &Event, dialect: Dialect, out: &mut Vec<u8>) {
    out.push(0);
    if dialect == Dialect::Ns {
        out.push(TYPE_NS);
        out.extend_from_slice(&ns_head(event).to_be_bytes());
        out.extend_from_slice(&unix_ns(event).to_be_bytes());
        out.extend_from_slice(&[0; 3]);
    } else {
        out.push(TYPE_LEGACY);
        out.extend_from_slice(&event.head.to_be_bytes());
        out.extend_from_slice(&event.timestamp.to_be_bytes());
        match event.date {
            Some(date) => {
                out.extend_from_slice(&date.year().to_be_bytes());
                out.extend_from_slice(&[
                    date.month(),
                    date.day(),
                    date.hour(),
                    date.minute(),
                    date.second(),
                ]);
            }
            None => out.extend_from_slice(&[0; 7]),
        }
    }
    out.extend_from_slice(&event.class.to_be_bytes());
    out.extend_from_slice(&event.kind.to_be_bytes());
    out.extend_from_slice(&event.guid.0);
    out.extend_from_slice(&(event.data.len() as u16).to_be_bytes());
    out.extend_from_slice(&event.data);
    let crc = crc(&out[2..]);
    out.extend_from_slice(&crc.to_be_bytes());
}

pub(super) fn decode(payload: &[u8]) -> Result<Decoded, PayloadError> {
    let wrong = |found: &dyn ToString, expected| Format::Binary.wrong(found.to_string(), expected);
    let Some((header, rest)) = payload.split_first_chunk::<HEADER>() else {
        return Err(wrong(
            &format_args!("{} bytes", payload.len()),
            "39 bytes and the data",
        ));
    };
    if header[0] != 0 || !matches!(header[1], TYPE_LEGACY | TYPE_NS) {
        let found = format_args!("{:#04x} {:#04x} at the start", header[0], header[1]);
        return Err(wrong(&found, "0x00 and 0x00 or 0x10, not encrypted"));
    }
    let word = |start: usize| u16::from_be_bytes([header[start], header[start + 1]]);
    let size = usize::from(word(35));
    if size > MAX_DATA || rest.len() != size + 2 {
        let found = format_args!("size {size} and {} bytes behind it", rest.len());
        return Err(wrong(&found, "at most 512 bytes of data and a check sum"));
    }
    let (data, sum) = rest.split_at(size);
    let sum = u16::from_be_bytes([sum[0], sum[1]]);
    let computed = crc(&payload[2..HEADER + size]);
    let head = word(2);
    let has_crc = head & HEAD_NO_CRC == 0 || sum != NO_CRC;
    if has_crc && sum != computed {
        return Err(wrong(
            &format_args!("check sum {sum:#06x}, computed {computed:#06x}"),
            "the one of the frame",
        ));
    }
    let mut guid = [0; 16];
    guid.copy_from_slice(&header[19..35]);
    let mut event = Event {
        head: kept_head(head),
        class: word(15),
        kind: word(17),
        obid: 0,
        date: None,
        timestamp: 0,
        unix_ns: None,
        guid: Guid(guid),
        data: Data::copy_from(data).unwrap_or_default(),
    };
    if header[1] == TYPE_NS {
        let mut ns = [0; 8];
        ns.copy_from_slice(&header[4..12]);
        if let Some(ns) = NonZeroU64::new(u64::from_be_bytes(ns)) {
            event.set_unix_ns(ns);
        }
    } else {
        event.timestamp = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        event.date = date(word(8), &header[10..15])?;
    }
    Ok(Decoded {
        event,
        has_kind: true,
    })
}

/// Reads a date; zeros are none.
fn date(year: u16, rest: &[u8]) -> Result<Option<Date>, PayloadError> {
    if year == 0 && rest.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let &[month, day, hour, minute, second] = rest else {
        return Ok(None);
    };
    let date = Date::new(year, month, day, hour, minute, second);
    match date {
        Some(date) => Ok(Some(date)),
        None => Err(Format::Binary.wrong(
            format_args!("date {year}-{month}-{day} {hour}:{minute}:{second}"),
            "a date that there is, or zeros",
        )),
    }
}

/// Returns the CRC-16 of the polynomial 0x1021 that starts with 0xFFFF.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc: u16, _| {
            crc << 1 ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 }
        })
    })
}

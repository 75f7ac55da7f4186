//! The text form of an event: `head,class,type,obid,datetime,timestamp,GUID[,data...]`.

use std::iter;

use super::{Data, Date, DateError, Event, EventError, Guid, guid::HEX_PAIRS, kept_head};
use crate::number::{parse_any_radix, parse_field};

/// Appends an event: decimal numbers, data bytes as `0x0F`, a date that is not set as nothing.
pub fn encode(event: &Event, out: &mut Vec<u8>) {
    out.reserve(LONGEST_WITHOUT_DATA + DATA_BYTES[0].len() * event.data.len());
    let mut number = itoa::Buffer::new();
    for field in [event.head, event.class, event.kind] {
        out.extend_from_slice(number.format(field).as_bytes());
        out.push(b',');
    }
    out.extend_from_slice(number.format(event.obid).as_bytes());
    out.push(b',');
    if let Some(date) = &event.date {
        date.encode(out);
    }
    out.push(b',');
    out.extend_from_slice(number.format(event.timestamp).as_bytes());
    out.push(b',');
    event.guid.encode(out);
    for byte in event.data.iter() {
        out.extend_from_slice(&DATA_BYTES[usize::from(*byte)]);
    }
}

/// Parses the form that [`encode`] writes, with numbers also after `0x`, `0b` and `0o`.
///
/// An empty field is not set: date `None`, time stamp 0, GUID zeros. [`Event::complete`] sets them.
///
/// # Errors
/// The first field that is wrong.
pub fn parse(text: &str) -> Result<Event, EventError> {
    let mut fields = split_fields(text);
    let mut next = |field| {
        fields
            .next()
            .ok_or_else(|| EventError::new(field, text, FIELDS))
    };
    let head: u16 = parse_number("head", next("head")?, WORD)?;
    let class = parse_number("class", next("class")?, WORD)?;
    let kind = parse_number("type", next("type")?, WORD)?;
    let obid = parse_number("obid", next("obid")?, OBID)?;
    let date = parse_date(next("datetime")?)?;
    let timestamp = parse_number(
        "timestamp",
        next("timestamp")?,
        "microseconds, or nanoseconds since 1970",
    )?;
    let guid = parse_guid(next("GUID")?)?;
    let mut event = Event {
        head: kept_head(head),
        class,
        kind,
        obid,
        date,
        timestamp: 0,
        unix_ns: None,
        guid,
        data: parse_data(fields)?,
    };
    event.set_timestamp(timestamp);
    Ok(event)
}

/// Splits a text at commas into trimmed fields. Faster than `str::split` for such short fields.
pub(super) fn split_fields(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    iter::from_fn(move || {
        let text = rest?;
        let Some(comma) = text.bytes().position(|byte| byte == b',') else {
            rest = None;
            return Some(text.trim_ascii());
        };
        rest = Some(&text[comma + 1..]);
        Some(text[..comma].trim_ascii())
    })
}

/// Parses data fields. An empty field at the end, after a trailing comma, is ignored.
pub(super) fn parse_data<'a>(fields: impl Iterator<Item = &'a str>) -> Result<Data, EventError> {
    let mut data = Data::new();
    let mut ended = false;
    for field in fields {
        if ended {
            return Err(EventError::new("data", "", BYTE));
        }
        if field.is_empty() {
            ended = true;
            continue;
        }
        let byte = parse_number("data", field, BYTE)?;
        if !data.push(byte) {
            return Err(EventError::new("data", field, "at most 512 bytes"));
        }
    }
    Ok(data)
}

/// Parses a date. An empty text and `0` are `None`: not set.
pub(super) fn parse_date(text: &str) -> Result<Option<Date>, EventError> {
    Date::parse_wire(text).map_err(|_| EventError::new("datetime", text, DateError::EXPECTED))
}

/// Parses a GUID in the form of the protocols.
pub(super) fn parse_guid(text: &str) -> Result<Guid, EventError> {
    Guid::parse_wire(text)
        .ok_or_else(|| EventError::new("GUID", text, "16 hexadecimal pairs with colons, or '-'"))
}

/// The most bytes without data: three numbers of 16 and two of 32 bits, date, GUID and six commas.
const LONGEST_WITHOUT_DATA: usize = 3 * 5 + 2 * 10 + 20 + 47 + 6;

pub(super) const WORD: &str = "a number from 0 to 65535";
pub(super) const OBID: &str = "a number from 0 to 4294967295";
const FIELDS: &str = "head,class,type,obid,datetime,timestamp,GUID";
const BYTE: &str = "a number from 0 to 255";

/// The data field of each byte, with the comma in front.
const DATA_BYTES: [[u8; 5]; 256] = {
    let mut fields = [*b",0x00"; 256];
    let mut byte = 0;
    while byte < 256 {
        [fields[byte][3], fields[byte][4]] = HEX_PAIRS[byte];
        byte += 1;
    }
    fields
};

/// Parses a field with a number; an empty one is 0.
fn parse_number<T: TryFrom<u64> + Default>(
    field: &'static str,
    text: &str,
    expected: &'static str,
) -> Result<T, EventError> {
    parse_field(text, parse_any_radix).ok_or_else(|| EventError::new(field, text, expected))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;
    use crate::event::tests::{any_event, mutate};

    fn encoded(event: &Event) -> String {
        let mut out = Vec::new();
        encode(event, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// Formats the fields as the vectors do.
    fn shown(event: &Event) -> String {
        let date = event.date.map_or("now".into(), |date| date.to_string());
        let timestamp = match event.timestamp {
            0 => "clock".into(),
            timestamp => timestamp.to_string(),
        };
        let guid = match event.guid {
            Guid::ZERO => "driver".into(),
            guid => guid.to_string(),
        };
        let Event {
            head,
            class,
            kind,
            obid,
            ..
        } = event;
        let mut shown = format!("{head}|{class}|{kind}|{obid}|{date}|{timestamp}|{guid}|");
        for byte in event.data.iter() {
            write!(shown, "{byte:02X}").unwrap();
        }
        shown
    }

    #[test]
    fn the_vectors_are_parsed_as_they_say() {
        let mut count = 0;
        for line in include_str!("../../tests/vectors/events.tsv")
            .lines()
            .skip(1)
        {
            let (text, expected) = line.split_once('\t').unwrap();
            let read = parse(text).map_or("error".into(), |event| shown(&event));
            assert_eq!(read, expected, "{text}");
            count += 1;
        }
        assert!(count > 15);
    }

    #[test]
    fn an_event_is_written_as_clients_expect_it() {
        let text = "96,10,6,17,2020-01-27T20:47:55Z,3906069311,FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:00,0x0F,0xA0";
        assert_eq!(encoded(&parse(text).unwrap()), text);
        let zeros = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00";
        assert_eq!(
            encoded(&parse("0,20,3,,,,-").unwrap()),
            format!("0,20,3,0,,0,{zeros}")
        );
    }

    #[test]
    fn nanoseconds_are_read_and_written_as_microseconds() {
        let event = parse("0x160,20,3,,,1580158075123456789,-").unwrap();
        assert_eq!(event.unix_ns.unwrap().get(), 1_580_158_075_123_456_789);
        let expected = format!(
            "96,20,3,0,2020-01-27T20:47:55Z,{},{}",
            1_580_158_075_123_456_u64 as u32,
            Guid::ZERO
        );
        assert_eq!(encoded(&event), expected);

        let event = parse("0,20,3,,2000-01-01T00:00:00Z,4294967296,-").unwrap();
        assert_eq!(event.unix_ns.unwrap().get(), 1 << 32);
        assert_eq!(event.timestamp, 4_294_967);
        assert_eq!(event.date, Date::new(2000, 1, 1, 0, 0, 0));
    }

    #[test]
    fn refusals_name_the_field() {
        let with_data = |data: &str| format!("0,20,3,,,,-,{data}");
        for (text, field) in [
            ("", "class"),
            ("0,20,3,0,,0", "GUID"),
            ("65536,20,3,,,,-", "head"),
            ("-1,20,3,,,,-", "head"),
            ("+1,20,3,,,,-", "head"),
            ("0,0x10000,3,,,,-", "class"),
            ("0,20,3.0,,,,-", "type"),
            ("0,20,3,4294967296,,,-", "obid"),
            ("0,20,3,,2020,,-", "datetime"),
            ("0,20,3,,,18446744073709551616,-", "timestamp"),
            ("0,20,3,,,,::1", "GUID"),
            (&with_data(","), "data"),
            (&with_data("1,,"), "data"),
            (&with_data("0x100"), "data"),
            (&with_data("é"), "data"),
        ] {
            assert_eq!(parse(text).unwrap_err().field, field, "{text}");
        }
        let error = parse("0,70000,3,,,,-").unwrap_err().to_string();
        assert_eq!(
            error,
            r#"class: found "70000", expected a number from 0 to 65535"#
        );
    }

    #[test]
    fn spaces_around_fields_are_ignored() {
        let event = parse(" 96 , 10 , 6 , 0 , 2020-01-27 20:47:55 , 1 , - , 1 , 2 , ").unwrap();
        assert_eq!((event.head, event.class, event.kind), (96, 10, 6));
        assert_eq!(event.date, Date::new(2020, 1, 27, 20, 47, 55));
        assert_eq!(event.data[..], [1, 2]);
    }

    #[test]
    fn an_event_has_at_most_512_data_bytes() {
        let with = |count| parse(&format!("0,20,3,,,,-{}", ",7".repeat(count)));
        assert_eq!(with(512).unwrap().data.len(), 512);
        assert_eq!(with(513).unwrap_err().field, "data");
        let trailing = format!("0,20,3,,,,-{},", ",7".repeat(512));
        assert_eq!(parse(&trailing).unwrap().data.len(), 512);
    }

    proptest! {
        #[test]
        fn encoded_events_parse_to_the_same(event in any_event()) {
            prop_assert_eq!(parse(&encoded(&event)), Ok(event));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "[0-9a-fxob:TZ, -]{0,80}|\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn events_parsed_from_damaged_text_can_be_encoded(
            event in any_event(),
            changes: Vec<(usize, u8, char)>,
        ) {
            if let Ok(mut read) = parse(&mutate(&encoded(&event), &changes)) {
                let again = parse(&encoded(&read));
                read.unix_ns = None;
                prop_assert_eq!(again, Ok(read));
            }
        }
    }
}

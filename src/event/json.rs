//! The JSON form of an event: the object behind `event` in ws2 messages.

use std::{fmt, num::NonZeroU64};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor},
};

use super::{
    Data, Event, EventError, Guid, kept_head,
    text::{self, OBID, WORD, comma_fields},
    value::Value,
};

/// Which keys [`encode`] writes: clients in the field look for one family or the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Keys {
    /// First [`Keys::Vscp`], then [`Keys::Short`], with the same values.
    #[default]
    Both,
    /// `vscpHead`, `vscpClass` and so on.
    Vscp,
    /// `head`, `class` and so on.
    Short,
}

/// Appends `event` as an object. A date that is not set is `""`.
pub fn encode(event: &Event, keys: Keys, out: &mut Vec<u8>) {
    let families: &[_] = match keys {
        Keys::Both => &[VSCP_KEYS, SHORT_KEYS],
        Keys::Vscp => &[VSCP_KEYS],
        Keys::Short => &[SHORT_KEYS],
    };
    out.reserve(families.len() * (LONGEST_WITHOUT_DATA + 4 * event.data.len()));
    out.push(b'{');
    for (index, family) in families.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        encode_family(event, family, out);
    }
    out.push(b'}');
}

/// Reads an object with the keys of either family, mixed as it may be. Where a key is repeated,
/// also under its other name, the last counts; unknown ones are ignored.
///
/// What is not there is not set: date `None`, time stamp 0, GUID zeros ([`Event::complete`] fills
/// them). Class and type must be there.
pub fn parse(json: &str) -> Result<Event, EventError> {
    serde_json::from_str::<Fields<'_>>(json)
        .map_err(|error| EventError::new("event", &error.to_string(), "a JSON object"))?
        .event()
}

/// The keys of one family, as they are written before the values.
struct Family {
    head: &'static str,
    obid: &'static str,
    datetime: &'static str,
    timestamp: &'static str,
    class: &'static str,
    kind: &'static str,
    guid: &'static str,
    data: &'static str,
    note: &'static str,
}

const VSCP_KEYS: Family = Family {
    head: r#""vscpHead":"#,
    obid: r#","vscpObId":"#,
    datetime: r#","vscpDateTime":""#,
    timestamp: r#"","vscpTimeStamp":"#,
    class: r#","vscpClass":"#,
    kind: r#","vscpType":"#,
    guid: r#","vscpGuid":""#,
    data: r#"","vscpData":["#,
    note: r#"],"vscpNote":"""#,
};

const SHORT_KEYS: Family = Family {
    head: r#""head":"#,
    obid: r#","obid":"#,
    datetime: r#","datetime":""#,
    timestamp: r#"","timestamp":"#,
    class: r#","class":"#,
    kind: r#","type":"#,
    guid: r#","guid":""#,
    data: r#"","data":["#,
    note: r#"],"note":"""#,
};

/// At most this many bytes for one family: keys (119), numbers (35), date (20) and GUID (47).
const LONGEST_WITHOUT_DATA: usize = 224;

fn encode_family(event: &Event, keys: &Family, out: &mut Vec<u8>) {
    let mut number = itoa::Buffer::new();
    out.extend_from_slice(keys.head.as_bytes());
    out.extend_from_slice(number.format(event.head).as_bytes());
    out.extend_from_slice(keys.obid.as_bytes());
    out.extend_from_slice(number.format(event.obid).as_bytes());
    out.extend_from_slice(keys.datetime.as_bytes());
    if let Some(date) = &event.date {
        date.encode(out);
    }
    out.extend_from_slice(keys.timestamp.as_bytes());
    out.extend_from_slice(number.format(event.timestamp).as_bytes());
    out.extend_from_slice(keys.class.as_bytes());
    out.extend_from_slice(number.format(event.class).as_bytes());
    out.extend_from_slice(keys.kind.as_bytes());
    out.extend_from_slice(number.format(event.kind).as_bytes());
    out.extend_from_slice(keys.guid.as_bytes());
    event.guid.encode(out);
    out.extend_from_slice(keys.data.as_bytes());
    for (index, byte) in event.data.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(number.format(*byte).as_bytes());
    }
    out.extend_from_slice(keys.note.as_bytes());
}

/// The values of the known keys.
#[derive(Default)]
struct Fields<'a> {
    head: Value<'a>,
    obid: Value<'a>,
    datetime: Value<'a>,
    timestamp: Value<'a>,
    timestamp_ns: Value<'a>,
    class: Value<'a>,
    kind: Value<'a>,
    guid: Value<'a>,
    data: Value<'a>,
}

impl Fields<'_> {
    fn event(self) -> Result<Event, EventError> {
        let head: u16 = optional("head", &self.head, WORD)?;
        let mut event = Event {
            head: kept_head(head),
            class: required("class", &self.class, WORD)?,
            kind: required("type", &self.kind, WORD)?,
            obid: optional("obid", &self.obid, OBID)?,
            date: match &self.datetime {
                Value::Null | Value::Number(0) => None,
                Value::Text(date) => text::date(date)?,
                other => return Err(wrong("datetime", other, "a text")),
            },
            timestamp: 0,
            unix_ns: None,
            guid: match &self.guid {
                Value::Null => Guid::ZERO,
                Value::Text(guid) => text::guid(guid)?,
                other => return Err(wrong("GUID", other, "a text")),
            },
            data: match self.data {
                Value::Null => Data::new(),
                Value::Bytes(Ok(data)) => data,
                Value::Text(fields) => text::data(comma_fields(&fields))?,
                other => return Err(wrong("data", &other, "at most 512 numbers from 0 to 255")),
            },
        };
        let timestamp = optional("timestamp", &self.timestamp, "microseconds")?;
        let unix_ns = optional("timestamp_ns", &self.timestamp_ns, "nanoseconds")?;
        match NonZeroU64::new(unix_ns) {
            Some(unix_ns) => event.set_unix_ns(unix_ns),
            None => event.set_timestamp(timestamp),
        }
        Ok(event)
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields::default();
        while let Some(field) = map.next_key_seed(FieldOf(&mut fields))? {
            match field {
                Some(field) => *field = map.next_value()?,
                None => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(fields)
    }
}

/// Turns a key into the field that it names, `None` for keys that are ignored.
struct FieldOf<'f, 'a>(&'f mut Fields<'a>);

impl<'de, 'f, 'a> DeserializeSeed<'de> for FieldOf<'f, 'a> {
    type Value = Option<&'f mut Value<'a>>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl<'f, 'a> Visitor<'_> for FieldOf<'f, 'a> {
    type Value = Option<&'f mut Value<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        let fields = self.0;
        Ok(Some(match key {
            "head" | "vscpHead" => &mut fields.head,
            "obid" | "vscpObId" => &mut fields.obid,
            "datetime" | "dateTime" | "vscpDateTime" => &mut fields.datetime,
            "timestamp" | "timeStamp" | "vscpTimeStamp" => &mut fields.timestamp,
            "timestamp_ns" => &mut fields.timestamp_ns,
            "class" | "vscpClass" => &mut fields.class,
            "type" | "vscpType" => &mut fields.kind,
            "guid" | "vscpGuid" | "GUID" => &mut fields.guid,
            "data" | "vscpData" => &mut fields.data,
            _ => return Ok(None),
        }))
    }
}

/// A number that need not be there: `null` and the empty string are 0.
fn optional<T: TryFrom<u64> + Default>(
    field: &'static str,
    value: &Value<'_>,
    expected: &'static str,
) -> Result<T, EventError> {
    match value {
        Value::Null => Ok(T::default()),
        Value::Text(text) if text.is_empty() => Ok(T::default()),
        value => required(field, value, expected),
    }
}

fn required<T: TryFrom<u64>>(
    field: &'static str,
    value: &Value<'_>,
    expected: &'static str,
) -> Result<T, EventError> {
    value.number().ok_or_else(|| wrong(field, value, expected))
}

fn wrong(field: &'static str, found: &Value<'_>, expected: &'static str) -> EventError {
    EventError::new(field, &found.found(), expected)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::event::{
        Date,
        tests::{any_event, mutate},
    };

    fn encoded(event: &Event, keys: Keys) -> String {
        let mut out = Vec::new();
        encode(event, keys, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn with(fields: &str) -> Result<Event, EventError> {
        parse(&format!(r#"{{"class":10,"type":6,{fields}}}"#))
    }

    const VSCP: &str = r#""vscpHead":96,"vscpObId":17,"vscpDateTime":"2020-01-27T20:47:55Z","vscpTimeStamp":3906069311,"vscpClass":10,"vscpType":6,"vscpGuid":"FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:00","vscpData":[15,0,255],"vscpNote":"""#;
    const SHORT: &str = r#""head":96,"obid":17,"datetime":"2020-01-27T20:47:55Z","timestamp":3906069311,"class":10,"type":6,"guid":"FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:00","data":[15,0,255],"note":"""#;

    #[test]
    fn an_event_is_written_with_the_keys_that_are_wanted() {
        let event = text::parse("96,10,6,17,2020-01-27T20:47:55Z,3906069311,FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:00,15,0,255").unwrap();
        assert_eq!(encoded(&event, Keys::Both), format!("{{{VSCP},{SHORT}}}"));
        assert_eq!(encoded(&event, Keys::Vscp), format!("{{{VSCP}}}"));
        assert_eq!(encoded(&event, Keys::Short), format!("{{{SHORT}}}"));
    }

    #[test]
    fn what_is_not_set_is_written_empty() {
        let event = parse(r#"{"class":10,"type":6}"#).unwrap();
        assert_eq!(
            encoded(&event, Keys::Short),
            r#"{"head":0,"obid":0,"datetime":"","timestamp":0,"class":10,"type":6,"guid":"00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00","data":[],"note":""}"#
        );
    }

    #[test]
    fn all_names_of_a_key_are_known() {
        let event = text::parse(
            "96,10,6,17,2020-01-27T20:47:55Z,3906069311,FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:00,15,0,255",
        )
        .unwrap();
        for (name, others) in [
            ("head", &["vscpHead"][..]),
            ("obid", &["vscpObId"]),
            ("datetime", &["dateTime", "vscpDateTime"]),
            ("timestamp", &["timeStamp", "vscpTimeStamp"]),
            ("class", &["vscpClass"]),
            ("type", &["vscpType"]),
            ("guid", &["vscpGuid", "GUID"]),
            ("data", &["vscpData"]),
            ("note", &["vscpNote"]),
        ] {
            for other in others {
                let mixed = SHORT.replace(&format!("{name:?}:"), &format!("{other:?}:"));
                assert_ne!(mixed, SHORT);
                assert_eq!(
                    parse(&format!("{{{mixed}}}")).as_ref(),
                    Ok(&event),
                    "{mixed}"
                );
            }
        }
    }

    #[test]
    fn values_may_have_any_kind_that_says_the_same() {
        let plain = with(r#""head":96,"obid":17,"timestamp":7,"data":[15,1]"#).unwrap();
        for fields in [
            r#""head":"0x60","obid":"17","timestamp":" 7 ","data":"0x0F, 1""#,
            r#""head":96.0,"obid":1.7e1,"timestamp":7.0,"data":["15",1.0]"#,
            r#""head":96,"obid":17,"timestamp":7,"data":"15,0b1,""#,
            r#""h\u0065ad":"\u0039\u0036","obid":17,"timestamp":7,"data":"\u0031\u0035,1""#,
        ] {
            assert_eq!(with(fields).as_ref(), Ok(&plain), "{fields}");
        }
        let unset = parse(r#"{"class":"0x0A","type":" 6 "}"#).unwrap();
        for fields in [
            r#""head":null,"obid":null,"datetime":null,"timestamp":null,"timestamp_ns":null,"guid":null,"data":null,"note":null"#,
            r#""head":"","obid":"","datetime":"","timestamp":"","timestamp_ns":"","guid":"","data":"","note":7"#,
            r#""head":0,"obid":0,"datetime":"0","timestamp":0,"timestamp_ns":0,"guid":"-","data":[],"note":{"a":[]}"#,
            r#""datetime":0"#,
        ] {
            assert_eq!(with(fields).as_ref(), Ok(&unset), "{fields}");
        }
    }

    #[test]
    fn refusals_name_the_field() {
        for (fields, field) in [
            (r#""head":65536"#, "head"),
            (r#""head":-1"#, "head"),
            (r#""head":[]"#, "head"),
            (r#""head":true"#, "head"),
            (r#""head":"0b1""#, "head"),
            (r#""obid":4294967296"#, "obid"),
            (r#""datetime":"yesterday""#, "datetime"),
            (r#""datetime":20200127"#, "datetime"),
            (r#""timestamp":-1"#, "timestamp"),
            (r#""timestamp":0.5"#, "timestamp"),
            (r#""timestamp":18446744073709551616"#, "timestamp"),
            (r#""timestamp_ns":"now""#, "timestamp_ns"),
            (r#""class":null"#, "class"),
            (r#""class":"""#, "class"),
            (r#""type":65536"#, "type"),
            (r#""vscpType":{}"#, "type"),
            (r#""guid":"FF:FF""#, "GUID"),
            (r#""guid":"::1""#, "GUID"),
            (r#""guid":0"#, "GUID"),
            (r#""data":[256]"#, "data"),
            (r#""data":[1,null]"#, "data"),
            (r#""data":[[1]]"#, "data"),
            (r#""data":"1,,2""#, "data"),
            (r#""data":1"#, "data"),
            (r#""data":{}"#, "data"),
        ] {
            assert_eq!(with(fields).unwrap_err().field, field, "{fields}");
        }
        for (json, field) in [
            (r#"{"class":10}"#, "type"),
            (r#"{"type":6}"#, "class"),
            ("{}", "class"),
            ("", "event"),
            ("[]", "event"),
            ("null", "event"),
            (r#"{"class":10,"type":6"#, "event"),
            (r#"{"class":10,"type":6}}"#, "event"),
            (r#"{"class":10,"type":6,}"#, "event"),
            (r#"{"class":10,"type":6,"x":"\ud800"#, "event"),
        ] {
            assert_eq!(parse(json).unwrap_err().field, field, "{json}");
        }
        let error = with(r#""data":[1,"x"]"#).unwrap_err().to_string();
        assert_eq!(
            error,
            r#"data: found "x", expected at most 512 numbers from 0 to 255"#
        );
    }

    #[test]
    fn the_last_of_a_repeated_key_counts() {
        let event = with(
            r#""head":[1],"vscpHead":32,"head":64,"class":"x","vscpClass":20,"data":[999],"vscpData":[1],"data":"2""#,
        )
        .unwrap();
        assert_eq!((event.head, event.class), (64, 20));
        assert_eq!(event.data[..], [2]);
    }

    #[test]
    fn nanoseconds_come_from_either_key() {
        let ns = 1_580_158_075_123_456_789;
        let date = Date::new(2020, 1, 27, 20, 47, 55);
        for fields in [
            r#""head":352,"timestamp_ns":1580158075123456789"#,
            r#""head":352,"timestamp":1580158075123456789"#,
            r#""head":96,"timestamp":4294967296,"timestamp_ns":"1580158075123456789""#,
            r#""head":96,"timestamp_ns":1580158075123456789,"timestamp":7"#,
        ] {
            let event = with(fields).unwrap();
            assert_eq!(event.unix_ns, NonZeroU64::new(ns), "{fields}");
            assert_eq!(event.timestamp, (ns / 1000) as u32, "{fields}");
            assert_eq!((event.head, event.date), (96, date), "{fields}");
        }
        let event = with(r#""head":352,"timestamp":4294967295,"timestamp_ns":0"#).unwrap();
        assert_eq!((event.unix_ns, event.head), (None, 96));
        assert_eq!(event.timestamp, u32::MAX);
    }

    #[test]
    fn deep_and_long_values_do_no_harm() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let deep_objects = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
        assert!(with(&format!(r#""x":{deep},"y":{deep_objects}"#)).is_ok());
        assert!(with(&format!(r#""note":{deep}"#)).is_ok());
        assert!(with(&format!(r#""data":{deep}"#)).is_err());
        assert!(with(&format!(r#""class":{deep_objects}"#)).is_err());
        assert!(with(&format!(r#""class":{}"#, "9".repeat(100_000))).is_err());
        assert!(with(&format!(r#""data":[{}1]"#, "1,".repeat(100_000))).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(event in any_event()) {
            for keys in [Keys::Both, Keys::Vscp, Keys::Short] {
                let read = parse(&encoded(&event, keys));
                prop_assert_eq!(read.as_ref(), Ok(&event));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(json in r#"[\[\]{}",:0-9a-e.-]{0,60}|\PC*"#) {
            let _ = parse(&json);
        }

        #[test]
        fn what_is_read_from_damaged_json_can_be_written(
            event in any_event(),
            changes: Vec<(usize, u8, char)>,
        ) {
            if let Ok(mut read) = parse(&mutate(&encoded(&event, Keys::Short), &changes)) {
                let again = parse(&encoded(&read, Keys::Both));
                read.unix_ns = None;
                prop_assert_eq!(again, Ok(read));
            }
        }
    }
}

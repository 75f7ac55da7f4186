//! Parses events from JSON.

use std::num::NonZeroU64;

use serde::{Deserialize, Deserializer};

use crate::{
    event::{
        Data, Event, EventError, Guid, kept_head,
        text::{self, OBID, WORD, split_fields},
        value::Value,
    },
    json_fields::{self, JsonFields},
};

/// Parses an object with keys of either family or both. The last of the keys of a field counts;
/// unknown keys are ignored.
///
/// Class and type are required. Other fields that are missing are not set: date `None`, time stamp
/// 0, GUID zeros. [`Event::complete`] sets them.
///
/// # Errors
/// The first field that is wrong, or the place at which the JSON is.
pub fn parse(json: &str) -> Result<Event, EventError> {
    serde_json::from_str::<Fields<'_>>(json)
        .map_err(|error| EventError::new("event", &error.to_string(), "a JSON object"))?
        .into_event()
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
    fn into_event(self) -> Result<Event, EventError> {
        let head: u16 = optional_number("head", &self.head, WORD)?;
        let mut event = Event {
            head: kept_head(head),
            class: required_number("class", &self.class, WORD)?,
            kind: required_number("type", &self.kind, WORD)?,
            obid: optional_number("obid", &self.obid, OBID)?,
            date: match &self.datetime {
                Value::Null | Value::Number(0) => None,
                Value::Text(date) => text::parse_date(date)?,
                other => return Err(wrong("datetime", other, "a text")),
            },
            timestamp: 0,
            unix_ns: None,
            guid: match &self.guid {
                Value::Null => Guid::ZERO,
                Value::Text(guid) => text::parse_guid(guid)?,
                other => return Err(wrong("GUID", other, "a text")),
            },
            data: match self.data {
                Value::Null => Data::new(),
                Value::Bytes(Ok(data)) => data,
                Value::Text(fields) => text::parse_data(split_fields(&fields))?,
                other => return Err(wrong("data", &other, "at most 512 numbers from 0 to 255")),
            },
        };
        let timestamp = optional_number("timestamp", &self.timestamp, "microseconds")?;
        let unix_ns = optional_number("timestamp_ns", &self.timestamp_ns, "nanoseconds")?;
        match NonZeroU64::new(unix_ns) {
            Some(unix_ns) => event.set_unix_ns(unix_ns),
            None => event.set_timestamp(timestamp),
        }
        Ok(event)
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json_fields::read(deserializer)
    }
}

impl<'de> JsonFields<'de> for Fields<'de> {
    const EXPECTED: &'static str = "an event object";

    type Value = Value<'de>;

    fn field(&mut self, key: &str) -> Option<&mut Value<'de>> {
        Some(match key {
            "head" | "vscpHead" => &mut self.head,
            "obid" | "vscpObId" => &mut self.obid,
            "datetime" | "dateTime" | "vscpDateTime" => &mut self.datetime,
            "timestamp" | "timeStamp" | "vscpTimeStamp" => &mut self.timestamp,
            "timestamp_ns" => &mut self.timestamp_ns,
            "class" | "vscpClass" => &mut self.class,
            "type" | "vscpType" => &mut self.kind,
            "guid" | "vscpGuid" | "GUID" => &mut self.guid,
            "data" | "vscpData" => &mut self.data,
            _ => return None,
        })
    }
}

/// Returns the number of an optional field: 0 for `null` and the empty string.
fn optional_number<T: TryFrom<u64> + Default>(
    field: &'static str,
    value: &Value<'_>,
    expected: &'static str,
) -> Result<T, EventError> {
    match value {
        Value::Null => Ok(T::default()),
        Value::Text(text) if text.is_empty() => Ok(T::default()),
        value => required_number(field, value, expected),
    }
}

/// Returns the number of a field that must have one.
fn required_number<T: TryFrom<u64>>(
    field: &'static str,
    value: &Value<'_>,
    expected: &'static str,
) -> Result<T, EventError> {
    value.number().ok_or_else(|| wrong(field, value, expected))
}

fn wrong(field: &'static str, found: &Value<'_>, expected: &'static str) -> EventError {
    EventError::new(field, &found.found(), expected)
}

//! JSON payloads.

use std::{io::Write, num::NonZeroU64};

use serde_json::{Map, Value};
use vscpl2drv_websocksrv::event::{
    Data, Date, Event, Guid, MAX_DATA, kept_head, measurement::Measurement,
};

use super::{Decoded, Dialect, Encoding, Format, PayloadError, ns_head, unix_ns};

/// A time stamp above this is taken for nanoseconds since 1970, any other for microseconds.
const MIN_NS: u64 = 1_000_000_000_000;

pub(super) fn encode(event: &Event, encoding: &Encoding, out: &mut Vec<u8>) {
    let measurement = encoding
        .has_measurement
        .then(|| Measurement::of(event))
        .flatten();
    out.push(b'{');
    let dialect = encoding.dialect;
    if matches!(dialect, Dialect::Ns | Dialect::Both) {
        encode_ns(event, measurement.as_ref(), out);
    }
    if dialect == Dialect::Both {
        out.push(b',');
    }
    if matches!(dialect, Dialect::Legacy | Dialect::Both) {
        // With `Dialect::Both` the other encoder has written it: an object has a key only once.
        let measurement = measurement.filter(|_| dialect == Dialect::Legacy);
        encode_legacy(event, measurement.as_ref(), out);
    }
    out.push(b'}');
}

/// Writes the names from 2026 on, in the order of the alphabet.
fn encode_ns(event: &Event, measurement: Option<&Measurement>, out: &mut Vec<u8>) {
    let ns = unix_ns(event);
    let date = match event.date {
        None if ns > 0 => Some(Date::from_unix_ns(ns)),
        date => date,
    };
    // Writing to memory does not fail.
    let _ = write!(out, r#""class":{},"data":["#, event.class);
    write_data(event, out);
    out.extend_from_slice(br#"],"datetime":""#);
    if let Some(date) = date {
        date.encode(out);
    }
    out.extend_from_slice(br#"","guid":""#);
    event.guid.encode(out);
    let _ = write!(out, r#"","head":{}"#, ns_head(event));
    if let Some(measurement) = measurement {
        out.push(b',');
        write_measurement(measurement, out);
    }
    let _ = write!(
        out,
        r#","note":"","obid":{},"timestamp_ns":"{ns:#x}","type":{}"#,
        event.obid, event.kind,
    );
}

/// Writes the names before 2026, in the order of the alphabet.
fn encode_legacy(event: &Event, measurement: Option<&Measurement>, out: &mut Vec<u8>) {
    if let Some(measurement) = measurement {
        write_measurement(measurement, out);
        out.push(b',');
    }
    let _ = write!(out, r#""vscpClass":{},"vscpData":["#, event.class);
    write_data(event, out);
    out.extend_from_slice(br#"],"vscpDateTime":""#);
    if let Some(date) = event.date {
        date.encode(out);
    }
    out.extend_from_slice(br#"","vscpGuid":""#);
    event.guid.encode(out);
    let _ = write!(
        out,
        r#"","vscpHead":{},"vscpNote":"","vscpObId":{},"vscpTimeStamp":{},"vscpType":{}"#,
        event.head, event.obid, event.timestamp, event.kind,
    );
}

fn write_data(event: &Event, out: &mut Vec<u8>) {
    for (index, byte) in event.data.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(out, "{comma}{byte}");
    }
}

fn write_measurement(measurement: &Measurement, out: &mut Vec<u8>) {
    let Measurement {
        value,
        unit,
        sensor,
        zone,
        subzone,
        ..
    } = measurement;
    let _ = write!(
        out,
        r#""measurement":{{"sensorindex":{sensor},"subzone":{subzone},"unit":{unit},"value":{},"zone":{zone}}}"#,
        Value::from(*value),
    );
}

pub(super) fn decode(text: &str) -> Result<Decoded, PayloadError> {
    let object: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| Format::Json.wrong(error, "an object with an event"))?;
    let fields = Fields(&object);
    let class = fields.number("class", "vscpClass")?;
    let kind = fields.number("type", "vscpType")?;
    let head = fields.number("head", "vscpHead")?.unwrap_or_default();
    let mut event = Event {
        head: kept_head(head),
        class: class.unwrap_or_default(),
        kind: kind.unwrap_or_default(),
        obid: fields.number("obid", "vscpObId")?.unwrap_or_default(),
        date: fields.date()?,
        timestamp: 0,
        unix_ns: None,
        guid: fields.guid()?,
        data: fields.data()?,
    };
    fields.set_time(&mut event)?;
    Ok(Decoded {
        event,
        has_kind: class.is_some() && kind.is_some(),
    })
}

/// The members of an event, with their names from 2026 on and before.
struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn get(&self, name: &str, legacy: &str) -> Option<&'a Value> {
        let value = self.0.get(name).or_else(|| self.0.get(legacy))?;
        (!value.is_null()).then_some(value)
    }

    fn number<T: TryFrom<u64>>(
        &self,
        name: &'static str,
        legacy: &'static str,
    ) -> Result<Option<T>, PayloadError> {
        let Some(value) = self.get(name, legacy) else {
            return Ok(None);
        };
        let number = number(value).and_then(|number| T::try_from(number).ok());
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(name, value, "a number in its range")),
        }
    }

    fn text(
        &self,
        name: &'static str,
        legacy: &'static str,
        expected: &'static str,
    ) -> Result<&'a str, PayloadError> {
        match self.get(name, legacy) {
            None => Ok(""),
            Some(Value::String(text)) => Ok(text.trim()),
            Some(value) => Err(wrong(name, value, expected)),
        }
    }

    fn date(&self) -> Result<Option<Date>, PayloadError> {
        const EXPECTED: &str = "a date like 2026-11-20T12:30:15Z";
        let text = self.text("datetime", "vscpDateTime", EXPECTED)?;
        Date::parse_wire(text).map_err(|_| wrong("datetime", text, EXPECTED))
    }

    fn guid(&self) -> Result<Guid, PayloadError> {
        const EXPECTED: &str = "16 hexadecimal pairs with colons";
        let text = self.text("guid", "vscpGuid", EXPECTED)?;
        Guid::parse_wire(text).ok_or_else(|| wrong("guid", text, EXPECTED))
    }

    fn data(&self) -> Result<Data, PayloadError> {
        const EXPECTED: &str = "at most 512 numbers from 0 to 255";
        let Some(value) = self.get("data", "vscpData") else {
            return Ok(Data::new());
        };
        let bytes: Option<Vec<u8>> = match value {
            Value::Array(items) if items.len() <= MAX_DATA => items
                .iter()
                .map(|item| number(item).and_then(|byte| u8::try_from(byte).ok()))
                .collect(),
            // Node-RED's nodes take it as text, too.
            Value::String(text) if text.trim().is_empty() => Some(Vec::new()),
            Value::String(text) => text
                .split(',')
                .map(|byte| u8::try_from(number_of_text(byte)?).ok())
                .collect(),
            _ => None,
        };
        bytes
            .and_then(|bytes| Data::copy_from(&bytes))
            .ok_or_else(|| wrong("data", value, EXPECTED))
    }

    /// Sets the time: nanoseconds, or else the time stamp, which says by its size what it is.
    fn set_time(&self, event: &mut Event) -> Result<(), PayloadError> {
        let ns: Option<u64> = self.number("timestamp_ns", "timestamp_ns")?;
        if let Some(ns) = ns.and_then(NonZeroU64::new) {
            // Daemons write the same time as a date beside it, some of them with a wrong month.
            event.date = None;
            event.set_unix_ns(ns);
            return Ok(());
        }
        let stamp: Option<u64> = self.number("timestamp", "vscpTimeStamp")?;
        match stamp.and_then(NonZeroU64::new) {
            Some(ns) if ns.get() > MIN_NS => event.set_unix_ns(ns),
            micros => event.timestamp = micros.map_or(0, |micros| micros.get() as u32),
        }
        Ok(())
    }
}

/// Returns a whole number, also one that is written as text.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => number_of_text(text),
        _ => None,
    }
}

fn number_of_text(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if !digits.starts_with('+') => u64::from_str_radix(digits, 16).ok(),
        None if text.starts_with(|first: char| first.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

fn wrong(field: &'static str, found: impl ToString, expected: &'static str) -> PayloadError {
    Format::Json.wrong(format_args!("{field} {}", found.to_string()), expected)
}

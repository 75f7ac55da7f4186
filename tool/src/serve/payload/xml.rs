//! XML payloads.

use std::io::Write;

use roxmltree::{Document, Node};
use vscpl2drv_websocksrv::event::Event;

use super::{Decoded, Dialect, Format, PayloadError, ns_head, string, unix_ns};

/// The largest time stamp that is taken for microseconds: those since 1970 reach it at the end of
/// 2099. A larger one is taken for nanoseconds since 1970.
const MAX_MICROS: u64 = 4_102_444_800_000_000;

pub(super) fn encode(event: &Event, dialect: Dialect, out: &mut Vec<u8>) {
    let (prefix, head, time) = match dialect {
        Dialect::Ns => ("", ns_head(event), unix_ns(event)),
        Dialect::Legacy | Dialect::Both => ("vscp", event.head, event.timestamp.into()),
    };
    // The names before 2026 have capitals: vscpHead, vscpObId.
    let [n_head, obid, datetime, timestamp, class, kind, guid, data] = match prefix {
        "" => [
            "head",
            "obid",
            "datetime",
            "timestamp",
            "class",
            "type",
            "guid",
            "data",
        ],
        _ => [
            "Head",
            "ObId",
            "DateTime",
            "TimeStamp",
            "Class",
            "Type",
            "Guid",
            "Data",
        ],
    };
    // Writing to memory does not fail.
    let _ = write!(
        out,
        r#"<event {prefix}{n_head}="{head}" {prefix}{obid}="{}" {prefix}{datetime}=""#,
        event.obid
    );
    if let Some(date) = event.date {
        date.encode(out);
    }
    let _ = write!(
        out,
        r#"" {prefix}{timestamp}="{time}" {prefix}{class}="{}" {prefix}{kind}="{}" {prefix}{guid}=""#,
        event.class, event.kind
    );
    event.guid.encode(out);
    let _ = write!(out, r#"" {prefix}{data}=""#);
    for (index, byte) in event.data.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(out, "{comma}0x{byte:02X}");
    }
    out.extend_from_slice(br#"" />"#);
}

pub(super) fn decode(text: &str) -> Result<Decoded, PayloadError> {
    let document =
        Document::parse(text).map_err(|error| Format::Xml.wrong(error, "an element event"))?;
    let root = document.root_element();
    if root.tag_name().name() != "event" {
        let found = format_args!("the element {}", root.tag_name().name());
        return Err(Format::Xml.wrong(found, "an element event"));
    }
    let field = |name, legacy| attribute(&root, name, legacy);
    let (class, kind) = (field("class", "vscpClass"), field("type", "vscpType"));
    let data = field("data", "vscpData").unwrap_or_default();
    let comma = if data.is_empty() { "" } else { "," };
    // The fields have the forms that they have in a text.
    let text = format!(
        "{},{},{},{},{},{},{}{comma}{data}",
        field("head", "vscpHead").unwrap_or_default(),
        class.as_deref().unwrap_or("0"),
        kind.as_deref().unwrap_or("0"),
        field("obid", "vscpObId").unwrap_or_default(),
        field("datetime", "vscpDateTime").unwrap_or_default(),
        timestamp(field("timestamp", "vscpTimeStamp").as_deref())?,
        field("guid", "vscpGuid").unwrap_or_default(),
    );
    let event = string::parse(&text, Format::Xml)?;
    Ok(Decoded {
        event,
        has_kind: class.is_some() && kind.is_some(),
    })
}

/// Returns the time stamp as a text has it: one that is no nanoseconds since 1970 keeps its low 32
/// bits.
fn timestamp(text: Option<&str>) -> Result<u64, PayloadError> {
    let text = text.unwrap_or("0").trim();
    let number: u64 = text
        .parse()
        .map_err(|_| Format::Xml.wrong(format_args!("timestamp {text}"), "a number"))?;
    Ok(match number {
        ns if ns > MAX_MICROS => ns,
        micros => (micros as u32).into(),
    })
}

/// Returns an attribute by its name from 2026 on, or the one before. A comma would move the fields
/// behind it, so that it is replaced by what no field has.
fn attribute(node: &Node<'_, '_>, name: &str, legacy: &str) -> Option<String> {
    let value = node.attribute(name).or_else(|| node.attribute(legacy))?;
    Some(match name {
        "data" => value.to_owned(),
        _ => value.replace(',', ";"),
    })
}

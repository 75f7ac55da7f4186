//! The five formats of replies.
//!
//! No text of a client gets into a reply: events are encoded from their parsed values.

use std::io::Write;

use serde::{Serialize, Serializer};

use super::reply::{Reply, RestError, Taken};
use crate::event::{Event, text};

/// A format of replies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    #[default]
    Plain,
    Csv,
    Xml,
    Json,
    /// A call of the function `handler` with the JSON.
    Jsonp,
}

impl Format {
    /// Reads the name of a format in any case, or its number.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "plain" | "0" => Self::Plain,
            "csv" | "1" => Self::Csv,
            "xml" | "2" => Self::Xml,
            "json" | "3" => Self::Json,
            "jsonp" | "4" => Self::Jsonp,
            _ => return None,
        })
    }

    /// Returns the media type.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Plain => "text/plain",
            Self::Csv => "text/csv",
            Self::Xml => "application/xml",
            Self::Json => "application/json",
            Self::Jsonp => "application/javascript",
        }
    }

    /// Encodes the result of an operation.
    pub(super) fn encode(self, result: &Result<Reply, RestError>) -> Vec<u8> {
        let mut out = Vec::new();
        // Writing to a `Vec` does not fail.
        let _ = match self {
            Self::Plain => plain(result, &mut out),
            Self::Csv => csv(result, &mut out),
            Self::Xml => xml(result, &mut out),
            Self::Json => json(result, &mut out),
            Self::Jsonp => jsonp(result, &mut out),
        };
        out
    }
}

fn plain(result: &Result<Reply, RestError>, out: &mut Vec<u8>) -> std::io::Result<()> {
    match result {
        Ok(Reply::Success) => out.write_all(b"1 1 Success \r\n\r\nEverything is fine.\r\n"),
        Ok(Reply::Session { sid, events }) => {
            write!(out, "1 1 Success vscpsession={sid} nEvents={events}")
        }
        Ok(Reply::Events(taken)) => {
            write!(out, "1 1 Success \r\n{}\r\n", taken.info())?;
            for event in &taken.events {
                out.extend_from_slice(b"- ");
                text::encode(event, out);
                out.extend_from_slice(b"\r\n");
            }
            Ok(())
        }
        Err(error) => {
            let (code, message) = (error.code(), error.message());
            write!(out, "0 {code} {message} \r\n\r\n{message}.\r\n")
        }
    }
}

fn csv(result: &Result<Reply, RestError>, out: &mut Vec<u8>) -> std::io::Result<()> {
    out.extend_from_slice(b"success-code,error-code,message,description");
    match result {
        Ok(Reply::Success) => out.write_all(b"\r\n1,1,Success,Success."),
        Ok(Reply::Session { sid, events }) => write!(
            out,
            ",vscpsession,nEvents\r\n1,1,Success,Success.,{sid},{events}"
        ),
        Ok(Reply::Events(Taken { events, .. })) => {
            out.extend_from_slice(b",Event\r\n1,1,Success,Success.,NULL\r\n");
            write!(out, "1,4,Count,{},NULL\r\n", events.len())?;
            for event in events {
                out.extend_from_slice(b"1,3,Data,Event,");
                text::encode(event, out);
                out.extend_from_slice(b"\r\n");
            }
            Ok(())
        }
        Err(error) => {
            let (code, message) = (error.code(), error.message());
            write!(out, "\r\n0,{code},{message},{message}.")
        }
    }
}

fn xml(result: &Result<Reply, RestError>, out: &mut Vec<u8>) -> std::io::Result<()> {
    let success = r#"<vscp-rest success="true" code="1" message="Success" description="Success.""#;
    match result {
        Ok(Reply::Success) => write!(out, "{success}/>"),
        Ok(Reply::Session { sid, events }) => write!(
            out,
            "{success}><vscpsession>{sid}</vscpsession><nEvents>{events}</nEvents></vscp-rest>"
        ),
        Ok(Reply::Events(taken)) => {
            let count = taken.events.len();
            let info = taken.info();
            write!(out, "{success}><info>{info}</info><count>{count}</count>")?;
            for event in &taken.events {
                xml_event(event, out)?;
            }
            out.write_all(b"<filtered>0</filtered><errors>0</errors></vscp-rest>")
        }
        Err(error) => {
            let (code, message) = (error.code(), error.message());
            write!(
                out,
                r#"<vscp-rest success="false" code="{code}" message="{message}" description="{message}."/>"#
            )
        }
    }
}

fn xml_event(event: &Event, out: &mut Vec<u8>) -> std::io::Result<()> {
    let Event {
        head,
        class,
        kind,
        obid,
        timestamp,
        guid,
        data,
        ..
    } = event;
    write!(
        out,
        "<event><head>{head}</head><vscpclass>{class}</vscpclass><vscptype>{kind}</vscptype>\
         <obid>{obid}</obid><datetime>"
    )?;
    if let Some(date) = &event.date {
        date.encode(out);
    }
    let size = data.len();
    write!(
        out,
        "</datetime><timestamp>{timestamp}</timestamp><guid>{guid}</guid>\
         <sizedata>{size}</sizedata><data>"
    )?;
    for (index, byte) in data.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(out, "{comma}0x{byte:02X}")?;
    }
    out.extend_from_slice(b"</data><raw>");
    text::encode(event, out);
    out.write_all(b"</raw></event>")
}

fn jsonp(result: &Result<Reply, RestError>, out: &mut Vec<u8>) -> std::io::Result<()> {
    out.extend_from_slice(b"typeof handler === 'function' && handler(");
    json(result, out)?;
    out.write_all(b");")
}

fn json(result: &Result<Reply, RestError>, out: &mut Vec<u8>) -> std::io::Result<()> {
    let mut json = Json {
        success: true,
        code: 1,
        message: "success",
        description: "Success",
        session: None,
        taken: None,
    };
    match result {
        Ok(Reply::Success) => {}
        Ok(Reply::Session { sid, events }) => {
            json.session = Some(JsonSession {
                vscpsession: sid,
                n_events: *events,
            });
        }
        Ok(Reply::Events(taken)) => {
            json.taken = Some(JsonTaken {
                info: taken.info(),
                event: taken.events.iter().map(JsonEvent::new).collect(),
                count: taken.events.len(),
                filtered: 0,
                errors: 0,
            });
        }
        Err(error) => {
            json.success = false;
            json.code = error.code();
            json.message = error.message();
            json.description = error.message();
        }
    }
    Ok(serde_json::to_writer(out, &json)?)
}

#[derive(Serialize)]
struct Json<'a> {
    success: bool,
    code: i8,
    message: &'a str,
    description: &'a str,
    #[serde(flatten)]
    session: Option<JsonSession<'a>>,
    #[serde(flatten)]
    taken: Option<JsonTaken<'a>>,
}

#[derive(Serialize)]
struct JsonSession<'a> {
    vscpsession: &'a str,
    #[serde(rename = "nEvents")]
    n_events: usize,
}

#[derive(Serialize)]
struct JsonTaken<'a> {
    info: String,
    event: Vec<JsonEvent<'a>>,
    count: usize,
    filtered: usize,
    errors: usize,
}

/// Has the class and the type twice, since some clients read one spelling and some the other.
#[derive(Serialize)]
struct JsonEvent<'a> {
    head: u16,
    vscpclass: u16,
    vscptype: u16,
    #[serde(rename = "vscpClass")]
    class: u16,
    #[serde(rename = "vscpType")]
    kind: u16,
    #[serde(serialize_with = "shown_or_empty")]
    datetime: Option<crate::event::Date>,
    timestamp: u32,
    obid: u32,
    #[serde(serialize_with = "shown")]
    guid: crate::event::Guid,
    sizedata: usize,
    data: &'a [u8],
}

impl<'a> JsonEvent<'a> {
    fn new(event: &'a Event) -> Self {
        Self {
            head: event.head,
            vscpclass: event.class,
            vscptype: event.kind,
            class: event.class,
            kind: event.kind,
            datetime: event.date,
            timestamp: event.timestamp,
            obid: event.obid,
            guid: event.guid,
            sizedata: event.data.len(),
            data: &event.data,
        }
    }
}

fn shown<S: Serializer>(value: &impl std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn shown_or_empty<S: Serializer>(
    value: &Option<impl std::fmt::Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_str(""),
    }
}

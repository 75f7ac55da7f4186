//! Events as the websocket messages that carry them.

use super::{Protocol, frame, settings::Dialect};
use crate::{
    event::{Event, json, text},
    hub::batch::{Batch, Encoded, Slot},
};

/// Returns the frames of a batch, one for each event. All clients of a protocol share them.
pub(super) fn frames<'b>(batch: &'b Batch, protocol: Protocol, dialect: &Dialect) -> &'b Encoded {
    let (slot, size) = match protocol {
        Protocol::Ws1 => (Slot::Text, 160),
        Protocol::Ws2 => (Slot::Json, 512),
    };
    let mut payload = Vec::new();
    batch.encoded(slot, size, |event, out| {
        payload.clear();
        encode(event, protocol, dialect, &mut payload);
        frame::text(&payload, out);
    })
}

/// Appends the message that carries an event.
pub(super) fn encode(event: &Event, protocol: Protocol, dialect: &Dialect, out: &mut Vec<u8>) {
    match protocol {
        Protocol::Ws1 => encode_ws1(event, out),
        Protocol::Ws2 => {
            out.extend_from_slice(b"{\"type\":\"");
            out.extend_from_slice(dialect.ws2_event_type.as_bytes());
            out.extend_from_slice(b"\",\"event\":");
            json::encode(event, dialect.ws2_event_keys, out);
            out.push(b'}');
        }
    }
}

/// Appends the ws1 message that carries an event.
pub fn encode_ws1(event: &Event, out: &mut Vec<u8>) {
    out.extend_from_slice(b"E;");
    text::encode(event, out);
}

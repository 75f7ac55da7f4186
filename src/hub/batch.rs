//! Events on their way to the clients, encoded once for each protocol.

use std::sync::OnceLock;

use bytes::Bytes;

use super::frame;
use crate::event::{
    Event,
    json::{self, Keys},
    text,
};

/// Appends the ws1 message that carries an event.
pub fn ws1_event(event: &Event, out: &mut Vec<u8>) {
    out.extend_from_slice(b"E;");
    text::encode(event, out);
}

/// Appends the ws2 message that carries an event.
pub fn ws2_event(event: &Event, message_type: &str, keys: Keys, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(message_type.as_bytes());
    out.extend_from_slice(b"\",\"event\":");
    json::encode(event, keys, out);
    out.push(b'}');
}

/// An event and where it came from.
#[derive(Clone, Debug)]
pub struct Routed {
    /// The event.
    pub event: Event,
    /// Where it came from, and does not go back to.
    pub origin: Endpoint,
}

/// Where events come from and go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// VSCPWrite and VSCPRead.
    Host,
    /// A client, by the number of its connection.
    Client(u32),
    /// A CAN bus, by its index.
    Bus(usize),
    /// The driver itself.
    Driver,
}

/// Neighbouring events, with the websocket frames that carry them.
#[derive(Debug)]
pub struct Batch {
    events: Vec<Routed>,
    from_clients: bool,
    ws1: OnceLock<Frames>,
    ws2: OnceLock<Frames>,
}

/// Complete websocket frames, one for each event of a batch.
#[derive(Debug)]
pub struct Frames {
    bytes: Bytes,
    ends: Vec<u32>,
}

impl Batch {
    /// A batch of events in their order.
    pub fn new(events: Vec<Routed>) -> Self {
        Self {
            from_clients: events
                .iter()
                .any(|routed| matches!(routed.origin, Endpoint::Client(_))),
            events,
            ws1: OnceLock::new(),
            ws2: OnceLock::new(),
        }
    }

    /// The events.
    pub fn events(&self) -> &[Routed] {
        &self.events
    }

    /// Whether some of the events came from clients, who do not get them back.
    pub fn from_clients(&self) -> bool {
        self.from_clients
    }

    /// Whether some of the events may be for a reader: nothing goes back to where it came from,
    /// or from bus to bus.
    pub fn concerns(&self, reader: Endpoint) -> bool {
        self.events.iter().any(|routed| match reader {
            Endpoint::Bus(_) => !matches!(routed.origin, Endpoint::Bus(_)),
            _ => routed.origin != reader,
        })
    }

    /// About how many bytes it keeps in memory at the most.
    pub fn weight(&self) -> usize {
        // Text and both JSON key families need up to 13 bytes for a byte of data.
        let data: usize = self
            .events
            .iter()
            .map(|routed| routed.event.data.len())
            .sum();
        self.events.len() * 700 + data * 14
    }

    /// The frames for ws1 clients.
    pub fn ws1(&self) -> &Frames {
        self.ws1.get_or_init(|| self.encode(160, ws1_event))
    }

    /// The frames for ws2 clients: the `type` of the messages and the keys of their events are
    /// the same for all.
    pub fn ws2(&self, message_type: &str, keys: Keys) -> &Frames {
        self.ws2.get_or_init(|| {
            self.encode(512, |event, out| ws2_event(event, message_type, keys, out))
        })
    }

    fn encode(&self, size: usize, mut encode: impl FnMut(&Event, &mut Vec<u8>)) -> Frames {
        let mut bytes = Vec::with_capacity(self.events.len() * size);
        let mut payload = Vec::with_capacity(size);
        let mut ends = Vec::with_capacity(self.events.len());
        for routed in &self.events {
            payload.clear();
            encode(&routed.event, &mut payload);
            frame::text(&payload, &mut bytes);
            // A batch is far smaller than 4 GiB.
            ends.push(bytes.len() as u32);
        }
        Frames {
            bytes: bytes.into(),
            ends,
        }
    }
}

impl Frames {
    /// All frames.
    pub fn all(&self) -> Bytes {
        self.bytes.clone()
    }

    /// The frames of the events `from..to`, not copied.
    pub fn range(&self, from: usize, to: usize) -> Bytes {
        let start = match from {
            0 => 0,
            _ => self.ends[from - 1] as usize,
        };
        let end = match to {
            0 => 0,
            _ => self.ends[to - 1] as usize,
        };
        self.bytes.slice(start..end)
    }
}

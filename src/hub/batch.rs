//! Events on their way to the readers, encoded once for all who want the same form.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use bytes::Bytes;

use crate::event::Event;

/// An event and where it came from.
#[derive(Clone, Debug)]
pub struct Routed {
    /// The event.
    pub event: Event,
    /// Its origin, which does not receive it.
    pub origin: Endpoint,
}

impl Routed {
    /// Returns true if the event is for this reader: nothing goes back to where it came from, or
    /// from bus to bus, and a reply goes to the client alone that has asked.
    pub fn is_for(&self, reader: Endpoint) -> bool {
        match (self.origin, reader) {
            (Endpoint::DriverTo(client), reader) => reader == Endpoint::Client(client),
            (Endpoint::Bus(_), Endpoint::Bus(_)) => false,
            (origin, reader) => origin != reader,
        }
    }
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
    /// The driver itself, in reply to the client with this number.
    DriverTo(u32),
    /// The recorder of the history. Nothing comes from there.
    Monitor,
}

/// The bytes that the batches of a driver take, all together.
#[derive(Debug, Default)]
pub struct BatchMemory(AtomicUsize);

impl BatchMemory {
    /// Returns about how many bytes the batches take that are still referenced.
    pub fn used(&self) -> usize {
        self.0.load(Relaxed)
    }
}

/// Neighbouring events, with a slot for each form that they are sent in.
#[derive(Debug)]
pub struct Batch {
    events: Vec<Routed>,
    for_all_clients: bool,
    weight: usize,
    memory: Arc<BatchMemory>,
    text: OnceLock<Encoded>,
    json: OnceLock<Encoded>,
}

/// Names one encoded form of a batch. The first reader that needs a form fills its slot; all who
/// use a slot must fill it alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// For a form in text.
    Text,
    /// For a form in JSON.
    Json,
}

/// The events of a batch in one form, one behind the other.
#[derive(Debug)]
pub struct Encoded {
    bytes: Bytes,
    /// Where each event ends.
    ends: Vec<u32>,
}

impl Batch {
    /// Makes a batch of events in their order, whose bytes are counted in `memory`.
    pub fn new(events: Vec<Routed>, memory: &Arc<BatchMemory>) -> Self {
        let weight = weight(&events);
        memory.0.fetch_add(weight, Relaxed);
        Self {
            for_all_clients: events
                .iter()
                .all(|routed| matches!(routed.origin, Endpoint::Host | Endpoint::Bus(_))),
            events,
            weight,
            memory: memory.clone(),
            text: OnceLock::new(),
            json: OnceLock::new(),
        }
    }

    /// Returns the events.
    pub fn events(&self) -> &[Routed] {
        &self.events
    }

    /// Returns true if every client gets all events. That is so if none of them came from a client,
    /// which would not get it back, and none is a reply of the driver to one client.
    pub fn is_for_all_clients(&self) -> bool {
        self.for_all_clients
    }

    /// Returns about how many bytes its events take, without the forms that they are sent in.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Returns a new batch of the events at `indices`.
    pub fn only(&self, indices: impl Iterator<Item = usize>) -> Self {
        let events = indices.map(|index| self.events[index].clone()).collect();
        Self::new(events, &self.memory)
    }

    /// Returns the encoded events in `slot`. The first call for a slot encodes them: `encode`
    /// appends one event, of about `size` bytes.
    pub fn encoded(
        &self,
        slot: Slot,
        size: usize,
        mut encode: impl FnMut(&Event, &mut Vec<u8>),
    ) -> &Encoded {
        let place = match slot {
            Slot::Text => &self.text,
            Slot::Json => &self.json,
        };
        place.get_or_init(|| {
            let mut bytes = Vec::with_capacity(self.events.len() * size);
            let mut ends = Vec::with_capacity(self.events.len());
            for routed in &self.events {
                encode(&routed.event, &mut bytes);
                // A batch is far smaller than 4 GiB.
                ends.push(bytes.len() as u32);
            }
            self.memory.0.fetch_add(bytes.len(), Relaxed);
            Encoded {
                bytes: bytes.into(),
                ends,
            }
        })
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let encoded = [&self.text, &self.json].map(|form| form.get().map_or(0, Encoded::len));
        let bytes = self.weight + encoded.iter().sum::<usize>();
        self.memory.0.fetch_sub(bytes, Relaxed);
    }
}

impl Encoded {
    fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the bytes of the events `from..to`, not copied.
    pub fn range(&self, from: usize, to: usize) -> Bytes {
        if from >= to {
            return Bytes::new();
        }
        let start = match from {
            0 => 0,
            _ => self.ends[from - 1] as usize,
        };
        self.bytes.slice(start..self.ends[to - 1] as usize)
    }
}

/// Bytes that events take.
fn weight(events: &[Routed]) -> usize {
    let data: usize = events.iter().map(|routed| routed.event.data.len()).sum();
    size_of_val(events) + data
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::text;

    #[test]
    fn the_memory_of_batches_is_that_of_those_that_are_there() {
        let memory = Arc::new(BatchMemory::default());
        let event = text::parse("0,20,3,,,,-,1,2").unwrap();
        let origin = Endpoint::Host;
        let batch = Batch::new(vec![Routed { event, origin }; 3], &memory);
        let part = batch.only([1].into_iter());
        assert_eq!(memory.used(), batch.weight() + part.weight());
        assert_eq!(batch.weight(), 3 * part.weight());
        let events = memory.used();
        batch.encoded(Slot::Text, 10, |_, out| out.extend_from_slice(&[b'x'; 100]));
        assert_eq!(memory.used(), events + 300);
        drop(batch);
        drop(part);
        assert_eq!(memory.used(), 0);
    }
}

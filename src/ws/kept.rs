//! Events that are kept for a client until it takes them.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    event::Event,
    hub::batch::{Batch, Endpoint},
    metrics::Counters,
};

/// A bounded queue. When it is full the newest events are dropped; losses are counted, and
/// logged once for each time that it was full, not once for each event.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The number of the client.
    client: u32,
    events: VecDeque<Event>,
    limit: usize,
    /// Events for which there was no room since it was last full.
    dropped: u64,
    /// Events that the hub passed over since the client last kept up.
    passed_over: u64,
    counters: Arc<Counters>,
}

impl Kept {
    /// A queue for at most `limit` events.
    pub(crate) fn new(client: u32, limit: usize, counters: Arc<Counters>) -> Self {
        Self {
            client,
            events: VecDeque::new(),
            limit,
            dropped: 0,
            passed_over: 0,
            counters,
        }
    }

    /// Keeps the events that the client did not send itself and that it `receives`.
    pub(crate) fn keep(&mut self, batch: &Batch, receives: impl Fn(&Event) -> bool) {
        let client = Endpoint::Client(self.client);
        for routed in batch.events() {
            if routed.origin == client || !receives(&routed.event) {
                continue;
            }
            if self.events.len() < self.limit {
                self.events.push_back(routed.event.clone());
                self.counters.kept.raise(1);
                continue;
            }
            if self.dropped == 0 {
                tracing::warn!(
                    "client {}: {} events are kept until it takes them, newer ones are dropped",
                    self.client,
                    self.events.len()
                );
            }
            self.dropped += 1;
            self.counters.dropped_closed.add(1);
        }
    }

    /// The next event, and no longer kept.
    pub(crate) fn take(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.counters.kept.lower(1);
        self.counters.to_clients.add(1);
        if self.events.is_empty() {
            self.clear();
        }
        Some(event)
    }

    /// How many are kept.
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether none is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Drops what is kept, and gives its memory back.
    pub(crate) fn clear(&mut self) {
        self.counters.kept.lower(self.events.len());
        self.events = VecDeque::new();
        if self.dropped > 0 {
            let count = std::mem::take(&mut self.dropped);
            tracing::warn!("client {}: {count} events dropped", self.client);
        }
    }

    /// Counts events that the hub passed over.
    pub(crate) fn note_passed_over(&mut self, count: u64) {
        if count == 0 {
            return;
        }
        if self.passed_over == 0 {
            tracing::warn!(
                "client {}: takes its events too slowly, some are dropped",
                self.client
            );
        }
        self.passed_over += count;
        self.counters.dropped_slow.add(count);
    }

    /// Says that the client has taken all that the hub has.
    pub(crate) fn note_kept_up(&mut self) {
        if self.passed_over > 0 {
            let count = std::mem::take(&mut self.passed_over);
            tracing::warn!("client {}: {count} events dropped, too slow", self.client);
        }
    }
}

/// What was lost and not logged yet is logged.
impl Drop for Kept {
    fn drop(&mut self) {
        self.note_kept_up();
        self.clear();
    }
}

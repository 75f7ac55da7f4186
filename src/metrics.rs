//! Counters of what passes and of what is dropped.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// A counter that many threads add to.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The counters of one driver.
#[derive(Debug, Default)]
pub struct Counters {
    /// Events that the host wrote.
    pub from_host: Counter,
    /// Of these, events that it had been given before.
    pub echoes: Counter,
    /// Events that the host was given.
    pub to_host: Counter,
    /// Events that clients sent and that were accepted.
    pub from_clients: Counter,
    /// Events written to clients, each client counted.
    pub to_clients: Counter,
    /// Events refused because the host's queue was full.
    pub refused_full: Counter,
    /// Events refused because they were larger than the host can take.
    pub refused_large: Counter,
    /// Events dropped because a client did not take them.
    pub dropped_slow: Counter,
    /// Events dropped because the queue of a client that had not opened was full.
    pub dropped_closed: Counter,
    /// Websocket clients that were let in.
    pub clients: Counter,
    /// Connections that were turned away because there were too many.
    pub turned_away: Counter,
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "events: {} from the host ({} echoes), {} to it, {} from clients, {} to clients; \
             refused: {} host queue full, {} too large; dropped: {} slow clients, {} queues of \
             closed clients full; clients: {}, turned away: {}",
            self.from_host.get(),
            self.echoes.get(),
            self.to_host.get(),
            self.from_clients.get(),
            self.to_clients.get(),
            self.refused_full.get(),
            self.refused_large.get(),
            self.dropped_slow.get(),
            self.dropped_closed.get(),
            self.clients.get(),
            self.turned_away.get(),
        )
    }
}

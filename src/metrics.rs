//! Counters of what passes and of what is dropped.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

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

/// Tells when something that may happen often is to be logged: at once, then with the number of
/// times at most every ten seconds.
#[derive(Debug, Default)]
pub struct Burst(Mutex<(Option<Instant>, u64)>);

impl Burst {
    /// Counts `count` times; how often it has happened since it was last logged, where it is to
    /// be logged now.
    pub fn hit(&self, count: u64, now: Instant) -> Option<u64> {
        const INTERVAL: Duration = Duration::from_secs(10);
        let mut guard = self.0.lock();
        let (logged, pending) = &mut *guard;
        *pending += count;
        if logged.is_some_and(|logged| now.saturating_duration_since(logged) < INTERVAL) {
            return None;
        }
        *logged = Some(now);
        Some(std::mem::take(pending))
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
    /// CAN frames received, whatever became of them.
    pub can_received: Counter,
    /// CAN frames sent.
    pub can_sent: Counter,
    /// CAN frames received that are not VSCP: 11-bit and remote ones.
    pub can_ignored: Counter,
    /// Error frames received.
    pub can_errors: Counter,
    /// Events for a bus that no CAN frame can carry, or that its interface does not take.
    pub can_refused: Counter,
    /// Events for a bus that were dropped because its queue was full, or when the driver closed.
    pub can_dropped: Counter,
    /// CAN frames that the kernel dropped because they were not read fast enough.
    pub can_lost: Counter,
    /// Events of a bus that clients got and the host did not: its queue was full, or they were
    /// too large for it.
    pub can_not_to_host: Counter,
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "events: {} from the host ({} echoes), {} to it, {} from clients, {} to clients; \
             refused: {} host queue full, {} too large; dropped: {} slow clients, {} queues of \
             closed clients full; clients: {}, turned away: {}; CAN frames: {} received ({} \
             ignored, {} error frames, {} not given to the host, {} lost in the kernel), {} sent \
             ({} refused, {} dropped)",
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
            self.can_received.get(),
            self.can_ignored.get(),
            self.can_errors.get(),
            self.can_not_to_host.get(),
            self.can_lost.get(),
            self.can_sent.get(),
            self.can_refused.get(),
            self.can_dropped.get(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_logged_at_its_start_and_then_every_ten_seconds_with_its_count() {
        let burst = Burst::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(burst.hit(1, at(0)), Some(1));
        assert_eq!(burst.hit(2, at(1)), None);
        assert_eq!(burst.hit(3, at(9)), None);
        assert_eq!(burst.hit(1, at(10)), Some(6));
        assert_eq!(burst.hit(1, at(40)), Some(1));
    }
}

//! Records that wait to be stored.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use super::{Origin, Sensor};
use crate::event::Event;

/// The largest number of records that wait.
pub(super) const MAX_RECORDS: usize = 1 << 14;

/// The number of records from which on they are not gathered any longer.
const ENOUGH: usize = MAX_RECORDS / 8;

/// Something to store.
#[derive(Clone, Debug)]
pub(super) enum Record {
    /// A measured value.
    Value(ValueRecord),
    /// An event that measures nothing.
    Event(Box<EventRecord>),
}

/// A measured value.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueRecord {
    /// The sensor.
    pub(super) sensor: Sensor,
    /// When it came, in milliseconds since 1970.
    pub(super) time: i64,
    /// The value.
    pub(super) value: f64,
}

/// An event, when it came and where from.
#[derive(Clone, Debug)]
pub(super) struct EventRecord {
    /// When it came, in milliseconds since 1970.
    pub(super) time: i64,
    /// Where it came from.
    pub(super) origin: Origin,
    /// The event.
    pub(super) event: Event,
}

/// A queue of limited length. Whoever puts something in never waits.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    records: VecDeque<Record>,
    is_closed: bool,
    /// True if a query has found the store broken.
    is_broken: bool,
}

/// The reason that [`Queue::wait`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wake {
    /// There are records.
    Records,
    /// The time is up, or a query has found the store broken.
    Time,
    /// The queue is closed. It may still have records.
    Closed,
}

impl Queue {
    /// Puts records in, and leaves `records` empty. Returns how many there was no room for: the
    /// last ones.
    pub(super) fn push(&self, records: &mut Vec<Record>) -> usize {
        let mut state = self.state.lock();
        let before = state.records.len();
        let mut room = MAX_RECORDS.saturating_sub(before).min(records.len());
        // Asked for first: an allocation that fails would end the host.
        if state.is_closed || state.records.try_reserve(room).is_err() {
            room = 0;
        }
        let dropped = records.len() - room;
        state.records.extend(records.drain(..room));
        records.clear();
        let now = state.records.len();
        drop(state);
        // A thread is woken for the first one, and when it need not wait for more.
        if (before == 0 && now > 0) || (before < ENOUGH && now >= ENOUGH) {
            self.wake.notify_one();
        }
        dropped
    }

    /// Waits until there are records, at most until `until`, and then at most `gather` for more of
    /// them.
    pub(super) fn wait(&self, until: Instant, gather: Duration) -> Wake {
        let mut state = self.state.lock();
        while state.records.is_empty() && !state.is_closed && !state.is_broken {
            if self.wake.wait_until(&mut state, until).timed_out() {
                return Wake::Time;
            }
        }
        if state.is_broken && !state.is_closed {
            return Wake::Time;
        }
        let until = Instant::now() + gather;
        while state.records.len() < ENOUGH && !state.is_closed {
            if self.wake.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        match state.is_closed {
            true => Wake::Closed,
            false => Wake::Records,
        }
    }

    /// Tells the writer that a query has found the store broken.
    pub(super) fn report_broken(&self) {
        self.state.lock().is_broken = true;
        self.wake.notify_one();
    }

    /// Returns true if a query has found the store broken since this was last asked.
    pub(super) fn take_report(&self) -> bool {
        std::mem::take(&mut self.state.lock().is_broken)
    }

    /// Waits, whatever comes, until `until` or until the queue is closed. Returns true if it is.
    pub(super) fn pause(&self, until: Instant) -> bool {
        let mut state = self.state.lock();
        while !state.is_closed {
            if self.wake.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.is_closed
    }

    /// Takes at most `max` records into `records`.
    pub(super) fn take(&self, max: usize, records: &mut Vec<Record>) {
        let mut state = self.state.lock();
        let mut count = max.min(state.records.len());
        if records.try_reserve(count).is_err() {
            count = count.min(records.capacity() - records.len());
        }
        records.extend(state.records.drain(..count));
    }

    /// Wakes the one who waits. Nothing is put in any more.
    pub(super) fn close(&self) {
        self.state.lock().is_closed = true;
        self.wake.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;
    use crate::event::Guid;

    fn records(count: usize) -> Vec<Record> {
        let sensor = Sensor {
            guid: Guid::ZERO,
            kind: 6,
            unit: 0,
            sensor: 0,
            zone: 0,
            subzone: 0,
        };
        let record = |time| {
            Record::Value(ValueRecord {
                sensor,
                time,
                value: 0.0,
            })
        };
        (0..count as i64).map(record).collect()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_there_is_no_room_for_is_dropped_and_told() {
        let queue = Queue::default();
        assert_eq!(queue.push(&mut records(MAX_RECORDS - 1)), 0);
        let mut more = records(3);
        assert_eq!(queue.push(&mut more), 2);
        assert!(more.is_empty());
        let mut taken = Vec::new();
        queue.take(10, &mut taken);
        assert_eq!(taken.len(), 10);
        assert_eq!(queue.push(&mut records(11)), 1);
        queue.close();
        assert_eq!(queue.push(&mut records(1)), 1);
    }

    #[test]
    fn the_writer_is_woken_by_what_comes_by_time_and_by_the_end() {
        let queue = Arc::new(Queue::default());
        let soon = || Instant::now() + Duration::from_millis(5);
        assert_eq!(queue.wait(soon(), LONG), Wake::Time);
        let wait = || {
            let queue = queue.clone();
            thread::spawn(move || queue.wait(Instant::now() + LONG, LONG))
        };
        let waiting = wait();
        queue.push(&mut records(ENOUGH - 1));
        queue.push(&mut records(1));
        assert_eq!(waiting.join().unwrap(), Wake::Records);
        assert!(!queue.pause(soon()));
        queue.take(usize::MAX, &mut Vec::new());
        let waiting = wait();
        queue.push(&mut records(1));
        queue.close();
        assert_eq!(waiting.join().unwrap(), Wake::Closed);
        assert!(queue.pause(Instant::now() + LONG));
    }
}

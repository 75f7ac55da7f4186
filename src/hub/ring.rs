//! The ring of batches that all sessions and buses read, each with a cursor of its own.
//!
//! A batch is kept until every reader has taken it, so memory does not grow with the number of
//! readers. The ring is limited in events and in bytes. Where it is full the writer waits for
//! the slowest readers, so that a fast host is held back instead of clients losing events; but
//! only for readers that take at least [`SLOWEST_RATE`] events a second. A slower one is passed
//! over: it loses the oldest events, which are counted, and nobody else notices it.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};
use tokio::{sync::Notify, time::Instant};

use super::batch::{Batch, Endpoint};

/// Events a second that a reader must take to be waited for.
const SLOWEST_RATE: u32 = 1000;

/// How long a reader that has fallen behind is waited for at the most.
const PATIENCE: Duration = Duration::from_secs(1);

/// The ring, shared by its one writer and its readers.
#[derive(Debug)]
pub(super) struct Ring {
    state: Mutex<State>,
    /// Told when room has been made for a writer that waits.
    room: Notify,
    max_events: usize,
    max_weight: usize,
}

#[derive(Debug, Default)]
struct State {
    log: Log,
    readers: HashMap<Endpoint, Reader>,
    /// Whether the writer waits for room.
    writer_waits: bool,
    /// Whether the writer has ended.
    ended: bool,
}

/// The batches that some reader has not taken.
#[derive(Debug, Default)]
struct Log {
    slots: VecDeque<Slot>,
    /// Number of the first slot.
    first: u64,
    events: usize,
    weight: usize,
}

#[derive(Debug)]
struct Slot {
    batch: Arc<Batch>,
    /// How many readers have not taken it.
    unread: usize,
}

#[derive(Debug)]
struct Reader {
    /// Number of the slot that it takes next.
    next: u64,
    /// Set while it waits for a batch.
    waker: Option<Waker>,
    /// Events that it was passed over with since it last asked.
    lost: u64,
    /// Until when the writer waits for it.
    patience: Instant,
}

impl Ring {
    /// A ring for at most `max_events` events that need about `max_weight` bytes.
    pub(super) fn new(max_events: usize, max_weight: usize) -> Self {
        Self {
            state: Mutex::default(),
            room: Notify::new(),
            max_events,
            max_weight,
        }
    }

    /// Adds a batch for everybody who reads now. Waits where the ring is full.
    pub(super) async fn publish(&self, batch: Batch) {
        let batch = Arc::new(batch);
        loop {
            let room = self.room.notified();
            let Err(until) = self.try_publish(&batch) else {
                return;
            };
            // Either is a reason to look again.
            let _ = tokio::time::timeout_at(until, room).await;
        }
    }

    /// Starts to read, with the next batch that is published. An endpoint reads once.
    pub(super) fn subscribe(self: &Arc<Self>, reader: Endpoint) -> Subscription {
        let mut state = self.state.lock();
        let cursor = Reader {
            next: state.log.end(),
            waker: None,
            lost: 0,
            patience: Instant::now() + PATIENCE,
        };
        state.readers.insert(reader, cursor);
        Subscription {
            ring: self.clone(),
            reader,
        }
    }

    /// Tells the readers that nothing more is published.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.ended = true;
        let wakers: Vec<_> = state
            .readers
            .values_mut()
            .filter_map(|reader| reader.waker.take())
            .collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// How many events some reader has not taken.
    pub(super) fn len(&self) -> usize {
        self.state.lock().log.events
    }

    fn try_publish(&self, batch: &Arc<Batch>) -> Result<(), Instant> {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if state.readers.is_empty() {
            return Ok(());
        }
        let events = batch.events().len();
        let weight = batch.weight();
        let now = Instant::now();
        // A batch that is larger than the ring still goes into an empty one.
        while !state.log.slots.is_empty()
            && (state.log.events + events > self.max_events
                || state.log.weight + weight > self.max_weight)
        {
            if let Some(until) = state.pass_over_slow_readers(now) {
                state.writer_waits = true;
                return Err(until);
            }
        }
        state.writer_waits = false;
        state.log.events += events;
        state.log.weight += weight;
        let number = state.log.end();
        let mut unread = 0;
        let mut wakers = Vec::new();
        for (endpoint, reader) in &mut state.readers {
            // A reader that has read all is not woken for what it has sent itself.
            if reader.next == number && !batch.concerns(*endpoint) {
                reader.next += 1;
                continue;
            }
            unread += 1;
            if let Some(waker) = reader.waker.take() {
                reader.patience = now + PATIENCE;
                wakers.push(waker);
            }
        }
        state.log.slots.push_back(Slot {
            batch: batch.clone(),
            unread,
        });
        state.log.remove_read();
        drop(guard);
        wakers.into_iter().for_each(Waker::wake);
        Ok(())
    }
}

impl State {
    /// Takes the first slot away from readers that were waited for long enough; the time to
    /// wait until where there is one that was not.
    fn pass_over_slow_readers(&mut self, now: Instant) -> Option<Instant> {
        let first = self.log.first;
        let slowest = self
            .readers
            .values_mut()
            .filter(|reader| reader.next == first);
        let mut passed = 0;
        let mut wait_until = None;
        for reader in slowest {
            if reader.patience > now {
                wait_until = wait_until.max(Some(reader.patience));
            } else {
                reader.next += 1;
                reader.lost += self.log.slots[0].batch.events().len() as u64;
                passed += 1;
            }
        }
        self.log.slots[0].unread -= passed;
        self.log.remove_read();
        wait_until
    }
}

impl Log {
    /// Counts the slots `from..to` as taken by one reader.
    fn take(&mut self, from: u64, to: u64) {
        for number in from..to {
            self.slots[(number - self.first) as usize].unread -= 1;
        }
        self.remove_read();
    }

    fn remove_read(&mut self) {
        while let Some(slot) = self.slots.front()
            && slot.unread == 0
        {
            self.events -= slot.batch.events().len();
            self.weight -= slot.batch.weight();
            self.first += 1;
            self.slots.pop_front();
        }
    }

    fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }
}

/// A reader of a [`Ring`]; ends with its drop.
#[derive(Debug)]
pub struct Subscription {
    ring: Arc<Ring>,
    reader: Endpoint,
}

impl Subscription {
    /// Takes the next batches, at most `max`, into `batches`. Ready with the number of events
    /// that this reader was passed over with before them.
    pub fn poll_take(
        &self,
        context: &Context<'_>,
        max: usize,
        batches: &mut Vec<Arc<Batch>>,
    ) -> Poll<u64> {
        let mut guard = self.ring.state.lock();
        let State { log, readers, .. } = &mut *guard;
        let Some(reader) = readers.get_mut(&self.reader) else {
            return Poll::Pending;
        };
        let end = log.end().min(reader.next + max as u64);
        if reader.next == end && reader.lost == 0 {
            reader.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        let mut events = 0;
        for number in reader.next..end {
            let batch = &log.slots[(number - log.first) as usize].batch;
            events += batch.events().len() as u32;
            batches.push(batch.clone());
        }
        let now = Instant::now();
        let earned = Duration::from_secs(1) * events / SLOWEST_RATE;
        // Many at once must not earn less than the same in small parts.
        let most = PATIENCE.max(earned);
        reader.patience = (reader.patience.max(now) + earned).min(now + most);
        let lost = std::mem::take(&mut reader.lost);
        let from = std::mem::replace(&mut reader.next, end);
        log.take(from, end);
        self.wake_writer(guard);
        Poll::Ready(lost)
    }

    /// Whether nothing more will be published. There may be batches that were not taken yet.
    pub fn has_ended(&self) -> bool {
        self.ring.state.lock().ended
    }

    /// Gives up all that was published and not taken yet: so many events, with those that this
    /// reader was passed over with.
    pub fn clear(&self) -> u64 {
        let mut guard = self.ring.state.lock();
        let State { log, readers, .. } = &mut *guard;
        let mut given_up = 0;
        if let Some(reader) = readers.get_mut(&self.reader) {
            given_up = std::mem::take(&mut reader.lost);
            let from = std::mem::replace(&mut reader.next, log.end());
            let slots = log.slots.range((from - log.first) as usize..);
            given_up += slots
                .map(|slot| slot.batch.events().len() as u64)
                .sum::<u64>();
            log.take(from, log.end());
        }
        self.wake_writer(guard);
        given_up
    }

    /// Lets the writer look whether there is room now.
    fn wake_writer(&self, state: MutexGuard<'_, State>) {
        let waits = state.writer_waits;
        drop(state);
        if waits {
            self.ring.room.notify_one();
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut guard = self.ring.state.lock();
        let State { log, readers, .. } = &mut *guard;
        if let Some(reader) = readers.remove(&self.reader) {
            log.take(reader.next, log.end());
        }
        self.wake_writer(guard);
    }
}

#[cfg(test)]
mod tests;

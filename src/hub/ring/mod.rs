//! The ring that all readers take events from, each with a cursor of its own.
//!
//! Behind the sealed batches there is an open one. Whoever brings an event puts it there; if a
//! reader is parked the batch is sealed at once and the readers are woken, so that a lone event is
//! under way with one wake-up. If none is parked the event stays in the open batch until the next
//! reader comes by and seals it: under load events gather by themselves, and nobody is woken.
//!
//! Readers are tasks of the driver that take whatever is there, whatever their clients do (what a
//! client does not take waits in its own backlog). So the ring is full only if the driver's tasks
//! have not got the processor, and then those who bring events wait for them.

mod log;
mod readers;
mod subscription;
#[cfg(test)]
mod tests;

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use tokio::{sync::Notify, task::yield_now};

pub use self::subscription::Subscription;
use self::{log::Log, readers::Readers};
use super::batch::{Batch, BatchMemory, Endpoint, Routed};
use crate::sync::{Condvar, Instant, Mutex, MutexGuard};

/// Readers that a task wakes before others get their turn: each may write to its socket meanwhile.
const MAX_WAKERS_PER_POLL: usize = 64;

/// How much the ring takes.
#[derive(Clone, Copy, Debug)]
pub struct RingLimits {
    /// Events of one batch: enough to make the cost of a write small, few enough to start early.
    pub batch: usize,
    /// Events that the host may bring before the slowest reader has taken them.
    pub host: usize,
    /// Events that may be on the ring before clients and buses have to wait. The limit is higher
    /// than `host`, so that they need not wait if the host has filled its part.
    pub others: usize,
    /// Bytes that the batches may take until every reader has taken them, however few events they
    /// are.
    pub weight: usize,
    /// Readers that are woken by the producer, which may write to their sockets for that. More are
    /// woken by a task of the runtime, so that the host's thread is not held up.
    pub woken_directly: usize,
}

impl Default for RingLimits {
    fn default() -> Self {
        Self {
            batch: 256,
            host: 4096,
            others: 16_384,
            weight: 4 << 20,
            woken_directly: 16,
        }
    }
}

/// The ring, shared by all who bring events and all readers.
#[derive(Debug)]
pub(super) struct Ring {
    state: Mutex<State>,
    /// Told if there is room for the host's threads that wait, or the ring is closed.
    room: Condvar,
    /// Told if there are readers to wake for [`wake_readers`](Self::wake_readers).
    wake: Notify,
    memory: Arc<BatchMemory>,
    limits: RingLimits,
}

/// The ring is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closed;

/// Why an event of the host was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// No room was made in time.
    Full,
    /// The ring is closed.
    Closed,
}

#[derive(Debug, Default)]
struct State {
    log: Log,
    /// Events behind the log that are not sealed yet.
    open: Vec<Routed>,
    /// Events that were added, also those that nobody read.
    added: u64,
    readers: Readers,
    /// Readers that [`Ring::wake_readers`] is to wake.
    to_wake: Vec<Waker>,
    /// Threads of the host that wait for room.
    waiting_threads: usize,
    /// Tasks that wait for room.
    waiting_tasks: Vec<Waker>,
    closed: bool,
}

impl Ring {
    /// Makes an empty ring, whose batches are counted in `memory`.
    pub(super) fn new(memory: Arc<BatchMemory>, limits: RingLimits) -> Self {
        Self {
            state: Mutex::default(),
            room: Condvar::new(),
            wake: Notify::new(),
            memory,
            limits,
        }
    }

    /// Adds an event of the host, for everybody who reads now. Waits for room until `deadline`
    /// (`None`: as long as it takes).
    pub(super) fn push_from_host(
        &self,
        routed: Routed,
        deadline: impl FnOnce() -> Option<Instant>,
    ) -> Result<(), NotTaken> {
        let mut state = self.state.lock();
        if !self.has_room(&state, self.limits.host) {
            let deadline = deadline();
            state.waiting_threads += 1;
            while !self.has_room(&state, self.limits.host) && !state.closed {
                let timed_out = match deadline {
                    Some(deadline) => self.room.wait_until(&mut state, deadline).timed_out(),
                    None => {
                        self.room.wait(&mut state);
                        false
                    }
                };
                if timed_out && !self.has_room(&state, self.limits.host) {
                    state.waiting_threads -= 1;
                    return Err(NotTaken::Full);
                }
            }
            state.waiting_threads -= 1;
        }
        if state.closed {
            return Err(NotTaken::Closed);
        }
        self.add(state, [routed]);
        Ok(())
    }

    /// Returns for how many more events of others than the host there is room; pending if there is
    /// none, and `context` is woken when there is.
    pub(super) fn poll_room(&self, context: &Context<'_>) -> Poll<Result<usize, Closed>> {
        let mut state = self.state.lock();
        if state.closed {
            return Poll::Ready(Err(Closed));
        }
        if !self.has_room(&state, self.limits.others) {
            let waker = context.waker();
            if !state.waiting_tasks.iter().any(|one| one.will_wake(waker)) {
                state.waiting_tasks.push(waker.clone());
            }
            return Poll::Pending;
        }
        Poll::Ready(Ok(self.limits.others - state.len()))
    }

    /// Adds events for everybody who reads now, whether or not there is room.
    pub(super) fn push(&self, events: impl IntoIterator<Item = Routed>) -> Result<(), Closed> {
        let state = self.state.lock();
        if state.closed {
            return Err(Closed);
        }
        self.add(state, events);
        Ok(())
    }

    /// Starts to read, with the next event that is pushed.
    pub(super) fn subscribe(self: &Arc<Self>, endpoint: Endpoint) -> Subscription {
        let index = self.state.lock().insert_reader(self, endpoint);
        Subscription {
            ring: self.clone(),
            index,
            endpoint,
            paused: None,
        }
    }

    /// Takes no more events, and wakes all who wait.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let mut wakers = mem::take(&mut state.waiting_tasks);
        wakers.append(&mut state.to_wake);
        wakers.extend(state.readers.take_all_parked());
        drop(state);
        self.room.notify_all();
        self.wake.notify_one();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Returns how many events some reader has not taken.
    pub(super) fn len(&self) -> usize {
        self.state.lock().len()
    }

    /// Wakes the readers in `to_wake` whenever there are some, [`MAX_WAKERS_PER_POLL`] at a time.
    /// Returns when the ring is closed. One task of the runtime runs this.
    pub(super) async fn wake_readers(&self) {
        loop {
            self.wake.notified().await;
            let (wakers, closed) = {
                let mut state = self.state.lock();
                (mem::take(&mut state.to_wake), state.closed)
            };
            let mut wakers = wakers.into_iter().peekable();
            while wakers.peek().is_some() {
                wakers
                    .by_ref()
                    .take(MAX_WAKERS_PER_POLL)
                    .for_each(Waker::wake);
                yield_now().await;
            }
            if closed {
                return;
            }
        }
    }

    fn has_room(&self, state: &State, max: usize) -> bool {
        state.len() < max && state.log.weight < self.limits.weight
    }

    fn add(&self, mut state: MutexGuard<'_, State>, events: impl IntoIterator<Item = Routed>) {
        if state.readers.is_empty() {
            state.added += events.into_iter().count() as u64;
            return;
        }
        let from = state.open.len();
        state.open.extend(events);
        state.added += (state.open.len() - from) as u64;
        // If the ring is half full all readers are woken. Else a reader is not woken for events
        // that it does not get, such as its own; but they keep their room until it has taken them.
        let RingLimits { host, weight, .. } = self.limits;
        let fills_up = state.len() >= host / 2 || state.log.weight >= weight / 2;
        let State {
            open,
            readers,
            to_wake,
            ..
        } = &mut *state;
        let mut wakers = readers.take_parked(&open[from..], fills_up);
        let many = wakers.len() > self.limits.woken_directly;
        if many {
            to_wake.extend(wakers.drain(self.limits.woken_directly..));
        }
        if !wakers.is_empty() || many || open.len() >= self.limits.batch {
            state.seal(self);
        }
        drop(state);
        if many {
            self.wake.notify_one();
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Wakes the threads and tasks that wait for room, if there is room now.
    fn wake_waiting(&self, mut state: MutexGuard<'_, State>) {
        // The host's threads are woken only when half of their room is free, not after each batch,
        // so that they can add several events before they wait again.
        let threads = state.waiting_threads > 0 && self.has_room(&state, self.limits.host / 2);
        let tasks = if self.has_room(&state, self.limits.host) {
            mem::take(&mut state.waiting_tasks)
        } else {
            Vec::new()
        };
        drop(state);
        if threads {
            self.room.notify_all();
        }
        tasks.into_iter().for_each(Waker::wake);
    }
}

impl State {
    fn len(&self) -> usize {
        self.log.events + self.open.len()
    }

    /// Adds a reader of what comes next, and returns its index.
    fn insert_reader(&mut self, ring: &Ring, endpoint: Endpoint) -> usize {
        self.seal(ring);
        let next = self.log.end();
        self.readers.insert(endpoint, next)
    }

    /// Removes a reader. Returns how many events it has not taken.
    fn remove_reader(&mut self, index: usize) -> u64 {
        let Some(reader) = self.readers.remove(index) else {
            return 0;
        };
        let end = self.log.end();
        let unread = self.log.range(reader.next, end);
        let unread: usize = unread.map(|batch| batch.events().len()).sum();
        let unread = unread + self.open.len();
        self.log.take(reader.next, end);
        if self.readers.is_empty() {
            self.open.clear();
        }
        unread as u64
    }

    /// Makes batches of the open events.
    fn seal(&mut self, ring: &Ring) {
        let max = ring.limits.batch;
        let unread = self.readers.len();
        while !self.open.is_empty() {
            let events = if self.open.len() <= max {
                mem::take(&mut self.open)
            } else {
                let rest = self.open.split_off(max);
                mem::replace(&mut self.open, rest)
            };
            self.log.push(Batch::new(events, &ring.memory), unread);
        }
    }
}

//! A reader's end of the ring.

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use super::{Batch, Endpoint, Ring, State};

/// A reader of the ring; ends when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    pub(super) ring: Arc<Ring>,
    pub(super) index: usize,
    pub(super) endpoint: Endpoint,
    /// Set while the reader is paused: the value of `State::added` at the last event that it has
    /// taken. `None` while it reads.
    pub(super) paused: Option<u64>,
}

impl Subscription {
    /// Takes the next batches, at most `max`, into `batches`; pending if there is none.
    ///
    /// A reader must take whatever is there whenever it is polled, and must not wait for its client
    /// first: those who bring events wait for it.
    pub fn poll_take(
        &self,
        context: &Context<'_>,
        max: usize,
        batches: &mut impl Extend<Arc<Batch>>,
    ) -> Poll<()> {
        let mut guard = self.ring.state.lock();
        let state = &mut *guard;
        let Some(reader) = state.readers.get(self.index) else {
            return Poll::Pending;
        };
        let from = reader.next;
        if state.log.end() - from < max as u64 {
            state.seal(&self.ring);
        }
        let State { log, readers, .. } = state;
        let end = log.end().min(from + max as u64);
        if from == end {
            readers.park(self.index, context.waker());
            return Poll::Pending;
        }
        if let Some(reader) = readers.get_mut(self.index) {
            reader.take_until(end);
        }
        batches.extend(log.range(from, end).cloned());
        log.take(from, end);
        self.ring.wake_waiting(guard);
        Poll::Ready(())
    }

    /// Returns whether there is nothing more to take, now and later.
    pub fn has_ended(&self) -> bool {
        let state = self.ring.state.lock();
        let next = state.readers.get(self.index).map(|reader| reader.next);
        let taken = |next| next == state.log.end() && state.open.is_empty();
        state.closed && next.is_none_or(taken)
    }

    /// Stops to read until [`resume`](Self::resume), and gives up all that was pushed and not taken
    /// yet. What comes meanwhile costs nothing for this reader.
    pub fn pause(&mut self) {
        if self.paused.is_some() {
            return;
        }
        let mut state = self.ring.state.lock();
        let unread = state.remove_reader(self.index);
        self.paused = Some(state.added - unread);
        self.index = usize::MAX;
        self.ring.wake_waiting(state);
    }

    /// Reads again, from the next event on that is pushed. Returns how many have passed since the
    /// last that was taken.
    pub fn resume(&mut self) -> u64 {
        let Some(before) = self.paused.take() else {
            return 0;
        };
        let mut state = self.ring.state.lock();
        self.index = state.insert_reader(&self.ring, self.endpoint);
        state.added - before
    }

    /// Gives up all that was pushed and not taken yet.
    pub fn clear(&self) {
        let mut guard = self.ring.state.lock();
        let state = &mut *guard;
        state.seal(&self.ring);
        let State { log, readers, .. } = state;
        if let Some(reader) = readers.get_mut(self.index) {
            let from = mem::replace(&mut reader.next, log.end());
            log.take(from, log.end());
        }
        self.ring.wake_waiting(guard);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.pause();
    }
}

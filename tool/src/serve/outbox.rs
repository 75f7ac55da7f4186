//! The queue of messages for the broker.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::settings::QueueLimits;

/// A message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) qos: u8,
    pub(super) retain: bool,
}

impl Message {
    /// Bytes that it takes in memory, about.
    fn size(&self) -> usize {
        self.topic.len() + self.payload.len() + 64
    }
}

/// A queue between the thread that reads the driver and the connection. While there is a connection
/// a full queue makes the reader wait; while there is none the oldest messages go.
#[derive(Debug)]
pub(super) struct Outbox {
    state: Mutex<State>,
    /// Wakes the reader.
    has_room: Condvar,
    /// Wakes the connection.
    has_messages: Notify,
}

#[derive(Debug)]
struct State {
    limits: QueueLimits,
    messages: VecDeque<Message>,
    bytes: usize,
    is_connected: bool,
    /// Messages that were dropped.
    dropped: u64,
}

impl Outbox {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self {
            state: Mutex::new(State {
                limits,
                messages: VecDeque::new(),
                bytes: 0,
                is_connected: false,
                dropped: 0,
            }),
            has_room: Condvar::new(),
            has_messages: Notify::new(),
        }
    }

    /// Sets other limits, and drops the oldest messages if there are too many for them.
    pub(super) fn set_limits(&self, limits: QueueLimits) {
        let mut state = self.lock();
        state.limits = limits;
        state.trim();
        drop(state);
        self.has_room.notify_all();
    }

    /// Adds a message. If the queue is full it waits up to `patience` while there is a connection,
    /// and then drops the oldest ones.
    pub(super) fn push(&self, message: Message, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        while state.is_connected && state.is_full() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.has_room.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.bytes += message.size();
        state.messages.push_back(message);
        state.trim();
        drop(state);
        self.has_messages.notify_one();
    }

    /// Takes the first message.
    pub(super) fn pop(&self) -> Option<Message> {
        let mut state = self.lock();
        let message = state.messages.pop_front()?;
        state.bytes -= message.size();
        let has_room = !state.is_full();
        drop(state);
        if has_room {
            self.has_room.notify_all();
        }
        Some(message)
    }

    /// Puts messages back in front of all others, in their order.
    pub(super) fn put_back(&self, messages: Vec<Message>) {
        let mut state = self.lock();
        for message in messages.into_iter().rev() {
            state.bytes += message.size();
            state.messages.push_front(message);
        }
        state.trim();
    }

    /// Takes all messages, for another queue.
    pub(super) fn take_all(&self) -> Vec<Message> {
        let mut state = self.lock();
        state.bytes = 0;
        std::mem::take(&mut state.messages).into()
    }

    /// Waits until there is a message.
    pub(super) async fn wait(&self) {
        loop {
            let notified = self.has_messages.notified();
            if !self.lock().messages.is_empty() {
                return;
            }
            notified.await;
        }
    }

    /// Says whether there is a connection.
    pub(super) fn set_connected(&self, is_connected: bool) {
        self.lock().is_connected = is_connected;
        self.has_room.notify_all();
    }

    /// Returns how many messages wait, and how many were dropped.
    pub(super) fn counts(&self) -> (usize, u64) {
        let state = self.lock();
        (state.messages.len(), state.dropped)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_full(&self) -> bool {
        self.messages.len() >= self.limits.messages || self.bytes >= self.limits.bytes
    }

    /// Drops the oldest messages until the rest is within the limits.
    fn trim(&mut self) {
        while self.messages.len() > self.limits.messages || self.bytes > self.limits.bytes {
            let Some(message) = self.messages.pop_front() else {
                return;
            };
            self.bytes -= message.size();
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn message(number: usize) -> Message {
        Message {
            topic: "t".to_owned(),
            payload: number.to_string().into_bytes(),
            qos: 0,
            retain: false,
        }
    }

    fn outbox(messages: usize, bytes: usize) -> Outbox {
        Outbox::new(QueueLimits { messages, bytes })
    }

    fn rest(outbox: &Outbox) -> Vec<Message> {
        std::iter::from_fn(|| outbox.pop()).collect()
    }

    #[test]
    fn the_oldest_go_if_too_many_wait_and_are_counted() {
        let by_number = outbox(3, 1 << 20);
        let by_bytes = outbox(100, 3 * message(0).size());
        for outbox in [by_number, by_bytes] {
            (0..5).for_each(|number| outbox.push(message(number), NOW));
            assert_eq!(outbox.counts(), (3, 2));
            assert_eq!(rest(&outbox), [2, 3, 4].map(message));
            assert_eq!(outbox.lock().bytes, 0);
        }
    }

    #[test]
    fn other_limits_hold_at_once() {
        let outbox = outbox(3, 1 << 20);
        (0..3).for_each(|number| outbox.push(message(number), NOW));
        let limits = |messages| QueueLimits {
            messages,
            bytes: 1 << 20,
        };
        outbox.set_limits(limits(2));
        assert_eq!(outbox.counts(), (2, 1));
        outbox.set_limits(limits(4));
        (3..6).for_each(|number| outbox.push(message(number), NOW));
        assert_eq!(outbox.counts(), (4, 2));
    }

    #[test]
    fn what_is_put_back_comes_first_and_goes_first() {
        let outbox = outbox(3, 1 << 20);
        outbox.push(message(3), NOW);
        outbox.put_back(vec![message(1), message(2)]);
        outbox.put_back(vec![message(0)]);
        assert_eq!(outbox.counts(), (3, 1));
        assert_eq!(outbox.take_all(), [1, 2, 3].map(message));
        assert_eq!(outbox.counts(), (0, 1));
        assert_eq!(outbox.lock().bytes, 0);
    }

    #[test]
    fn the_reader_waits_for_room_only_while_there_is_a_connection() {
        let outbox = Arc::new(outbox(1, 1 << 20));
        outbox.set_connected(true);
        outbox.push(message(0), NOW);
        let pusher = outbox.clone();
        let thread = thread::spawn(move || pusher.push(message(1), Duration::from_secs(60)));
        // It goes on when there is room, even if it waits already.
        assert_eq!(outbox.pop(), Some(message(0)));
        thread.join().unwrap();
        assert_eq!(outbox.counts(), (1, 0));

        let pusher = outbox.clone();
        let thread = thread::spawn(move || pusher.push(message(2), Duration::from_secs(60)));
        outbox.set_connected(false);
        thread.join().unwrap();
        assert_eq!(outbox.counts(), (1, 1));
    }
}

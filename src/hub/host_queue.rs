//! The bounded queue of the events for VSCPRead.
//!
//! Each origin has a queue of its own, and VSCPRead takes from them in turn, so that a flood of one
//! does not delay the others. If the queue is full, there is a reserve of a quarter for origins
//! that have only a small share of the queue: so the event of a switch still gets in during a flood
//! from another origin.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    time::Duration,
};

use super::batch::Endpoint;
use crate::{
    event::Event,
    sync::{Condvar, Instant, Mutex},
};

/// Events that are taken from one origin before it is the turn of the next.
const EVENTS_PER_TURN: usize = 32;

/// Time without a VSCPRead after which a host with a full queue is taken to hang.
const HANGING_AFTER: Duration = Duration::from_secs(2);

/// The queue.
#[derive(Debug)]
pub(super) struct HostQueue {
    state: Mutex<State>,
    /// Told if there is something to take, or the queue is closed.
    filled: Condvar,
    capacity: usize,
}

/// The reason that an event was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// The host takes events, but not fast enough.
    Full,
    /// The host has taken nothing for long.
    Hanging,
}

/// The reason that pop returned no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoEvent {
    /// None came in time.
    Timeout,
    /// The queue is closed.
    Closed,
}

#[derive(Debug, Default)]
struct State {
    origins: HashMap<Endpoint, VecDeque<Event>>,
    /// The origins that have events, the one whose turn it is first.
    turns: VecDeque<Endpoint>,
    /// Events that the first of them may still give before it is the turn of the next.
    left: usize,
    len: usize,
    /// Threads that wait for an event.
    waiting: usize,
    /// Set when an event finds no room, until one finds room again: the time of the last VSCPRead
    /// since then, or of that moment if there was none.
    asked: Option<Instant>,
    closed: bool,
}

impl HostQueue {
    /// Makes a queue for `capacity` events.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::default(),
            filled: Condvar::new(),
            capacity,
        }
    }

    /// Adds an event of `origin`.
    pub(super) fn push(&self, origin: Endpoint, event: Event) -> Result<(), NoRoom> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(NoRoom::Hanging);
        }
        if !state.has_room(origin, self.capacity) {
            let now = Instant::now();
            state.asked.get_or_insert(now);
            return Err(match state.is_hanging(now) {
                true => NoRoom::Hanging,
                false => NoRoom::Full,
            });
        }
        state.asked = None;
        state.push(origin, event)?;
        let waiting = state.waiting > 0;
        drop(state);
        if waiting {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Returns true if the queue is full, and the host has taken nothing for long.
    pub(super) fn is_hanging(&self) -> bool {
        let state = self.state.lock();
        state.len >= self.capacity && state.is_hanging(Instant::now())
    }

    /// Takes the next event; waits for it at most `timeout` (`None`: as long as it takes).
    pub(super) fn pop(&self, timeout: Option<Duration>) -> Result<Event, NoEvent> {
        let mut state = self.state.lock();
        let mut deadline = None;
        loop {
            if state.closed {
                return Err(NoEvent::Closed);
            }
            if let Some(event) = state.pop() {
                return Ok(event);
            }
            state.waiting += 1;
            let timed_out = match timeout {
                Some(timeout) => {
                    let deadline =
                        *deadline.get_or_insert_with(|| Instant::now().checked_add(timeout));
                    match deadline {
                        Some(deadline) => self.filled.wait_until(&mut state, deadline).timed_out(),
                        None => {
                            self.filled.wait(&mut state);
                            false
                        }
                    }
                }
                None => {
                    self.filled.wait(&mut state);
                    false
                }
            };
            state.waiting -= 1;
            if timed_out && state.len == 0 && !state.closed {
                return Err(NoEvent::Timeout);
            }
        }
    }

    /// Returns how many events there are.
    pub(super) fn len(&self) -> usize {
        self.state.lock().len
    }

    /// Closes the queue: it refuses events and returns none, and wakes all who wait.
    pub(super) fn close(&self) {
        let events = {
            let mut state = self.state.lock();
            state.closed = true;
            mem::take(&mut state.origins)
        };
        self.filled.notify_all();
        drop(events);
    }
}

impl State {
    /// Returns true if the host has taken nothing for long since the queue was found full.
    fn is_hanging(&self, now: Instant) -> bool {
        self.asked
            .is_some_and(|asked| now.duration_since(asked) >= HANGING_AFTER)
    }

    fn has_room(&self, origin: Endpoint, capacity: usize) -> bool {
        if self.len < capacity {
            return true;
        }
        let own = self.origins.get(&origin).map_or(0, VecDeque::len);
        self.len < capacity + capacity / 4 && own * (self.turns.len() + 1) <= capacity
    }

    /// Adds an event. Fails if there is no memory for a longer queue.
    fn push(&mut self, origin: Endpoint, event: Event) -> Result<(), NoRoom> {
        let events = self.origins.entry(origin).or_default();
        events.try_reserve(1).map_err(|_| NoRoom::Full)?;
        if events.is_empty() {
            if self.turns.is_empty() {
                self.left = EVENTS_PER_TURN;
            }
            self.turns.push_back(origin);
        }
        events.push_back(event);
        self.len += 1;
        Ok(())
    }

    fn pop(&mut self) -> Option<Event> {
        if self.asked.is_some() {
            self.asked = Some(Instant::now());
        }
        let origin = *self.turns.front()?;
        let events = self.origins.get_mut(&origin)?;
        let event = events.pop_front()?;
        self.len -= 1;
        self.left -= 1;
        if events.is_empty() {
            // Frees its memory, and removes origins of clients that are gone.
            if events.capacity() > EVENTS_PER_TURN || self.origins.len() > EVENTS_PER_TURN {
                self.origins.remove(&origin);
            }
            self.turns.pop_front();
            self.left = EVENTS_PER_TURN;
        } else if self.left == 0 {
            self.turns.rotate_left(1);
            self.left = EVENTS_PER_TURN;
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;
    use crate::event::text;

    const LOUD: Endpoint = Endpoint::Client(1);
    const QUIET: Endpoint = Endpoint::Client(2);

    fn event(number: u32) -> Event {
        text::parse(&format!("0,20,3,0,,{number},-")).unwrap()
    }

    fn numbers(queue: &HostQueue, count: usize) -> Vec<u32> {
        let pop = |_| queue.pop(Some(Duration::ZERO)).unwrap().timestamp;
        (0..count).map(pop).collect()
    }

    #[test]
    fn events_of_one_origin_keep_their_order() {
        let queue = HostQueue::new(1000);
        for number in 1..=100 {
            queue.push(LOUD, event(number)).unwrap();
        }
        assert_eq!(numbers(&queue, 100), (1..=100).collect::<Vec<_>>());
        let none = queue.pop(Some(Duration::from_millis(1)));
        assert_eq!(none, Err(NoEvent::Timeout));
    }

    #[test]
    fn a_flood_of_one_origin_does_not_delay_another() {
        let queue = HostQueue::new(1000);
        for number in 1..=700 {
            queue.push(LOUD, event(number)).unwrap();
        }
        queue.push(QUIET, event(9999)).unwrap();
        assert!(numbers(&queue, EVENTS_PER_TURN + 1).contains(&9999));
    }

    #[test]
    fn behind_an_origin_that_has_taken_all_the_room_there_is_some_for_another() {
        let queue = HostQueue::new(100);
        let loud = (0..200).take_while(|number| queue.push(LOUD, event(*number)).is_ok());
        assert_eq!(loud.count(), 100);
        for number in 0..25 {
            queue.push(QUIET, event(number)).unwrap();
        }
        assert_eq!(queue.push(QUIET, event(99)), Err(NoRoom::Full));
        assert_eq!(queue.push(LOUD, event(99)), Err(NoRoom::Full));
    }

    #[test]
    fn a_thread_that_waits_gets_what_comes_and_goes_when_the_queue_is_closed() {
        let queue = Arc::new(HostQueue::new(10));
        let reader = thread::spawn({
            let queue = queue.clone();
            move || [queue.pop(None), queue.pop(None)]
        });
        while queue.state.lock().waiting == 0 {
            thread::yield_now();
        }
        queue.push(LOUD, event(7)).unwrap();
        while queue.len() > 0 || queue.state.lock().waiting == 0 {
            thread::yield_now();
        }
        queue.close();
        let [first, second] = reader.join().unwrap();
        assert_eq!(first.unwrap().timestamp, 7);
        assert_eq!(second, Err(NoEvent::Closed));
    }
}

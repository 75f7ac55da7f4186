//! The bounded queue into the hub.
//!
//! The host's threads push without a runtime and may wait for room; sessions push or are told
//! that it is full; the hub's task takes all there is at once.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

use super::batch::Routed;

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Told when there is room again, or the queue is closed.
    room: Condvar,
    /// Told when there is something to take, or the queue is closed.
    filled: Notify,
    capacity: usize,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Routed>,
    waiting_for_room: usize,
    closed: bool,
}

/// Why an event was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// There is no room, or none was made within the timeout.
    Full,
    /// The queue is closed.
    Closed,
}

impl Queue {
    /// A queue for `capacity` events.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::default(),
            room: Condvar::new(),
            filled: Notify::new(),
            capacity,
        }
    }

    /// Adds an event where there is room for it and `accept`, asked only then, agrees.
    pub(super) fn push_if(
        &self,
        routed: Routed,
        accept: impl FnOnce(&Routed) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.events.len() >= self.capacity {
            return Err(Refused::Full);
        }
        accept(&routed)?;
        state.events.push_back(routed);
        let first = state.events.len() == 1;
        drop(state);
        if first {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Adds an event, waiting for room at most `timeout` (`None`: until it is closed).
    pub(super) fn push(&self, routed: Routed, timeout: Option<Duration>) -> Result<(), Refused> {
        let mut state = self.state.lock();
        if state.events.len() >= self.capacity {
            let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
            state.waiting_for_room += 1;
            while state.events.len() >= self.capacity && !state.closed {
                let timed_out = match deadline {
                    Some(deadline) => self.room.wait_until(&mut state, deadline).timed_out(),
                    None => {
                        self.room.wait(&mut state);
                        false
                    }
                };
                if timed_out {
                    break;
                }
            }
            state.waiting_for_room -= 1;
        }
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.events.len() >= self.capacity {
            return Err(Refused::Full);
        }
        state.events.push_back(routed);
        let first = state.events.len() == 1;
        drop(state);
        if first {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Waits for events and takes at most `max` of them; `None` when the queue is closed and
    /// empty. For one task only.
    pub(super) async fn take(&self, max: usize) -> Option<Vec<Routed>> {
        loop {
            {
                let mut state = self.state.lock();
                if !state.events.is_empty() {
                    let count = state.events.len().min(max);
                    let taken = state.events.drain(..count).collect();
                    let wake = state.waiting_for_room > 0;
                    drop(state);
                    if wake {
                        self.room.notify_all();
                    }
                    return Some(taken);
                }
                if state.closed {
                    return None;
                }
            }
            self.filled.notified().await;
        }
    }

    /// How many events there are.
    pub(super) fn len(&self) -> usize {
        self.state.lock().events.len()
    }

    /// Refuses whatever comes from now on, and wakes all who wait.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.room.notify_all();
        self.filled.notify_one();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use super::*;
    use crate::{
        event::{Data, Event, Guid},
        hub::batch::Endpoint,
    };

    fn event(kind: u16) -> Routed {
        Routed {
            event: Event {
                head: 0,
                class: 10,
                kind,
                obid: 0,
                date: None,
                timestamp: 0,
                unix_ns: None,
                guid: Guid::ZERO,
                data: Data::new(),
            },
            origin: Endpoint::Host,
        }
    }

    #[tokio::test]
    async fn events_are_taken_in_order_and_all_at_once() {
        let queue = Queue::new(8);
        for kind in 0..5 {
            queue.push(event(kind), None).unwrap();
        }
        let kinds = |taken: Vec<Routed>| taken.iter().map(|r| r.event.kind).collect::<Vec<_>>();
        assert_eq!(kinds(queue.take(3).await.unwrap()), [0, 1, 2]);
        assert_eq!(kinds(queue.take(3).await.unwrap()), [3, 4]);
        queue.close();
        assert!(queue.take(3).await.is_none());
    }

    #[test]
    fn a_full_queue_refuses_after_the_timeout_and_asks_nobody() {
        let queue = Queue::new(1);
        queue.push(event(0), None).unwrap();
        let timeout = Some(Duration::from_millis(5));
        assert_eq!(queue.push(event(1), timeout), Err(Refused::Full));
        let asked = queue.push_if(event(1), |_| panic!("asked though there is no room"));
        assert_eq!(asked, Err(Refused::Full));
        assert_eq!(queue.state.lock().events.len(), 1);
    }

    #[test]
    fn an_event_that_is_not_accepted_is_not_added() {
        let queue = Queue::new(1);
        let refused = queue.push_if(event(0), |_| Err(Refused::Full));
        assert_eq!(refused, Err(Refused::Full));
        assert_eq!(queue.state.lock().events.len(), 0);
    }

    #[test]
    fn a_writer_that_waits_goes_on_when_room_is_made() {
        let queue = Arc::new(Queue::new(1));
        queue.push(event(0), None).unwrap();
        let writer = std::thread::spawn({
            let queue = queue.clone();
            move || queue.push(event(1), None)
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for kind in 0..2 {
            let taken = runtime.block_on(queue.take(8)).unwrap();
            assert_eq!(taken[0].event.kind, kind);
        }
        writer.join().unwrap().unwrap();
    }

    #[test]
    fn closing_wakes_a_writer_that_waits_for_ever() {
        let queue = Arc::new(Queue::new(1));
        queue.push(event(0), None).unwrap();
        let writer = std::thread::spawn({
            let queue = queue.clone();
            move || queue.push(event(1), None)
        });
        while queue.state.lock().waiting_for_room == 0 {
            std::thread::yield_now();
        }
        queue.close();
        assert_eq!(writer.join().unwrap(), Err(Refused::Closed));
    }
}

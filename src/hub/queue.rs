//! The bounded queue into the hub.
//!
//! The host's threads push without a runtime and may wait for room; sessions push or are told
//! that it is full; CAN buses push what there is room for and are woken when there is more; the
//! hub's task takes all there is at once.

use std::{
    collections::VecDeque,
    mem,
    task::{Context, Poll, Waker},
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
    events: Vec<Routed>,
    waiting_for_room: usize,
    /// Tasks that wait for room.
    wakers: Vec<Waker>,
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
        state.events.push(routed);
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
        state.events.push(routed);
        let first = state.events.len() == 1;
        drop(state);
        if first {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Adds events from the front of `waiting`, as `route` makes them, while fewer than `share`
    /// are in the queue. Pending where some are left.
    pub(super) fn poll_push<T>(
        &self,
        context: &Context<'_>,
        waiting: &mut VecDeque<T>,
        share: usize,
        route: impl FnMut(T) -> Routed,
    ) -> Poll<Result<(), Refused>> {
        let mut state = self.state.lock();
        if state.closed {
            return Poll::Ready(Err(Refused::Closed));
        }
        let was_empty = state.events.is_empty();
        let room = share.min(self.capacity).saturating_sub(state.events.len());
        let count = room.min(waiting.len());
        state.events.extend(waiting.drain(..count).map(route));
        let result = if waiting.is_empty() {
            Poll::Ready(Ok(()))
        } else {
            let waker = context.waker();
            if !state.wakers.iter().any(|known| known.will_wake(waker)) {
                state.wakers.push(waker.clone());
            }
            Poll::Pending
        };
        drop(state);
        if was_empty && count > 0 {
            self.filled.notify_one();
        }
        result
    }

    /// Waits for events and puts all there are into `taken`, which must be empty; false when the
    /// queue is closed and empty. For one task only.
    pub(super) async fn take(&self, taken: &mut Vec<Routed>) -> bool {
        loop {
            {
                let mut state = self.state.lock();
                if !state.events.is_empty() {
                    // Both keep their memory; writers are not held up while events are moved.
                    mem::swap(&mut state.events, taken);
                    let wake = state.waiting_for_room > 0;
                    let wakers = mem::take(&mut state.wakers);
                    drop(state);
                    if wake {
                        self.room.notify_all();
                    }
                    wakers.into_iter().for_each(Waker::wake);
                    return true;
                }
                if state.closed {
                    return false;
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
        let wakers = {
            let mut state = self.state.lock();
            state.closed = true;
            mem::take(&mut state.wakers)
        };
        self.room.notify_all();
        self.filled.notify_one();
        wakers.into_iter().for_each(Waker::wake);
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
        let queue = Queue::new(3);
        let mut taken = Vec::new();
        for first in [0, 3] {
            for kind in first..first + 3 {
                queue.push(event(kind), None).unwrap();
            }
            assert!(queue.take(&mut taken).await);
            let kinds: Vec<_> = taken.drain(..).map(|r| r.event.kind).collect();
            assert_eq!(kinds, [first, first + 1, first + 2]);
        }
        queue.push(event(6), None).unwrap();
        queue.close();
        assert!(queue.take(&mut taken).await);
        assert_eq!(taken.drain(..).count(), 1);
        assert!(!queue.take(&mut taken).await);
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
        let mut taken = Vec::new();
        for kind in 0..2 {
            assert!(runtime.block_on(queue.take(&mut taken)));
            let kinds: Vec<_> = taken.drain(..).map(|r| r.event.kind).collect();
            assert_eq!(kinds, [kind]);
        }
        writer.join().unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_task_pushes_up_to_its_share_and_goes_on_when_room_is_made() {
        let queue = Queue::new(8);
        queue.push(event(0), None).unwrap();
        let mut waiting: VecDeque<u16> = (1..9).collect();
        let push = |waiting: &mut VecDeque<u16>| {
            let context = Context::from_waker(Waker::noop());
            queue.poll_push(&context, waiting, 3, event)
        };
        let mut taken = Vec::new();
        for (pushed, kinds) in [
            (Poll::Pending, [0, 1, 2]),
            (Poll::Pending, [3, 4, 5]),
            (Poll::Ready(Ok(())), [6, 7, 8]),
        ] {
            assert_eq!(push(&mut waiting), pushed);
            assert!(queue.take(&mut taken).await);
            let got: Vec<_> = taken.drain(..).map(|routed| routed.event.kind).collect();
            assert_eq!(got, kinds);
        }

        let mut waiting: VecDeque<u16> = (0..4).collect();
        let task = std::future::poll_fn(|context| queue.poll_push(context, &mut waiting, 3, event));
        let (pushed, _) = tokio::join!(task, queue.take(&mut taken));
        assert_eq!((pushed, taken.len()), (Ok(()), 3));

        let mut waiting: VecDeque<u16> = (0..4).collect();
        let task = std::future::poll_fn(|context| queue.poll_push(context, &mut waiting, 3, event));
        let (pushed, ()) = tokio::join!(task, async { queue.close() });
        assert_eq!(pushed, Err(Refused::Closed));
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

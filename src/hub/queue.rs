//! The bounded queue into the hub.
//!
//! The host's threads push without a runtime and may wait for room; clients and CAN buses push
//! what there is room for and are woken when there is more; the hub's task takes all there is at
//! once. Host, clients, buses and the driver each have room of their own, so that none of them
//! keeps the others out.

use std::{
    collections::VecDeque,
    mem,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::Notify;

use super::batch::{Endpoint, Routed};
use crate::event::Event;

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
    counts: Counts,
    /// Threads that wait for room.
    waiting_for_room: usize,
    /// Tasks that wait for room.
    wakers: Vec<Waker>,
    closed: bool,
}

/// How many events came from endpoints of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) host: usize,
    pub(super) clients: usize,
    pub(super) buses: usize,
    pub(super) driver: usize,
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
    /// A queue for `capacity` events each of the host, of clients, of buses and of the driver.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::default(),
            room: Condvar::new(),
            filled: Notify::new(),
            capacity,
        }
    }

    /// Adds an event, waiting for room at most `timeout` (`None`: until it is closed).
    pub(super) fn push(&self, routed: Routed, timeout: Option<Duration>) -> Result<(), Refused> {
        let mut state = self.state.lock();
        if self.room(&mut state, routed.origin) == 0 {
            let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
            state.waiting_for_room += 1;
            while self.room(&mut state, routed.origin) == 0 && !state.closed {
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
        if self.room(&mut state, routed.origin) == 0 {
            return Err(Refused::Full);
        }
        self.add(state, routed.origin, [routed]);
        Ok(())
    }

    /// Adds the event that waits where `accept`, asked only when there is room, agrees. Pending,
    /// and the event still waits, while there is no room.
    pub(super) fn poll_push_if(
        &self,
        context: &Context<'_>,
        origin: Endpoint,
        waiting: &mut Option<Event>,
        accept: impl FnOnce(&Event) -> Result<(), Refused>,
    ) -> Poll<Result<(), Refused>> {
        let mut state = self.state.lock();
        if state.closed {
            return Poll::Ready(Err(Refused::Closed));
        }
        if self.room(&mut state, origin) == 0 {
            state.wake_later(context.waker());
            return Poll::Pending;
        }
        if let Some(event) = waiting.take() {
            accept(&event)?;
            self.add(state, origin, [Routed { event, origin }]);
        }
        Poll::Ready(Ok(()))
    }

    /// Adds events from the front of `waiting`, each shown to `look`. Pending where there was no
    /// room for all.
    pub(super) fn poll_push_all(
        &self,
        context: &Context<'_>,
        origin: Endpoint,
        waiting: &mut VecDeque<Event>,
        mut look: impl FnMut(&Event),
    ) -> Poll<Result<(), Refused>> {
        let mut state = self.state.lock();
        if state.closed {
            return Poll::Ready(Err(Refused::Closed));
        }
        let count = self.room(&mut state, origin).min(waiting.len());
        let all = count == waiting.len();
        if !all {
            state.wake_later(context.waker());
        }
        let events = waiting.drain(..count).map(|event| {
            look(&event);
            Routed { event, origin }
        });
        self.add(state, origin, events);
        if all {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    /// Waits for events and puts all there are into `taken`, which must be empty; `None` when the
    /// queue is closed and empty. For one task only.
    pub(super) async fn take(&self, taken: &mut Vec<Routed>) -> Option<Counts> {
        loop {
            {
                let mut state = self.state.lock();
                if !state.events.is_empty() {
                    // Both keep their memory; writers are not held up while events are moved.
                    mem::swap(&mut state.events, taken);
                    let counts = mem::take(&mut state.counts);
                    let wake = state.waiting_for_room > 0;
                    let wakers = mem::take(&mut state.wakers);
                    drop(state);
                    if wake {
                        self.room.notify_all();
                    }
                    wakers.into_iter().for_each(Waker::wake);
                    return Some(counts);
                }
                if state.closed {
                    return None;
                }
            }
            self.filled.notified().await;
        }
    }

    /// Whether there is no event.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
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

    /// For how many events of such an endpoint there is room.
    fn room(&self, state: &mut State, origin: Endpoint) -> usize {
        self.capacity.saturating_sub(*state.counts.of(origin))
    }

    /// Adds events that there is room for.
    fn add(
        &self,
        mut state: MutexGuard<'_, State>,
        origin: Endpoint,
        events: impl IntoIterator<Item = Routed>,
    ) {
        let before = state.events.len();
        state.events.extend(events);
        let added = state.events.len() - before;
        *state.counts.of(origin) += added;
        drop(state);
        if before == 0 && added > 0 {
            self.filled.notify_one();
        }
    }
}

impl State {
    fn wake_later(&mut self, waker: &Waker) {
        if !self.wakers.iter().any(|known| known.will_wake(waker)) {
            self.wakers.push(waker.clone());
        }
    }
}

impl Counts {
    fn of(&mut self, origin: Endpoint) -> &mut usize {
        match origin {
            Endpoint::Host => &mut self.host,
            Endpoint::Client(_) => &mut self.clients,
            Endpoint::Bus(_) => &mut self.buses,
            Endpoint::Driver => &mut self.driver,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{future::poll_fn, sync::Arc};

    use super::*;
    use crate::event::{Data, Guid};

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
            queue.take(&mut taken).await.unwrap();
            let kinds: Vec<_> = taken.drain(..).map(|r| r.event.kind).collect();
            assert_eq!(kinds, [first, first + 1, first + 2]);
        }
        queue.push(event(6), None).unwrap();
        queue.close();
        queue.take(&mut taken).await.unwrap();
        assert_eq!(taken.drain(..).count(), 1);
        assert_eq!(queue.take(&mut taken).await, None);
    }

    #[test]
    fn a_full_queue_refuses_after_the_timeout() {
        let queue = Queue::new(1);
        queue.push(event(0), None).unwrap();
        let timeout = Some(Duration::from_millis(5));
        assert_eq!(queue.push(event(1), timeout), Err(Refused::Full));
        assert_eq!(queue.len(), 1);
    }

    #[tokio::test]
    async fn endpoints_of_one_kind_leave_room_for_those_of_another() {
        let queue = Queue::new(1);
        let origins = [
            Endpoint::Client(1),
            Endpoint::Bus(1),
            Endpoint::Driver,
            Endpoint::Host,
        ];
        for origin in origins {
            let routed = Routed { origin, ..event(0) };
            queue.push(routed.clone(), Some(Duration::ZERO)).unwrap();
            let second = queue.push(routed, Some(Duration::ZERO));
            assert_eq!(second, Err(Refused::Full));
        }
        let counts = Counts {
            host: 1,
            clients: 1,
            buses: 1,
            driver: 1,
        };
        assert_eq!(queue.take(&mut Vec::new()).await, Some(counts));
    }

    const CLIENT: Endpoint = Endpoint::Client(1);

    #[tokio::test]
    async fn an_event_that_finds_no_room_waits_for_it_and_nobody_is_asked() {
        let queue = Queue::new(1);
        let routed = Routed {
            origin: CLIENT,
            ..event(0)
        };
        queue.push(routed, None).unwrap();
        let mut waiting = Some(event(1).event);
        let context = Context::from_waker(Waker::noop());
        let asked = |_: &Event| panic!("asked though there is no room");
        let pushed = queue.poll_push_if(&context, CLIENT, &mut waiting, asked);
        assert_eq!((pushed, waiting.is_some()), (Poll::Pending, true));

        let mut taken = Vec::new();
        let push = poll_fn(|context| {
            queue.poll_push_if(context, Endpoint::Client(2), &mut waiting, |_| Ok(()))
        });
        let (pushed, _) = tokio::join!(push, queue.take(&mut taken));
        assert_eq!((pushed, taken.len(), queue.len()), (Ok(()), 1, 1));
        assert_eq!(waiting, None);
    }

    #[test]
    fn an_event_that_is_not_accepted_is_not_added() {
        let queue = Queue::new(1);
        let context = Context::from_waker(Waker::noop());
        let mut waiting = Some(event(0).event);
        let refused = queue.poll_push_if(&context, CLIENT, &mut waiting, |_| Err(Refused::Full));
        assert_eq!(refused, Poll::Ready(Err(Refused::Full)));
        assert_eq!((waiting, queue.len()), (None, 0));
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
            runtime.block_on(queue.take(&mut taken)).unwrap();
            let kinds: Vec<_> = taken.drain(..).map(|r| r.event.kind).collect();
            assert_eq!(kinds, [kind]);
        }
        writer.join().unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_task_pushes_what_there_is_room_for_and_goes_on_when_there_is_more() {
        const BUS: Endpoint = Endpoint::Bus(0);
        let queue = Queue::new(3);
        let events = |kinds: std::ops::Range<u16>| -> VecDeque<Event> {
            kinds.map(|kind| event(kind).event).collect()
        };
        let mut waiting = events(0..7);
        let mut taken = Vec::new();
        for (pushed, kinds) in [
            (Poll::Pending, [0, 1, 2].as_slice()),
            (Poll::Pending, &[3, 4, 5]),
            (Poll::Ready(Ok(())), &[6]),
        ] {
            let context = Context::from_waker(Waker::noop());
            let mut seen = Vec::new();
            let look = |event: &Event| seen.push(event.kind);
            let poll = queue.poll_push_all(&context, BUS, &mut waiting, look);
            assert_eq!((poll, seen.as_slice()), (pushed, kinds));
            queue.take(&mut taken).await.unwrap();
            let got: Vec<_> = taken.drain(..).map(|routed| routed.event.kind).collect();
            assert_eq!(got, kinds);
        }

        let mut waiting = events(0..4);
        let push = poll_fn(|context| queue.poll_push_all(context, BUS, &mut waiting, |_| ()));
        let (pushed, _) = tokio::join!(push, queue.take(&mut taken));
        assert_eq!((pushed, taken.len()), (Ok(()), 3));

        let mut waiting = events(0..4);
        let push = poll_fn(|context| queue.poll_push_all(context, BUS, &mut waiting, |_| ()));
        let (pushed, ()) = tokio::join!(push, async { queue.close() });
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

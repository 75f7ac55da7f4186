//! Recognises events that come back from the host.
//!
//! A daemon that publishes to and subscribes to one common topic hands back what it was given.
//! An event with the same GUID, class, type and data as one given out within the last two
//! seconds is such an echo; each event given out cancels one. Times are not compared: the
//! daemon rewrites them.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::event::Event;

/// How long an event is remembered.
const MEMORY: Duration = Duration::from_secs(2);

/// Events that the host takes one after the other, without waiting, as if at the same time: reading
/// the clock takes longer than most of the rest.
const SAME_TIME: u32 = 15;

/// How many events are remembered; of more the oldest are forgotten.
const MAX_REMEMBERED: usize = 65_536;

/// The events given out lately.
#[derive(Debug, Default)]
pub(super) struct Echo {
    memory: Mutex<Memory>,
    /// Whether there is something in it: a host that only writes is not to pay for the lock.
    remembers: AtomicBool,
}

#[derive(Debug, Default)]
struct Memory {
    hasher: RandomState,
    given: VecDeque<(u64, Instant)>,
    /// How often each is to come back.
    expected: HashMap<u64, u32>,
    /// When the clock was read, and for how many more events that will do.
    last: Option<(Instant, u32)>,
}

impl Echo {
    /// Remembers an event that the host is given, after it `waited` or at once.
    pub(super) fn given_out(&self, event: &Event, waited: bool, now: impl FnOnce() -> Instant) {
        let mut memory = self.memory.lock();
        let now = match memory.last {
            Some((last, left @ 1..)) if !waited => (last, left - 1),
            _ => (now(), SAME_TIME),
        };
        memory.last = Some(now);
        memory.forget(now.0);
        memory.remember(event, now.0);
        self.remembers.store(true, Ordering::Release);
    }

    /// Whether an event that the host writes is one that it was given. True only once for each.
    /// `now` is asked where that is not plain.
    pub(super) fn is_echo(&self, event: &Event, now: impl FnOnce() -> Instant) -> bool {
        if !self.remembers.load(Ordering::Acquire) {
            return false;
        }
        let mut memory = self.memory.lock();
        let now = now();
        memory.last = Some((now, SAME_TIME));
        memory.forget(now);
        let is_echo = memory.recall(event);
        self.remembers
            .store(!memory.given.is_empty(), Ordering::Release);
        is_echo
    }
}

impl Memory {
    fn remember(&mut self, event: &Event, now: Instant) {
        if self.given.len() >= MAX_REMEMBERED
            && let Some((oldest, _)) = self.given.pop_front()
        {
            self.no_longer_expected(oldest);
        }
        let print = self.print(event);
        self.given.push_back((print, now));
        *self.expected.entry(print).or_default() += 1;
    }

    fn recall(&mut self, event: &Event) -> bool {
        let print = self.print(event);
        if !self.no_longer_expected(print) {
            return false;
        }
        // Echoes come in the order of what was given out: it is among the first.
        if let Some(index) = self.given.iter().position(|(given, _)| *given == print) {
            self.given.remove(index);
        }
        true
    }

    fn print(&self, event: &Event) -> u64 {
        self.hasher
            .hash_one((event.guid, event.class, event.kind, &*event.data))
    }

    fn forget(&mut self, now: Instant) {
        while let Some((print, time)) = self.given.front()
            && now.saturating_duration_since(*time) >= MEMORY
        {
            let print = *print;
            self.given.pop_front();
            self.no_longer_expected(print);
        }
    }

    fn no_longer_expected(&mut self, print: u64) -> bool {
        let Some(count) = self.expected.get_mut(&print) else {
            return false;
        };
        *count -= 1;
        if *count == 0 {
            self.expected.remove(&print);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::event::text;

    fn event(text: &str) -> Event {
        text::parse(text).unwrap()
    }

    #[test]
    fn each_event_given_out_cancels_one_echo_whatever_its_time() {
        let now = Instant::now();
        let echo = Echo::default();
        let given = event("0,20,3,0,2020-01-01T00:00:00Z,1,-,1,2");
        let back = event("0,20,3,7,2026-01-01T00:00:00Z,2,-,1,2");
        echo.given_out(&given, true, || now);
        echo.given_out(&given, true, || now);
        assert!(echo.is_echo(&back, || now));
        assert!(echo.is_echo(&back, || now));
        assert!(!echo.is_echo(&back, || now));
    }

    #[test]
    fn an_event_that_differs_in_guid_class_type_or_data_is_no_echo() {
        let now = Instant::now();
        let echo = Echo::default();
        let zero = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:0";
        echo.given_out(&event(&format!("0,20,3,0,,0,{zero}1,1,2")), true, || now);
        for other in [
            "0,20,3,0,,0,{}2,1,2",
            "0,21,3,0,,0,{}1,1,2",
            "0,20,4,0,,0,{}1,1,2",
            "0,20,3,0,,0,{}1,1",
        ] {
            let other = event(&other.replace("{}", zero));
            assert!(!echo.is_echo(&other, || now), "{other:?}");
        }
    }

    #[test]
    fn an_event_is_forgotten_after_two_seconds() {
        let now = Instant::now();
        let echo = Echo::default();
        let given = event("0,20,3,0,,0,-,1");
        echo.given_out(&given, true, || now);
        assert!(!echo.is_echo(&given, || now + MEMORY));
        let memory = echo.memory.lock();
        assert!(memory.given.is_empty() && memory.expected.is_empty());
    }

    #[test]
    fn the_clock_is_read_now_and_then_and_whenever_the_host_has_waited_or_written() {
        let echo = Echo::default();
        let given = event("0,20,3,0,,0,-,1");
        let reads = |waited: bool| {
            let mut reads = 0;
            echo.given_out(&given, waited, || {
                reads += 1;
                Instant::now()
            });
            reads
        };
        assert_eq!(reads(true), 1);
        let backlog: u32 = (0..10 * (SAME_TIME + 1)).map(|_| reads(false)).sum();
        assert_eq!(backlog, 10);
        assert_eq!(reads(true), 1);
        let later = Instant::now() + MEMORY / 2;
        assert!(echo.is_echo(&given, || later));
        assert_eq!(reads(false), 0);
        assert_eq!(echo.memory.lock().given.back().unwrap().1, later);
    }

    #[test]
    fn what_is_remembered_is_limited() {
        let now = Instant::now();
        let echo = Echo::default();
        let given = event("0,20,3,0,,0,-,1");
        for _ in 0..MAX_REMEMBERED + 10 {
            echo.given_out(&given, true, || now);
        }
        let memory = echo.memory.lock();
        assert_eq!(memory.given.len(), MAX_REMEMBERED);
        assert_eq!(
            memory.expected.values().sum::<u32>() as usize,
            MAX_REMEMBERED
        );
    }
}

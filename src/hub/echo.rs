//! Recognises events that come back from the host.
//!
//! A daemon that publishes to and subscribes to one common topic hands back what it was given.
//! An event with the same GUID, class, type and data as one given out within the last two
//! seconds is such an echo; each event given out cancels one. Times are not compared: the
//! daemon rewrites them.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use crate::{
    event::Event,
    sync::{AtomicBool, Instant, Mutex, Ordering},
};

/// How long an event is remembered.
const MEMORY: Duration = Duration::from_secs(2);

/// How many events are remembered; of more the oldest are forgotten.
const MAX_REMEMBERED: usize = 65_536;

/// The events given out lately.
#[derive(Debug, Default)]
pub(super) struct Echo {
    memory: Mutex<Memory>,
    /// True if the memory is not empty; a host that only writes does not pay for the lock.
    remembers: AtomicBool,
}

#[derive(Debug, Default)]
struct Memory {
    hasher: RandomState,
    given: VecDeque<(u64, Instant)>,
    /// The number of echoes expected, by hash.
    expected: HashMap<u64, u32>,
}

impl Echo {
    /// Remembers an event that the host is given.
    pub(super) fn given_out(&self, event: &Event, now: Instant) {
        let mut memory = self.memory.lock();
        memory.forget(now);
        memory.remember(event, now);
        self.remembers.store(true, Ordering::Release);
    }

    /// Returns whether an event that the host writes is one that it was given. Each event given out
    /// is recognised once.
    /// `now` is called only if events are remembered.
    pub(super) fn is_echo(&self, event: &Event, now: impl FnOnce() -> Instant) -> bool {
        if !self.remembers.load(Ordering::Acquire) {
            return false;
        }
        let mut memory = self.memory.lock();
        memory.forget(now());
        let is_echo = memory.recall(event);
        self.remembers
            .store(!memory.given.is_empty(), Ordering::Release);
        is_echo
    }
}

impl Memory {
    fn remember(&mut self, event: &Event, now: Instant) {
        let is_full = self.given.len() >= MAX_REMEMBERED
            || self.given.try_reserve(1).is_err()
            || self.expected.try_reserve(1).is_err();
        if is_full && let Some((oldest, _)) = self.given.pop_front() {
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
        echo.given_out(&given, now);
        echo.given_out(&given, now);
        assert!(echo.is_echo(&back, || now));
        assert!(echo.is_echo(&back, || now));
        assert!(!echo.is_echo(&back, || now));
    }

    #[test]
    fn an_event_that_differs_in_guid_class_type_or_data_is_no_echo() {
        let now = Instant::now();
        let echo = Echo::default();
        let zero = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:0";
        echo.given_out(&event(&format!("0,20,3,0,,0,{zero}1,1,2")), now);
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
        echo.given_out(&given, now);
        assert!(!echo.is_echo(&given, || now + MEMORY));
        let memory = echo.memory.lock();
        assert!(memory.given.is_empty() && memory.expected.is_empty());
    }

    #[test]
    fn an_event_that_is_read_after_a_pause_counts_from_then_on() {
        let start = Instant::now();
        let echo = Echo::default();
        echo.given_out(&event("0,20,3,0,,0,-,1"), start);
        let toggle = event("0,30,9,0,,0,-,1");
        let later = start + MEMORY + MEMORY / 2;
        echo.given_out(&toggle, later);
        assert!(echo.is_echo(&toggle, || later + MEMORY / 2));
    }

    #[test]
    fn what_is_remembered_is_limited() {
        let now = Instant::now();
        let echo = Echo::default();
        let given = event("0,20,3,0,,0,-,1");
        for _ in 0..MAX_REMEMBERED + 10 {
            echo.given_out(&given, now);
        }
        let memory = echo.memory.lock();
        assert_eq!(memory.given.len(), MAX_REMEMBERED);
        assert_eq!(
            memory.expected.values().sum::<u32>() as usize,
            MAX_REMEMBERED
        );
    }
}

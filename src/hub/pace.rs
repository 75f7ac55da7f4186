//! Limits the host's rate: waits for readers that keep up, and only briefly for others.
//!
//! A reader with a long backlog asks to hold the host, that is, to have its threads wait in
//! VSCPWrite. If the socket of the reader has lately taken much, the reader is good: it is behind
//! only because the driver lacks processor time, and the host waits for it. All other readers may
//! be slow. Together they may hold the host for [`SLOW_BUDGET`] in a second, and then lose their
//! oldest events.

use std::{sync::Arc, time::Duration};

use crate::sync::{AtomicUsize, Condvar, Instant, Mutex, Ordering};

/// Events in its backlog with which a reader asks to hold the host.
const HOLD_AT_EVENTS: usize = 2048;

/// Events with which it lets the host go.
const RELEASE_AT_EVENTS: usize = 512;

/// Bytes a second that the socket of a good reader takes.
const GOOD_RATE: u64 = 4 << 20;

/// Time over which the rate of a reader is measured, and for which the finding holds.
const WINDOW: Duration = Duration::from_millis(50);

/// How long readers that are not known to be good may hold the host in a second. That second begins
/// when they begin to hold it. So in any interval of one second they hold it for at most twice this
/// time.
const SLOW_BUDGET: Duration = Duration::from_millis(25);

/// Holds the host's threads.
#[derive(Debug, Default)]
pub struct Pace {
    /// Readers that ask to hold the host.
    holders: AtomicUsize,
    state: Mutex<State>,
    /// Told if a reader lets the host go.
    released: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Readers that ask to hold the host and are good.
    good_holders: usize,
    /// The time until which the last of them counts as good; `None` if there is none.
    good_until: Option<Instant>,
    /// The second for which the budget is counted, and what is spent of it.
    second: Option<(Instant, Duration)>,
}

/// The host's timeout has passed while it waited for a good reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimedOut;

impl Pace {
    /// Waits while a reader may hold the host, at most until `deadline` (`None`: as long as it
    /// takes).
    pub(super) fn wait(&self, deadline: impl FnOnce() -> Option<Instant>) -> Result<(), TimedOut> {
        if self.holders.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        let deadline = deadline();
        let mut state = self.state.lock();
        let mut now = Instant::now();
        while self.holders.load(Ordering::Relaxed) > 0 {
            let good_until = state.good_until.filter(|until| *until > now);
            let until = match good_until {
                Some(until) => until,
                None => match state.budget(now) {
                    Duration::ZERO => return Ok(()),
                    left => now + left,
                },
            };
            let earliest = deadline.map_or(until, |deadline| deadline.min(until));
            if earliest <= now {
                return match good_until {
                    Some(_) => Err(TimedOut),
                    None => Ok(()),
                };
            }
            self.released.wait_until(&mut state, earliest);
            let before = now;
            now = Instant::now();
            if good_until.is_none() {
                state.spend(before, now);
            }
        }
        Ok(())
    }

    fn hold(&self) {
        self.holders.fetch_add(1, Ordering::Relaxed);
    }

    fn release(&self) {
        if self.holders.fetch_sub(1, Ordering::Relaxed) == 1 {
            // With the lock, so that a thread that is about to wait is not missed.
            drop(self.state.lock());
            self.released.notify_all();
        }
    }

    fn hold_as_good(&self, until: Instant, is_new: bool) {
        let mut state = self.state.lock();
        state.good_holders += usize::from(is_new);
        state.good_until = state.good_until.max(Some(until));
    }

    fn release_as_good(&self) {
        let mut state = self.state.lock();
        state.good_holders -= 1;
        if state.good_holders == 0 {
            // Those that are slow must not hold the host in the place of a good one.
            state.good_until = None;
            drop(state);
            self.released.notify_all();
        }
    }
}

impl State {
    /// Returns what is left of the budget.
    fn budget(&self, now: Instant) -> Duration {
        match self.second {
            Some((start, spent)) if now.duration_since(start) < Duration::from_secs(1) => {
                SLOW_BUDGET.saturating_sub(spent)
            }
            _ => SLOW_BUDGET,
        }
    }

    fn spend(&mut self, from: Instant, to: Instant) {
        let spent = to.duration_since(from);
        self.second = Some(match self.second {
            Some((start, before)) if from.duration_since(start) < Duration::from_secs(1) => {
                (start, before + spent)
            }
            _ => (from, spent),
        });
    }
}

/// The requests of one reader to the [`Pace`].
#[derive(Debug)]
pub struct ReaderPace {
    pace: Arc<Pace>,
    /// Since when its rate is measured, and what its socket had taken then; only while it holds the
    /// host.
    holding: Option<(Instant, u64)>,
    /// True if it holds the host as a good reader.
    holds_as_good: bool,
    /// The time until which it counts as good.
    good_until: Option<Instant>,
}

impl ReaderPace {
    /// Makes the pace of a reader that does not hold the host.
    pub fn new(pace: Arc<Pace>) -> Self {
        Self {
            pace,
            holding: None,
            holds_as_good: false,
            good_until: None,
        }
    }

    /// Asks to hold the host or lets it go, by the number of events in the backlog and of the bytes
    /// that the socket has taken in all.
    pub fn update(&mut self, backlog: usize, written: u64) {
        match self.holding {
            None if backlog < HOLD_AT_EVENTS => {}
            None => {
                let now = Instant::now();
                self.holding = Some((now, written));
                self.pace.hold();
                // It was measured when it last held the host.
                if let Some(until) = self.good_until.filter(|until| *until > now) {
                    self.hold_as_good(until);
                }
            }
            Some(_) if backlog < RELEASE_AT_EVENTS => self.release(),
            Some((since, before)) => {
                let now = Instant::now();
                let time = now.duration_since(since);
                let needed = GOOD_RATE * WINDOW.as_millis() as u64 / 1000;
                let is_enough = written - before >= needed;
                if is_enough || time > WINDOW {
                    self.holding = Some((now, written));
                }
                if is_enough && time <= WINDOW {
                    self.hold_as_good(now + WINDOW);
                } else if time > WINDOW {
                    self.release_as_good();
                }
            }
        }
    }

    /// Lets the host go.
    pub fn release(&mut self) {
        self.release_as_good();
        if self.holding.take().is_some() {
            self.pace.release();
        }
    }

    fn hold_as_good(&mut self, until: Instant) {
        self.pace.hold_as_good(until, !self.holds_as_good);
        self.holds_as_good = true;
        self.good_until = Some(until);
    }

    fn release_as_good(&mut self) {
        if self.holds_as_good {
            self.pace.release_as_good();
            self.holds_as_good = false;
        }
    }
}

impl Drop for ReaderPace {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn soon() -> Option<Instant> {
        Some(Instant::now() + Duration::from_secs(20))
    }

    #[test]
    fn nobody_holds_the_host_whose_backlog_is_short() {
        let pace = Arc::new(Pace::default());
        let mut reader = ReaderPace::new(pace.clone());
        reader.update(HOLD_AT_EVENTS - 1, 0);
        assert_eq!(pace.wait(|| panic!("asked for a deadline")), Ok(()));
    }

    #[test]
    fn a_reader_whose_socket_takes_little_holds_the_host_for_the_budget_alone() {
        let pace = Arc::new(Pace::default());
        let mut reader = ReaderPace::new(pace.clone());
        reader.update(HOLD_AT_EVENTS, 0);
        // It comes back although the reader never catches up.
        for _ in 0..1000 {
            reader.update(HOLD_AT_EVENTS, 1);
            assert_eq!(pace.wait(soon), Ok(()));
        }
        let state = pace.state.lock();
        let (start, spent) = state.second.unwrap();
        assert!(spent >= SLOW_BUDGET, "{spent:?}");
        assert_eq!(state.budget(start), Duration::ZERO);
        assert_eq!(state.budget(start + Duration::from_secs(1)), SLOW_BUDGET);
    }

    #[test]
    fn a_reader_whose_socket_takes_much_holds_the_host_until_it_has_caught_up() {
        // Without a processor for some time the reader looks slow.
        let was_quick = (0..1000).any(|_| holds_the_host_until_it_has_caught_up());
        assert!(was_quick);
    }

    /// Returns false if it has taken so long that the reader may have looked slow.
    fn holds_the_host_until_it_has_caught_up() -> bool {
        let start = Instant::now();
        let pace = Arc::new(Pace::default());
        let mut reader = ReaderPace::new(pace.clone());
        reader.update(HOLD_AT_EVENTS, 0);
        reader.update(HOLD_AT_EVENTS, GOOD_RATE);
        let host = thread::spawn({
            let pace = pace.clone();
            move || pace.wait(|| None)
        });
        let mut written = GOOD_RATE;
        let mut goes_on = false;
        for _ in 0..10 {
            written += GOOD_RATE;
            reader.update(HOLD_AT_EVENTS, written);
            goes_on |= host.is_finished();
        }
        reader.update(RELEASE_AT_EVENTS - 1, written);
        assert_eq!(host.join().unwrap(), Ok(()));
        let was_quick = start.elapsed() < WINDOW;
        if was_quick {
            assert!(!goes_on, "before the reader has caught up");
            assert_eq!(pace.state.lock().second, None);
        }
        was_quick
    }

    /// Readers that are slow and good, as the host waits for both, when nothing is left of the
    /// budget.
    fn slow_and_good() -> (Arc<Pace>, ReaderPace, ReaderPace) {
        let pace = Arc::new(Pace::default());
        let [mut slow, mut good] = [(); 2].map(|()| ReaderPace::new(pace.clone()));
        slow.update(HOLD_AT_EVENTS, 0);
        good.update(HOLD_AT_EVENTS, 0);
        // For longer than `WINDOW`, in which the test may not get a processor.
        good.hold_as_good(Instant::now() + Duration::from_secs(20));
        pace.state.lock().second = Some((Instant::now(), SLOW_BUDGET));
        (pace, slow, good)
    }

    #[test]
    fn a_slow_reader_does_not_hold_the_host_because_another_was_good() {
        let (pace, _slow, mut good) = slow_and_good();
        good.update(RELEASE_AT_EVENTS - 1, GOOD_RATE);
        assert_eq!(pace.wait(|| Some(Instant::now())), Ok(()));
    }

    #[test]
    fn a_host_that_waits_goes_on_when_the_last_good_reader_lets_it_go() {
        let (pace, _slow, mut good) = slow_and_good();
        let host = thread::spawn({
            let pace = pace.clone();
            move || pace.wait(|| None)
        });
        good.update(RELEASE_AT_EVENTS - 1, GOOD_RATE);
        assert_eq!(pace.state.lock().good_until, None);
        assert_eq!(host.join().unwrap(), Ok(()));
    }

    #[test]
    fn a_reader_that_was_good_lately_is_good_when_it_asks_again() {
        let (pace, _slow, mut good) = slow_and_good();
        good.update(RELEASE_AT_EVENTS - 1, GOOD_RATE);
        good.update(HOLD_AT_EVENTS, GOOD_RATE);
        assert_eq!(pace.wait(|| Some(Instant::now())), Err(TimedOut));
    }

    #[test]
    fn the_host_s_time_holds_while_it_waits_for_a_good_reader() {
        let pace = Arc::new(Pace::default());
        let mut reader = ReaderPace::new(pace.clone());
        reader.update(HOLD_AT_EVENTS, 0);
        // For longer than `WINDOW`, in which the test may not get a processor.
        reader.hold_as_good(Instant::now() + Duration::from_secs(20));
        assert_eq!(pace.wait(|| Some(Instant::now())), Err(TimedOut));
    }

    #[test]
    fn a_reader_that_goes_lets_the_host_go() {
        let pace = Arc::new(Pace::default());
        let mut reader = ReaderPace::new(pace.clone());
        reader.update(HOLD_AT_EVENTS, 0);
        drop(reader);
        assert_eq!(pace.wait(|| panic!("asked for a deadline")), Ok(()));
    }
}

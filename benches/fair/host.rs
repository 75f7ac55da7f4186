//! The threads of the host.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use nix::sys::resource::{UsageWho, getrusage};
use vscp_driver_host::OpenDriver;

use crate::{good::is_switch, server::numbered, stats::now};

const SECOND: u64 = 1_000_000_000;

/// What the host gives VSCPWrite for each event.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Events of a burst, and the time from one to the next.
const BURST: u64 = 20_000;
const BURST_INTERVAL: u64 = 3 * SECOND;

/// Shorter calls have not waited.
const SHORT: u64 = 20_000;

/// What the host writes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Writing {
    /// Nothing.
    Nothing,
    /// So many events a second.
    Rate(u64),
    /// As many as it can.
    Full,
    /// [`BURST`] events at a time.
    Bursts,
}

/// What a thread that writes has seen.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Events that were taken.
    pub(crate) events: u64,
    /// Calls that gave `FIFO_FULL`.
    pub(crate) full: u64,
    /// When calls began that waited, and for how long.
    waits: Vec<(u64, u64)>,
    /// Voluntary context switches of the thread.
    switches: i64,
}

impl Written {
    /// The longest wait of one call.
    pub(crate) fn longest(&self) -> u64 {
        self.waits.iter().map(|(_, time)| *time).max().unwrap_or(0)
    }

    /// The longest time that calls have waited within a second.
    pub(crate) fn longest_in_a_second(&self) -> u64 {
        let (mut from, mut sum, mut max) = (0, 0, 0);
        for (start, time) in &self.waits {
            sum += time;
            while self.waits[from].0 + SECOND < start + time {
                sum -= self.waits[from].1;
                from += 1;
            }
            max = max.max(sum);
        }
        max
    }

    fn write(&mut self, driver: &OpenDriver<'_>) {
        let event = numbered(self.events as u32);
        let start = now();
        match driver.write(&event, TIMEOUT) {
            Ok(()) => self.events += 1,
            Err(_) => self.full += 1,
        }
        let time = now() - start;
        if time > SHORT && self.has_waited() {
            self.waits.push((start, time));
        }
    }

    /// Returns true if the thread has blocked since the last call of this function (a voluntary
    /// context switch). Being preempted does not count.
    fn has_waited(&mut self) -> bool {
        let usage = getrusage(UsageWho::RUSAGE_THREAD);
        let switches = usage.map_or(0, |usage| usage.voluntary_context_switches());
        std::mem::replace(&mut self.switches, switches) != switches
    }

    fn sleep(&mut self) {
        thread::sleep(Duration::from_millis(1));
        self.has_waited();
    }
}

/// Writes until `end` is set.
pub(crate) fn write(driver: &OpenDriver<'_>, writing: Writing, end: &AtomicBool) -> Written {
    let mut written = Written::default();
    written.has_waited();
    let start = now();
    while !end.load(Ordering::Relaxed) {
        let time = now() - start;
        let due = match writing {
            Writing::Nothing => 0,
            Writing::Rate(rate) => time * rate / SECOND,
            Writing::Full => u64::MAX,
            Writing::Bursts => (time / BURST_INTERVAL + 1) * BURST,
        };
        let mut calls = written.events + written.full;
        while calls < due && !end.load(Ordering::Relaxed) {
            written.write(driver);
            calls += 1;
        }
        written.sleep();
    }
    written
}

/// Reads until `end` is set. How long each switch took, in ns.
pub(crate) fn read(driver: &OpenDriver<'_>, end: &AtomicBool) -> Vec<u64> {
    let mut times = Vec::new();
    while !end.load(Ordering::Relaxed) {
        if let Ok(event) = driver.read(Duration::from_millis(50))
            && is_switch(&event)
        {
            let sent = u64::from_be_bytes(event.data[..].try_into().unwrap_or_default());
            times.push(now().saturating_sub(sent));
        }
    }
    times
}

//! Limits the rate at which events are recorded.

use std::time::Instant;

/// The largest number of events that are recorded in a second, in the long run.
const RATE: f64 = 10_000.0;

/// The largest number of events that are recorded at the same time, after a pause.
const BURST: f64 = 20_000.0;

/// A token bucket. Events that come faster are not recorded, so that a flood does not take the
/// processor from the other tasks of the driver.
#[derive(Debug)]
pub(super) struct Allowance {
    left: f64,
    refilled: Instant,
}

impl Allowance {
    /// Makes a full one.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            refilled: now,
        }
    }

    /// Takes `count` tokens from the bucket. Returns false, and takes none, if there are fewer.
    pub(super) fn take(&mut self, count: usize, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.refilled);
        self.left = (self.left + passed.as_secs_f64() * RATE).min(BURST);
        self.refilled = now;
        let count = count as f64;
        let is_allowed = count <= self.left;
        if is_allowed {
            self.left -= count;
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_what_comes_at_the_rate() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        assert!(allowance.take(20_000, start));
        assert!(!allowance.take(1, start));
        let at = |ms| start + Duration::from_millis(ms);
        assert!(allowance.take(1000, at(100)));
        assert!(!allowance.take(1000, at(150)));
        assert!(allowance.take(500, at(150)));
        // A clock that stands still or goes back gives nothing.
        assert!(!allowance.take(1, at(0)));
        assert!(!allowance.take(20_001, at(60_000)));
        assert!(allowance.take(20_000, at(60_000)));
    }
}

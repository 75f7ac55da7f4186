//! How many events are looked at.

use std::time::Instant;

/// Events that are looked at in a second, in the long run.
const RATE: f64 = 10_000.0;

/// Events that are looked at if there were few before.
const BURST: f64 = 20_000.0;

/// A token bucket: events that come faster are not looked at, so that a flood costs others
/// nothing.
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

    /// Returns true if so many events may be looked at, and takes them off what may be.
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

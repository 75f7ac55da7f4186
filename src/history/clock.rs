//! Decides whether the system clock can be trusted: it may have been set.

use std::time::{Duration, Instant};

/// The largest difference in milliseconds between the steps of the system clock and of the
/// monotonic clock, from one check to the next, at which the system clock does not count as set.
const MAX_STEP: i64 = 60_000;

/// How long the system clock must not have been set before anything is removed for its age:
/// machines without a battery begin in another year, and learn the time later.
const STEADY: Duration = Duration::from_secs(600);

/// Compares the system clock with the monotonic clock, which nobody can set.
#[derive(Debug)]
pub(super) struct SteadyClock {
    instant: Instant,
    time: i64,
    /// Since when the system clock was not set.
    since: Instant,
}

impl SteadyClock {
    /// Begins at the present time: `instant` by the monotonic clock, `time` in milliseconds since
    /// 1970 by the system clock.
    pub(super) fn new(instant: Instant, time: i64) -> Self {
        Self {
            instant,
            time,
            since: instant,
        }
    }

    /// Notes the time by both clocks. Returns it if the clock has gone steadily for some minutes.
    pub(super) fn check(&mut self, instant: Instant, time: i64) -> Option<i64> {
        let passed = instant.saturating_duration_since(self.instant).as_millis();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        let step = time.saturating_sub(self.time).saturating_sub(passed);
        if !(-MAX_STEP..=MAX_STEP).contains(&step) {
            self.since = instant;
        }
        self.instant = instant;
        self.time = time;
        let steady = instant.saturating_duration_since(self.since);
        (steady >= STEADY).then_some(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_trusted_after_some_minutes() {
        const NOW: i64 = 1_800_000_000_000;
        const YEARS: i64 = 1_000_000_000_000;
        let start = Instant::now();
        let mut clock = SteadyClock::new(start, NOW);
        for (minute, offset, is_steady) in [
            (1, 0, false),
            (9, 10, false),
            (10, -20, true),
            (20, 30_000, true),
            // The battery is empty.
            (21, -YEARS, false),
            (30, -YEARS, false),
            (31, -YEARS, true),
            (32, 0, false),
            (42, 0, true),
            (43, YEARS, false),
            (44, 0, false),
            (54, 0, true),
        ] {
            let instant = start + Duration::from_secs(60 * minute);
            let time = NOW + 60_000 * minute as i64 + offset;
            let found = clock.check(instant, time);
            assert_eq!(found, is_steady.then_some(time), "{minute}");
        }
    }
}

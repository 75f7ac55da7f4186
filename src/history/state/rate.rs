//! Events a minute.

use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

/// Counts events in this minute and the one before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rate {
    /// The number of the minute.
    minute: u64,
    now: u32,
    before: u32,
}

impl Rate {
    /// Counts an event.
    pub(super) fn count(&mut self, start: Instant, now: Instant) {
        let (minute, _) = minute(start, now);
        self.advance(minute);
        self.now = self.now.saturating_add(1);
    }

    /// Returns about how many events there were in the last 60 seconds.
    pub(super) fn per_minute(mut self, start: Instant, now: Instant) -> f64 {
        let (minute, part) = minute(start, now);
        self.advance(minute);
        f64::from(self.now) + f64::from(self.before) * (1.0 - part)
    }

    fn advance(&mut self, minute: u64) {
        if minute != self.minute {
            self.before = if minute == self.minute + 1 {
                self.now
            } else {
                0
            };
            self.now = 0;
            self.minute = minute;
        }
    }
}

/// Returns the number of a minute, and the part of it that has passed.
fn minute(start: Instant, now: Instant) -> (u64, f64) {
    let passed = now.saturating_duration_since(start);
    let seconds = passed.as_secs_f64() % MINUTE.as_secs_f64();
    let minute = passed.as_secs() / MINUTE.as_secs();
    (minute, seconds / MINUTE.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_of_the_last_minute_are_counted() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut rate = Rate::default();
        for second in 0..60 {
            rate.count(start, at(second));
        }
        for (second, expected) in [(59, 60.0), (60, 60.0), (90, 30.0), (120, 0.0), (999, 0.0)] {
            assert_eq!(rate.per_minute(start, at(second)), expected, "{second}");
        }
    }
}

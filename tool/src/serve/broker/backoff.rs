//! How long a lost connection waits for the next attempt.

use std::time::Duration;

use crate::serve::settings::Reconnect;

/// After a connection that has lasted so long the delay starts at its minimum again.
const GOOD: Duration = Duration::from_secs(30);

/// Grows with each attempt.
#[derive(Debug)]
pub(super) struct Backoff {
    settings: Reconnect,
    attempts: u32,
}

impl Backoff {
    pub(super) fn new(settings: Reconnect) -> Self {
        Self {
            settings,
            attempts: 0,
        }
    }

    /// Returns how long to wait after an attempt whose connection lasted `lasted`. `random` is
    /// anything: the time is between a half and the whole of what the attempts make it, so that many
    /// hosts do not come back together.
    pub(super) fn next(&mut self, lasted: Duration, random: u32) -> Duration {
        if lasted >= GOOD {
            self.attempts = 0;
        }
        let factor = 1_u32 << self.attempts.min(16);
        self.attempts += 1;
        let whole = self
            .settings
            .delay
            .saturating_mul(factor)
            .min(self.settings.max);
        let share = f64::from(random) / f64::from(u32::MAX);
        whole.mul_f64(0.5 + share / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_less_often_and_never_all_at_once() {
        let seconds = Duration::from_secs_f64;
        let mut backoff = Backoff::new(Reconnect {
            delay: seconds(2.0),
            max: seconds(60.0),
        });
        for (lasted, random, expected) in [
            (0.0, u32::MAX, 2.0),
            (0.0, u32::MAX, 4.0),
            (29.0, u32::MAX, 8.0),
            (0.0, 0, 8.0),
            (0.0, u32::MAX, 32.0),
            (0.0, u32::MAX, 60.0),
            (0.0, 0, 30.0),
            (30.0, u32::MAX, 2.0),
            (0.0, 0, 2.0),
        ] {
            assert_eq!(backoff.next(seconds(lasted), random), seconds(expected));
        }
        (0..100).for_each(|_| assert!(backoff.next(seconds(0.0), 1) <= seconds(60.0)));
    }
}

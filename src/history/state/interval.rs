//! How often something comes.

use std::time::Duration;

/// The part of the last gap in the mean.
const WEIGHT: f64 = 0.25;

/// The time between two events of a kind: a mean in which the last ones count most.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Interval(Option<f64>);

impl Interval {
    /// Makes an interval of so many seconds.
    pub(super) fn from_seconds(seconds: Option<f64>) -> Self {
        Self(seconds)
    }

    /// Notes that so much time has passed since the last event.
    pub(super) fn note(&mut self, gap: Duration) {
        let gap = gap.as_secs_f64();
        self.0 = Some(self.0.map_or(gap, |mean| mean + (gap - mean) * WEIGHT));
    }

    /// Returns it in seconds, `None` if there was one event only.
    pub(super) fn seconds(self) -> Option<f64> {
        self.0
    }
}

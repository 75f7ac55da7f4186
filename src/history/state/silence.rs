//! Decides when sensors and kinds of events that are not heard of any more make room for others.

use std::time::{Duration, Instant};

/// The time without an event after which something counts as silent.
const SILENT: Duration = Duration::from_secs(24 * 3600);

/// The time between two searches for what is silent.
const CLEANING_INTERVAL: Duration = Duration::from_secs(60);

/// The time of the last search for what is silent.
#[derive(Debug, Default)]
pub(super) struct SearchInterval(Option<Instant>);

impl SearchInterval {
    /// Returns true if it is time for the next search. Then `now` is its time.
    pub(super) fn start_if_due(&mut self, now: Instant) -> bool {
        let since = self.0.map(|last| now.saturating_duration_since(last));
        let is_due = since.is_none_or(|since| since >= CLEANING_INTERVAL);
        if is_due {
            self.0 = Some(now);
        }
        is_due
    }
}

/// Returns true if the last event came too long ago.
pub(super) fn is_silent(came: Instant, now: Instant) -> bool {
    now.saturating_duration_since(came) >= SILENT
}

//! Decides who has been silent for so long that its place is given up.

use std::time::{Duration, Instant};

/// The time without an event after which a place is given up.
const SILENT: Duration = Duration::from_secs(24 * 3600);

/// How often it is looked for the silent.
const CLEANING_INTERVAL: Duration = Duration::from_secs(60);

/// Remembers when it was last looked for the silent.
#[derive(Debug, Default)]
pub(super) struct Silence(Option<Instant>);

impl Silence {
    /// Returns true if it is to be looked for the silent now, and notes that.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
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

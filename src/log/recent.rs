//! The last warnings and errors, for those who ask.

use std::{collections::VecDeque, sync::Arc};

use jiff::Timestamp;
use parking_lot::Mutex;

use super::Level;

/// The largest number of lines that are kept.
const MAX_LINES: usize = 100;

/// A line of the log.
#[derive(Clone, Debug)]
pub struct RecentLine {
    /// When it was logged.
    pub time: Timestamp,
    /// Its level.
    pub level: Level,
    /// Its text.
    pub message: String,
}

/// The last lines from the level of warnings on that the log has shown.
#[derive(Clone, Debug, Default)]
pub struct RecentLines(Arc<Mutex<VecDeque<RecentLine>>>);

impl RecentLines {
    /// Returns the lines, the newest first.
    pub fn newest_first(&self) -> Vec<RecentLine> {
        self.0.lock().iter().rev().cloned().collect()
    }

    /// Adds a line. The oldest goes if there are too many.
    pub(super) fn add(&self, line: RecentLine) {
        let mut lines = self.0.lock();
        if lines.len() >= MAX_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept() {
        let lines = RecentLines::default();
        for number in 0..=MAX_LINES {
            lines.add(RecentLine {
                time: Timestamp::now(),
                level: Level::Warn,
                message: number.to_string(),
            });
        }
        let kept = lines.newest_first();
        let (first, last) = (kept.first().unwrap(), kept.last().unwrap());
        assert_eq!(
            (first.message.as_str(), last.message.as_str()),
            ("100", "1")
        );
    }
}

//! Rate limits of log lines that peers can cause, and excerpts of what peers have sent.

use std::{
    fmt::{self, Write},
    time::Duration,
};

use parking_lot::Mutex;

use crate::sync::Instant;

/// The time between two lines of the same kind.
const INTERVAL: Duration = Duration::from_secs(10);

/// The largest number of characters of an [`Excerpt`].
const MAX_EXCERPT: usize = 64;

/// Limits the rate of a log line: the first occurrence is logged, later ones at most every ten
/// seconds, with their number.
#[derive(Debug, Default)]
pub(crate) struct LogLimit(Mutex<(Option<Instant>, u64)>);

impl LogLimit {
    /// Counts `count` occurrences. If a line may be logged now, returns the number of occurrences
    /// since the last line, these included.
    pub(crate) fn allow(&self, count: u64, now: Instant) -> Option<u64> {
        let mut guard = self.0.lock();
        let (logged, pending) = &mut *guard;
        *pending += count;
        if logged.is_some_and(|logged| now.saturating_duration_since(logged) < INTERVAL) {
            return None;
        }
        *logged = Some(now);
        Some(std::mem::take(pending))
    }

    /// Counts one occurrence. If a line may be logged now, returns what stands at its end.
    pub(crate) fn allow_line(&self) -> Option<Repeats> {
        self.allow(1, Instant::now()).map(Repeats)
    }
}

/// The end of a line that was not logged each time: nothing for 1, else
/// ` (2 times since the last such line)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeats(u64);

impl Repeats {
    /// The end of a line that is always logged.
    pub(crate) const NONE: Self = Self(1);
}

impl fmt::Display for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ..=1 => Ok(()),
            count => write!(f, " ({count} times since the last such line)"),
        }
    }
}

/// The start of what a peer has sent, in quotes: at most [`MAX_EXCERPT`] characters, all of them
/// printable ASCII, the others escaped.
pub(crate) struct Excerpt<'b>(pub(crate) &'b [u8]);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut room = MAX_EXCERPT;
        f.write_char('"')?;
        for &byte in self.0 {
            let escaped = byte.escape_ascii();
            if escaped.len() > room {
                return f.write_str("\"...");
            }
            room -= escaped.len();
            escaped.fmt(f)?;
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_be_logged_at_first_and_then_every_ten_seconds_with_the_count() {
        let limit = LogLimit::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(limit.allow(1, at(0)), Some(1));
        assert_eq!(limit.allow(2, at(1)), None);
        assert_eq!(limit.allow(3, at(9)), None);
        assert_eq!(limit.allow(1, at(10)), Some(6));
        assert_eq!(limit.allow(1, at(40)), Some(1));
    }

    #[test]
    fn a_line_says_how_often_if_not_once() {
        let limit = LogLimit::default();
        assert_eq!(limit.allow_line().unwrap().to_string(), "");
        assert_eq!(limit.allow_line(), None);
        let shown = Repeats(2).to_string();
        assert_eq!(shown, " (2 times since the last such line)");
    }

    #[test]
    fn an_excerpt_is_short_and_printable() {
        for (sent, shown) in [
            ("https://a", r#""https://a""#),
            ("", r#""""#),
            ("a\n\x1b[31mb\"", r#""a\n\x1b[31mb\"""#),
            ("\u{202e}", r#""\xe2\x80\xae""#),
            (&"x".repeat(64), &format!("\"{}\"", "x".repeat(64))),
            (&"x".repeat(65), &format!("\"{}\"...", "x".repeat(64))),
            (&"\0".repeat(65), &format!("\"{}\"...", r"\x00".repeat(16))),
        ] {
            assert_eq!(Excerpt(sent.as_bytes()).to_string(), shown);
        }
    }
}

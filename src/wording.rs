//! Counts in log lines.

use std::fmt;

/// A number of things, with the plural if it is not 1: `1 event`, `2 events`.
pub(crate) struct Counted(pub(crate) u64, pub(crate) &'static str);

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, noun) = self;
        let plural = if *count == 1 { "" } else { "s" };
        write!(f, "{count} {noun}{plural}")
    }
}

/// A number of repetitions: empty if once, else ` (2 times)`.
pub(crate) struct Times(pub(crate) u64);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ..=1 => Ok(()),
            count => write!(f, " ({count} times)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_has_no_plural() {
        for (count, expected) in [(0, "0 events"), (1, "1 event"), (2, "2 events")] {
            assert_eq!(Counted(count, "event").to_string(), expected);
        }
    }

    #[test]
    fn once_is_not_said() {
        assert_eq!(
            [1, 2].map(|count| Times(count).to_string()),
            ["", " (2 times)"]
        );
    }
}

//! How important a line is.

use std::{fmt, str::FromStr};

use tracing::{Metadata, level_filters::LevelFilter};

use crate::json::Misunderstanding;

/// The `tracing` target that makes an error a critical one:
/// `error!(target: CRITICAL, "...")`.
pub const CRITICAL: &str = "critical";

/// How important a line is, or for a sink the least important one that it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Every step.
    Trace,
    /// What a developer wants to know.
    Debug,
    /// What an operator wants to know.
    Info,
    /// Something is odd; nothing is lost.
    Warn,
    /// Something did not work.
    Error,
    /// The driver cannot do its work.
    Critical,
    /// For a sink: shows nothing.
    Off,
}

impl Level {
    /// The words that [`str::parse`] takes, for messages about wrong ones.
    pub const EXPECTED: &str = "trace, debug, info, warn, warning, err, error, critical or off";

    const ALL: [Self; 7] = [
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Warn,
        Self::Error,
        Self::Critical,
        Self::Off,
    ];

    /// The name, as spdlog prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Off => "off",
        }
    }

    /// The name in one letter, as spdlog prints it.
    pub(super) fn letter(self) -> char {
        match self {
            Self::Trace => 'T',
            Self::Debug => 'D',
            Self::Info => 'I',
            Self::Warn => 'W',
            Self::Error => 'E',
            Self::Critical => 'C',
            Self::Off => 'O',
        }
    }

    /// The terminal code that turns the level's colour on, as spdlog has it.
    pub(super) fn colour(self) -> &'static str {
        match self {
            Self::Trace => "\x1b[37m",
            Self::Debug => "\x1b[36m",
            Self::Info => "\x1b[32m",
            Self::Warn => "\x1b[33m\x1b[1m",
            Self::Error => "\x1b[31m\x1b[1m",
            Self::Critical => "\x1b[1m\x1b[41m",
            Self::Off => "\x1b[m",
        }
    }

    /// The level of an event; `tracing` has none above error, so a target makes the difference.
    pub(super) fn of(metadata: &Metadata<'_>) -> Self {
        match *metadata.level() {
            tracing::Level::TRACE => Self::Trace,
            tracing::Level::DEBUG => Self::Debug,
            tracing::Level::INFO => Self::Info,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::ERROR if metadata.target() == CRITICAL => Self::Critical,
            tracing::Level::ERROR => Self::Error,
        }
    }

    /// The level whose number is `number`; off for a number that no level has.
    pub(super) fn from_number(number: u8) -> Self {
        Self::ALL
            .get(usize::from(number))
            .copied()
            .unwrap_or(Self::Off)
    }
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::TRACE,
            Level::Debug => Self::DEBUG,
            Level::Info => Self::INFO,
            Level::Warn => Self::WARN,
            Level::Error | Level::Critical => Self::ERROR,
            Level::Off => Self::OFF,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        let short = match text.to_ascii_lowercase().as_str() {
            "warn" => Some(Self::Warn),
            "err" => Some(Self::Error),
            _ => None,
        };
        let named = |level: &Self| level.name().eq_ignore_ascii_case(text);
        short
            .or_else(|| Self::ALL.into_iter().find(named))
            .ok_or_else(|| LevelError {
                found: text.chars().take(40).collect(),
            })
    }
}

/// A word that is no level.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("found {found:?}, expected {expected}", expected = Level::EXPECTED)]
pub struct LevelError {
    /// What was there, cut to a readable length.
    pub found: String,
}

impl Misunderstanding for LevelError {
    fn expected(&self) -> String {
        Level::EXPECTED.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn every_word_is_a_level_in_any_case() {
        for (word, level) in [
            ("trace", Level::Trace),
            ("debug", Level::Debug),
            ("info", Level::Info),
            ("warn", Level::Warn),
            ("warning", Level::Warn),
            ("err", Level::Error),
            ("error", Level::Error),
            ("critical", Level::Critical),
            ("off", Level::Off),
            ("DEBUG", Level::Debug),
            ("Warn", Level::Warn),
            ("eRR", Level::Error),
        ] {
            assert_eq!(word.parse(), Ok(level), "{word}");
        }
        for level in Level::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
            assert_eq!(Level::from_number(level as u8), level);
        }
    }

    #[test]
    fn a_wrong_word_is_refused_with_the_right_ones() {
        let error = "verbose".parse::<Level>().unwrap_err().to_string();
        assert_eq!(
            error,
            "found \"verbose\", expected trace, debug, info, warn, warning, err, error, critical \
             or off"
        );
        assert!("".parse::<Level>().is_err());
        assert!(" info".parse::<Level>().is_err());
        let error = "x".repeat(1000).parse::<Level>().unwrap_err();
        assert_eq!(error.found.len(), 40);
    }
}

//! The levels of lines.

use std::{fmt, str::FromStr};

use tracing::{Metadata, level_filters::LevelFilter};

use crate::located_json::Expected;

/// The `tracing` target of critical errors, for which `tracing` has no level:
/// `error!(target: CRITICAL, "...")`.
pub const CRITICAL: &str = "critical";

/// The level of a line, or the lowest level that a sink shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Details of single steps.
    Trace,
    /// Messages for developers.
    Debug,
    /// Messages for operators.
    Info,
    /// Something is odd, but works.
    Warn,
    /// Something has failed.
    Error,
    /// The driver cannot go on.
    Critical,
    /// The level of a sink that shows nothing.
    Off,
}

impl Level {
    /// The words that [`str::parse`] accepts, for error messages.
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

    /// Returns the name that spdlog prints.
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

    /// Returns the letter that spdlog prints.
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

    /// Returns the terminal code of the colour that spdlog uses.
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

    /// Returns the level of an event. Critical errors are told from others by their target.
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

    /// Returns the level with this number, off if there is none.
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

/// A word is not a level.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("found {found:?}, expected {expected}", expected = Level::EXPECTED)]
pub struct LevelError {
    /// The word, cut to 40 characters.
    pub found: String,
}

impl Expected for LevelError {
    fn expected(&self) -> String {
        Level::EXPECTED.to_owned()
    }
}

#[cfg(test)]
mod tests {
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

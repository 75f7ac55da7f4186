//! Findings in a configuration, with their places.

use std::fmt::{self, Write};

/// The place of a value. Shown as `FILE:LINE: KEY`, without what is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The file, or what else messages call the text; empty if there is none.
    pub file: String,
    /// The line in it.
    pub line: Option<usize>,
    /// The path of the key, empty if it is about none.
    pub key: String,
}

/// Something odd or wrong in a configuration. Shown on one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// Where it is.
    pub position: Position,
    /// The text or value that was found.
    pub found: String,
    /// The expectation, empty if `found` says it.
    pub expected: String,
    /// A hint, empty if there is none.
    pub hint: String,
}

/// An error in a configuration or users file. Shown on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Box<Finding>);

impl Position {
    /// Makes the position of a text as a whole.
    pub fn of_text(name: impl Into<String>) -> Self {
        Self {
            file: name.into(),
            ..Self::default()
        }
    }

    /// Makes the position of a key in the same text, on the same line.
    pub fn with_key(self, key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            ..self
        }
    }

    /// Makes an error at this position.
    pub fn error(&self, found: impl fmt::Display, expected: impl fmt::Display) -> ConfigError {
        let finding = Finding::new(self.clone(), found);
        ConfigError(Box::new(finding.expecting(expected)))
    }
}

impl Finding {
    /// Makes a finding without expectation and hint.
    pub fn new(position: Position, found: impl fmt::Display) -> Self {
        Self {
            position,
            found: found.to_string(),
            ..Self::default()
        }
    }

    /// Adds what is expected.
    pub fn expecting(self, expected: impl fmt::Display) -> Self {
        Self {
            expected: expected.to_string(),
            ..self
        }
    }

    /// Adds what may help.
    pub fn with_hint(self, hint: impl fmt::Display) -> Self {
        Self {
            hint: hint.to_string(),
            ..self
        }
    }
}

impl ConfigError {
    /// Makes an error that belongs to no key.
    pub fn new(
        file: impl Into<String>,
        found: impl fmt::Display,
        expected: impl fmt::Display,
    ) -> Self {
        Position::of_text(file).error(found, expected)
    }

    /// Adds what may help.
    pub fn with_hint(self, hint: impl fmt::Display) -> Self {
        Self(Box::new(self.0.with_hint(hint)))
    }

    /// Returns its parts.
    pub fn finding(&self) -> &Finding {
        &self.0
    }

    /// Returns the place of the error and what was found there.
    pub(crate) fn in_brief(&self) -> String {
        let Finding {
            position, found, ..
        } = &*self.0;
        let place = Position {
            key: String::new(),
            ..position.clone()
        };
        format!("{place}: {found}")
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", on_one_line(&self.file))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        match &*self.key {
            "" => Ok(()),
            key => write!(f, ": {key}"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.position.file.is_empty() {
            write!(f, "{}: ", self.position)?;
        }
        f.write_str(&self.found)?;
        if !self.expected.is_empty() {
            write!(f, ", expected {}", self.expected)?;
        }
        self.write_hint(f)
    }
}

impl Finding {
    fn write_hint(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.hint {
            "" => Ok(()),
            hint => write!(f, "; {hint}"),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding {
            position,
            found,
            expected,
            ..
        } = &*self.0;
        write!(f, "{position}: found {found}, expected {expected}")?;
        self.0.write_hint(f)
    }
}

impl std::error::Error for ConfigError {}

/// Shows a text with its control characters escaped.
pub(super) fn on_one_line(text: &str) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        text.chars().try_for_each(|character| match character {
            control if control.is_control() => write!(f, "{}", control.escape_debug()),
            other => f.write_char(other),
        })
    })
}

/// The error of a parser whose input is shown beside it.
pub trait Expected {
    /// Returns what should have been there, to go after "expected".
    fn expected(&self) -> String;
}

impl Expected for &str {
    fn expected(&self) -> String {
        (*self).to_owned()
    }
}

impl Expected for String {
    fn expected(&self) -> String {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_shows_what_it_knows() {
        let position = Position {
            line: Some(3),
            ..Position::of_text("f.json").with_key("a.b")
        };
        let finding = Finding::new(position.clone(), "x");
        assert_eq!(finding.to_string(), "f.json:3: a.b: x");
        let finding = finding.expecting("y").with_hint("z?");
        assert_eq!(finding.to_string(), "f.json:3: a.b: x, expected y; z?");
        assert_eq!(Finding::new(Position::default(), "x").to_string(), "x");
        let error = position.error("x", "y");
        assert_eq!(error.to_string(), "f.json:3: a.b: found x, expected y");
        assert_eq!(
            error.with_hint("z?").to_string(),
            "f.json:3: a.b: found x, expected y; z?"
        );
    }
}

//! The findings while a text is read: warnings, and errors that do not end the reading.

use std::fmt;

use super::{ConfigError, Finding, Node, Position};
use crate::wording::Counted;

/// Findings that are kept; those after them are only counted, so that a large file with many faults
/// costs neither time nor a log.
const MAX_KEPT: usize = 100;

/// Lists of warnings and errors, of limited length.
#[derive(Debug, Default)]
pub struct Warnings {
    list: Vec<Finding>,
    omitted: usize,
    errors: Vec<ConfigError>,
}

impl Warnings {
    /// Adds a warning.
    pub fn add(&mut self, warning: Finding) {
        self.add_with(|| warning);
    }

    /// Adds a warning about a value.
    pub fn at(&mut self, node: &Node<'_>, found: impl fmt::Display) {
        self.add_with(|| Finding::new(node.position(), found));
    }

    /// Adds a warning about a value, and what may help.
    pub fn at_with_hint(
        &mut self,
        node: &Node<'_>,
        found: impl fmt::Display,
        hint: impl fmt::Display,
    ) {
        self.add_with(|| Finding::new(node.position(), found).with_hint(hint));
    }

    /// Adds an error, so that what is behind it can be read as well. It is there once if it is
    /// added again.
    pub fn record(&mut self, error: ConfigError) {
        if self.errors.len() < MAX_KEPT && !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    /// Returns the errors that were recorded.
    pub fn errors(&self) -> &[ConfigError] {
        &self.errors
    }

    /// Returns `value`, or the first error behind the first `known` ones.
    pub fn unless_errors<T>(&self, known: usize, value: T) -> Result<T, ConfigError> {
        match self.errors.get(known) {
            Some(error) => Err(error.clone()),
            None => Ok(value),
        }
    }

    /// Returns the warnings, the last one with the number of those that were left out.
    pub fn list(&self) -> Vec<Finding> {
        let mut list = self.list.clone();
        if self.omitted > 0 {
            let more = Counted(self.omitted as u64, "more warning");
            list.push(Finding::new(Position::default(), more));
        }
        list
    }

    /// Returns the warnings as lines.
    #[cfg(any(fuzzing, test))]
    pub fn into_lines(self) -> Vec<String> {
        self.list().iter().map(Finding::to_string).collect()
    }

    /// The line of a value is searched for only if it is shown.
    fn add_with(&mut self, warning: impl FnOnce() -> Finding) {
        if self.list.len() < MAX_KEPT {
            self.list.push(warning());
        } else {
            self.omitted += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_over_the_limit_are_counted() {
        for (extra, last) in [
            (0, "line 99"),
            (1, "1 more warning"),
            (20, "20 more warnings"),
        ] {
            let mut warnings = Warnings::default();
            for number in 0..MAX_KEPT + extra {
                let text = format_args!("line {number}");
                warnings.add(Finding::new(Position::default(), text));
            }
            let lines = warnings.into_lines();
            assert_eq!(lines.last().unwrap(), last);
            assert_eq!(lines.len(), MAX_KEPT + usize::from(extra > 0));
        }
    }
}

//! The kinds of values that keys have: how each is read, shown in the manual and named in errors.

use std::{
    fmt::Write, ops::RangeInclusive, path::PathBuf, path::absolute, str::FromStr, time::Duration,
};

use crate::located_json::{ConfigError, Expected, Node, Source, Warnings, one_of};

/// A kind of value, as the manual and errors show it.
pub trait Describe: Sync {
    /// True if the default of a row is a value in JSON, false if it is words of the manual.
    const HAS_DEFAULT: bool = true;

    /// Returns what a value must be, to go after "expected"; `None` if that depends.
    fn expected(&self) -> Option<String>;

    /// Returns a sentence of the manual about values, an empty one if there is nothing to say.
    fn sentence(&self) -> String {
        String::new()
    }

    /// Returns the unit of numbers.
    fn unit(&self) -> &'static str {
        ""
    }

    /// Returns values, in JSON, that are just out of range, or of the wrong kind.
    fn wrong(&self) -> Vec<String> {
        vec!["true".to_owned()]
    }
}

/// A kind of value that can be read without knowing more than its row.
pub trait Kind: Describe {
    /// The type of the value that is read.
    type Value;

    /// Reads a value. Adds what is odd to `warnings`.
    fn read(&self, node: &Node<'_>, warnings: &mut Warnings) -> Result<Self::Value, ConfigError>;

    /// Returns the value of a key that is not there.
    fn default(&self, json: &str, warnings: &mut Warnings) -> Result<Self::Value, ConfigError> {
        self.read(&Source::new("default", json).root()?, warnings)
    }
}

/// A kind of value that is read from text.
pub trait Parse: Kind {
    /// Reads a text. Fails with what was expected.
    fn parse(&self, text: &str) -> Result<Self::Value, String>;
}

/// True or false.
#[derive(Debug)]
pub struct Flag;

impl Describe for Flag {
    fn expected(&self) -> Option<String> {
        Some("true or false".to_owned())
    }

    fn wrong(&self) -> Vec<String> {
        ["\"x\"", "2", "[]", "{}"].map(str::to_owned).into()
    }
}

impl Kind for Flag {
    type Value = bool;

    fn read(&self, node: &Node<'_>, warnings: &mut Warnings) -> Result<bool, ConfigError> {
        node.boolean(warnings)
    }
}

/// A whole number.
#[derive(Debug)]
pub struct Number<T> {
    range: RangeInclusive<u64>,
    unit: &'static str,
    convert: fn(u64) -> T,
}

impl<T> Number<T> {
    /// Makes a number in a range, of which `convert` makes a value.
    pub(super) const fn new(
        range: RangeInclusive<u64>,
        unit: &'static str,
        convert: fn(u64) -> T,
    ) -> Self {
        Self {
            range,
            unit,
            convert,
        }
    }
}

impl Number<usize> {
    /// Makes a number of things.
    pub(super) const fn count(range: RangeInclusive<u64>, unit: &'static str) -> Self {
        Self::new(range, unit, |number| {
            usize::try_from(number).unwrap_or(usize::MAX)
        })
    }
}

impl Number<Duration> {
    /// Makes a number of seconds.
    pub(super) const fn seconds(range: RangeInclusive<u64>) -> Self {
        Self::new(range, "seconds", Duration::from_secs)
    }

    /// Makes a number of milliseconds.
    pub(super) const fn milliseconds(range: RangeInclusive<u64>) -> Self {
        Self::new(range, "ms", Duration::from_millis)
    }
}

impl<T> Describe for Number<T> {
    fn expected(&self) -> Option<String> {
        let (min, max) = (self.range.start(), self.range.end());
        Some(format!("a whole number from {min} to {max}"))
    }

    fn sentence(&self) -> String {
        format!("From {} to {}.", self.range.start(), self.range.end())
    }

    fn unit(&self) -> &'static str {
        self.unit
    }

    fn wrong(&self) -> Vec<String> {
        let below = self.range.start().checked_sub(1);
        let above = self.range.end() + 1;
        let mut wrong: Vec<_> = below
            .into_iter()
            .chain([above])
            .map(|n| n.to_string())
            .collect();
        wrong.extend(["-1", "1.5", "\"x\"", "true", "[]"].map(str::to_owned));
        wrong
    }
}

impl<T> Kind for Number<T> {
    type Value = T;

    fn read(&self, node: &Node<'_>, warnings: &mut Warnings) -> Result<T, ConfigError> {
        let number = node.integer(self.range.clone(), warnings)?;
        Ok((self.convert)(number))
    }
}

/// One of a few words, in any case.
#[derive(Debug)]
pub struct Choice<T: 'static>(pub(super) &'static [(&'static str, T)]);

impl<T: Copy + Sync> Describe for Choice<T> {
    fn expected(&self) -> Option<String> {
        Some(one_of(self.0))
    }

    fn sentence(&self) -> String {
        let mut text = "One of ".to_owned();
        for (index, (word, _)) in self.0.iter().enumerate() {
            let before = match index {
                0 => "",
                _ if index + 1 == self.0.len() => " or ",
                _ => ", ",
            };
            // Writing to a string does not fail.
            let _ = write!(text, "{before}`{word}`");
        }
        text + "."
    }

    fn wrong(&self) -> Vec<String> {
        ["\"no such word\"", "5", "true"].map(str::to_owned).into()
    }
}

impl<T: Copy + Sync> Kind for Choice<T> {
    type Value = T;

    fn read(&self, node: &Node<'_>, _: &mut Warnings) -> Result<T, ConfigError> {
        node.choice(self.0)
    }
}

/// A text that stands for something.
#[derive(Debug)]
pub struct Text<T>(pub(super) fn(&str) -> Result<T, String>);

impl<T: FromStr<Err: Expected>> Text<T> {
    /// Makes a text that its type can read by itself.
    pub(super) const fn parsed() -> Self {
        Self(|text| text.parse().map_err(|error: T::Err| error.expected()))
    }
}

impl Text<PathBuf> {
    /// Makes the path of a file or folder. It is made absolute, because the host may change its
    /// working folder before the file is looked at again.
    pub(super) const fn path() -> Self {
        // Fails for an empty path only.
        Self(|text| absolute(text).map_err(|_| "a path".to_owned()))
    }
}

impl<T> Describe for Text<T> {
    fn expected(&self) -> Option<String> {
        None
    }
}

impl<T> Kind for Text<T> {
    type Value = T;

    fn read(&self, node: &Node<'_>, _: &mut Warnings) -> Result<T, ConfigError> {
        node.parsed(self.0)
    }
}

impl<T> Parse for Text<T> {
    fn parse(&self, text: &str) -> Result<T, String> {
        (self.0)(text)
    }
}

/// One value or a list of them.
#[derive(Debug)]
pub struct OneOrMore<T>(pub(super) Text<T>);

impl<T> Describe for OneOrMore<T> {
    fn expected(&self) -> Option<String> {
        None
    }
}

impl<T> Kind for OneOrMore<T> {
    type Value = Vec<T>;

    fn read(&self, node: &Node<'_>, warnings: &mut Warnings) -> Result<Vec<T>, ConfigError> {
        let elements = node.elements()?;
        elements
            .iter()
            .map(|element| self.0.read(element, warnings))
            .collect()
    }
}

/// A value that need not be there.
#[derive(Debug)]
pub struct Optional<K>(pub(super) K);

impl<K: Describe> Describe for Optional<K> {
    const HAS_DEFAULT: bool = false;

    fn expected(&self) -> Option<String> {
        self.0.expected()
    }

    fn sentence(&self) -> String {
        self.0.sentence()
    }

    fn unit(&self) -> &'static str {
        self.0.unit()
    }

    fn wrong(&self) -> Vec<String> {
        self.0.wrong()
    }
}

impl<K: Kind> Kind for Optional<K> {
    type Value = Option<K::Value>;

    fn read(&self, node: &Node<'_>, warnings: &mut Warnings) -> Result<Self::Value, ConfigError> {
        self.0.read(node, warnings).map(Some)
    }

    fn default(&self, _: &str, _: &mut Warnings) -> Result<Self::Value, ConfigError> {
        Ok(None)
    }
}

impl<K: Parse> Parse for Optional<K> {
    fn parse(&self, text: &str) -> Result<Self::Value, String> {
        self.0.parse(text).map(Some)
    }
}

/// A value that has a reader of its own in this module.
#[derive(Debug)]
pub struct Special;

impl Describe for Special {
    const HAS_DEFAULT: bool = false;

    fn expected(&self) -> Option<String> {
        None
    }
}

/// A value that nobody reads.
#[derive(Debug)]
pub struct NoEffect;

impl Describe for NoEffect {
    const HAS_DEFAULT: bool = false;

    fn expected(&self) -> Option<String> {
        None
    }

    fn wrong(&self) -> Vec<String> {
        Vec::new()
    }
}

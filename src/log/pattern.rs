//! The format of lines: the pattern language of spdlog
//! (<https://github.com/gabime/spdlog/wiki/3.-Custom-formatting>).

use std::{iter::Peekable, str::Chars};

use super::line::{Field, Line};

const COLOUR_OFF: &str = "\x1b[m";

/// The widest field that a pattern can ask for, as in spdlog.
const MAX_WIDTH: usize = 64;

/// A parsed pattern of spdlog, such as `[%H:%M:%S.%e] [%^%l%$] %v`.
#[derive(Clone, Debug)]
pub struct Pattern {
    parts: Vec<Part>,
}

impl Pattern {
    /// spdlog's default pattern, which `%+` stands for, too.
    pub const DEFAULT: &str = "[%Y-%m-%d %H:%M:%S.%e] [%n] [%^%l%$] %v";

    /// Parses a pattern. Every text is a pattern, as in spdlog: unknown flags are printed as they
    /// are, and an unfinished flag at the end is left out.
    pub fn parse(pattern: &str) -> Self {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '%' {
                text.push(c);
                continue;
            }
            let padding = Padding::parse(&mut chars);
            let Some(flag) = chars.next() else { break };
            let part = match (flag, Field::new(flag)) {
                (_, Some(field)) => vec![Part::Field(field, padding)],
                ('^', None) => vec![Part::ColourOn],
                ('$', None) => vec![Part::ColourOff],
                ('+', None) => Self::parse(Self::DEFAULT).parts,
                ('%', None) => vec![Part::Text("%".to_owned())],
                (_, None) => vec![Part::Text(format!("%{flag}"))],
            };
            parts.push(Part::Text(std::mem::take(&mut text)));
            parts.extend(part);
        }
        parts.push(Part::Text(text));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Self { parts }
    }

    /// Appends `line` to `out`, without a newline. `%^` and `%$` switch the colour of the level on
    /// and off if `colours` is true, and do nothing otherwise.
    pub fn format(&self, line: &Line<'_>, colours: bool, out: &mut String) {
        let mut coloured = false;
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field(field, padding) => {
                    let start = out.len();
                    field.write(line, out);
                    if let Some(padding) = padding {
                        padding.apply(start, out);
                    }
                }
                Part::ColourOn if colours => {
                    out.push_str(line.level.colour());
                    coloured = true;
                }
                Part::ColourOff if coloured => {
                    out.push_str(COLOUR_OFF);
                    coloured = false;
                }
                Part::ColourOn | Part::ColourOff => {}
            }
        }
        if coloured {
            out.push_str(COLOUR_OFF);
        }
    }
}

impl Default for Pattern {
    fn default() -> Self {
        Self::parse(Self::DEFAULT)
    }
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Field(Field, Option<Padding>),
    ColourOn,
    ColourOff,
}

/// The width of a field: `8` (text to the right), `-8` (text to the left), `=8` (centred); with `!`
/// longer text is cut.
#[derive(Clone, Copy, Debug)]
struct Padding {
    width: usize,
    side: Side,
    truncate: bool,
}

/// The side of the text on which spaces are added.
#[derive(Clone, Copy, Debug)]
enum Side {
    Left,
    Right,
    Both,
}

impl Padding {
    /// Takes what is in front of the flag. Returns `None` if that has no width.
    fn parse(chars: &mut Peekable<Chars<'_>>) -> Option<Self> {
        let side = match chars.next_if(|c| matches!(c, '-' | '=')) {
            Some('-') => Side::Right,
            Some(_) => Side::Both,
            None => Side::Left,
        };
        let mut width = None;
        while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
            chars.next();
            width = Some((width.unwrap_or(0) * 10 + digit as usize).min(MAX_WIDTH));
        }
        Some(Self {
            width: width?,
            side,
            truncate: chars.next_if_eq(&'!').is_some(),
        })
    }

    /// Pads or cuts the text in `out` from `start` on. The width is in characters.
    fn apply(self, start: usize, out: &mut String) {
        let count = out[start..].chars().count();
        if count > self.width {
            let cut = out[start..].char_indices().nth(self.width);
            if let Some((index, _)) = cut.filter(|_| self.truncate) {
                out.truncate(start + index);
            }
            return;
        }
        let room = self.width - count;
        let left = match self.side {
            Side::Left => room,
            Side::Right => 0,
            Side::Both => room / 2,
        };
        out.insert_str(start, &" ".repeat(left));
        out.extend(std::iter::repeat_n(' ', room - left));
    }
}

#[cfg(test)]
mod tests {
    use jiff::Zoned;
    use proptest::prelude::*;

    use super::*;
    use crate::log::{
        Level,
        line::tests::{line, text},
    };

    #[test]
    fn width_pads_and_the_exclamation_mark_cuts() {
        let time = Zoned::default();
        let line = line(&time, Level::Info, "Grüße");
        for (pattern, expected) in [
            ("%8l|", "    info|"),
            ("%-8l|", "info    |"),
            ("%=8l|", "  info  |"),
            ("%=7l|", " info  |"),
            ("%3l|", "info|"),
            ("%3!l|", "inf|"),
            ("%-3!l|", "inf|"),
            ("%=3!l|", "inf|"),
            ("%6!l|", "  info|"),
            ("%3!v|", "Grü|"),
            ("%6v|", " Grüße|"),
            ("%0l|", "info|"),
            ("%0!l|", "|"),
            ("%-l|", "info|"),
            ("%=l|", "info|"),
            ("%5%|", "%|"),
            ("%4!!|", "vscp|"),
        ] {
            assert_eq!(text(pattern, &line, false), expected, "{pattern}");
        }
        for huge in ["%100v", "%99999999999999999999999v"] {
            assert_eq!(text(huge, &line, false).chars().count(), MAX_WIDTH);
        }
    }

    #[test]
    fn unknown_flags_are_printed_and_unfinished_ones_left_out() {
        let time = Zoned::default();
        let line = line(&time, Level::Info, "text");
        for (pattern, expected) in [
            ("%q %v", "%q text"),
            ("%8q", "%q"),
            ("%ü%v", "%ütext"),
            ("% v", "% v"),
            ("100%", "100"),
            ("%v %-12!", "text "),
            ("a\nb", "a\nb"),
        ] {
            assert_eq!(text(pattern, &line, false), expected, "{pattern}");
        }
    }

    #[test]
    fn colours_are_those_of_the_level_and_always_end() {
        let time = Zoned::default();
        for (level, pattern, expected) in [
            (
                Level::Info,
                "a %^%l%$ b",
                "a \u{1b}[32minfo\u{1b}[m b".to_owned(),
            ),
            (
                Level::Warn,
                "%^%5L",
                "\u{1b}[33m\u{1b}[1m    W\u{1b}[m".to_owned(),
            ),
            (
                Level::Critical,
                "%$%^x%$y%$",
                "\u{1b}[1m\u{1b}[41mx\u{1b}[my".to_owned(),
            ),
            (
                Level::Error,
                "%+",
                format!(
                    "{}\u{1b}[31m\u{1b}[1merror\u{1b}[m] m",
                    text(
                        "[%Y-%m-%d %T.%e] [%n] [",
                        &line(&time, Level::Off, ""),
                        false
                    )
                ),
            ),
        ] {
            assert_eq!(text(pattern, &line(&time, level, "m"), true), expected);
        }
    }

    proptest! {
        #[test]
        fn no_pattern_and_no_message_panics(
            pattern in "(?s).*",
            message in "(?s).*",
            colours: bool,
        ) {
            let time = Zoned::default();
            text(&pattern, &line(&time, Level::Warn, &message), colours);
        }

        #[test]
        fn no_sequence_of_flags_panics_and_a_width_is_kept(
            pieces in prop::collection::vec(
                ("%[-=]?[0-9]{0,3}!?", prop::char::any()),
                0..20,
            ),
            width in 0..=MAX_WIDTH,
            message in "\\PC{0,80}",
        ) {
            let time = Zoned::default();
            let line = line(&time, Level::Warn, &message);
            let pattern: String = pieces.iter().map(|(padding, flag)| format!("{padding}{flag}")).collect();
            text(&pattern, &line, true);
            for side in ["", "-", "="] {
                let exact = text(&format!("%{side}{width}!v"), &line, false);
                prop_assert_eq!(exact.chars().count(), width);
                let padded = text(&format!("%{side}{width}v"), &line, false);
                prop_assert_eq!(padded.chars().count(), width.max(message.chars().count()));
                prop_assert!(padded.contains(&message));
            }
        }
    }
}

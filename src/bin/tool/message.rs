//! Messages for people, on stderr; coloured where it is a terminal and NO_COLOR is not set.

use std::{fmt, io::Write};

use anstyle::{AnsiColor, Style};

/// Why the command did not do its work.
pub(crate) fn error(text: impl fmt::Display) {
    say(AnsiColor::Red.on_default().bold(), "error", text);
}

/// Something that should be mended.
pub(crate) fn warning(text: impl fmt::Display) {
    say(AnsiColor::Yellow.on_default().bold(), "warning", text);
}

/// Something that is good to know.
pub(crate) fn note(text: impl fmt::Display) {
    say(AnsiColor::Cyan.on_default().bold(), "note", text);
}

fn say(style: Style, label: &str, text: impl fmt::Display) {
    // Where stderr is closed there is nobody to tell.
    let _ = writeln!(anstream::stderr(), "{style}{label}:{style:#} {text}");
}

//! Messages for people, on stderr; coloured if it is a terminal and NO_COLOR is not set.

use std::{
    error::Error,
    fmt,
    io::{self, Write},
    iter::successors,
};

use anstream::{AutoStream, ColorChoice, adapter::strip_str};
use anstyle::{AnsiColor, Style};

/// Tells why the command did not do its work, with all causes.
pub(crate) fn error(error: &(dyn Error + 'static)) {
    let chain = successors(Some(error), |&error| error.source());
    let chain: Vec<_> = chain.map(ToString::to_string).collect();
    print(
        AnsiColor::Red.on_default().bold(),
        "error",
        chain.join(": "),
    );
}

/// Tells of one of several errors.
pub(crate) fn problem(text: impl fmt::Display) {
    print(AnsiColor::Red.on_default().bold(), "error", text);
}

/// Tells what should be mended.
pub(crate) fn warning(text: impl fmt::Display) {
    print(AnsiColor::Yellow.on_default().bold(), "warning", text);
}

/// Tells what is good to know.
pub(crate) fn note(text: impl fmt::Display) {
    print(AnsiColor::Cyan.on_default().bold(), "note", text);
}

fn print(style: Style, label: &str, text: impl fmt::Display) {
    let mut line = format!("{style}{label}:{style:#} {text}\n");
    if AutoStream::choice(&io::stderr()) == ColorChoice::Never {
        line = strip_str(&line).to_string();
    }
    // One write, or the lines of processes that share a pipe would run into each other. If stderr
    // is closed there is nobody to tell.
    let _ = io::stderr().write_all(line.as_bytes());
}

//! The keys of `logging`.

use std::path::PathBuf;

use super::{
    Group, Table,
    kind::{Flag, Number, Optional, Text},
    row::Row,
};
use crate::log::{Level, Pattern};

pub static LOG_LEVEL: Row<Optional<Text<Level>>> = Row::new(
    &["log-level"],
    Optional(Text::parsed()),
    "info, or debug with the key debug",
    "The level of both sinks, file and console, if they have none of their own.",
)
.manual("`trace`, `debug`, `info`, `warn`, `err` or `error`, `critical`, `off`.")
.variable();

pub static FILE_ENABLE: Row<Optional<Flag>> = Row::new(
    &["file-enable-log", "file-enable"],
    Optional(Flag),
    "true if there is a file-path",
    "Whether there is a log file.",
);

pub static FILE_PATH: Row<Text<PathBuf>> = Row::new(
    &["file-path", "file-log-path"],
    Text::path(),
    "\"/var/log/vscp/vscpl2drv-websocksrv.log\"",
    "The log file.",
)
.manual(
    "If it cannot be opened or written, the driver says so on the standard error and goes on; each \
     line tries again, and the first one that is written has the number of lost lines before it. A \
     file that was moved or removed is made anew.",
);

pub static FILE_LOG_LEVEL: Row<Optional<Text<Level>>> = Row::new(
    &["file-log-level"],
    Optional(Text::parsed()),
    "as log-level",
    "The level of the file.",
);

pub static FILE_PATTERN: Row<Optional<Text<Pattern>>> = Row::new(
    &["file-pattern", "file-log-pattern"],
    Optional(Text(pattern)),
    "as of spdlog",
    "What the lines of the file look like.",
);

pub static FILE_MAX_SIZE: Row<Number<u64>> = Row::new(
    &["file-max-size", "file-log-max-size"],
    Number::new(1..=1 << 40, "bytes", |bytes| bytes),
    "5242880",
    "The size at which the file is renamed: name.log becomes name.1.log.",
);

pub static FILE_MAX_FILES: Row<Number<usize>> = Row::new(
    &["file-max-files", "file-log-max-files"],
    Number::count(0..=200_000, ""),
    "7",
    "How many renamed files are kept.",
);

pub static CONSOLE_ENABLE: Row<Optional<Flag>> = Row::new(
    &["console-enable-log", "console-enable"],
    Optional(Flag),
    "warnings and errors only",
    "Whether lines go to the standard error.",
)
.manual(
    "Warnings and errors do if neither this key nor `log-level` nor another key of the console is \
     set.",
);

pub static CONSOLE_LOG_LEVEL: Row<Optional<Text<Level>>> = Row::new(
    &["console-log-level", "console-level"],
    Optional(Text::parsed()),
    "as log-level",
    "The level of the console.",
);

pub static CONSOLE_PATTERN: Row<Optional<Text<Pattern>>> = Row::new(
    &["console-pattern"],
    Optional(Text(pattern)),
    "as of spdlog",
    "What the lines of the console look like.",
);

pub static CONSOLE_JOURNAL: Row<Flag> = Row::new(
    &["console-journal"],
    Flag,
    "true",
    "Whether the lines of the console go to the journal of systemd with fields of their own, if the \
     standard error of the daemon leads there.",
)
.manual(
    "The fields are PRIORITY, SYSLOG_IDENTIFIER, CODE_FILE, CODE_LINE, CODE_MODULE and TID; the \
     pattern of the console is not used. systemd says with JOURNAL_STREAM that the standard error is \
     the journal.",
);

/// The keys of `logging`.
pub static TABLE: Table = Table {
    path: "logging",
    groups: &[Group {
        title: "",
        rows: &[
            &LOG_LEVEL,
            &FILE_ENABLE,
            &FILE_PATH,
            &FILE_LOG_LEVEL,
            &FILE_PATTERN,
            &FILE_MAX_SIZE,
            &FILE_MAX_FILES,
            &CONSOLE_ENABLE,
            &CONSOLE_LOG_LEVEL,
            &CONSOLE_PATTERN,
            &CONSOLE_JOURNAL,
        ],
    }],
};

fn pattern(text: &str) -> Result<Pattern, String> {
    Ok(Pattern::parse(text))
}

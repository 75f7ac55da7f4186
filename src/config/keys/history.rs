//! The keys of `history`.

use std::{path::PathBuf, time::Duration};

use super::{
    Group, Table,
    kind::{Number, Optional, Text},
    row::Row,
};

/// Seconds of a day.
const DAY: u64 = 86_400;

pub static PATH: Row<Optional<Text<PathBuf>>> = Row::new(
    &["path"],
    Optional(Text::path()),
    "none; in memory",
    "The file that the history is stored in, a database of SQLite; it and its folder are made if they \
     are not there.",
)
.manual(
    "SQLite has two files beside it while the driver runs. A file that is broken is renamed to \
     `PATH.broken-DATE`, and a new one is begun. A disk that is full, slow or read-only delays \
     nobody: what cannot be written waits while there is room for it, then it is missing in the \
     history, which is counted and logged.",
)
.empty_is_not_set();

pub static KEEP_DAYS: Row<Number<Duration>> = Row::new(
    &["keep-days"],
    Number::new(1..=3650, "days", |days| Duration::from_secs(days * DAY)),
    "30",
    "How long the history is kept.",
)
.manual(
    "Nothing is removed for its age until the clock of the machine has gone steadily for ten \
     minutes.",
);

pub static MAX_SIZE: Row<Optional<Number<u64>>> = Row::new(
    &["max-size"],
    Optional(Number::new(1 << 20..=1 << 44, "bytes", |bytes| bytes)),
    "1073741824 bytes in a file, 16777216 in memory",
    "The largest size of the history.",
)
.manual(
    "Of what is too much the oldest measurements go first; their lowest, mean and highest value of \
     each minute, and then of each hour, are kept for longer. In memory there are at most 536870912 \
     bytes.",
);

/// The keys of `history`.
pub static TABLE: Table = Table {
    path: "history",
    groups: &[Group {
        title: "",
        rows: &[&PATH, &KEEP_DAYS, &MAX_SIZE],
    }],
};

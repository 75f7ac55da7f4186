//! Errors of the store.

use std::{fmt, io};

use rusqlite::ErrorCode;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub(in crate::history) enum StoreError {
    /// SQLite or the system below it says so.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file or its folder cannot be made.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is a database, but none of this driver, or one of a later version.
    #[error("found {0}, expected a history of this version of the driver")]
    Foreign(String),
    /// The file is ours, but a table is missing.
    #[error("found no table {0}, expected all tables of a history")]
    Incomplete(&'static str),
    /// The file that was opened is not at its path any more.
    #[error(
        "found another file or none, expected the one that was opened: it was removed or replaced"
    )]
    Gone,
    /// A query, which reads with a connection of its own, has found the database broken.
    #[error("a query has found it broken")]
    FoundBroken,
}

/// The remedy for an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::history) enum Failure {
    /// The file is broken: the driver moves it aside and makes a new one.
    Broken,
    /// The driver cannot remedy the error, for example a full disk: it tries again later.
    Lasting,
}

impl StoreError {
    /// Returns what can be done about it.
    pub(in crate::history) fn failure(&self) -> Failure {
        match self {
            Self::Sqlite(error) if is_broken(error) => Failure::Broken,
            Self::Incomplete(_) | Self::FoundBroken => Failure::Broken,
            Self::Sqlite(_) => Failure::Lasting,
            Self::Io(_) | Self::Foreign(_) | Self::Gone => Failure::Lasting,
        }
    }
}

/// Returns true if an error says that the file is no sound database.
pub(in crate::history) fn is_broken(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

impl StoreError {
    /// Returns an error about a database that is not ours.
    pub(super) fn foreign(found: impl fmt::Display) -> Self {
        Self::Foreign(found.to_string())
    }
}

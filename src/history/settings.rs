//! The settings of the history.

use std::{path::PathBuf, time::Duration};

/// The settings of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where it is stored.
    pub place: Place,
    /// How long it is kept.
    pub keep: Duration,
    /// The largest number of bytes that it takes.
    pub max_size: u64,
}

/// Where the history is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In memory, until the driver closes.
    Memory,
    /// In a file.
    File(PathBuf),
}

//! Whether a file has changed since it was read.

use std::{fs, os::unix::fs::MetadataExt, path::Path, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

/// How often files are looked at, at most.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What tells one state of a file from another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// Seconds and nanoseconds; also tells that a file has become readable.
    changed: (i64, i64),
}

impl Stamp {
    /// `None` where there is no such file.
    pub(crate) fn of(path: impl AsRef<Path>) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

/// Tells when files are to be looked at: when somebody asks, but at most once a second.
#[derive(Debug)]
pub(crate) struct Looks {
    next: Mutex<Instant>,
}

impl Looks {
    pub(crate) fn new() -> Self {
        Self {
            next: Mutex::new(Instant::now()),
        }
    }

    /// Whether the caller is to look.
    pub(crate) fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut next = self.next.lock();
        if now < *next {
            return false;
        }
        *next = now + LOOK_INTERVAL;
        true
    }
}

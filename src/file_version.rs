//! Files that are read again when they have changed.

use std::{
    fmt, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Files that are used together, and what they were when they were last read.
#[derive(Debug)]
pub(crate) struct WatchedFiles {
    paths: Vec<PathBuf>,
    /// `None` for a file that was not there.
    seen: Vec<Option<FileVersion>>,
    /// The last failure, so that it is reported once.
    failure: Option<(Vec<Option<FileVersion>>, String)>,
}

/// The outcome of a check of files.
#[derive(Debug)]
pub(crate) enum Reload<T, E> {
    /// No file has changed.
    Unchanged,
    /// They were read.
    Read {
        /// Their content.
        content: T,
        /// Those that have changed.
        changed: Vec<PathBuf>,
    },
    /// They have changed but could not be read. They are read again the next time.
    Failed {
        /// Why.
        error: E,
        /// True if the error differs from the last one.
        is_new: bool,
    },
}

impl WatchedFiles {
    /// Remembers what the files are now. To be called before they are read, so that no change is
    /// missed.
    pub(crate) fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            seen: versions(&paths),
            paths,
            failure: None,
        }
    }

    /// Makes files of which none has been read: those that are there have changed.
    pub(crate) fn unread(paths: Vec<PathBuf>) -> Self {
        Self {
            seen: paths.iter().map(|_| None).collect(),
            paths,
            failure: None,
        }
    }

    /// Returns true if no file has changed since it was last read successfully.
    pub(crate) fn is_unchanged(&self) -> bool {
        versions(&self.paths) == self.seen
    }

    /// Calls `read` if a file has changed since it was last read successfully, and returns what
    /// came of it. A file that is being written, or that the system cannot open at the moment, is
    /// thus read as soon as that is possible.
    pub(crate) fn reload<T, E: fmt::Display>(
        &mut self,
        read: impl FnOnce() -> Result<T, E>,
    ) -> Reload<T, E> {
        let versions = versions(&self.paths);
        if versions == self.seen {
            self.failure = None;
            return Reload::Unchanged;
        }
        match read() {
            Ok(content) => {
                let changed = self.changed(&versions);
                self.seen = versions;
                self.failure = None;
                Reload::Read { content, changed }
            }
            Err(error) => {
                let failure = Some((versions, error.to_string()));
                let is_new = failure != self.failure;
                self.failure = failure;
                Reload::Failed { error, is_new }
            }
        }
    }

    fn changed(&self, versions: &[Option<FileVersion>]) -> Vec<PathBuf> {
        let files = self.paths.iter().zip(self.seen.iter().zip(versions));
        files
            .filter(|(_, (before, now))| before != now)
            .map(|(path, _)| path.clone())
            .collect()
    }
}

/// The properties that tell one state of a file from another.
#[derive(Debug, PartialEq, Eq)]
struct FileVersion {
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// Seconds and nanoseconds; also tells that a file has become readable.
    changed: (i64, i64),
}

impl FileVersion {
    /// Returns `None` if there is no such file.
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

fn versions(paths: &[PathBuf]) -> Vec<Option<FileVersion>> {
    paths.iter().map(|path| FileVersion::of(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show<T: fmt::Debug>(reload: Reload<T, String>) -> String {
        match reload {
            Reload::Unchanged => "unchanged".to_owned(),
            Reload::Read { content, changed } => {
                let names = changed
                    .iter()
                    .map(|path| path.file_name().unwrap_or_default());
                format!("{content:?} {:?}", names.collect::<Vec<_>>())
            }
            Reload::Failed { error, is_new } => format!("{error} {is_new}"),
        }
    }

    #[test]
    fn what_cannot_be_read_now_is_read_as_soon_as_it_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        fs::write(&first, "1").unwrap();
        let mut files = WatchedFiles::new(vec![first, second.clone()]);
        let fail = |error: &str| Err::<u8, _>(error.to_owned());
        assert_eq!(show(files.reload(|| fail("never called"))), "unchanged");
        fs::write(&second, "2").unwrap();
        for (result, shown) in [
            (fail("too many open files"), "too many open files true"),
            (fail("too many open files"), "too many open files false"),
            (fail("half written"), "half written true"),
            (Ok(7), "7 [\"second\"]"),
            (fail("never called"), "unchanged"),
        ] {
            assert_eq!(show(files.reload(|| result)), shown);
        }
        // The same failure of another state of the file is reported.
        for text in ["22", "222"] {
            fs::write(&second, text).unwrap();
            assert_eq!(show(files.reload(|| fail("wrong"))), "wrong true");
            assert_eq!(show(files.reload(|| fail("wrong"))), "wrong false");
        }
    }
}

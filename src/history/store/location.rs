//! Where a store is, and connections to it.

use std::{
    fmt, fs,
    io::{self, ErrorKind},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::StoreError;
use crate::history::Place;

/// How long a connection waits for others to end their transactions.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// The mode of a file that is made: its owner writes it, its group reads it.
const MODE: u32 = 0o640;

/// The largest size of a database in memory. With [`SPARE`] it is well below the 1 GiB that SQLite
/// allows.
const MAX_MEMORY: u64 = 1 << 29;

/// A database in memory may exceed its size by a quarter, until old rows are removed.
const SPARE: u64 = 4;

/// Where a store is.
#[derive(Clone, Debug)]
pub(in crate::history) enum Location {
    /// In memory, under a name that all connections of the process know. It is there as long as one
    /// of them is.
    Memory(String),
    /// In a file.
    File(PathBuf),
}

/// The device of a file and its number there.
pub(super) type FileId = (u64, u64);

impl Location {
    /// Returns the location for a place; each call makes another memory.
    pub(in crate::history) fn new(place: &Place) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        match place {
            Place::Memory => {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                // https://www.sqlite.org/src/file/src/memdb.c
                Self::Memory(format!("file:/websocksrv-{number}?vfs=memdb"))
            }
            Place::File(path) => Self::File(path.clone()),
        }
    }

    /// Opens a connection that writes, and makes the file and its folder if they are not there.
    /// Does not change the content of the file.
    pub(super) fn open_for_writing(&self) -> Result<Connection, StoreError> {
        if let Self::File(path) = self {
            make(path)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Ok(self.open(flags)?)
    }

    /// Opens a connection that only reads.
    pub(super) fn open_for_reading(&self) -> rusqlite::Result<Connection> {
        // Not read-only: even a connection that only reads writes to the index of the write-ahead
        // log (the file that ends with `-shm`).
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;")?;
        Ok(connection)
    }

    /// Returns the size in bytes that the store may have: `max_size`, but in memory at most
    /// [`MAX_MEMORY`]. In memory SQLite enforces the limit, with a reserve (see [`SPARE`]).
    pub(super) fn limit(&self, connection: &Connection, max_size: u64) -> rusqlite::Result<u64> {
        if let Self::File(_) = self {
            return Ok(max_size);
        }
        let max_size = max_size.min(MAX_MEMORY);
        let page_size: u32 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let pages = (max_size + max_size / SPARE) / u64::from(page_size.max(1));
        connection.execute_batch(&format!("PRAGMA max_page_count = {pages}"))?;
        Ok(max_size)
    }

    fn open(&self, flags: OpenFlags) -> rusqlite::Result<Connection> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self {
            Self::Memory(name) => {
                Connection::open_with_flags(name, flags | OpenFlags::SQLITE_OPEN_URI)
            }
            Self::File(path) => Connection::open_with_flags(path, flags),
        }?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        Ok(connection)
    }

    /// Returns which file is at the path: its device and number. `None` if there is none, and for
    /// memory.
    pub(super) fn file(&self) -> io::Result<Option<FileId>> {
        let Self::File(path) = self else {
            return Ok(None);
        };
        match fs::metadata(path) {
            Ok(found) => Ok(Some((found.dev(), found.ino()))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Moves a broken file, and what SQLite has put beside it, out of the way. Returns the new name
    /// of the file, `None` for memory.
    pub(in crate::history) fn move_aside(&self) -> io::Result<Option<PathBuf>> {
        let Self::File(path) = self else {
            return Ok(None);
        };
        let now = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let aside = unused(path, &now);
        fs::rename(path, &aside)?;
        for end in ["-wal", "-shm"] {
            match fs::rename(with_end(path, end), with_end(&aside, end)) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(aside))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(_) => f.write_str("the history in memory"),
            Self::File(path) => write!(f, "history {}", path.display()),
        }
    }
}

fn make(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut new = fs::File::options();
    new.write(true).create_new(true).mode(MODE).open(path)?;
    Ok(())
}

/// Returns a name that no file has.
fn unused(path: &Path, now: &str) -> PathBuf {
    let first = with_end(path, &format!(".broken-{now}"));
    let others = (2_u32..).map(|number| with_end(path, &format!(".broken-{now}-{number}")));
    let mut names = std::iter::once(first.clone()).chain(others);
    names.find(|name| !name.exists()).unwrap_or(first)
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

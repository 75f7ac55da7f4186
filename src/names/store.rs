//! The names of a driver, and their file.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};

use super::{Document, Subject};
use crate::{
    file_version::{Reload, WatchedFiles},
    located_json::{ConfigError, Source},
    replace_file,
    wording::Counted,
};

/// The largest number of clients that wait for a change.
const MAX_WAITING: usize = 64;

/// The mode of a file that is made: its owner writes it, its group reads it.
const MODE: u32 = 0o640;

/// The names that are in force, and the file that they come from.
#[derive(Debug)]
pub(crate) struct Names {
    current: watch::Sender<Arc<Document>>,
    /// `None` if there is no file: then there are no names.
    file: Option<NamesFile>,
    waiting: Semaphore,
}

#[derive(Debug)]
struct NamesFile {
    path: PathBuf,
    /// Locked while the file is read or written.
    watched: Mutex<WatchedFiles>,
}

/// The reason that names were not changed.
#[derive(Debug)]
pub(crate) enum ChangeError {
    /// There is no file to keep them in.
    NoFile,
    /// They are of another version than the change is for.
    OtherVersion,
    /// Somebody has changed the file, and it has not been read yet or cannot be read.
    FileChanged(PathBuf),
    /// The new text is wrong.
    Wrong(ConfigError),
    /// The file cannot be written.
    Disk(PathBuf, io::Error),
}

/// The error of a client that wants to wait with too many others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManyWaiting;

impl Names {
    /// Reads the names. Without a file there are none; a file that is not there is made by the
    /// first change. One that cannot be read is logged, and is read when it has changed.
    pub(crate) fn open(path: Option<PathBuf>) -> Self {
        let names = Self {
            current: watch::Sender::new(Arc::default()),
            file: path.map(|path| NamesFile {
                watched: Mutex::new(WatchedFiles::unread(vec![path.clone()])),
                path,
            }),
            waiting: Semaphore::new(MAX_WAITING),
        };
        names.reload();
        names
    }

    /// Returns true if there is a file.
    pub(crate) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// Returns the names that are in force.
    pub(crate) fn current(&self) -> Arc<Document> {
        self.current.borrow().clone()
    }

    /// Waits until the names are of another version than this, at most `limit`. Returns them,
    /// `None` if nothing has changed. Fails if too many wait already.
    pub(crate) async fn wait_for_change(
        &self,
        version: &str,
        limit: Duration,
    ) -> Result<Option<Arc<Document>>, TooManyWaiting> {
        let is_other = |document: &Arc<Document>| document.version() != version;
        let mut current = self.current.subscribe();
        if is_other(&current.borrow()) {
            return Ok(Some(self.current()));
        }
        let _permit = self.waiting.try_acquire().map_err(|_| TooManyWaiting)?;
        let changed = timeout(limit, current.wait_for(is_other)).await;
        // The sender lives as long as this.
        Ok(changed
            .ok()
            .and_then(Result::ok)
            .map(|document| document.clone()))
    }

    /// Replaces all names if they are of this version (`None`: of any), and writes the file.
    pub(crate) fn replace(
        &self,
        version: Option<&str>,
        text: &Source,
    ) -> Result<Arc<Document>, ChangeError> {
        self.change(version, |_| Document::parse(text))
    }

    /// Changes one entry as [`Document::patched`] does, if the names are of this version (`None`:
    /// of any), and writes the file.
    pub(crate) fn patch(
        &self,
        version: Option<&str>,
        subject: Subject,
        patch: &Source,
    ) -> Result<Arc<Document>, ChangeError> {
        self.change(version, |document| document.patched(subject, patch))
    }

    fn change(
        &self,
        version: Option<&str>,
        change: impl FnOnce(&Document) -> Result<Document, ConfigError>,
    ) -> Result<Arc<Document>, ChangeError> {
        let file = self.file.as_ref().ok_or(ChangeError::NoFile)?;
        let mut watched = file.watched.lock();
        let current = self.current();
        if version.is_some_and(|version| version != current.version()) {
            return Err(ChangeError::OtherVersion);
        }
        if !watched.is_unchanged() && file.path.exists() {
            return Err(ChangeError::FileChanged(file.path.clone()));
        }
        let document = Arc::new(change(&current).map_err(ChangeError::Wrong)?);
        if document.version() == current.version() {
            return Ok(document);
        }
        write(&file.path, document.json())
            .map_err(|error| ChangeError::Disk(file.path.clone(), error))?;
        *watched = WatchedFiles::new(vec![file.path.clone()]);
        self.current.send_replace(document.clone());
        Ok(document)
    }

    /// Reads the file again if it has changed since it was last read or written, and logs what came
    /// of it. If it cannot be read the names stay as they are.
    pub(crate) fn reload(&self) {
        let Some(file) = &self.file else { return };
        let mut watched = file.watched.lock();
        match watched.reload(|| file.read()) {
            Reload::Unchanged => {}
            Reload::Read { content, .. } => {
                let count = Counted(content.len() as u64, "name");
                tracing::info!("{}: {count} read", file.path.display());
                if content.version() != self.current().version() {
                    self.current.send_replace(Arc::new(content));
                }
            }
            Reload::Failed { error, is_new } => {
                if is_new {
                    tracing::error!("{error}; the names stay as they were");
                }
            }
        }
    }
}

impl NamesFile {
    fn read(&self) -> Result<Document, ConfigError> {
        let source = Source::read(&self.path.to_string_lossy())?;
        match source.text().trim_ascii() {
            // It was made, and then the machine stopped.
            "" => Ok(Document::default()),
            _ => Document::parse(&source),
        }
    }
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut new = fs::File::options();
    match new.write(true).create_new(true).mode(MODE).open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    replace_file::replace(path, text)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use tokio::time::Instant;

    use super::*;
    use crate::test_log::TestLog;

    const ONE: &str = r#"{"names": {"-/1": {"name": "one"}}}"#;

    /// Names whose file is in a folder of its own.
    struct Kept {
        folder: TempDir,
        names: Names,
    }

    impl Kept {
        fn start(text: Option<&str>) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("names.json");
            if let Some(text) = text {
                fs::write(&path, text).unwrap();
            }
            let names = Names::open(Some(path));
            Self { folder, names }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("names.json")
        }

        fn put(&self, text: &str) {
            let new = self.path().with_extension("new");
            fs::write(&new, text).unwrap();
            fs::rename(new, self.path()).unwrap();
        }

        fn patch(&self, version: Option<&str>, name: &str) -> Result<Arc<Document>, ChangeError> {
            let patch = Source::new("body", format!("{{\"name\": {name:?}}}"));
            self.names.patch(version, "-/1".parse().unwrap(), &patch)
        }

        fn name(&self) -> Option<String> {
            let names = self.names.current();
            names.get(&"-/1".parse().unwrap())?.name.clone()
        }
    }

    #[test]
    fn a_change_is_in_the_file_and_is_not_read_again() {
        let log = TestLog::start();
        let kept = Kept::start(None);
        let first = kept.patch(None, "a").unwrap();
        let second = kept.patch(Some(first.version()), "b").unwrap();
        assert_eq!(fs::read(kept.path()).unwrap(), **second.json());
        kept.names.reload();
        assert_eq!(log.take(), [""; 0]);
        assert_eq!(
            Names::open(Some(kept.path())).current().json(),
            second.json()
        );
    }

    #[test]
    fn a_change_for_another_version_is_refused() {
        let kept = Kept::start(Some(ONE));
        let version = kept.names.current().version().to_owned();
        kept.patch(Some(&version), "a").unwrap();
        let refused = kept.patch(Some(&version), "b");
        assert!(matches!(refused, Err(ChangeError::OtherVersion)));
        assert_eq!(kept.name().as_deref(), Some("a"));
    }

    #[test]
    fn a_file_that_was_edited_is_read_before_it_is_written() {
        let kept = Kept::start(Some(ONE));
        kept.put(&ONE.replace("one", "edited"));
        assert!(matches!(
            kept.patch(None, "a"),
            Err(ChangeError::FileChanged(_))
        ));
        kept.names.reload();
        assert_eq!(kept.name().as_deref(), Some("edited"));
        kept.patch(None, "a").unwrap();
    }

    #[test]
    fn a_broken_file_is_logged_once_and_leaves_the_names() {
        let kept = Kept::start(Some(ONE));
        let log = TestLog::start();
        kept.put("{\n\"names\": {\"-/1\": 7}}");
        for _ in 0..3 {
            kept.names.reload();
        }
        let lines = log.take();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].contains("names.json:2: names.-/1: found 7"),
            "{lines:?}"
        );
        assert_eq!(kept.name().as_deref(), Some("one"));
        assert!(matches!(
            kept.patch(None, "a"),
            Err(ChangeError::FileChanged(_))
        ));
    }

    #[test]
    fn a_file_that_is_broken_at_the_start_is_not_written_over() {
        let log = TestLog::start();
        let kept = Kept::start(Some("{"));
        assert_eq!(log.take().len(), 1);
        kept.names.reload();
        assert_eq!(log.take(), [""; 0]);
        assert!(matches!(
            kept.patch(None, "a"),
            Err(ChangeError::FileChanged(_))
        ));
        kept.put(ONE);
        kept.names.reload();
        assert_eq!(kept.name().as_deref(), Some("one"));
        kept.patch(None, "a").unwrap();
    }

    #[test]
    fn what_cannot_be_written_changes_nothing() {
        let kept = Kept::start(Some(ONE));
        let names = Names::open(Some(kept.folder.path().join("missing/names.json")));
        let patch = Source::new("body", "{\"name\": \"a\"}");
        let subject = "-/1".parse().unwrap();
        let refused = names.patch(None, subject, &patch);
        assert!(matches!(refused, Err(ChangeError::Disk(..))), "{refused:?}");
        assert_eq!(names.current().len(), 0);
        let refused = Names::open(None).patch(None, subject, &patch);
        assert!(matches!(refused, Err(ChangeError::NoFile)), "{refused:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_are_told_of_a_change() {
        let kept = Kept::start(Some(ONE));
        let version = kept.names.current().version().to_owned();
        let limit = Duration::from_secs(30);
        let start = Instant::now();
        let waited = kept.names.wait_for_change(&version, limit).await;
        assert!(waited.unwrap().is_none());
        assert_eq!(start.elapsed(), limit);

        let change = async { kept.patch(None, "a").unwrap() };
        let (told, changed) = tokio::join!(kept.names.wait_for_change(&version, limit), change);
        assert_eq!(told.unwrap().unwrap().version(), changed.version());
        assert_eq!(start.elapsed(), limit);
        let other = kept.names.wait_for_change("other", limit).await;
        assert!(other.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_wait() {
        let kept = Kept::start(Some(ONE));
        let version = kept.names.current().version().to_owned();
        let wait = || kept.names.wait_for_change(&version, Duration::from_secs(1));
        let all = futures_util::future::join_all((0..=MAX_WAITING).map(|_| wait())).await;
        let refused = all.iter().filter(|waited| waited.is_err());
        assert_eq!(refused.count(), 1);
        assert!(wait().await.is_ok());
    }
}

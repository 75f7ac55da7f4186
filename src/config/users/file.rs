//! The file that the users come from, read again when it has changed.

use crate::{
    auth::Users,
    file_version::{Reload, WatchedFiles},
    located_json::{Source, Warnings},
    wording::Counted,
};

/// A users file and what it was when it was last read.
#[derive(Debug)]
pub struct UsersFile {
    path: String,
    watched: WatchedFiles,
}

impl UsersFile {
    /// Reads the file at start. Adds what is odd or wrong in it to `warnings`.
    pub fn open(path: &str, warnings: &mut Warnings) -> (Self, Users) {
        let file = Self::missing(path);
        let users = Source::read(path).and_then(|source| super::read_file(&source, warnings));
        let users = users.unwrap_or_else(|error| {
            warnings.record(error);
            Users::default()
        });
        (file, users)
    }

    /// Returns its path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Makes a file that has not been read, because it is not there yet.
    pub(super) fn missing(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            watched: WatchedFiles::new(vec![path.into()]),
        }
    }

    /// Reads the file again if it has changed since it was last read, and logs what came of it.
    /// Returns the new users, `None` if nothing has changed or it cannot be read now.
    pub(crate) fn reload(&mut self) -> Option<Users> {
        let mut warnings = Warnings::default();
        let path = &self.path;
        let read = || super::parse(&Source::read(path)?, &mut warnings);
        match self.watched.reload(read) {
            Reload::Unchanged => None,
            Reload::Read { content: users, .. } => {
                for warning in warnings.list() {
                    tracing::warn!("{warning}");
                }
                let count = Counted(users.len() as u64, "user");
                tracing::info!("{path}: has changed, {count} read");
                Some(users)
            }
            Reload::Failed { error, is_new } => {
                if is_new {
                    tracing::error!("{error}; the users stay as they were");
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::test_log::TestLog;

    const ONE: &str = r#"{"users":[{"name":"a","password":"2d1e4f91dae49cd08eaba2293e422273"}]}"#;

    #[test]
    fn a_changed_file_is_read_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.json");
        let name = path.to_str().unwrap();
        fs::write(&path, ONE).unwrap();
        let (mut file, users) = UsersFile::open(name, &mut Warnings::default());
        assert!(users.get("a").is_some());
        let log = TestLog::start();
        assert!(file.reload().is_none());
        assert_eq!(log.take(), [""; 0]);

        fs::write(&path, ONE.replace("\"a\"", "\"bb\"")).unwrap();
        assert!(file.reload().unwrap().get("bb").is_some());
        assert_eq!(
            log.take(),
            [format!("INFO {name}: has changed, 1 user read")]
        );
        assert!(file.reload().is_none());

        // another file of the same size and time
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let other = dir.path().join("other");
        fs::write(&other, ONE.replace("\"a\"", "\"cc\"")).unwrap();
        fs::File::options()
            .write(true)
            .open(&other)
            .unwrap()
            .set_modified(modified)
            .unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(file.reload().unwrap().get("cc").is_some());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_once_for_each_state() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.json");
        let name = path.to_str().unwrap();
        fs::write(&path, ONE).unwrap();
        let (mut file, _) = UsersFile::open(name, &mut Warnings::default());
        let log = TestLog::start();
        for (text, start) in [
            (Some("{"), "found EOF"),
            (Some("{\n\"user\": []}"), "found no \"users\""),
            (None, "found No such file"),
        ] {
            match text {
                Some(text) => fs::write(&path, text).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            assert!(file.reload().is_none());
            assert!(file.reload().is_none());
            let lines = log.take();
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert!(lines[0].starts_with(&format!("ERROR {name}")), "{lines:?}");
            assert!(lines[0].contains(start), "{lines:?}");
            assert!(
                lines[0].ends_with("; the users stay as they were"),
                "{lines:?}"
            );
        }
        fs::write(&path, ONE.replace("\"name\"", "\"nmae\":1,\"name\"")).unwrap();
        assert!(file.reload().is_some());
        let lines = log.take();
        assert!(lines[0].starts_with("WARN "), "{lines:?}");
        assert!(
            lines[0].contains("users[0].nmae: unknown key; did you mean"),
            "{lines:?}"
        );
    }
}

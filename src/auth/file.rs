//! The file that the users come from, read again when it has changed.

use super::users::Users;
use crate::{
    json::{ConfigError, Source},
    stamp::Stamp,
};

/// A users file and what it looked like when it was last read.
#[derive(Debug)]
pub struct UsersFile {
    path: String,
    /// `None` where there was none.
    seen: Option<Stamp>,
}

impl UsersFile {
    /// Reads the file at start. Adds what is odd in it to `warnings`.
    pub fn open(path: &str, warnings: &mut Vec<String>) -> Result<(Self, Users), ConfigError> {
        let file = Self {
            path: path.into(),
            seen: Stamp::of(path), // before it is read, so that no change is missed
        };
        let users = Users::parse(&Source::read(path)?, warnings)?;
        Ok((file, users))
    }

    /// The users, where the file has changed since it was last looked at and can be read; logs
    /// what it did.
    pub(super) fn reload(&mut self) -> Option<Users> {
        let stamp = Stamp::of(&self.path);
        if stamp == self.seen {
            return None;
        }
        self.seen = stamp;
        let mut warnings = Vec::new();
        match Source::read(&self.path).and_then(|source| Users::parse(&source, &mut warnings)) {
            Ok(users) => {
                for warning in warnings {
                    tracing::warn!("{warning}");
                }
                tracing::info!("{}: has changed, {} users read", self.path, users.len());
                Some(users)
            }
            Err(error) => {
                tracing::error!("{error}; the users stay as they were");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

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
        let (mut file, users) = UsersFile::open(name, &mut Vec::new()).unwrap();
        assert!(users.get("a").is_some());
        let log = TestLog::start();
        assert!(file.reload().is_none());
        assert_eq!(log.take(), [""; 0]);

        fs::write(&path, ONE.replace("\"a\"", "\"bb\"")).unwrap();
        assert!(file.reload().unwrap().get("bb").is_some());
        assert_eq!(
            log.take(),
            [format!("INFO {name}: has changed, 1 users read")]
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
        let (mut file, _) = UsersFile::open(name, &mut Vec::new()).unwrap();
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
            lines[0].contains("users[0].nmae: unknown key, did you mean"),
            "{lines:?}"
        );
    }
}

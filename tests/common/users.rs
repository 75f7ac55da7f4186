//! Users and their file.

use std::path::PathBuf;

use md5::{Digest, Md5};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{configuration::merge, files::replace_file};

/// Returns the record of a user with the password `secret`; `keys` are added to it.
pub(crate) fn user(name: &str, keys: Value) -> Value {
    let password = md5(&format!("{name}:secret"));
    merge(json!({"name": name, "password": password}), keys)
}

/// Returns what is stored of `name:password` in the old form.
pub(crate) fn md5(text: &str) -> String {
    hex::encode(Md5::digest(text))
}

/// A file with users, for the key `path-users`. Removed with its drop.
pub(crate) struct UsersFile {
    folder: TempDir,
}

impl UsersFile {
    pub(crate) fn new(users: &[Value]) -> Self {
        let file = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        file.replace(users);
        file
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("users.json")
    }

    pub(crate) fn replace(&self, users: &[Value]) {
        self.replace_text(&json!({ "users": users }).to_string());
    }

    pub(crate) fn replace_text(&self, text: &str) {
        replace_file(&self.path(), text);
    }
}

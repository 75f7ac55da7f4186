//! Changing a users file by a program: all but the user that is changed stays as it is written.

mod text;

use std::{
    fs::File,
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use self::text::List;
use super::{read_file, rows};
use crate::{
    auth::Users,
    located_json::{ConfigError, Source, Warnings},
    replace_file::replace,
};

/// The mode of a new file: it holds secrets, and the daemon's group reads it.
const NEW_MODE: u32 = 0o640;

/// A users file that is being changed. Other editors of files in its folder wait until it is
/// dropped.
///
/// Nothing is written before [`save`](Self::save).
#[derive(Debug)]
pub struct UsersEditor {
    path: PathBuf,
    text: String,
    /// The number of errors that the file had before.
    old_errors: usize,
    is_new: bool,
    /// Locked, so that of two changes at the same time none is lost.
    _folder: File,
}

/// Why a users file was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file is, or would be, no users file.
    #[error("{0}")]
    Content(String),
    /// The file cannot be read or written.
    #[error("{}", path.display())]
    File {
        /// The file, or its folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no user of this name.
    #[error("{}: there is no user {name:?}{}", path.display(), others(known))]
    NoSuchUser {
        /// The users file.
        path: PathBuf,
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// There is a user of this name.
    #[error("{}: there is a user {name:?} already", path.display())]
    UserExists {
        /// The users file.
        path: PathBuf,
        /// The name.
        name: String,
    },
}

impl From<ConfigError> for EditError {
    fn from(error: ConfigError) -> Self {
        Self::Content(error.to_string())
    }
}

/// The keys of a new user but name and password. Those that are `None` or empty are not written.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    /// Name for people.
    pub fullname: Option<String>,
    /// Free text.
    pub note: Option<String>,
    /// The rights of the user.
    pub rights: Vec<String>,
    /// Addresses that the user may log in from.
    pub remotes: Vec<String>,
    /// Events that the user may send and receive.
    pub events: Vec<String>,
    /// Highest priority of events that the user sends.
    pub max_priority: Option<u8>,
}

impl UsersEditor {
    /// Opens a users file, an empty one if there is none. Records in it may be wrong.
    ///
    /// # Errors
    /// The file cannot be read, or has no list of users.
    pub fn open(path: &Path) -> Result<Self, EditError> {
        let folder_path = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let folder = File::open(folder_path).map_err(failed(folder_path))?;
        folder.lock().map_err(failed(folder_path))?;
        let is_new = !path.try_exists().map_err(failed(path))?;
        let text = match is_new {
            true => text::EMPTY.to_owned(),
            false => Source::read(&path.to_string_lossy())?.text().to_owned(),
        };
        let mut editor = Self {
            path: path.to_owned(),
            text,
            old_errors: 0,
            is_new,
            _folder: folder,
        };
        editor.old_errors = editor.read()?.1.len();
        Ok(editor)
    }

    /// Appends a user. `password` is a stored one.
    ///
    /// # Errors
    /// There is such a user.
    pub fn add(&mut self, name: &str, password: &str, user: &NewUser) -> Result<(), EditError> {
        let list = self.list()?;
        if list.names().any(|other| other == name) {
            return Err(EditError::UserExists {
                path: self.path.clone(),
                name: name.to_owned(),
            });
        }
        let mut record = Map::new();
        let mut insert = |key: &str, value: Value| _ = record.insert(key.to_owned(), value);
        insert(rows::NAME.name(), name.into());
        if let Some(fullname) = &user.fullname {
            insert(rows::FULLNAME.name(), fullname.as_str().into());
        }
        insert(rows::PASSWORD.name(), password.into());
        for (row, list) in [
            (&rows::RIGHTS, &user.rights),
            (&rows::REMOTES, &user.remotes),
            (&rows::EVENTS, &user.events),
        ] {
            match &**list {
                [] => {}
                [one] => insert(row.name(), one.as_str().into()),
                list => insert(row.name(), list.into()),
            }
        }
        if let Some(priority) = user.max_priority {
            insert(rows::MAX_PRIORITY.name(), priority.into());
        }
        if let Some(note) = &user.note {
            insert(rows::NOTE.name(), note.as_str().into());
        }
        list.append(&mut self.text, record);
        Ok(())
    }

    /// Removes a user.
    ///
    /// # Errors
    /// There is no such user.
    pub fn remove(&mut self, name: &str) -> Result<(), EditError> {
        let (list, index) = self.find(name)?;
        list.remove(&mut self.text, index);
        Ok(())
    }

    /// Gives a user another stored password.
    ///
    /// # Errors
    /// There is no such user.
    pub fn set_password(&mut self, name: &str, password: &str) -> Result<(), EditError> {
        let (list, index) = self.find(name)?;
        list.set_password(&mut self.text, index, password);
        Ok(())
    }

    /// Returns the names of all users, also of those whose records are wrong.
    ///
    /// # Errors
    /// The file has no list of users.
    pub fn names(&self) -> Result<Vec<String>, EditError> {
        Ok(self.list()?.names().map(str::to_owned).collect())
    }

    /// Checks that there is a user of this name, whose record may be wrong.
    ///
    /// # Errors
    /// There is no such user.
    pub fn require(&self, name: &str) -> Result<(), EditError> {
        self.find(name).map(drop)
    }

    /// Returns the users whose records are right, and the errors in the others. The driver takes
    /// the file only if there is no error.
    ///
    /// # Errors
    /// The file has no list of users.
    pub fn read(&self) -> Result<(Users, Vec<ConfigError>), EditError> {
        let mut warnings = Warnings::default();
        let users = read_file(&self.source(), &mut warnings)?;
        Ok((users, warnings.errors().to_vec()))
    }

    /// Checks that the file has no more errors than when it was opened.
    ///
    /// # Errors
    /// The last error in the file.
    pub fn check(&self) -> Result<(), EditError> {
        let (_, errors) = self.read()?;
        match errors.last() {
            Some(last) if errors.len() > self.old_errors => Err(last.clone().into()),
            _ => Ok(()),
        }
    }

    /// Writes the file; the driver reads it within a second. Owner and mode stay as they are. A
    /// new file is readable by the group of its folder.
    ///
    /// # Errors
    /// The changes have made something wrong that was right, or the file cannot be written.
    pub fn save(&self) -> Result<(), EditError> {
        self.check()?;
        if self.is_new {
            create(&self.path).map_err(failed(&self.path))?;
        }
        replace(&self.path, self.text.as_bytes()).map_err(failed(&self.path))
    }

    fn find(&self, name: &str) -> Result<(List, usize), EditError> {
        let list = self.list()?;
        let index = list.names().position(|other| other == name);
        match index {
            Some(index) => Ok((list, index)),
            None => Err(EditError::NoSuchUser {
                path: self.path.clone(),
                name: name.to_owned(),
                known: list.names().map(str::to_owned).collect(),
            }),
        }
    }

    fn list(&self) -> Result<List, EditError> {
        Ok(List::find(&self.source())?)
    }

    fn source(&self) -> Source {
        Source::new(self.path.to_string_lossy(), &*self.text)
    }
}

/// Creates an empty file with the mode [`NEW_MODE`] and, if possible, the group of its folder.
fn create(path: &Path) -> io::Result<()> {
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(NEW_MODE)
        .open(path)?;
    // The umask may have removed bits of the mode.
    file.set_permissions(PermissionsExt::from_mode(NEW_MODE))?;
    if let Some(folder) = path.parent().and_then(|folder| folder.metadata().ok()) {
        // Fails if the process is neither root nor in that group. Then the file keeps the group
        // that it has.
        let _ = fchown(&file, None, Some(folder.gid()));
    }
    Ok(())
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> EditError {
    let path = path.to_owned();
    |source| EditError::File { path, source }
}

/// Lists names, to go behind "there is no user".
fn others(names: &[String]) -> String {
    match names {
        [] => ", nor any other".to_owned(),
        names => format!("; there are {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests;

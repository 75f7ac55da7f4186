//! The users, from their file or from the configuration itself.

mod address_rules;
mod editor;
mod event_rules;
mod file;
mod rights;
mod user;

use std::{fs, io, io::Read, path::Path};

pub use self::{
    editor::{EditError, NewUser, UsersEditor},
    file::UsersFile,
};
use super::{
    keys::{self, users as rows},
    section::Section,
};
use crate::{
    auth::Users,
    located_json::{ConfigError, Node, Source, Warnings},
};

/// Reads the users that a configuration names or holds, and returns their file if they have one.
/// Records what is wrong in the file or in a user. Fails if the file cannot be read, or if the
/// users of the configuration are no list; a missing file is a warning.
pub(super) fn of_configuration(
    section: &mut Section<'_, '_>,
) -> Result<(Users, Option<UsersFile>), ConfigError> {
    let file = section.node(&keys::PATH_USERS)?;
    let inline = section.node(&keys::USERS)?;
    let warnings = section.warnings();
    let path = keys::PATH_USERS.read(file.as_ref(), warnings)?;
    let (Some(node), Some(path)) = (&file, path) else {
        return match inline {
            Some(inline) => Ok((read(&inline, warnings)?, None)),
            None => Ok((Users::default(), None)),
        };
    };
    if let Some(inline) = inline {
        let name = keys::PATH_USERS.name();
        warnings.at(&inline, format_args!("without effect beside {name}"));
    }
    let (file, users) = open(node, &path, warnings)?;
    Ok((users, Some(file)))
}

/// Reads a users file, `{"users": [...]}`. Fails if anything in it is wrong.
pub fn parse(source: &Source, warnings: &mut Warnings) -> Result<Users, ConfigError> {
    let known = warnings.errors().len();
    let users = read_file(source, warnings)?;
    warnings.unless_errors(known, users)
}

/// Reads a users file, and records what is wrong in its records. Fails if it has no list of users.
fn read_file(source: &Source, warnings: &mut Warnings) -> Result<Users, ConfigError> {
    let list = list(source, warnings)?;
    read(&list, warnings)
}

/// Returns the list of a users file. Fails if it has none.
fn list<'s>(source: &'s Source, warnings: &mut Warnings) -> Result<Node<'s>, ConfigError> {
    let root = source.root()?;
    let expected = "an object {\"users\": [...]}";
    let mut file = match root.is_object() {
        true => Section::open(&root, &rows::FILE, warnings)?,
        false => return Err(root.error_found("none", expected)),
    };
    let list = file.node(&rows::USERS)?;
    list.ok_or_else(|| root.error_found("no \"users\"", expected))
}

/// Opens a users file. Fails if it cannot be read; if it is missing there are no users yet.
fn open(
    node: &Node<'_>,
    path: &Path,
    warnings: &mut Warnings,
) -> Result<(UsersFile, Users), ConfigError> {
    // A folder can be opened, but not read.
    let read = |mut file: fs::File| file.read(&mut [0]);
    let name = path.to_string_lossy().into_owned();
    match fs::File::open(path).and_then(read) {
        Ok(_) => Ok(UsersFile::open(&name, warnings)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = "there is no such file; nobody can log in until there is one";
            warnings.at(node, format_args!("{}: {text}", name.escape_debug()));
            Ok((UsersFile::missing(&name), Users::default()))
        }
        Err(error) => {
            let found = format!("{}: {error}", name.escape_debug());
            Err(node.error_found(found, "a users file"))
        }
    }
}

/// Reads a list of users. Records what is wrong in one of them and goes on with the next.
fn read(node: &Node<'_>, warnings: &mut Warnings) -> Result<Users, ConfigError> {
    let records = node
        .array()
        .map_err(|_| node.error_found("none", "a list [...] of users"))?;
    let mut users = Users::default();
    for record in &records {
        let user = match user::read(record, warnings) {
            Ok(user) => user,
            Err(error) => {
                warnings.record(error);
                continue;
            }
        };
        let name = user.name.clone();
        if let Some(other) = users.add(user) {
            warnings.record(record.error_found(
                format_args!("the \"name\" {name:?} of users[{other}] again"),
                "a name that no other user has",
            ));
        }
    }
    Ok(users)
}

#[cfg(test)]
mod tests;

//! The configuration and users that are set up already.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use vscpl2drv_websocksrv::{config::users::UsersEditor, http::Listen};

use super::root::Root;

/// The configuration that is there, `None` if there is none.
#[derive(Debug)]
pub(super) struct Existing(Option<Value>);

/// The users that there are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Users {
    /// They stand in the configuration itself.
    InConfiguration(Vec<String>),
    /// They stand in a file, if there are any.
    InFile(Vec<String>),
}

impl Existing {
    /// Reads a configuration. Fails if it is there and no object.
    pub(super) fn read(root: &Root, config: &Path) -> Result<Self, Box<dyn Error>> {
        let here = root.at(config);
        if !here.exists() {
            return Ok(Self(None));
        }
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", here.display());
        let text = fs::read_to_string(&here).map_err(|error| failed(&error))?;
        let value: Value = serde_json::from_str(&text).map_err(|error| failed(&error))?;
        match value.is_object() {
            true => Ok(Self(Some(value))),
            false => Err(failed(&"no object {...}").into()),
        }
    }

    /// Returns it.
    pub(super) fn json(&self) -> Option<&Value> {
        self.0.as_ref()
    }

    /// Returns where it lets the driver listen, `None` if that cannot be told.
    pub(super) fn listen(&self) -> Option<Vec<Listen>> {
        listen_of(self.json()?)
    }

    /// Returns the names of the users. Fails if the users file is none.
    pub(super) fn users(&self, root: &Root) -> Result<Users, Box<dyn Error>> {
        let config = self.json().unwrap_or(&Value::Null);
        let path = path_of(config, "path-users").map(|path| root.at(&path));
        match (path, config["users"].as_array()) {
            (Some(path), _) if path.exists() => {
                Ok(Users::InFile(UsersEditor::open(&path)?.names()?))
            }
            (None, Some(records)) if !records.is_empty() => {
                let names = records.iter().filter_map(|record| record["name"].as_str());
                Ok(Users::InConfiguration(names.map(str::to_owned).collect()))
            }
            _ => Ok(Users::InFile(Vec::new())),
        }
    }
}

/// Returns where a configuration lets the driver listen, `None` if that cannot be told.
pub(super) fn listen_of(config: &Value) -> Option<Vec<Listen>> {
    let parse = |value: &Value| value.as_str()?.parse::<Listen>().ok();
    match &config["interface"] {
        Value::Null => Some(vec![Listen::default()]),
        Value::String(text) if text.trim().is_empty() => Some(vec![Listen::default()]),
        Value::Array(list) => list.iter().map(parse).collect(),
        one => Some(vec![parse(one)?]),
    }
}

/// Returns the path that a key has, `None` if it is not set.
pub(super) fn path_of(object: &Value, key: &str) -> Option<PathBuf> {
    object[key].as_str().map(PathBuf::from)
}

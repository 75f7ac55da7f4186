//! What was changed, in the configuration and in its file.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, fchown},
    path::Path,
};

use serde_json::{Map, Value};

use crate::log::Sink;

/// Where the configuration has what can be changed.
pub(super) struct Layout {
    /// The place of the CAN bus in a list of buses.
    pub(super) bus: Option<u8>,
    /// Whose level is the level of the log.
    pub(super) sink: Option<Sink>,
}

impl Layout {
    /// Puts a value where the configuration has it.
    ///
    /// # Errors
    /// What was found where it belongs.
    pub(super) fn set(
        &self,
        configuration: &mut Value,
        name: &str,
        value: Value,
    ) -> Result<(), String> {
        let object = configuration.as_object_mut();
        let object = object.ok_or("the configuration is no object")?;
        match name {
            "interface" | "filter" | "mask" => {
                let bus = self.bus(object);
                let bus = bus.ok_or("socketcan of the configuration has no such bus")?;
                bus.insert(name.to_owned(), value);
            }
            "log-level" => {
                let logging = entry(object, "logging").as_object_mut();
                let logging = logging.ok_or("logging of the configuration is no object")?;
                let key = match self.sink {
                    Some(Sink::File) => "file-log-level",
                    Some(Sink::Console) => {
                        // The synonym may be the one in use.
                        logging.shift_remove("console-level");
                        "console-log-level"
                    }
                    None => "log-level",
                };
                logging.insert(key.to_owned(), value);
            }
            _ => _ = object.insert(name.to_owned(), value),
        }
        Ok(())
    }

    fn bus<'c>(&self, object: &'c mut Map<String, Value>) -> Option<&'c mut Map<String, Value>> {
        match entry(object, "socketcan") {
            Value::Array(buses) => buses.get_mut(usize::from(self.bus.unwrap_or(0)))?,
            bus => bus,
        }
        .as_object_mut()
    }
}

/// The value of a key, an empty object where there is none.
fn entry<'c>(object: &'c mut Map<String, Value>, key: &str) -> &'c mut Value {
    let value = object.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = Map::new().into();
    }
    value
}

/// Replaces a file by another one that is complete on the disk before, with the same rights.
pub(super) fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    // A link stays one.
    let file = fs::canonicalize(file)?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mut new = tempfile::Builder::new()
        .prefix(".websocksrv-")
        .tempfile_in(folder)?;
    new.write_all(text)?;
    let old = fs::metadata(&file)?;
    // Each where it is allowed: it seldom is, and then what is saved is worth more.
    let _ = fchown(new.as_file(), Some(old.uid()), None);
    let _ = fchown(new.as_file(), None, Some(old.gid()));
    // Not when it is created: the umask would cut them.
    new.as_file().set_permissions(old.permissions())?;
    new.as_file().sync_all()?;
    new.persist(&file)?;
    fs::File::open(folder)?.sync_all()
}

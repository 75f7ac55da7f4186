//! Writes changed values into the configuration and its file.

use serde_json::{Map, Value};

use super::Variable;
use crate::{
    config::keys::{self, AnyRow, logging},
    log::Sink,
};

/// The locations of the variables in the configuration.
pub(super) struct KeyLocations {
    /// The index of the CAN bus in a list of buses.
    pub(super) bus: Option<u8>,
    /// The sink whose level `log-level` is.
    pub(super) sink: Option<Sink>,
}

impl KeyLocations {
    /// Sets a value at its location. Fails with what is there instead.
    pub(super) fn set(
        &self,
        configuration: &mut Value,
        variable: Variable,
        value: Value,
    ) -> Result<(), String> {
        let object = configuration.as_object_mut();
        let object = object.ok_or("the configuration is not an object")?;
        match variable {
            Variable::Interface | Variable::Filter | Variable::Mask => {
                let bus = self.bus(object);
                let bus = bus.ok_or("socketcan of the configuration has no such bus")?;
                insert(bus, variable.row(), value);
            }
            Variable::LogLevel => {
                let logging = entry(object, keys::LOGGING.name()).as_object_mut();
                let logging = logging.ok_or("logging of the configuration is not an object")?;
                insert(logging, Some(self.level_row()), value);
            }
            _ => insert(object, variable.row(), value),
        }
        Ok(())
    }

    fn level_row(&self) -> &'static dyn AnyRow {
        match self.sink {
            Some(Sink::File) => &logging::FILE_LOG_LEVEL,
            Some(Sink::Console) => &logging::CONSOLE_LOG_LEVEL,
            None => &logging::LOG_LEVEL,
        }
    }

    fn bus<'c>(&self, object: &'c mut Map<String, Value>) -> Option<&'c mut Map<String, Value>> {
        match entry(object, keys::SOCKETCAN.name()) {
            Value::Array(buses) => buses.get_mut(usize::from(self.bus.unwrap_or(0)))?,
            bus => bus,
        }
        .as_object_mut()
    }
}

/// Sets a key, in place of a synonym that may be in use.
fn insert(object: &mut Map<String, Value>, row: Option<&'static dyn AnyRow>, value: Value) {
    let Some(row) = row else { return };
    let names = row.names();
    for synonym in &names[1..] {
        object.shift_remove(*synonym);
    }
    object.insert(names[0].to_owned(), value);
}

/// Returns the value of a key, an empty object if there is none.
fn entry<'c>(object: &'c mut Map<String, Value>, key: &str) -> &'c mut Value {
    let value = object.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = Map::new().into();
    }
    value
}

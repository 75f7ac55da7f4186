//! The variables of the driver.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Control;
use crate::{
    can::{Bus, bus},
    config::keys::{self, AnyRow, logging, socketcan},
    event::{
        Filter, Guid,
        filter::{FilterError, Pattern},
    },
    log::Level,
};

/// Characters of a text that a reply repeats: a host may take few bytes.
const MAX_REPEATED: usize = 40;

/// A variable that a command can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Variable {
    /// The network interface of the first bus.
    Interface,
    /// The filter of the first bus.
    Filter,
    /// Its mask.
    Mask,
    /// Which events of clients reach the host.
    RxFilter,
    /// True if the log shows more.
    Debug,
    /// The level of the log.
    LogLevel,
    /// The version of the driver.
    Version,
    /// The number of sessions.
    Clients,
    /// The counters.
    Statistics,
    /// The configuration.
    Config,
}

impl Variable {
    const ALL: [Self; 10] = [
        Self::Interface,
        Self::Filter,
        Self::Mask,
        Self::RxFilter,
        Self::Debug,
        Self::LogLevel,
        Self::Version,
        Self::Clients,
        Self::Statistics,
        Self::Config,
    ];

    /// Returns the variable of a name. Fails if there is none.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|variable| variable.name() == name)
            .ok_or_else(|| format!("there is no variable {:?}", shortened(name)))
    }

    /// Returns the name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Clients => "clients",
            Self::Statistics => "statistics",
            Self::Config => "config",
            _ => self.row().map_or("", |row| row.names()[0]),
        }
    }

    /// Returns the key that it is in the configuration, `None` if it can only be read.
    pub(super) fn row(self) -> Option<&'static dyn AnyRow> {
        Some(match self {
            Self::Interface => &socketcan::INTERFACE,
            Self::Filter => &socketcan::FILTER,
            Self::Mask => &socketcan::MASK,
            Self::RxFilter => &keys::RX_FILTER,
            Self::Debug => &keys::DEBUG,
            Self::LogLevel => &logging::LOG_LEVEL,
            Self::Version | Self::Clients | Self::Statistics | Self::Config => return None,
        })
    }
}

/// The values that commands have changed.
#[derive(Debug)]
pub(super) struct Changes {
    debug: bool,
    /// The level when `debug` is false.
    usual_level: Level,
    to_save: BTreeMap<Variable, Value>,
}

impl Changes {
    /// Makes the state at start, in which nothing has been changed.
    pub(super) fn new(debug: bool, level: Level) -> Self {
        Self {
            debug,
            usual_level: level,
            to_save: BTreeMap::new(),
        }
    }

    /// Returns what was changed, as the configuration has it.
    pub(super) fn to_save(&self) -> &BTreeMap<Variable, Value> {
        &self.to_save
    }
}

impl Control {
    /// Returns the value of a variable. Fails if there is no CAN bus.
    pub(super) fn read(&self, variable: Variable) -> Result<Value, String> {
        let settings = &self.settings;
        Ok(match variable {
            Variable::Interface => self.bus()?.interface.into(),
            Variable::Filter => pattern_text(&self.bus()?.filter.value).into(),
            Variable::Mask => pattern_text(&self.bus()?.filter.mask).into(),
            Variable::RxFilter => filter_text(&settings.hub.rx_filter()).into(),
            Variable::Debug => self.changes.lock().debug.into(),
            Variable::LogLevel => settings.level.get().name().into(),
            Variable::Version => env!("CARGO_PKG_VERSION").into(),
            Variable::Clients => settings.clients.count().into(),
            Variable::Statistics => settings.counters.to_json(),
            Variable::Config => {
                let mut configuration = settings.configuration.clone();
                self.apply_changes(&mut configuration)?;
                without_secrets(&configuration)
            }
        })
    }

    /// Changes a variable. Fails if it can only be read, or cannot have that value.
    pub(super) fn write(&self, variable: Variable, value: &Value) -> Result<(), String> {
        match variable {
            Variable::Interface => {
                let interface = self.unused_interface(text(value)?)?;
                self.change_bus(&[variable], |bus| bus.interface = interface)
            }
            Variable::Filter => {
                let pattern = pattern(value)?;
                self.change_bus(&FILTER_AND_MASK, |bus| bus.filter.value = pattern)
            }
            Variable::Mask => {
                let pattern = pattern(value)?;
                self.change_bus(&FILTER_AND_MASK, |bus| bus.filter.mask = pattern)
            }
            Variable::RxFilter => self.change_rx_filter(value),
            Variable::Debug => self.change_debug(value),
            Variable::LogLevel => self.change_level(value),
            Variable::Version | Variable::Clients | Variable::Statistics | Variable::Config => {
                Err(format!("{} is read only", variable.name()))
            }
        }
    }

    /// Returns the settings of the first bus.
    fn bus(&self) -> Result<Bus, String> {
        let bus = self.settings.buses.first();
        let bus = bus.ok_or("there is no CAN bus")?;
        Ok(bus.borrow().clone())
    }

    /// Changes the first bus, and remembers `variables` of it for the file.
    fn change_bus(
        &self,
        variables: &[Variable],
        change: impl FnOnce(&mut Bus),
    ) -> Result<(), String> {
        let bus = self.settings.buses.first();
        bus.ok_or("there is no CAN bus")?.send_modify(change);
        for variable in variables {
            let value = self.read(*variable)?;
            self.changes.lock().to_save.insert(*variable, value);
        }
        Ok(())
    }

    /// Returns an interface for the first bus. Fails if its name is wrong or another bus has it.
    fn unused_interface(&self, name: &str) -> Result<String, String> {
        let others = self.settings.buses.iter().skip(1);
        let others = others.map(|bus| bus.borrow().interface.clone());
        socketcan::INTERFACE
            .parse(name)
            .and_then(|name| Ok(bus::check_unused(name, others)?))
            .map_err(|expected| format!("found {}, expected {expected}", shortened(name)))
    }

    fn change_rx_filter(&self, value: &Value) -> Result<(), String> {
        let (filter, _) = Filter::parse_config(text(value)?).map_err(|error| error.to_string())?;
        self.settings.hub.set_rx_filter(filter);
        let mut changes = self.changes.lock();
        changes.to_save.insert(Variable::RxFilter, value.clone());
        Ok(())
    }

    fn change_debug(&self, value: &Value) -> Result<(), String> {
        let debug = value.as_bool().ok_or("expected true or false")?;
        let mut changes = self.changes.lock();
        changes.debug = debug;
        self.settings.level.set(match debug {
            true => Level::Debug.min(changes.usual_level),
            false => changes.usual_level,
        });
        changes.to_save.insert(Variable::Debug, value.clone());
        Ok(())
    }

    fn change_level(&self, value: &Value) -> Result<(), String> {
        let level: Level = text(value)?
            .parse()
            .map_err(|_| format!("expected {}", Level::EXPECTED))?;
        let mut changes = self.changes.lock();
        changes.usual_level = level;
        self.settings.level.set(level);
        changes.to_save.insert(Variable::LogLevel, value.clone());
        Ok(())
    }
}

/// Both are saved if either changes: a filter alone would get another mask when it is read again.
const FILTER_AND_MASK: [Variable; 2] = [Variable::Filter, Variable::Mask];

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "expected a string".to_owned())
}

fn pattern(value: &Value) -> Result<Pattern, String> {
    let pattern = text(value)?.parse();
    pattern.map_err(|error: FilterError| error.to_string())
}

/// Writes a pattern with a short GUID, so that it fits into a reply to a host that takes little.
fn pattern_text(pattern: &Pattern) -> String {
    let Pattern {
        priority,
        class,
        kind,
        guid,
    } = pattern;
    match *guid {
        Guid::ZERO => format!("{priority},{class},{kind},-"),
        _ => pattern.to_string(),
    }
}

/// Writes a filter without the zeros at the end of its halves, so that it fits into a reply.
fn filter_text(filter: &Filter) -> String {
    let [value, mask] = [filter.value, filter.mask].map(|pattern| pattern_text(&pattern));
    format!("{value};{mask}").replace(",-", "")
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_REPEATED).collect()
}

/// Copies a value without the keys that hold secrets, at any depth.
fn without_secrets(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(key, _)| !keys::is_secret(key))
            .map(|(key, value)| (key.clone(), without_secrets(value)))
            .collect(),
        Value::Array(array) => array.iter().map(without_secrets).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_variables_that_can_be_written_are_those_of_the_table_of_keys() {
        let rows = keys::TABLES.iter().flat_map(|table| table.rows());
        let keys: BTreeSet<_> = rows
            .filter(|row| row.is_variable())
            .map(|row| row.names()[0])
            .collect();
        let variables = Variable::ALL
            .iter()
            .filter(|variable| variable.row().is_some());
        let names: BTreeSet<_> = variables.map(|variable| variable.name()).collect();
        assert_eq!(names, keys);
    }

    #[test]
    fn each_variable_has_a_name_of_its_own() {
        for variable in Variable::ALL {
            assert_eq!(Variable::named(variable.name()), Ok(variable));
        }
        assert_eq!(
            Variable::named(&"x".repeat(99)),
            Err(format!("there is no variable {:?}", "x".repeat(40)))
        );
    }
}

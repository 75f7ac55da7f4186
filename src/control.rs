//! Reading and changing the driver while it runs, by commands in high level objects.

mod file;

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tracing::dispatcher;

use crate::{
    config::{Bus, interface_name, unused_interface},
    event::{Filter, Guid, MAX_DATA, filter::Pattern},
    hlo::{self, Command, Reply},
    hub::{
        Hub,
        batch::{Endpoint, Routed},
    },
    log::{Level, LevelControl},
    metrics::Counters,
    ws::clients::Clients,
};

/// What is left out of the variable `config`, at any depth.
const SECRETS: [&str; 4] = ["users", "password", "key-file", "key"];

/// The variables of one driver.
#[derive(Debug)]
pub struct Control {
    settings: Settings,
    state: Mutex<State>,
}

/// What the variables stand for.
#[derive(Debug)]
pub struct Settings {
    /// The configuration, as it was read.
    pub configuration: Value,
    /// Its file, `None` where it was not in one.
    pub file: Option<PathBuf>,
    /// Whether variables may be changed.
    pub writable: bool,
    /// Whether the log is to show more.
    pub debug: bool,
    /// The level of the log.
    pub level: LevelControl,
    /// The hub, for its filter.
    pub hub: Arc<Hub>,
    /// The CAN buses.
    pub buses: Vec<watch::Sender<Bus>>,
    /// Who is connected.
    pub clients: Arc<Clients>,
    /// What is counted.
    pub counters: Arc<Counters>,
}

#[derive(Debug)]
struct State {
    debug: bool,
    /// The level that is set while `debug` is off.
    usual_level: Level,
    /// What was changed and is to be saved, by key.
    changed: BTreeMap<&'static str, Value>,
}

impl Control {
    /// Variables with the values of the configuration.
    pub fn new(settings: Settings) -> Self {
        Self {
            state: Mutex::new(State {
                debug: settings.debug,
                usual_level: settings.level.get(),
                changed: BTreeMap::new(),
            }),
            settings,
        }
    }

    /// Carries out the commands that come, one after the other, and announces the replies.
    pub async fn run(self, mut commands: mpsc::Receiver<Routed>) {
        let control = Arc::new(self);
        while let Some(command) = commands.recv().await {
            control.settings.hub.log_dropped_commands();
            let control = control.clone();
            let log = dispatcher::get_default(Clone::clone);
            let work = move || dispatcher::with_default(&log, || control.answer(&command));
            // Fails only where the runtime shuts down.
            let _ = tokio::task::spawn_blocking(work).await;
        }
    }

    fn answer(&self, command: &Routed) {
        let hub = &self.settings.hub;
        let reply = match hlo::read(&command.event) {
            Ok(command) => self.execute(&command),
            Err(note) => Reply::error("", note),
        };
        let max_data = match command.origin {
            Endpoint::Host => hub.settings().host_max_data,
            _ => MAX_DATA,
        };
        hub.announce(reply.event(command.event.guid, hub.settings().guid, max_data));
    }

    /// Carries out a command. May wait for a file.
    pub fn execute(&self, command: &Command) -> Reply {
        let op = command.op.to_ascii_lowercase();
        let name = command.name.to_ascii_lowercase();
        let result = match op.as_str() {
            "noop" => return Reply::done(&op, None),
            "readvar" => self.read(&name),
            "writevar" if !self.settings.writable => Err(NOT_WRITABLE.to_owned()),
            "writevar" => self
                .write(&name, &command.arg)
                .and_then(|()| self.read(&name)),
            "save" if !self.settings.writable => Err(NOT_WRITABLE.to_owned()),
            "save" => match self.save() {
                Ok(()) => return Reply::done(&op, None),
                Err(error) => Err(error),
            },
            _ => Err("expected noop, readvar, writevar or save".to_owned()),
        };
        match result {
            Ok(value) => Reply::done(&op, Some((&name, value))),
            Err(note) => Reply::error(&op, note),
        }
    }

    fn read(&self, name: &str) -> Result<Value, String> {
        let Settings {
            configuration,
            level,
            hub,
            clients,
            counters,
            ..
        } = &self.settings;
        let bus = || match self.settings.buses.first() {
            Some(bus) => Ok(bus.borrow().clone()),
            None => Err("there is no CAN bus".to_owned()),
        };
        Ok(match name {
            "interface" => bus()?.interface.into(),
            "filter" => pattern_text(&bus()?.filter.value).into(),
            "mask" => pattern_text(&bus()?.filter.mask).into(),
            "rx-filter" => filter_text(&hub.rx_filter()).into(),
            "debug" => self.state.lock().debug.into(),
            "log-level" => level.get().name().into(),
            "version" => env!("CARGO_PKG_VERSION").into(),
            "clients" => clients.count().into(),
            "statistics" => counters.to_json(),
            "config" => {
                let mut configuration = configuration.clone();
                self.apply_changes(&mut configuration)?;
                without_secrets(&configuration)
            }
            _ => return Err(format!("there is no variable {:?}", shortened(name))),
        })
    }

    fn write(&self, name: &str, value: &Value) -> Result<(), String> {
        match name {
            "interface" => {
                let interface = self.interface(text(value)?)?;
                self.change_bus(&["interface"], |bus| bus.interface = interface)?;
            }
            "filter" => {
                let pattern = pattern(value)?;
                self.change_bus(&FILTER, |bus| bus.filter.value = pattern)?;
            }
            "mask" => {
                let pattern = pattern(value)?;
                self.change_bus(&FILTER, |bus| bus.filter.mask = pattern)?;
            }
            "rx-filter" => {
                let (filter, _) =
                    Filter::parse_config(text(value)?).map_err(|error| error.to_string())?;
                self.settings.hub.set_rx_filter(filter);
                self.state.lock().changed.insert("rx-filter", value.clone());
            }
            "debug" => {
                let debug = value.as_bool().ok_or("expected true or false")?;
                let mut state = self.state.lock();
                state.debug = debug;
                self.settings.level.set(if debug {
                    Level::Debug.min(state.usual_level)
                } else {
                    state.usual_level
                });
                state.changed.insert("debug", value.clone());
            }
            "log-level" => {
                let level = text(value)?
                    .parse()
                    .map_err(|_| format!("expected {}", Level::EXPECTED))?;
                let mut state = self.state.lock();
                state.usual_level = level;
                self.settings.level.set(level);
                state.changed.insert("log-level", value.clone());
            }
            "version" | "clients" | "statistics" | "config" => {
                return Err(format!("{name} is read only"));
            }
            _ => return Err(format!("there is no variable {:?}", shortened(name))),
        }
        tracing::info!("{name} set to {value} by a command");
        Ok(())
    }

    /// What the first bus may have as its interface.
    fn interface(&self, name: &str) -> Result<String, String> {
        let others = self.settings.buses.iter().skip(1);
        let others = others.map(|bus| bus.borrow().interface.clone());
        interface_name(name)
            .and_then(|name| unused_interface(name, others))
            .map_err(|expected| format!("found {}, expected {expected}", shortened(name)))
    }

    /// Changes the first bus; `names` are the variables to be saved.
    fn change_bus(
        &self,
        names: &[&'static str],
        change: impl FnOnce(&mut Bus),
    ) -> Result<(), String> {
        let bus = self.settings.buses.first();
        bus.ok_or("there is no CAN bus")?.send_modify(change);
        for name in names {
            let value = self.read(name)?;
            self.state.lock().changed.insert(name, value);
        }
        Ok(())
    }

    /// Puts what was changed into a configuration.
    fn apply_changes(&self, configuration: &mut Value) -> Result<(), String> {
        let bus = self.settings.buses.first();
        let layout = file::Layout {
            bus: bus.and_then(|bus| bus.borrow().place),
            sink: self.settings.level.sink(),
        };
        for (name, value) in &self.state.lock().changed {
            layout.set(configuration, name, value.clone())?;
        }
        Ok(())
    }

    /// Writes what was changed to the configuration file.
    fn save(&self) -> Result<(), String> {
        let path = self.settings.file.as_deref();
        let path = path.ok_or("the configuration is not in a file")?;
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut configuration: Value =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        self.apply_changes(&mut configuration)?;
        let mut text = format!("{configuration:#}");
        text.push('\n');
        file::replace(path, text.as_bytes()).map_err(|error| error.to_string())?;
        tracing::info!("{} saved by a command", path.display());
        Ok(())
    }
}

/// A filter alone would get another mask when it is read again.
const FILTER: [&str; 2] = ["filter", "mask"];

const NOT_WRITABLE: &str = "changes are not allowed (key write)";

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "expected a string".to_owned())
}

fn pattern(value: &Value) -> Result<Pattern, String> {
    text(value)?
        .parse()
        .map_err(|error: crate::event::filter::FilterError| error.to_string())
}

/// Short, so that it fits into an answer to a host that takes little.
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

/// Shorter still: what is missing at the end is zeros.
fn filter_text(filter: &Filter) -> String {
    let [value, mask] = [filter.value, filter.mask].map(|pattern| pattern_text(&pattern));
    format!("{value};{mask}").replace(",-", "")
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

fn without_secrets(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(key, _)| !SECRETS.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), without_secrets(value)))
            .collect(),
        Value::Array(array) => array.iter().map(without_secrets).collect(),
        other => other.clone(),
    }
}

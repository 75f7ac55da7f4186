//! Reading and changing the driver while it runs, by commands in high level objects.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use serde_json::{Map, Value};
use tokio::sync::{mpsc, watch};
use tracing::dispatcher;

use crate::{
    config::{Bus, interface_name},
    event::{Filter, Guid, MAX_DATA, filter::Pattern},
    hlo::{self, Command, Reply},
    hub::{
        Hub,
        batch::{Endpoint, Routed},
    },
    log::{Level, LevelControl, Sink},
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
            "config" => without_secrets(configuration),
            _ => return Err(format!("there is no variable {:?}", shortened(name))),
        })
    }

    fn write(&self, name: &str, value: &Value) -> Result<(), String> {
        match name {
            "interface" => {
                let interface = interface_name(text(value)?)?;
                self.change_bus(name, value, |bus| bus.interface = interface)?;
            }
            "filter" => {
                let pattern = pattern(value)?;
                self.change_bus(name, value, |bus| bus.filter.value = pattern)?;
            }
            "mask" => {
                let pattern = pattern(value)?;
                self.change_bus(name, value, |bus| bus.filter.mask = pattern)?;
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

    fn change_bus(
        &self,
        name: &str,
        value: &Value,
        change: impl FnOnce(&mut Bus),
    ) -> Result<(), String> {
        let bus = self.settings.buses.first();
        bus.ok_or("there is no CAN bus")?.send_modify(change);
        let key = ["interface", "filter", "mask"]
            .into_iter()
            .find(|key| *key == name);
        if let Some(key) = key {
            self.state.lock().changed.insert(key, value.clone());
        }
        Ok(())
    }

    /// Writes what was changed to the configuration file.
    fn save(&self) -> Result<(), String> {
        let file = self.settings.file.as_deref();
        let file = file.ok_or("the configuration is not in a file")?;
        let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
        let mut configuration: Value =
            serde_json::from_str(&text).map_err(|error| error.to_string())?;
        for (name, value) in &self.state.lock().changed {
            let object = configuration.as_object_mut();
            let object = object.ok_or("the configuration file holds no object")?;
            set(object, name, value.clone(), self.settings.level.sink());
        }
        let mut text = format!("{configuration:#}");
        text.push('\n');
        replace(file, text.as_bytes()).map_err(|error| error.to_string())?;
        tracing::info!("{} saved by a command", file.display());
        Ok(())
    }
}

const NOT_WRITABLE: &str = "changes are not allowed (key write)";

/// Puts a value where the configuration has it.
fn set(object: &mut Map<String, Value>, name: &str, value: Value, sink: Option<Sink>) {
    match name {
        "interface" | "filter" | "mask" => {
            let mut bus = object
                .entry("socketcan")
                .or_insert_with(|| Map::new().into());
            if let Value::Array(buses) = bus {
                let Some(first) = buses.first_mut() else {
                    return;
                };
                bus = first;
            }
            if let Some(bus) = bus.as_object_mut() {
                bus.insert(name.to_owned(), value);
            }
        }
        "log-level" => {
            let logging = object.entry("logging").or_insert_with(|| Map::new().into());
            let Some(logging) = logging.as_object_mut() else {
                return;
            };
            match sink {
                Some(Sink::File) => logging.insert("file-log-level".to_owned(), value),
                Some(Sink::Console) => {
                    // The synonym may be the one in use.
                    logging.remove("console-level");
                    logging.insert("console-log-level".to_owned(), value)
                }
                None => logging.insert("log-level".to_owned(), value),
            };
        }
        _ => {
            object.insert(name.to_owned(), value);
        }
    }
}

/// Replaces a file by another one that is complete on the disk before.
fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    // A link stays one.
    let file = fs::canonicalize(file)?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mut new = tempfile::Builder::new()
        .prefix(".websocksrv-")
        .permissions(fs::metadata(&file)?.permissions())
        .tempfile_in(folder)?;
    new.write_all(text)?;
    new.as_file().sync_all()?;
    new.persist(&file)?;
    fs::File::open(folder)?.sync_all()
}

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

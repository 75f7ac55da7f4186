//! Reading and changing the driver while it runs, by commands in high level objects.

mod file;
mod variables;

use std::{fs, path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use self::variables::{Changes, Variable};
use crate::{
    can::Bus,
    client::Registry,
    config::keys,
    event::MAX_DATA,
    hlo::{self, Command, Reply},
    hub::{
        Hub,
        batch::{Endpoint, Routed},
    },
    log::LevelControl,
    metrics::Counters,
    replace_file::replace,
    runtime::on_blocking_thread,
};

/// Carries out the commands to one driver.
#[derive(Debug)]
pub(crate) struct Control {
    settings: Settings,
    changes: Mutex<Changes>,
}

/// The state that commands read and change.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The configuration, as it was read.
    pub(crate) configuration: Value,
    /// Its file, `None` if it was not in one.
    pub(crate) file: Option<PathBuf>,
    /// True if variables may be changed.
    pub(crate) writable: bool,
    /// True if the log shows more.
    pub(crate) debug: bool,
    /// The level of the log.
    pub(crate) level: LevelControl,
    /// The hub, for its filter.
    pub(crate) hub: Arc<Hub>,
    /// The CAN buses.
    pub(crate) buses: Vec<watch::Sender<Bus>>,
    /// The connected clients.
    pub(crate) clients: Arc<Registry>,
    /// The counters.
    pub(crate) counters: Arc<Counters>,
}

impl Control {
    /// Makes a control of a driver that runs as its configuration says.
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            changes: Mutex::new(Changes::new(settings.debug, settings.level.get())),
            settings,
        }
    }

    /// Carries out the commands that come, one after the other, and replies to those who sent them.
    pub(super) async fn run(self, mut commands: mpsc::Receiver<Routed>) {
        let control = Arc::new(self);
        while let Some(command) = commands.recv().await {
            control.settings.hub.log_dropped_commands();
            let control = control.clone();
            on_blocking_thread(move || control.answer(&command)).await;
        }
    }

    /// Carries out a command and announces the reply.
    pub(crate) fn answer(&self, command: &Routed) {
        let hub = &self.settings.hub;
        let reply = match hlo::read(&command.event) {
            Ok(command) => self.execute(&command),
            Err(note) => Reply::error("", note),
        };
        let max_data = match command.origin {
            Endpoint::Host => hub.settings().host_max_data,
            _ => MAX_DATA,
        };
        let event = reply.event(command.event.guid, hub.settings().guid, max_data);
        hub.reply(command.origin, event);
    }

    /// Carries out a command and returns the reply. May wait for a file.
    fn execute(&self, command: &Command) -> Reply {
        let op = command.op.to_ascii_lowercase();
        let name = command.name.to_ascii_lowercase();
        let result = match op.as_str() {
            "noop" => Ok(None),
            "readvar" => Variable::named(&name).and_then(|variable| self.read(variable).map(Some)),
            "writevar" => self.write_by_command(&name, &command.arg).map(Some),
            "save" => self.save().map(|()| None),
            _ => Err("expected noop, readvar, writevar or save".to_owned()),
        };
        match result {
            Ok(value) => Reply::success(&op, value.map(|value| (&*name, value))),
            Err(note) => Reply::error(&op, note),
        }
    }

    /// Changes a variable and returns its new value.
    fn write_by_command(&self, name: &str, value: &Value) -> Result<Value, String> {
        self.check_writable()?;
        let variable = Variable::named(name)?;
        self.write(variable, value)?;
        tracing::info!("{name} set to {value} by a command");
        self.read(variable)
    }

    /// Writes what was changed to the configuration file.
    fn save(&self) -> Result<(), String> {
        self.check_writable()?;
        let path = self.settings.file.as_deref();
        let path = path.ok_or("the configuration is not in a file")?;
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut configuration: Value =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        self.apply_changes(&mut configuration)?;
        let mut text = format!("{configuration:#}");
        text.push('\n');
        replace(path, text.as_bytes()).map_err(|error| error.to_string())?;
        tracing::info!("{} saved by a command", path.display());
        Ok(())
    }

    fn check_writable(&self) -> Result<(), String> {
        match self.settings.writable {
            true => Ok(()),
            false => Err(format!(
                "changes are not allowed (key {})",
                keys::WRITE.name()
            )),
        }
    }

    /// Puts what was changed into a configuration. Fails if it has no place for it.
    fn apply_changes(&self, configuration: &mut Value) -> Result<(), String> {
        let bus = self.settings.buses.first();
        let layout = file::KeyLocations {
            bus: bus.and_then(|bus| bus.borrow().index),
            sink: self.settings.level.sink(),
        };
        for (variable, value) in self.changes.lock().to_save() {
            layout.set(configuration, *variable, value.clone())?;
        }
        Ok(())
    }
}

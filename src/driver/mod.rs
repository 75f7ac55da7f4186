//! One open driver: owns the runtime, the hub and the log, from open to close.
//!
//! [`start`] starts the parts that the configuration asks for, [`control`] carries out commands,
//! and [`watch`] reads changed files again.

pub(crate) mod control;
mod open_files;
mod start;
mod watch;

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{runtime::Runtime, task::JoinHandle};
use tracing::dispatcher;

use crate::{
    client::Registry,
    config::Config,
    event::{Event, Guid, Layout},
    history::History,
    hub::{HostError, Hub},
    located_json::ConfigError,
    log::{self, Level, Logger},
    metrics::Counters,
};

/// How long [`Driver::close`] waits for clients, CAN buses and what else reads the hub.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(150);

/// How long [`Driver::close`] waits for tasks and threads after that.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// How often files are checked for changes.
const FILE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The properties of the program that loads the driver.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// The layout of its events, `None` if it cannot be detected.
    pub layout: Option<Layout>,
    /// How often the users file and the certificates are checked for changes.
    pub file_check_interval: Duration,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            layout: None,
            file_check_interval: FILE_CHECK_INTERVAL,
        }
    }
}

/// The error of opening a driver. Shown on one line.
#[derive(Debug)]
pub enum OpenError {
    /// The configuration, or a file that it names, is wrong.
    Config(ConfigError),
    /// The system has refused something: an address to listen on, or threads.
    System(String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::System(error) => error.fmt(f),
        }
    }
}

/// An open driver.
#[derive(Debug)]
pub struct Driver {
    layout: Layout,
    hub: Arc<Hub>,
    registry: Arc<Registry>,
    counters: Arc<Counters>,
    addresses: Vec<SocketAddr>,
    /// `None` after the driver was closed.
    running: Mutex<Option<Running>>,
}

/// The parts that end when the driver is closed.
#[derive(Debug)]
struct Running {
    runtime: Runtime,
    logger: Logger,
    /// The tasks that end when the hub is closed.
    readers: Vec<JoinHandle<()>>,
    history: Arc<History>,
}

impl Driver {
    /// Opens a driver with a configuration, which is a path or JSON text. Clients can connect when
    /// this returns. On an error no thread, socket or file is left behind.
    pub fn open(configuration: &str, guid: Option<Guid>, host: Host) -> Result<Self, OpenError> {
        let config = Config::load(configuration).map_err(|error| {
            report_wrong_configuration(configuration, &error);
            OpenError::Config(error)
        })?;
        let on_stderr = shows_errors(&config.logging);
        let logger = Logger::start(config.logging.clone()).map_err(|error| {
            let text = format!("the driver cannot be opened: no thread for the log: {error}");
            log::report_to_stderr(&text);
            OpenError::System(text)
        })?;
        let log = logger.dispatch().clone();
        let started = dispatcher::with_default(&log, || start::start(config, guid, host, &logger))
            .inspect_err(|error| {
                report_error(
                    &logger,
                    on_stderr,
                    &format!("the driver cannot be opened: {error}"),
                );
            })?;
        Ok(Self {
            layout: started.layout,
            hub: started.hub,
            registry: started.registry,
            counters: started.counters,
            addresses: started.addresses,
            running: Mutex::new(Some(Running {
                runtime: started.runtime,
                logger,
                readers: started.readers,
                history: started.history,
            })),
        })
    }

    /// Sends an event of the host to the clients. Waits for room at most `timeout`, or without
    /// limit if that is `None`. Fails if there is no room in time or the driver is closed.
    pub fn write(&self, event: Event, timeout: Option<Duration>) -> Result<(), HostError> {
        self.hub.write(event, timeout)
    }

    /// Returns the next event for the host. Waits for it at most `timeout`, or without limit if
    /// that is `None`. Fails if none comes in time or the driver is closed.
    pub fn read(&self, timeout: Option<Duration>) -> Result<Event, HostError> {
        self.hub.read(timeout)
    }

    /// Returns the layout of events at the C interface.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns the addresses that the driver listens on.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns the counters.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Wakes the threads that wait in `read` and `write`, disconnects the clients, and ends all
    /// tasks and threads. Does nothing if the driver is closed already.
    pub fn close(&self) {
        self.hub.close();
        let Some(Running {
            runtime,
            logger,
            readers,
            history,
        }) = self.running.lock().take()
        else {
            return;
        };
        dispatcher::with_default(&logger.dispatch().clone(), || {
            self.registry.close();
            let close_timeout = async {
                self.registry.wait_until_empty().await;
                for reader in readers {
                    // An error says that the task has panicked: it has ended, too.
                    let _ = reader.await;
                }
            };
            let _ = runtime
                .block_on(async { tokio::time::timeout(CLOSE_TIMEOUT, close_timeout).await });
            runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
            history.close(SHUTDOWN_TIMEOUT);
            tracing::info!("closed; {}", self.counters);
        });
        logger.stop();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.close();
    }
}

/// Returns true if the log shows errors on stderr.
fn shows_errors(logging: &log::Settings) -> bool {
    let console = logging.console.as_ref();
    console.is_some_and(|console| console.level <= Level::Error)
}

/// Logs what is wrong with a configuration: in the log that it names if that can be read, else on
/// stderr.
fn report_wrong_configuration(configuration: &str, error: &ConfigError) {
    let logging = Config::logging(configuration).filter(|logging| logging.file.is_some());
    let on_stderr = logging.as_ref().is_some_and(shows_errors);
    match logging.map(Logger::start) {
        Some(Ok(logger)) => report_error(&logger, on_stderr, &error.to_string()),
        _ => log::report_to_stderr(&error.to_string()),
    }
}

/// Logs why a driver cannot be opened, and reports it on stderr if the log does not.
fn report_error(logger: &Logger, on_stderr: bool, text: &str) {
    dispatcher::with_default(logger.dispatch(), || tracing::error!("{text}"));
    if !on_stderr {
        log::report_to_stderr(text);
    }
}

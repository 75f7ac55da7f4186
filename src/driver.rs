//! One open driver: owns the runtime, the hub, the server and the log, from open to close.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    runtime::Runtime,
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tracing::dispatcher;

use crate::{
    auth::{self, Gate, GateSettings},
    can::bridge,
    config::{Bus, Config, Layout, Limits},
    control::{self, Control},
    event::{Event, Guid},
    http::{
        files::Files,
        listen::{self, Listener},
        rest::Rest,
        route::Router,
    },
    hub::{self, HostError, Hub},
    identity,
    json::ConfigError,
    log::{self, Level, Logger},
    metrics::Counters,
    runtime,
    ws::{clients::Clients, connection::Server, session},
};

/// Data bytes that daemons which show themselves can take, whatever they publish as.
const DAEMON_MAX_DATA: usize = 128;

/// Commands to the driver that wait to be carried out.
const COMMANDS: usize = 64;

/// How long clients and CAN buses are waited for at the end.
const GOODBYE: Duration = Duration::from_millis(150);

/// How long tasks and threads are waited for at the end.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// What was found out about the program that loads the driver.
#[derive(Clone, Copy, Debug, Default)]
pub struct Host {
    /// The layout of its events, where it is a daemon that can be told.
    pub layout: Option<Layout>,
}

/// Why a driver could not be opened. Shown on one line.
#[derive(Debug)]
pub enum OpenError {
    /// The configuration, or a file that it names, is wrong.
    Config(ConfigError),
    /// The system refused something: an address to listen on, threads.
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
    clients: Arc<Clients>,
    counters: Arc<Counters>,
    addresses: Vec<SocketAddr>,
    /// Gone when the driver is closed.
    running: Mutex<Option<Running>>,
}

/// What runs while a driver is open.
#[derive(Debug)]
struct Running {
    runtime: Runtime,
    logger: Logger,
    /// The tasks of the CAN buses, which end by themselves when the hub is closed.
    buses: Vec<JoinHandle<()>>,
}

impl Driver {
    /// Opens a driver as `configuration`, a path or JSON text, says. It serves when this
    /// returns; on an error nothing is left behind.
    pub fn open(configuration: &str, guid: Option<Guid>, host: Host) -> Result<Self, OpenError> {
        let config = Config::load(configuration).map_err(|error| {
            match Config::logging(configuration) {
                Some(logging) if logging.file.is_some() => {
                    let on_stderr = shows_errors(&logging);
                    let logger = Logger::start(logging);
                    say_error(&logger, on_stderr, &error.to_string());
                }
                _ => log::say(&error.to_string()),
            }
            OpenError::Config(error)
        })?;
        let on_stderr = shows_errors(&config.logging);
        let logger = Logger::start(config.logging.clone());
        let log = logger.dispatch().clone();
        let (mut driver, runtime, buses) = dispatcher::with_default(&log, || {
            Self::start(config, guid, host, &logger).inspect_err(|error| {
                say_error(&logger, on_stderr, &format!("cannot open: {error}"));
            })
        })?;
        *driver.running.get_mut() = Some(Running {
            runtime,
            logger,
            buses,
        });
        Ok(driver)
    }

    /// Takes an event of the host to the clients, waiting for room at most `timeout` (`None`:
    /// as long as it takes).
    pub fn write(&self, event: Event, timeout: Option<Duration>) -> Result<(), HostError> {
        self.hub.write(event, timeout)
    }

    /// The next event for the host, waited for at most `timeout` (`None`: as long as it takes).
    pub fn read(&self, timeout: Option<Duration>) -> Result<Event, HostError> {
        self.hub.read(timeout)
    }

    /// The layout of events at the C interface.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The addresses that are listened on.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What was counted so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Wakes all who wait, disconnects the clients and ends all threads.
    pub fn close(&self) {
        self.hub.close();
        let Some(Running {
            runtime,
            logger,
            buses,
        }) = self.running.lock().take()
        else {
            return;
        };
        dispatcher::with_default(&logger.dispatch().clone(), || {
            self.clients.close();
            let goodbye = async {
                self.clients.wait_until_empty().await;
                for bus in buses {
                    // A bus that has panicked has ended, too.
                    let _ = bus.await;
                }
            };
            let _ = runtime.block_on(async { tokio::time::timeout(GOODBYE, goodbye).await });
            runtime.shutdown_timeout(SHUTDOWN);
            tracing::info!("closed; {}", self.counters);
        });
        logger.stop();
    }

    fn start(
        config: Config,
        guid: Option<Guid>,
        host: Host,
        logger: &Logger,
    ) -> Result<(Self, Runtime, Vec<JoinHandle<()>>), OpenError> {
        config
            .warnings
            .iter()
            .for_each(|line| tracing::warn!("{line}"));
        config
            .notes
            .iter()
            .for_each(|line| tracing::info!("{line}"));
        auth::log_summary(&config.users);

        let system = |error: &dyn fmt::Display| OpenError::System(error.to_string());
        let runtime = runtime::start(config.threads, logger.dispatch())
            .map_err(|error| system(&format!("no threads: {error}")))?;
        let listeners = runtime
            .block_on(listen::bind(&config.listen, config.tls.as_ref()))
            .map_err(|error| system(&format!("cannot listen on {error}")))?;
        let addresses = listeners.iter().map(Listener::address).collect();

        let (layout, why) = layout(config.layout, host);
        let (guid, guid_from) = identity::guid(guid, config.guid);
        let buses: Vec<_> = config
            .buses
            .iter()
            .map(|bus| (bus.guid(guid), bus.clone()))
            .collect();
        let limits = config.limits;
        let counters = Arc::new(Counters::default());
        let (command_sender, commands) = mpsc::channel(COMMANDS);
        let hub = Arc::new(Hub::new(
            hub::Settings {
                guid,
                rx_filter: config.rx_filter,
                host_max_data: config.host_max_data.unwrap_or(match host.layout {
                    Some(_) => DAEMON_MAX_DATA,
                    None => crate::event::MAX_DATA,
                }),
                echo_filter: config.echo_filter,
            },
            &limits,
            counters.clone(),
            command_sender,
        ));
        let clients = Arc::new(Clients::new(&limits, counters.clone()));
        log_opening(
            &config,
            &listeners,
            &format_args!("event layout {layout:?} ({why}); GUID {guid} ({guid_from})"),
            &buses,
        );
        let gate = Gate::new(GateSettings {
            users: config.users,
            file: config.users_file,
            max_concurrency: limits.auth_concurrency,
        });
        let server = Arc::new(Server {
            hub: hub.clone(),
            gate: gate.clone(),
            clients: clients.clone(),
            settings: Arc::new(session::Settings {
                dialect: config.dialect,
                key: config.key,
                max_attempts: limits.auth_attempts,
            }),
            limits,
            counters: counters.clone(),
        });
        let router = Arc::new(Router {
            urls: config.urls,
            origins: config.origins,
            rest: Rest::new(&config.web, config.debug, server.clone()),
            metrics: config.web.metrics,
            files: config.web.root.map(Files::new),
            server,
        });

        runtime.spawn(run_hub(hub.clone(), limits));
        runtime.spawn(recheck_clients(clients.clone(), gate));
        for listener in listeners {
            runtime.spawn(listen::accept(listener, router.clone()));
        }
        let shared = bridge::Shared {
            hub: hub.clone(),
            counters: counters.clone(),
        };
        let (bus_settings, bus_tasks) = start_buses(&runtime, &shared, buses);
        let control = Control::new(control::Settings {
            configuration: config.json,
            file: config.file,
            writable: config.write,
            debug: config.debug,
            level: logger.level_control(),
            hub: hub.clone(),
            buses: bus_settings,
            clients: clients.clone(),
            counters: counters.clone(),
        });
        runtime.spawn(control.run(commands));
        let driver = Self {
            layout,
            hub,
            clients,
            counters,
            addresses,
            running: Mutex::new(None),
        };
        Ok((driver, runtime, bus_tasks))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.close();
    }
}

fn log_opening(
    config: &Config,
    listeners: &[Listener],
    identity: &dyn fmt::Display,
    buses: &[(Guid, Bus)],
) {
    let listening: Vec<_> = listeners.iter().map(Listener::to_string).collect();
    let files = config.web.root.as_ref();
    let files = files.map(|root| root.display().to_string());
    tracing::info!(
        "{} {} open: listening on {}; ws1 {}, ws2 {}, REST {}, files {}; {} users; {}; \
         {identity}; {}",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION"),
        listening.join(", "),
        config.urls.ws1.as_deref().unwrap_or("off"),
        config.urls.ws2.as_deref().unwrap_or("off"),
        config.web.rest.as_deref().unwrap_or("off"),
        files.unwrap_or("off".into()),
        config.users.len(),
        Buses(buses),
        config.name,
    );
}

/// Starts a task for each bus; what changes its settings, and the task.
fn start_buses(
    runtime: &Runtime,
    shared: &bridge::Shared,
    buses: Vec<(Guid, Bus)>,
) -> (Vec<watch::Sender<Bus>>, Vec<JoinHandle<()>>) {
    let start = |(index, (guid, bus))| {
        let (sender, settings) = watch::channel(bus);
        let bus = bridge::run(shared.clone(), index, settings, guid);
        (sender, runtime.spawn(bus))
    };
    buses.into_iter().enumerate().map(start).unzip()
}

/// Whether a log shows errors on stderr.
fn shows_errors(logging: &log::Settings) -> bool {
    let console = logging.console.as_ref();
    console.is_some_and(|console| console.level <= Level::Error)
}

/// Logs why a driver cannot be opened, and says it on stderr where the log does not.
fn say_error(logger: &Logger, on_stderr: bool, text: &str) {
    dispatcher::with_default(logger.dispatch(), || tracing::error!("{text}"));
    if !on_stderr {
        log::say(text);
    }
}

async fn run_hub(hub: Arc<Hub>, limits: Limits) {
    hub.run(&limits).await;
}

/// Disconnects clients whose user is gone, whenever the users have changed.
async fn recheck_clients(clients: Arc<Clients>, gate: Arc<Gate>) {
    let mut changes = gate.changes();
    while changes.changed().await.is_ok() {
        clients.recheck(&gate);
    }
}

/// The layout of events, and why that one.
fn layout(configured: Option<Layout>, host: Host) -> (Layout, &'static str) {
    match (configured, host.layout) {
        (Some(layout), _) => (layout, "as configured"),
        (None, Some(layout)) => (layout, "as the host shows"),
        (None, None) => {
            tracing::warn!(
                "the host does not show which layout its events have: classic is used (the key \
                 event-layout says otherwise)"
            );
            (Layout::Classic, "the host does not show any")
        }
    }
}

/// CAN buses with the GUIDs of their interfaces.
struct Buses<'a>(&'a [(Guid, Bus)]);

impl fmt::Display for Buses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no CAN bus");
        }
        for (index, (guid, bus)) in self.0.iter().enumerate() {
            let before = if index == 0 { "CAN buses" } else { "," };
            write!(f, "{before} {} (GUID {guid})", bus.interface)?;
        }
        Ok(())
    }
}

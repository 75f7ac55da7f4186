//! Starts the parts of a driver, one after the other.

use std::{fmt, net::SocketAddr, sync::Arc};

use tokio::{
    runtime::Runtime,
    sync::{mpsc, watch},
    task::JoinHandle,
};

use super::{
    Host, OpenError,
    control::{self, Control},
    open_files::OpenFiles,
    watch::Watch,
};
use crate::{
    auth::{self, Authenticator, AuthenticatorSettings},
    can::{Bus, bridge},
    client::{Backlogs, Registry, Shared},
    config::Config,
    event::{Guid, Layout, MAX_DATA},
    history::History,
    http::{
        self,
        api::{Api, Sources},
        bind::{self, Bound, Listener},
        files::Files,
        listen,
        rest::Rest,
        route::{LogLimits, Router},
    },
    hub::{self, Hub, batch::Routed},
    identity,
    log::Logger,
    metrics::Counters,
    monitoring::Monitor,
    names::Names,
    runtime,
    wording::Counted,
    ws::{connection::Server, session},
};

/// The largest number of data bytes that the daemons whose layout can be detected take.
const DAEMON_MAX_DATA: usize = 128;

/// The largest number of threads that wait for files, besides those that check passwords.
const BLOCKING_THREADS: usize = 7;

/// The largest number of commands that wait to be carried out.
const MAX_COMMANDS: usize = 64;

/// The parts that were started.
pub(super) struct Started {
    pub(super) layout: Layout,
    pub(super) hub: Arc<Hub>,
    pub(super) registry: Arc<Registry>,
    pub(super) counters: Arc<Counters>,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) runtime: Runtime,
    /// The tasks that end when the hub is closed.
    pub(super) readers: Vec<JoinHandle<()>>,
    pub(super) history: Arc<History>,
}

/// Starts what the configuration asks for. Clients can connect when this returns. On an error no
/// thread, socket or file is left behind.
pub(super) fn start(
    config: Config,
    guid: Option<Guid>,
    host: Host,
    logger: &Logger,
) -> Result<Started, OpenError> {
    log_findings(&config);
    let (runtime, bound) = listen(&config, logger)?;
    let addresses = bound.listeners.iter().map(Listener::address).collect();
    let (layout, why) = layout(config.layout, host);
    let (guid, guid_from) = identity::guid(guid, config.guid);
    let buses: Vec<_> = config
        .buses
        .iter()
        .map(|bus| (bus.guid(guid), bus.clone()))
        .collect();
    log_opening(
        &config,
        &bound.listeners,
        &format_args!("event layout {layout:?} ({why}); GUID {guid} ({guid_from})"),
        &buses,
    );
    let files = OpenFiles::of_process(config.clients.max_pending);
    tracing::info!("{files}");

    let (command_sender, commands) = mpsc::channel(MAX_COMMANDS);
    let counters = Arc::new(Counters::default());
    let hub = Arc::new(hub(&config, guid, host, layout, command_sender, &counters));
    let history = start_history(&config, &counters)?;
    let names = Arc::new(Names::open(config.names.clone()));
    let registry = Registry::new(files.limit(config.clients), counters.clone());
    let shared = Arc::new(shared(&config, hub.clone(), registry, &counters));
    runtime.spawn(run_hub(hub.clone()));
    let bridges = bridge::Shared {
        hub: hub.clone(),
        counters: counters.clone(),
    };
    let (bus_settings, mut readers) = start_buses(&runtime, &bridges, buses);
    let control = Control::new(control::Settings {
        configuration: config.json,
        file: config.file,
        writable: config.write,
        debug: config.debug,
        level: logger.level_control(),
        hub: hub.clone(),
        buses: bus_settings,
        clients: shared.registry.clone(),
        counters: counters.clone(),
    });
    runtime.spawn(control.run(commands));
    if history.is_wanted() {
        readers.push(runtime.spawn(history.record(&hub)));
    }
    let watch = Watch {
        users: config.users_file,
        tls: config.tls,
        names: names.clone(),
        authenticator: shared.authenticator.clone(),
        registry: shared.registry.clone(),
    };
    if watch.has_files() {
        runtime.spawn(watch.run(host.file_check_interval));
    }
    let server = Arc::new(Server {
        shared: shared.clone(),
        settings: Arc::new(session::Settings {
            dialect: config.dialect,
            key: config.key,
            max_attempts: config.ws.auth_attempts,
        }),
        limits: config.ws,
    });
    let sources = Sources {
        shared: shared.clone(),
        history: history.clone(),
        names,
        recent: logger.recent(),
    };
    serve(
        &runtime,
        bound,
        config.http,
        server,
        sources,
        files.connections,
    );
    Ok(Started {
        layout,
        hub,
        registry: shared.registry.clone(),
        counters,
        addresses,
        runtime,
        readers,
        history,
    })
}

/// Starts the runtime, and listens on the addresses.
fn listen(config: &Config, logger: &Logger) -> Result<(Runtime, Bound), OpenError> {
    let blocking = config.auth_concurrency + BLOCKING_THREADS;
    let runtime = runtime::start(config.threads, blocking, logger.dispatch())
        .map_err(|error| OpenError::System(format!("threads cannot be started: {error}")))?;
    let bound = runtime
        .block_on(bind::bind(&config.listen, config.tls.as_ref()))
        .map_err(|error| {
            let position = &config.listen_positions[error.index];
            OpenError::Config(position.error(error.found, error.expected))
        })?;
    Ok((runtime, bound))
}

/// Logs the warnings and notes of the configuration, and who may log in.
fn log_findings(config: &Config) {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    for note in &config.notes {
        tracing::info!("{note}");
    }
    auth::log_summary(&config.users);
}

fn shared(config: &Config, hub: Arc<Hub>, registry: Registry, counters: &Arc<Counters>) -> Shared {
    Shared {
        authenticator: Authenticator::new(AuthenticatorSettings {
            users: config.users.clone(),
            max_concurrency: config.auth_concurrency,
            counters: counters.clone(),
        }),
        registry: Arc::new(registry),
        backlogs: Backlogs::new(config.backlog, hub.memory().clone(), counters.clone()),
        counters: counters.clone(),
        hub,
    }
}

fn hub(
    config: &Config,
    guid: Guid,
    host: Host,
    layout: Layout,
    commands: mpsc::Sender<Routed>,
    counters: &Arc<Counters>,
) -> Hub {
    let host_max_data = config.host_max_data.unwrap_or(match host.layout {
        Some(_) => DAEMON_MAX_DATA,
        None => MAX_DATA,
    });
    let settings = hub::Settings {
        guid,
        rx_filter: config.rx_filter,
        host_max_data,
        layout,
        echo_filter: config.echo_filter,
        host_queue: config.host_queue,
        ring: hub::RingLimits::default(),
    };
    Hub::new(settings, counters.clone(), commands)
}

async fn run_hub(hub: Arc<Hub>) {
    hub.run().await;
}

fn start_history(config: &Config, counters: &Arc<Counters>) -> Result<Arc<History>, OpenError> {
    let max_shown = config.http.monitoring.max_measurements;
    History::start(config.history.clone(), max_shown, counters)
        .map(Arc::new)
        .map_err(|error| OpenError::System(format!("no thread for the history: {error}")))
}

/// Starts a task for each listener, and one for each interface that is waited for.
fn serve(
    runtime: &Runtime,
    bound: Bound,
    settings: http::Settings,
    server: Arc<Server>,
    sources: Sources,
    max_connections: usize,
) {
    let monitor = Monitor::new(settings.monitoring.clone(), sources.history.clone());
    let monitor = Arc::new(monitor);
    let api = Api::new(&settings, sources);
    runtime.spawn(api.logins().clone().run());
    let router = Arc::new(Router {
        rest: Rest::new(&settings, server.shared.clone()),
        api,
        urls: settings.urls,
        host_names: settings.host_names,
        origins: settings.origins,
        files: Files::new(settings.files),
        monitor,
        server,
        places: listen::places(max_connections),
        log_limits: LogLimits::default(),
    });
    for listener in bound.listeners {
        runtime.spawn(listen::accept(listener, router.clone()));
    }
    for missing in bound.missing {
        let router = router.clone();
        runtime.spawn(async move {
            for listener in missing.wait().await {
                tokio::spawn(listen::accept(listener, router.clone()));
            }
        });
    }
}

fn log_opening(
    config: &Config,
    listeners: &[Listener],
    identity: &dyn fmt::Display,
    buses: &[(Guid, Bus)],
) {
    let mut listening: Vec<_> = listeners.iter().map(Listener::to_string).collect();
    if listening.is_empty() {
        listening.push("no address yet".to_owned());
    }
    let users = Counted(config.users.len() as u64, "user");
    tracing::info!(
        "{} {} open: listening on {}; ws1 {}, ws2 {}, REST {}, files {}; {users}; {}; \
         {identity}; {}",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION"),
        listening.join(", "),
        config.http.urls.ws1.as_deref().unwrap_or("off"),
        config.http.urls.ws2.as_deref().unwrap_or("off"),
        config.http.urls.rest.as_deref().unwrap_or("off"),
        config.http.files,
        Buses(buses),
        config.name,
    );
}

/// Starts a task for each bus. Returns for each what changes its settings, and the task.
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

/// Returns the layout of events and the reason for it. Warns if it is a guess.
fn layout(configured: Option<Layout>, host: Host) -> (Layout, &'static str) {
    match (configured, host.layout) {
        (Some(layout), _) => (layout, "as configured"),
        (None, Some(layout)) => (layout, "as detected"),
        (None, None) => {
            tracing::warn!(
                "the layout of the host's events cannot be detected: assuming the classic one; set \
                 event-layout to override"
            );
            (Layout::Classic, "assumed")
        }
    }
}

/// Shows CAN buses with the GUIDs of their interfaces.
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

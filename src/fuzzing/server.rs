//! A driver without sockets, for the targets that need one.

use std::{
    cell::OnceCell,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use aes::{
    Aes128,
    cipher::{BlockModeEncrypt, KeyIvInit, block_padding::NoPadding},
};
use nix::sys::signal::{SigSet, Signal};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::{
    auth::{Authenticator, AuthenticatorSettings},
    client::{Backlogs, Places, Registry, Shared, backlog::BacklogLimits},
    config::Config,
    event::{Event, Guid, Layout, text},
    history::History,
    http::{
        HostNames,
        api::{Api, Sources},
        rest::Rest,
        route::{LogLimits, Peer, Router},
    },
    hub::{self, Hub},
    log::RecentLines,
    metrics::{Counters, LogLimit},
    monitoring::Monitor,
    names::Names,
    ws::{Protocol, connection::Server, session},
};

/// The address of all clients.
pub(super) const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The GUID of the driver.
pub(super) const GUID: Guid = Guid([0xD1; 16]);

/// Users with the password `secret`: `admin` may do everything, `tens` receives class 10, `mute`
/// sends nothing, `rest` uses REST.
const CONFIGURATION: &str = r#"{
    "interface": "127.0.0.1:0", "allow-default-key": true, "enable-static": false,
    "socketcan": {"interface": "vcan0"},
    "ws1-iv": "any", "enable-jsonp": true, "metrics": "/metrics", "cors-origins": ["http://a"],
    "max-message-size": 1024, "max-auth-attempts": 3,
    "users": [
        {"name": "admin", "password": "2d1e4f91dae49cd08eaba2293e422273", "rights": "admin"},
        {"name": "tens", "password": "b5c65df2c00bd6365478d7d9e882202f", "events": "RX;10:*"},
        {"name": "mute", "password": "37a3fdb4575e32c80758284ad30db806", "rights": "receive-events"},
        {"name": "rest", "password": "3007931295e532a59c235ace1d8e1907", "rights": "user/rest", "filter": "3,10,0,-;7,0,0,-"}
    ]
}"#;

thread_local! {
    static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
    static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
}

/// Returns the configuration of the driver.
pub(super) fn configuration() -> &'static Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    CONFIG.get_or_init(|| Config::load(CONFIGURATION).expect("the configuration"))
}

/// Runs a future on a runtime with a paused clock: when all tasks are idle, the clock is set to the
/// next timer, so that timers cost no real time.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.with(|runtime| {
        let runtime = runtime.get_or_init(|| {
            // Blocks SIGPIPE, as the threads of the driver do: a write to a socket whose peer is
            // gone raises it.
            let pipe = SigSet::from(Signal::SIGPIPE);
            pipe.thread_block().expect("a signal mask");
            let mut builder = Builder::new_current_thread();
            builder.enable_all().start_paused(true);
            builder.build().expect("a runtime")
        });
        runtime.block_on(future)
    })
}

/// Runs `work` with the path of a folder that no other thread uses. The first call on a thread
/// makes the folder, and has `fill` put files into it.
pub(super) fn in_folder(fill: impl FnOnce(&Path), work: impl FnOnce(&Path)) {
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| {
            let in_memory = Path::new("/dev/shm");
            let folder = match in_memory.is_dir() {
                true => tempfile::tempdir_in(in_memory),
                false => tempfile::tempdir(),
            };
            let folder = folder.expect("a folder");
            fill(folder.path());
            folder
        });
        work(folder.path());
    });
}

/// Returns a router with all that is served, but without files.
pub(super) fn router() -> Router {
    let config = configuration();
    let counters = Arc::new(Counters::default());
    let settings = hub::Settings {
        guid: GUID,
        rx_filter: config.rx_filter,
        host_max_data: 512,
        layout: Layout::UnixNs,
        echo_filter: true,
        host_queue: 20,
        ring: hub::RingLimits::default(),
    };
    let commands = tokio::sync::mpsc::channel(1).0;
    let hub = Arc::new(Hub::new(settings, counters.clone(), commands));
    let limits = BacklogLimits {
        events: 4,
        bytes: 8192,
        total_bytes: 8192,
    };
    let shared = Arc::new(Shared {
        backlogs: Backlogs::new(limits, hub.memory().clone(), counters.clone()),
        hub,
        authenticator: Authenticator::new(AuthenticatorSettings {
            users: config.users.clone(),
            max_concurrency: config.auth_concurrency,
            counters: counters.clone(),
        }),
        registry: Arc::new(Registry::new(config.clients, counters.clone())),
        counters: counters.clone(),
    });
    let history = History::start(None, 0, &counters).expect("no thread is needed");
    let history = Arc::new(history);
    let sources = Sources {
        shared: shared.clone(),
        history: history.clone(),
        names: Arc::new(Names::open(None)),
        recent: RecentLines::default(),
    };
    let server = Server {
        shared: shared.clone(),
        settings: Arc::new(session::Settings {
            dialect: config.dialect,
            key: config.key.clone(),
            max_attempts: config.ws.auth_attempts,
        }),
        limits: config.ws,
    };
    Router {
        rest: Rest::new(&config.http, shared.clone()),
        api: Api::new(&config.http, sources),
        urls: config.http.urls.clone(),
        origins: config.http.origins.clone(),
        server: Arc::new(server),
        files: None,
        monitor: Arc::new(Monitor::new(config.http.monitoring.clone(), history)),
        host_names: HostNames::default(),
        places: places(),
        log_limits: LogLimits::default(),
    }
}

/// Returns a client at [`HOME`], with the only place that there is.
pub(super) async fn peer() -> Peer {
    let place = places().enter(HOME, &LogLimit::default()).await;
    Peer {
        address: HOME,
        secure: false,
        is_local: true,
        place: Arc::new(place.expect("a place")),
    }
}

fn places() -> Arc<Places> {
    Arc::new(Places::new("connections", 1))
}

/// Lets the host send an event and take all that wait for it.
pub(super) fn exchange(hub: &Hub) {
    // The driver may be behind.
    let _ = hub.write(event(), Some(Duration::ZERO));
    while hub.read(Some(Duration::ZERO)).is_ok() {}
}

/// Ends what goes on, and checks that nothing is left.
pub(super) async fn end(shared: &Shared) {
    shared.hub.close();
    shared.registry.close();
    shared.registry.wait_until_empty().await;
    assert_eq!(shared.counters.kept.get(), 0, "events kept for nobody");
}

fn event() -> Event {
    text::parse("96,10,6,0,2020-01-27T20:47:55Z,1,-,1,2").expect("an event")
}

/// Returns the message that logs in a user whose password is `secret`, with this sid.
pub(super) fn login_message(protocol: Protocol, sid: &str, name: &str) -> String {
    let mut plain = format!("{name}:secret").into_bytes();
    plain.resize(plain.len().next_multiple_of(16), 0);
    let mut iv = [0; 16];
    hex::decode_to_slice(sid, &mut iv).expect("a sid");
    let key = *b"\x2D\xBB\x07\x9A\x38\x98\x5A\xF0\x0E\xBE\xEF\xE2\x2F\x9F\xFA\x0E";
    let encryptor = cbc::Encryptor::<Aes128>::new(&key.into(), &iv.into());
    let length = plain.len();
    let crypto = encryptor.encrypt_padded::<NoPadding>(&mut plain, length);
    let crypto = hex::encode(crypto.expect("whole blocks"));
    match protocol {
        Protocol::Ws1 => format!("C;AUTH;{sid};{crypto}"),
        Protocol::Ws2 => format!(
            r#"{{"type":"C","command":"AUTH","args":{{"iv":"{sid}","crypto":"{crypto}"}}}}"#
        ),
    }
}

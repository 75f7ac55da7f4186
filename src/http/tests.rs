use std::{net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    HostNames, Listen, PanelLogin, Settings, StaticFiles, Urls,
    api::{Api, Sources},
    bind::bind,
    listen::accept,
    route::{LogLimits, Peer, Router},
};
use crate::{
    client::{NoRandomness, Places, Shared},
    history::History,
    log::RecentLines,
    metrics::LogLimit,
    monitoring::{self, Monitor},
    names::Names,
    test_log::TestLog,
    ws::connection::tests::server,
};

pub(super) const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// A peer at [`HOME`], with the only place that there is.
pub(super) async fn peer(secure: bool) -> Peer {
    let places = Arc::new(Places::new("connections", 1));
    let place = places.enter(HOME, &LogLimit::default()).await;
    Peer {
        address: HOME,
        secure,
        is_local: true,
        place: Arc::new(place.unwrap()),
    }
}

/// Settings with ws1 at `/ws1` and REST at `/rest`.
pub(super) fn settings() -> Settings {
    Settings {
        urls: Urls {
            ws1: Some("/ws1".into()),
            ws2: None,
            rest: Some("/rest".into()),
            metrics: None,
            health: None,
        },
        host_names: HostNames::default(),
        origins: None,
        cors_origins: Vec::new(),
        jsonp: true,
        explain_logins: false,
        max_body: 16_384,
        max_failed_logins: 5,
        panel_login: PanelLogin::Tls,
        monitoring: monitoring::Settings {
            allow: None,
            max_measurements: 0,
        },
        files: StaticFiles::Off,
    }
}

/// Sources that know nothing but what the connections share.
fn sources(shared: Arc<Shared>) -> Sources {
    Sources {
        shared,
        history: history(),
        names: Arc::new(Names::open(None)),
        recent: RecentLines::default(),
    }
}

/// A history that stores nothing.
fn history() -> Arc<History> {
    Arc::new(History::start(None, 0, &Arc::default()).unwrap())
}

fn router() -> Router {
    let (settings, server) = (settings(), server());
    Router {
        rest: None,
        api: Api::new(&settings, sources(server.shared.clone())),
        urls: settings.urls,
        host_names: settings.host_names,
        origins: settings.origins,
        monitor: Arc::new(Monitor::new(settings.monitoring, history())),
        server,
        files: None,
        places: Arc::new(Places::new("connections", 1)),
        log_limits: LogLimits::default(),
    }
}

#[tokio::test]
async fn without_randomness_a_websocket_is_closed_before_its_greeting() {
    const REQUEST: &[u8] = b"GET /ws1 HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let log = TestLog::start();
    let _no_randomness = NoRandomness::start();
    let router = Arc::new(router());
    let interface: Listen = "ws://127.0.0.1:0".parse().unwrap();
    let listener = bind(&[interface], None).await.unwrap().listeners.remove(0);
    let mut client = TcpStream::connect(listener.address()).await.unwrap();
    tokio::spawn(accept(listener, router.clone()));
    client.write_all(REQUEST).await.unwrap();
    let mut received = String::new();
    let end = timeout(
        Duration::from_secs(20),
        client.read_to_string(&mut received),
    );
    end.await.expect("the end of the connection").unwrap();
    assert!(received.starts_with("HTTP/1.1 101 "), "{received}");
    assert!(received.ends_with("\r\n\r\n"), "{received}");
    router.server.shared.registry.wait_until_empty().await;
    let log = log.take();
    let errors: Vec<_> = log
        .iter()
        .filter(|line| line.starts_with("ERROR client 1 (127.0.0.1)"))
        .collect();
    assert_eq!(errors.len(), 1, "{log:?}");
    assert!(errors[0].contains("no random session id"), "{errors:?}");
}

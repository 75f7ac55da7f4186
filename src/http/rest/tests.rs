#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{convert::Infallible, net::IpAddr};

use futures_util::stream;
use http_body_util::StreamBody;
use hyper::{body::Frame, header::COOKIE};
use tokio::time::advance;

use super::*;
use crate::{
    auth::{Gate, GateSettings, Key, User, Users},
    config::{Dialect, Limits},
    event::{Filter, Guid},
    hub::{self, Hub},
    json::Source,
    metrics::Counters,
    ws::{
        clients::{Clients, Kind},
        session::Settings,
    },
};

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// MD5 of `admin:secret`.
const USERS: &str = r#"{"users":[{"name":"admin","password":"2d1e4f91dae49cd08eaba2293e422273","rights":"admin"}]}"#;

fn server() -> Arc<Server> {
    let limits = Limits::default();
    let counters = Arc::new(Counters::default());
    let users = Users::parse(&Source::new("u.json", USERS), &mut Vec::new()).unwrap();
    let settings = hub::Settings {
        guid: Guid::ZERO,
        rx_filter: Filter::default(),
        host_max_data: 512,
        echo_filter: false,
    };
    Arc::new(Server {
        hub: Arc::new(Hub::new(
            settings,
            &limits,
            counters.clone(),
            tokio::sync::mpsc::channel(1).0,
        )),
        gate: Gate::new(GateSettings {
            users,
            file: None,
            max_concurrency: 1,
        }),
        clients: Arc::new(Clients::new(&limits, counters.clone())),
        settings: Arc::new(Settings {
            dialect: Dialect::default(),
            key: Key::WELL_KNOWN,
            max_attempts: 5,
        }),
        limits,
        counters,
    })
}

fn rest() -> Rest {
    let web = Web {
        root: None,
        rest: Some("/rest".into()),
        cors_origins: Vec::new(),
        jsonp: true,
        metrics: None,
    };
    Rest::new(&web, false, server()).unwrap()
}

fn admin(server: &Server) -> Arc<User> {
    let users = Users::parse(&Source::new("u.json", USERS), &mut Vec::new()).unwrap();
    let admin = users.get("admin").unwrap().clone();
    assert!(server.gate.still_valid(&admin));
    admin
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_ten_minutes_after_its_last_request() {
    let server = server();
    let sessions = Arc::new(Sessions::new(server.clone(), EXPIRY));
    let session = sessions.open(admin(&server), HOME).unwrap();
    let sid = session.sid();
    drop(session);
    for _ in 0..3 {
        advance(Duration::from_secs(599)).await;
        assert!(sessions.find(&sid, HOME).await.is_some());
        assert_eq!(server.clients.count_of(Kind::Rest), 1);
    }
    advance(Duration::from_secs(601)).await;
    server.clients.wait_until_empty().await;
    assert!(sessions.find(&sid, HOME).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let frames = stream::pending::<Result<Frame<Bytes>, Infallible>>();
    let request = Request::post("/rest").body(StreamBody::new(frames));
    let peer = Peer {
        address: HOME,
        secure: false,
    };
    let response = rest().answer(peer, request.unwrap()).await;
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(response.headers()[CONNECTION], "close");
}

#[tokio::test]
async fn the_cookie_is_for_secure_connections_where_it_came_over_one() {
    let rest = rest();
    for (secure, end) in [
        (false, "; HttpOnly; SameSite=Strict"),
        (true, "; HttpOnly; SameSite=Strict; Secure"),
    ] {
        let url = "/rest?vscpuser=admin&vscpsecret=secret";
        let request = Request::get(url).header(COOKIE, "vscpsession=0");
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let peer = Peer {
            address: HOME,
            secure,
        };
        let response = rest.answer(peer, request).await;
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
        assert!(cookie.ends_with(end), "{cookie}");
    }
}

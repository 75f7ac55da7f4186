use std::convert::Infallible;

use futures_util::stream;
use http_body_util::StreamBody;
use hyper::{body::Frame, header::COOKIE};
use tokio::time::advance;

use super::*;
use crate::{
    auth::User,
    client::{Kind, NoRandomness, tests::shared},
    http::tests::{HOME, peer, settings},
    test_log::TestLog,
};

fn rest() -> Rest {
    Rest::new(&settings(), shared()).unwrap()
}

/// The one user of `shared`, logged in.
async fn admin(shared: &Shared) -> Arc<User> {
    let login = shared.authenticator.login("admin:secret", HOME);
    login.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_ten_minutes_after_its_last_request() {
    let shared = shared();
    let sessions = Arc::new(Sessions::new(shared.clone(), EXPIRY));
    let session = sessions.open(admin(&shared).await, HOME).unwrap();
    let sid = session.sid();
    drop(session);
    for _ in 0..3 {
        advance(Duration::from_secs(599)).await;
        assert!(sessions.find(&sid, HOME).is_some());
        assert_eq!(shared.registry.count_of(Kind::Rest), 1);
    }
    advance(Duration::from_secs(601)).await;
    shared.registry.wait_until_empty().await;
    assert!(sessions.find(&sid, HOME).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let frames = stream::pending::<Result<Frame<Bytes>, Infallible>>();
    let request = Request::post("/rest").body(StreamBody::new(frames));
    let response = rest().answer(&peer(false).await, request.unwrap()).await;
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(response.headers()[CONNECTION], "close");
}

#[tokio::test]
async fn the_cookie_is_for_secure_connections_if_it_came_over_one() {
    let rest = rest();
    for (secure, end) in [
        (false, "; HttpOnly; SameSite=Strict"),
        (true, "; HttpOnly; SameSite=Strict; Secure"),
    ] {
        let url = "/rest?vscpuser=admin&vscpsecret=secret";
        let request = Request::get(url).header(COOKIE, "vscpsession=0");
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let response = rest.answer(&peer(secure).await, request).await;
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
        assert!(cookie.ends_with(end), "{cookie}");
    }
}

#[tokio::test]
async fn without_randomness_there_is_no_session() {
    let shared = shared();
    let sessions = Arc::new(Sessions::new(shared.clone(), EXPIRY));
    let admin = admin(&shared).await;
    let log = TestLog::start();
    let no_randomness = NoRandomness::start();
    assert!(sessions.open(admin.clone(), HOME).is_none());
    assert_eq!(
        log.take(),
        [
            "ERROR REST session of admin from 127.0.0.1 refused: the system gives no random id: \
          getrandom: this target is not supported"
        ]
    );
    assert_eq!(shared.registry.count(), 0);
    drop(no_randomness);
    assert!(sessions.open(admin, HOME).is_some());
}

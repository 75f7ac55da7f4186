use std::{
    sync::atomic::AtomicUsize,
    task::{Context, Poll, Wake, Waker},
};

use futures_util::FutureExt;

use super::*;
use crate::{
    auth::{AuthenticatorSettings, StoredPassword, Users},
    test_log::TestLog,
};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

const OLD_PASSWORD: &str = "00000000000000000000000000000000";
const NEW_PASSWORD: &str = "11111111111111111111111111111111";

fn registry(max_clients: usize, max_per_address: usize) -> Arc<Registry> {
    let limits = Limits {
        max_websockets: max_clients,
        max_sessions: max_clients,
        max_per_address,
        max_pending: 10_000,
    };
    Arc::new(Registry::new(limits, Arc::default()))
}

/// Admits a client, which logs in if it has to do that first.
fn admit(registry: &Arc<Registry>, kind: Kind, address: IpAddr) -> Option<ClientGuard> {
    let mut guard = match kind {
        Kind::Rest => registry.admit_session(address)?,
        _ => admit_stranger(registry, kind, address)?,
    };
    assert!(guard.note_login());
    Some(guard)
}

/// Admits a websocket client that does not log in.
fn admit_stranger(registry: &Arc<Registry>, kind: Kind, address: IpAddr) -> Option<ClientGuard> {
    let admitted = registry.admit_websocket(kind, address);
    admitted.now_or_never().expect("nobody has to go for it")
}

fn user(name: &str, password: &str) -> User {
    User::new(name, StoredPassword::parse(password).unwrap())
}

fn authenticator(users: impl IntoIterator<Item = User>) -> Arc<Authenticator> {
    let mut table = Users::default();
    for user in users {
        assert_eq!(table.add(user), None);
    }
    Authenticator::new(AuthenticatorSettings {
        users: table,
        max_concurrency: 1,
        counters: Arc::default(),
    })
}

fn close_code(guard: &ClientGuard) -> Option<u16> {
    match guard.poll_close(&Context::from_waker(Waker::noop())) {
        Poll::Ready(code) => Some(code),
        Poll::Pending => None,
    }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn clients_are_admitted_up_to_the_limit_and_again_when_one_has_left() {
    let registry = registry(2, 0);
    let first = admit(&registry, Kind::Ws1, HERE).unwrap();
    let second = admit(&registry, Kind::Ws2, THERE).unwrap();
    assert!(admit(&registry, Kind::Ws1, THERE).is_none());
    assert_eq!(registry.count(), 2);
    assert_eq!(registry.count_of(Kind::Ws1), 1);
    assert_ne!(first.id(), second.id());
    assert_eq!(second.address(), THERE);

    drop(first);
    assert_eq!(registry.count_of(Kind::Ws1), 0);
    admit(&registry, Kind::Ws1, THERE).unwrap();
    assert_eq!(registry.counters.ws1_clients.get(), 2);
    assert_eq!(registry.counters.ws2_clients.get(), 1);
    assert_eq!(registry.counters.turned_away.get(), 1);
}

#[test]
fn rest_sessions_have_a_limit_of_their_own() {
    let registry = registry(1, 0);
    let _websocket = admit(&registry, Kind::Ws1, HERE).unwrap();
    let _session = admit(&registry, Kind::Rest, HERE).unwrap();
    for kind in [Kind::Ws1, Kind::Ws2, Kind::Rest] {
        assert!(admit(&registry, kind, HERE).is_none(), "{kind:?}");
    }
    assert_eq!(registry.counters.sessions.get(), 1);
}

#[test]
fn one_address_has_its_share_and_others_have_theirs() {
    let registry = registry(0, 2);
    let first = admit(&registry, Kind::Ws1, HERE).unwrap();
    let _second = admit(&registry, Kind::Ws2, HERE).unwrap();
    assert!(admit(&registry, Kind::Ws1, HERE).is_none());
    let _other = admit(&registry, Kind::Ws1, THERE).unwrap();
    drop(first);
    let _third = admit(&registry, Kind::Ws1, HERE).unwrap();
    assert!(admit(&registry, Kind::Ws1, HERE).is_none());
}

#[test]
fn without_limits_all_are_admitted() {
    let registry = registry(0, 0);
    let guards: Vec<_> = (0..1000)
        .map(|_| admit(&registry, Kind::Ws1, HERE).unwrap())
        .collect();
    assert_eq!(registry.count(), 1000);
    drop(guards);
    assert_eq!(registry.count(), 0);
    assert!(registry.state.lock().websockets.per_address.is_empty());
}

#[test]
fn those_who_have_not_logged_in_have_places_of_their_own() {
    let limits = Limits {
        max_websockets: 2,
        max_sessions: 2,
        max_per_address: 0,
        max_pending: 8,
    };
    let registry = Arc::new(Registry::new(limits, Arc::default()));
    let user = admit(&registry, Kind::Ws1, HERE).unwrap();
    let mut strangers: Vec<_> = (0..2)
        .map(|_| admit_stranger(&registry, Kind::Ws1, HERE).unwrap())
        .collect();
    assert!(admit_stranger(&registry, Kind::Ws2, HERE).is_none());
    let mut other = admit_stranger(&registry, Kind::Ws1, THERE).unwrap();
    assert!(other.note_login());
    assert!(!strangers[0].note_login(), "there are two users already");
    assert!(admit_stranger(&registry, Kind::Ws1, THERE).is_none());
    drop(user);
    assert!(strangers[0].note_login());
    assert!(strangers[0].note_login(), "again");
    assert_eq!(registry.counters.turned_away.get(), 3);
    drop((strangers, other));
    assert_eq!(registry.count(), 0);
    assert!(registry.state.lock().websockets.per_address.is_empty());
}

#[test]
fn clients_that_are_turned_away_are_logged_but_not_each_of_them() {
    let registry = registry(1, 0);
    let log = TestLog::start();
    for _ in 0..3 {
        let _client = admit(&registry, Kind::Ws1, HERE).unwrap();
        for _ in 0..100 {
            assert!(admit_stranger(&registry, Kind::Ws2, THERE).is_none());
        }
    }
    assert_eq!(
        log.take(),
        [
            "WARN too many websocket clients: ::1 turned away (1 connected, 0 of them from \
             there); raise max-clients or max-clients-per-address to admit more"
        ]
    );
}

#[test]
fn an_address_of_ipv6_is_its_network() {
    let registry = registry(0, 1);
    let [one, neighbour, other] =
        ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(|address| address.parse().unwrap());
    let _one = admit(&registry, Kind::Rest, one).unwrap();
    assert!(admit(&registry, Kind::Rest, neighbour).is_none());
    admit(&registry, Kind::Rest, other).unwrap();
}

#[test]
fn clients_whose_user_is_gone_or_has_another_password_are_disconnected() {
    let registry = registry(0, 0);
    let guards = ["stays", "gone", "changed"].map(|name| {
        let guard = admit(&registry, Kind::Ws1, HERE).unwrap();
        guard.set_user(Some(Arc::new(user(name, OLD_PASSWORD))));
        guard
    });
    let anonymous = admit(&registry, Kind::Ws1, HERE).unwrap();
    let users = [user("stays", OLD_PASSWORD), user("changed", NEW_PASSWORD)];
    registry.disconnect_changed_users(&authenticator(users));
    let [stays, gone, changed] = guards.each_ref().map(close_code);
    assert_eq!(
        (stays, gone, changed, close_code(&anonymous)),
        (None, Some(POLICY), Some(POLICY), None)
    );

    let [stays, ..] = &guards;
    stays.set_user(None);
    registry.disconnect_changed_users(&authenticator([]));
    assert_eq!(close_code(stays), None, "logged out before");
}

#[test]
fn the_task_of_a_client_is_woken_to_close() {
    let registry = registry(0, 0);
    let guard = admit(&registry, Kind::Ws1, HERE).unwrap();
    let wakes = Arc::<Wakes>::default();
    let waker = Waker::from(wakes.clone());
    let context = Context::from_waker(&waker);
    assert_eq!(guard.poll_close(&context), Poll::Pending);
    registry.close();
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert_eq!(guard.poll_close(&context), Poll::Ready(GOING_AWAY));
}

#[tokio::test]
async fn a_closed_registry_disconnects_all_admits_nobody_and_is_empty_when_they_have_left() {
    let registry = registry(0, 0);
    registry.wait_until_empty().await;
    let guards = [Kind::Ws1, Kind::Rest].map(|kind| admit(&registry, kind, HERE).unwrap());
    let log = TestLog::start();
    registry.close();
    assert_eq!(
        guards.each_ref().map(close_code),
        [Some(GOING_AWAY), Some(GOING_AWAY)]
    );
    assert!(admit(&registry, Kind::Ws1, HERE).is_none());
    assert_eq!(
        log.take(),
        [""; 0],
        "nothing that the administrator can change"
    );

    let mut empty = std::pin::pin!(registry.wait_until_empty());
    let [first, second] = guards;
    drop(first);
    assert!(empty.as_mut().now_or_never().is_none());
    drop(second);
    empty.await;
}

#[test]
fn a_disconnected_client_gives_its_place_back_once() {
    let registry = registry(1, 1);
    let gone = admit(&registry, Kind::Rest, HERE).unwrap();
    gone.disconnect();
    assert_eq!(close_code(&gone), Some(POLICY));
    // Even one that has its number now stays when the old guard is dropped.
    registry.state.lock().last_id = gone.id() - 1;
    let next = admit(&registry, Kind::Rest, HERE).unwrap();
    assert_eq!(next.id(), gone.id());
    gone.disconnect();
    drop(gone);
    assert_eq!(registry.count(), 1);
    assert_eq!(close_code(&next), None);
    assert!(admit(&registry, Kind::Rest, HERE).is_none());
}

#[test]
fn numbers_start_again_after_the_last_without_0_and_without_those_in_use() {
    let registry = registry(0, 0);
    let first = admit(&registry, Kind::Ws1, HERE).unwrap();
    registry.state.lock().last_id = u32::MAX - 1;
    let last = admit(&registry, Kind::Ws1, HERE).unwrap();
    let next = admit(&registry, Kind::Ws1, HERE).unwrap();
    assert_eq!((first.id(), last.id(), next.id()), (1, u32::MAX, 2));
}

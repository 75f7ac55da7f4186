use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::time::{advance, timeout};

use super::*;
use crate::{
    auth::{AddressRules, StoredPassword},
    metrics::Counter,
    test_log::TestLog,
};

/// MD5 of `md5:secret`.
const MD5: &str = "d405b51e13b88171d9066e5f3d87e7bb";

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// Users with the password `secret`, who may log in from this machine only.
fn users(names: &[&str]) -> Users {
    let mut users = Users::default();
    for name in names {
        // 100 rounds for the user slow, 7 for the others.
        let rounds = if *name == "slow" { 100 } else { 7 };
        let mut hash = [0; 32];
        let text = format!("{name}:secret");
        pbkdf2::pbkdf2_hmac::<sha2::Sha256>(text.as_bytes(), b"salt", rounds, &mut hash);
        let stored = match *name {
            "md5" => MD5.into(),
            _ => format!("73616c74;{};{rounds}", hex::encode(hash)),
        };
        let user = User {
            remotes: AddressRules::parse("127.0.0.1").unwrap(),
            ..User::new(*name, StoredPassword::parse(&stored).unwrap())
        };
        assert_eq!(users.add(user), None);
    }
    users
}

fn authenticator(names: &[&str]) -> Arc<Authenticator> {
    authenticator_of(users(names))
}

fn authenticator_of(users: Users) -> Arc<Authenticator> {
    Authenticator::new(AuthenticatorSettings {
        users,
        max_concurrency: 0,
        counters: Arc::default(),
    })
}

fn credentials(text: &str) -> Option<Credentials> {
    Credentials::parse(text)
}

#[tokio::test]
async fn the_right_password_from_an_allowed_address_passes() {
    let authenticator = authenticator(&["admin", "slow"]);
    for (from, text, name) in [
        ("127.0.0.1", "admin:secret", Some("admin")),
        ("::ffff:127.0.0.1", "slow:secret", Some("slow")),
        ("10.0.0.1", "admin:secret", None),
        ("10.0.0.2", "admin:Secret", None),
        ("10.0.0.3", "nobody:secret", None),
        ("10.0.0.4", "no colon", None),
    ] {
        let user = authenticator.login(text, from.parse().unwrap()).await;
        let user = user.ok();
        assert_eq!(user.as_ref().map(|user| &*user.name), name, "{from} {text}");
    }
    let counters = &authenticator.counters;
    let counted = [
        &counters.logins,
        &counters.login_address,
        &counters.login_password,
        &counters.login_unknown,
        &counters.login_undecryptable,
    ];
    assert_eq!(counted.map(Counter::get), [2, 1, 1, 1, 1]);
}

#[test]
fn every_failure_spends_the_same_rounds_and_is_logged_without_what_was_typed() {
    let away = IpAddr::from([10, 0, 0, 1]);
    let log = TestLog::start();
    let none = Rights::NONE;
    for (needed, from, text, error, line) in [
        (
            none,
            HOME,
            "admin:typo",
            LoginError::WrongPassword,
            "admin from 127.0.0.1 refused: wrong password",
        ),
        (
            none,
            HOME,
            "slow:typo",
            LoginError::WrongPassword,
            "slow from 127.0.0.1 refused: wrong password",
        ),
        (
            none,
            HOME,
            "md5:typo",
            LoginError::WrongPassword,
            "md5 from 127.0.0.1 refused: wrong password",
        ),
        (
            none,
            HOME,
            "nobody:secret",
            LoginError::UnknownUser,
            "? from 127.0.0.1 refused: no such user",
        ),
        (
            none,
            HOME,
            "",
            LoginError::UnknownUser,
            "? from 127.0.0.1 refused: wrong key: what was decrypted is not user:password",
        ),
        (
            none,
            away,
            "admin:secret",
            LoginError::ForbiddenAddress,
            "admin from 10.0.0.1 refused: the user may not log in from this address",
        ),
        (
            none,
            away,
            "admin:typo",
            LoginError::WrongPassword,
            "admin from 10.0.0.1 refused: wrong password",
        ),
        (
            none,
            away,
            "md5:secret",
            LoginError::ForbiddenAddress,
            "md5 from 10.0.0.1 refused: the user may not log in from this address",
        ),
        (
            Rights::TEST,
            HOME,
            "admin:secret",
            LoginError::UnknownUser,
            "admin from 127.0.0.1 refused: the user has no right to log in here",
        ),
        (
            Rights::TEST,
            HOME,
            "admin:typo",
            LoginError::WrongPassword,
            "admin from 127.0.0.1 refused: wrong password",
        ),
    ] {
        let authenticator = authenticator_of(users(&["admin", "slow", "md5"]));
        let before = password::ROUNDS_SPENT.get();
        let refused = authenticator.check(credentials(text).as_ref(), from, needed);
        assert_eq!(refused.unwrap_err().error, error, "{text}");
        assert_eq!(password::ROUNDS_SPENT.get() - before, 200, "{text}");
        assert_eq!(log.take(), [format!("INFO login of {line}")]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_failure_waits_longer_each_time_and_that_to_a_right_login_does_not() {
    let authenticator = authenticator(&["admin"]);
    let attempt = async |password: &str| {
        let start = Instant::now();
        let result = authenticator
            .login(&format!("admin:{password}"), HOME)
            .await;
        let delay = result.err().map(|refusal| refusal.delay.as_millis());
        (delay, start.elapsed().as_millis())
    };
    assert_eq!(attempt("typo").await, (Some(250), 0));
    assert_eq!(attempt("secret").await, (None, 250));
    assert_eq!(attempt("secret").await, (None, 0));
    assert_eq!(attempt("typo").await, (Some(500), 0));
    advance(Duration::from_secs(60)).await;
    assert_eq!(attempt("typo").await, (Some(250), 0));
}

#[tokio::test(start_paused = true)]
async fn a_right_password_does_not_wait_for_wrong_ones_from_the_same_address() {
    let authenticator = authenticator(&["admin"]);
    assert!(authenticator.login("admin:typo", HOME).await.is_err());
    let wrong = (2..MAX_WAITING).map(|_| authenticator.login("admin:typo", HOME));
    let mut wrong: FuturesUnordered<_> = wrong.collect();
    let start = Instant::now();
    assert!(wrong.next().now_or_never().is_none());
    tokio::select! {
        user = authenticator.login("admin:secret", HOME) => assert_eq!(user.unwrap().name, "admin"),
        () = async { while wrong.next().await.is_some() {} } => panic!("after the others"),
    }
    // Until the next check after the first failure, and after the guess that had its turn already.
    assert_eq!(start.elapsed(), Duration::from_millis(500));
}

#[tokio::test(start_paused = true)]
async fn only_so_many_logins_of_one_address_wait() {
    let authenticator = authenticator(&["admin"]);
    let turn = authenticator.turn("", HOME).await.unwrap();
    let mut waiting: FuturesUnordered<_> = (1..MAX_WAITING)
        .map(|_| authenticator.turn("", HOME))
        .collect();
    assert!(waiting.next().now_or_never().is_none());
    let refused = authenticator.turn("", HOME).await;
    assert_eq!(refused.unwrap_err(), LoginError::TooManyWaiting);
    assert_eq!(authenticator.counters.login_too_many.get(), 1);
    drop(turn);
    waiting.next().await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn addresses_that_guess_leave_hashing_permits_to_others() {
    let authenticator = Authenticator::new(AuthenticatorSettings {
        users: users(&["admin"]),
        max_concurrency: 2,
        counters: Arc::default(),
    });
    let hosts = (1..50).map(|host| IpAddr::from([10, 0, 0, host]));
    for host in hosts.clone() {
        assert!(authenticator.login("admin:typo", host).await.is_err());
    }
    advance(Duration::from_secs(1)).await;
    let busy = Arc::clone(&authenticator.suspects)
        .try_acquire_owned()
        .unwrap();
    let guesses = hosts.map(|host| authenticator.login("admin:typo", host));
    let mut guesses: FuturesUnordered<_> = guesses.collect();
    assert!(guesses.next().now_or_never().is_none());
    assert_eq!(authenticator.hashing.available_permits(), 2);
    authenticator.login("admin:secret", HOME).await.unwrap();
    drop(busy);
    while guesses.next().await.is_some() {}
}

#[tokio::test]
async fn a_user_who_is_removed_while_the_password_is_checked_does_not_pass() {
    const ROUNDS: u32 = 1_000_000;
    let mut hash = [0; 32];
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(b"admin:secret", b"salt", ROUNDS, &mut hash);
    let stored = format!("73616c74;{};{ROUNDS}", hex::encode(hash));
    let mut users = Users::default();
    let user = User {
        remotes: AddressRules::parse("127.0.0.1").unwrap(),
        ..User::new("admin", StoredPassword::parse(&stored).unwrap())
    };
    users.add(user);
    let authenticator = authenticator_of(users);
    let login = tokio::spawn({
        let authenticator = Arc::clone(&authenticator);
        async move { authenticator.login("admin:secret", HOME).await }
    });
    while authenticator.hashing.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    authenticator.users.store(Arc::default());
    assert!(login.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn passwords_are_hashed_in_as_many_threads_as_configured() {
    let authenticator = authenticator(&["admin"]);
    let permit = Arc::clone(&authenticator.hashing)
        .try_acquire_owned()
        .unwrap();
    let first = timeout(
        Duration::from_secs(9),
        authenticator.login("admin:secret", HOME),
    );
    assert!(first.await.is_err());
    drop(permit);
    authenticator.login("admin:secret", HOME).await.unwrap();
}

#[tokio::test]
async fn a_failure_counts_though_the_client_has_gone_meanwhile() {
    let authenticator = authenticator(&["admin"]);
    // It gives up, in most runs before the hash is computed.
    let _ = authenticator.login("admin:typo", HOME).now_or_never();
    // It is counted before it is noted.
    let is_noted = || authenticator.throttle.lock().suspects(HOME, Instant::now());
    timeout(Duration::from_secs(60), async {
        while !is_noted() {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(authenticator.counters.login_password.get(), 1);
}

#[test]
fn a_runtime_that_has_shut_down_refuses_without_a_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let handle = runtime.handle().clone();
    runtime.shutdown_background();
    let _context = handle.enter();
    let authenticator = authenticator(&["admin"]);
    let login = authenticator.login("admin:secret", HOME).now_or_never();
    assert!(login.unwrap().is_err());
    assert_eq!(authenticator.counters.logins.get(), 0);
}

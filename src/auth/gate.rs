//! The decision about each login: who, from where, with what password, and how soon.
//!
//! All failures look alike, in what they answer and in how long they take. Hashing runs on
//! blocking threads, a few at a time, so that it delays nobody's events, and one at a time for
//! each address, so that nobody keeps the others from logging in.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, sleep},
};

use super::{
    file::UsersFile,
    login::Credentials,
    password,
    rights::Rights,
    throttle::{Throttle, Turns},
    user::User,
    users::Users,
};
use crate::{runtime::on_blocking_thread, stamp::Looks};

/// What a [`Gate`] is made of.
#[derive(Debug)]
pub struct GateSettings {
    /// Who may log in.
    pub users: Users,
    /// Where they come from; `None` where they are in the configuration itself.
    pub file: Option<UsersFile>,
    /// How many passwords are hashed at a time, at least 1.
    pub max_concurrency: usize,
}

/// Why a login was refused. Clients are not told it, unless the configuration asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such user, or one without the right to log in there.
    User,
    /// The user may not come from this address.
    Address,
    /// The password is another one.
    Password,
    /// Too many logins from this address wait already.
    Busy,
}

/// Where all logins pass. Shared by all sessions.
#[derive(Debug)]
pub struct Gate {
    /// Replaced as a whole when the file has changed.
    users: ArcSwap<Users>,
    /// Locked on blocking threads only, while the file is read.
    file: Option<Mutex<UsersFile>>,
    /// When the file may be looked at again.
    looks: Looks,
    /// One permit for each password that may be hashed at the same time.
    hashing: Arc<Semaphore>,
    /// Who tries now.
    turns: Turns,
    /// Who has failed of late.
    throttle: Mutex<Throttle>,
    /// For the counters of the driver.
    refused: AtomicU64,
    /// Tells the sessions to ask whether their user is still valid.
    changes: watch::Sender<u64>,
}

impl Gate {
    /// A gate, which all sessions share.
    pub fn new(settings: GateSettings) -> Arc<Self> {
        let permits = settings.max_concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            users: ArcSwap::from_pointee(settings.users),
            file: settings.file.map(Mutex::new),
            looks: Looks::new(),
            hashing: Arc::new(Semaphore::new(permits)),
            turns: Turns::default(),
            throttle: Mutex::default(),
            refused: AtomicU64::new(0),
            changes: watch::Sender::new(0),
        })
    }

    /// Decides about a login from `from`. `None` is every kind of failure; `credentials` are
    /// `None` where the client sent none that could be understood.
    ///
    /// Needs a tokio runtime with time. A caller who gives up waiting while a password is hashed
    /// has its failure counted all the same.
    pub async fn login(
        self: &Arc<Self>,
        from: IpAddr,
        credentials: Option<Credentials>,
    ) -> Option<Arc<User>> {
        let login = self.login_with(Rights::NONE, usize::MAX, from, credentials);
        login.await.ok()
    }

    /// As [`login`](Self::login), for users with the rights that it takes, and where fewer than
    /// `most` logins from there wait. The reason of a failure does not show in the time that it
    /// takes either.
    pub async fn login_with(
        self: &Arc<Self>,
        needed: Rights,
        most: usize,
        from: IpAddr,
        credentials: Option<Credentials>,
    ) -> Result<Arc<User>, Refusal> {
        let Some(own_turn) = self.turns.wait(from, most).await else {
            return Err(Refusal::Busy);
        };
        let delay = self.throttle.lock().delay(from, Instant::now());
        if !delay.is_zero() {
            sleep(delay).await;
        }
        self.refresh().await;
        let turn = Arc::clone(&self.hashing).acquire_owned().await;
        let gate = Arc::clone(self);
        let checked = on_blocking_thread(move || {
            let user = gate.check(needed, from, credentials.as_ref());
            // Not before the work is done, even where nobody waits for it any more.
            drop((turn, own_turn));
            user
        });
        let user = checked.await.unwrap_or(Err(Refusal::User))?;
        // The users may have been read again meanwhile.
        match self.still_valid(&user) {
            true => Ok(user),
            false => Err(Refusal::Password),
        }
    }

    /// Reads the users again where their file has changed. Looks at it at most once a second.
    pub async fn refresh(self: &Arc<Self>) {
        if self.file.is_none() || !self.looks.is_due() {
            return;
        }
        let gate = Arc::clone(self);
        on_blocking_thread(move || gate.reload()).await;
    }

    /// The number of times that the users were read again. A session that subscribes before its
    /// login misses none.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Whether a user who is logged in is still known, with the same password.
    pub fn still_valid(&self, user: &User) -> bool {
        let users = self.users.load();
        let now = users.get(&user.name);
        now.is_some_and(|now| now.password == user.password)
    }

    /// How many logins were refused.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Spends the same number of PBKDF2 rounds on every failure: two comparisons with the
    /// password that takes most.
    fn check(
        &self,
        needed: Rights,
        from: IpAddr,
        credentials: Option<&Credentials>,
    ) -> Result<Arc<User>, Refusal> {
        let users = self.users.load_full();
        let mut rounds = 2 * users.most_rounds();
        let user = credentials.and_then(|credentials| users.get(&credentials.user));
        let (refusal, reason) = match (credentials, user) {
            (None, _) => (Refusal::User, "no credentials could be decrypted"),
            (Some(_), None) => (Refusal::User, "no such user"),
            (Some(_), Some(user)) if !user.rights.contains(needed) => {
                (Refusal::User, "no right to log in there")
            }
            (Some(_), Some(user)) if !user.remotes.allows(from) => {
                (Refusal::Address, "not from this address")
            }
            (
                Some(Credentials {
                    user: name,
                    password,
                }),
                Some(user),
            ) => {
                if user.password.matches(name, password) {
                    return Ok(Arc::clone(user));
                }
                rounds -= 2 * user.password.rounds();
                (Refusal::Password, "wrong password")
            }
        };
        password::spend(rounds);
        self.throttle.lock().failed(from, Instant::now());
        self.refused.fetch_add(1, Ordering::Relaxed);
        let name = user.map_or("?", |user| &user.name);
        tracing::info!("login of {name} from {from} refused: {reason}");
        Err(refusal)
    }

    fn reload(&self) {
        let Some(mut file) = self.file.as_ref().map(Mutex::lock) else {
            return;
        };
        if let Some(users) = file.reload() {
            self.users.store(Arc::new(users));
            self.changes.send_modify(|changes| *changes += 1);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::{fs, time::Duration};

    use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
    use tokio::time::{advance, timeout};

    use super::*;
    use crate::{json::Source, test_log::TestLog};

    /// MD5 of `md5:secret`.
    const MD5: &str = "d405b51e13b88171d9066e5f3d87e7bb";

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn users_json(names: &[&str]) -> String {
        let records = names.iter().map(|name| {
            // 100 rounds for slow, 7 for the others
            let rounds = if *name == "slow" { 100 } else { 7 };
            let mut hash = [0; 32];
            let text = format!("{name}:secret");
            pbkdf2::pbkdf2_hmac::<sha2::Sha256>(text.as_bytes(), b"salt", rounds, &mut hash);
            let stored = match *name {
                "md5" => MD5.into(),
                _ => format!("73616c74;{};{rounds}", hex::encode(hash)),
            };
            format!(r#"{{"name":"{name}","password":"{stored}","remotes":"127.0.0.1"}}"#)
        });
        format!("{{\"users\":[{}]}}", records.collect::<Vec<_>>().join(","))
    }

    fn gate(names: &[&str]) -> Arc<Gate> {
        gate_of(&users_json(names))
    }

    fn gate_of(json: &str) -> Arc<Gate> {
        let source = Source::new("u.json", json);
        Gate::new(GateSettings {
            users: Users::parse(&source, &mut Vec::new()).unwrap(),
            file: None,
            max_concurrency: 0,
        })
    }

    fn credentials(text: &str) -> Option<Credentials> {
        Credentials::parse(text)
    }

    #[tokio::test]
    async fn the_right_password_from_an_allowed_address_passes() {
        let gate = gate(&["admin", "slow"]);
        for (from, text, name) in [
            (HOME, Some("admin:secret"), Some("admin")),
            (
                "::ffff:127.0.0.1".parse().unwrap(),
                Some("slow:secret"),
                Some("slow"),
            ),
            ("10.0.0.1".parse().unwrap(), Some("admin:secret"), None),
            ("10.0.0.2".parse().unwrap(), Some("admin:Secret"), None),
            ("10.0.0.3".parse().unwrap(), Some("nobody:secret"), None),
            ("10.0.0.4".parse().unwrap(), None, None),
        ] {
            let user = gate.login(from, text.and_then(credentials)).await;
            assert_eq!(
                user.as_ref().map(|user| &*user.name),
                name,
                "{from} {text:?}"
            );
        }
        assert_eq!(gate.refused(), 4);
    }

    #[test]
    fn every_failure_spends_the_same_rounds_and_is_logged_without_what_was_typed() {
        let away = IpAddr::from([10, 0, 0, 1]);
        let gate = gate(&["admin", "slow", "md5"]);
        let log = TestLog::start();
        let none = Rights::NONE;
        for (needed, from, text, refusal, line) in [
            (
                none,
                HOME,
                "admin:typo",
                Refusal::Password,
                "admin from 127.0.0.1 refused: wrong password",
            ),
            (
                none,
                HOME,
                "slow:typo",
                Refusal::Password,
                "slow from 127.0.0.1 refused: wrong password",
            ),
            (
                none,
                HOME,
                "md5:typo",
                Refusal::Password,
                "md5 from 127.0.0.1 refused: wrong password",
            ),
            (
                none,
                HOME,
                "nobody:secret",
                Refusal::User,
                "? from 127.0.0.1 refused: no such user",
            ),
            (
                none,
                HOME,
                "",
                Refusal::User,
                "? from 127.0.0.1 refused: no credentials could be decrypted",
            ),
            (
                none,
                away,
                "admin:secret",
                Refusal::Address,
                "admin from 10.0.0.1 refused: not from this address",
            ),
            (
                none,
                away,
                "admin:typo",
                Refusal::Address,
                "admin from 10.0.0.1 refused: not from this address",
            ),
            (
                Rights::ADMIN,
                HOME,
                "admin:secret",
                Refusal::User,
                "admin from 127.0.0.1 refused: no right to log in there",
            ),
        ] {
            let before = password::ROUNDS_SPENT.get();
            let refused = gate.check(needed, from, credentials(text).as_ref());
            assert_eq!(refused.unwrap_err(), refusal, "{text}");
            assert_eq!(password::ROUNDS_SPENT.get() - before, 200, "{text}");
            assert_eq!(log.take(), [format!("INFO login of {line}")]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_failures_every_attempt_from_there_waits_even_a_right_one() {
        let gate = gate(&["admin"]);
        let attempt = async |from: IpAddr, password: &str| {
            let start = Instant::now();
            let user = gate
                .login(from, credentials(&format!("admin:{password}")))
                .await;
            (user.is_some(), start.elapsed().as_millis())
        };
        assert_eq!(attempt(HOME, "typo").await, (false, 0));
        assert_eq!(attempt(HOME, "typo").await, (false, 250));
        assert_eq!(attempt(HOME, "secret").await, (true, 500));
        assert_eq!(attempt(HOME, "secret").await, (true, 500));
        assert_eq!(attempt([10, 0, 0, 1].into(), "secret").await, (false, 0));
        advance(Duration::from_secs(60)).await;
        assert_eq!(attempt(HOME, "secret").await, (true, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_from_one_address_wait_for_each_other() {
        let gate = gate(&["admin"]);
        let start = Instant::now();
        let attempt = async || {
            let user = gate.login(HOME, credentials("admin:typo")).await;
            (user.is_some(), start.elapsed().as_millis())
        };
        let ends = tokio::join!(attempt(), attempt(), attempt(), attempt());
        let expected = [0, 250, 250 + 500, 250 + 500 + 1000].map(|millis| (false, millis));
        assert_eq!(<[_; 4]>::from(ends), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn many_attempts_from_one_address_leave_others_their_turn() {
        let gate = gate(&["admin"]);
        let busy = Arc::clone(&gate.hashing).try_acquire_owned().unwrap();
        let mut guesses: FuturesUnordered<_> = (0..50)
            .map(|_| gate.login(HOME, credentials("admin:typo")))
            .collect();
        assert!(guesses.next().now_or_never().is_none());
        let other = gate.login([10, 0, 0, 1].into(), credentials("admin:typo"));
        let mut other = std::pin::pin!(other);
        assert!(other.as_mut().now_or_never().is_none());
        drop(busy);
        let guessed = async {
            while guesses.next().await.is_some() {
                assert!(gate.refused() < 10, "the other still waits");
            }
        };
        tokio::select! {
            _ = other => {}
            () = guessed => unreachable!("they have to wait"),
        }
    }

    #[tokio::test]
    async fn a_user_who_is_removed_while_the_password_is_checked_does_not_pass() {
        const ROUNDS: u32 = 1_000_000;
        let mut hash = [0; 32];
        pbkdf2::pbkdf2_hmac::<sha2::Sha256>(b"admin:secret", b"salt", ROUNDS, &mut hash);
        let stored = format!("73616c74;{};{ROUNDS}", hex::encode(hash));
        let gate = gate_of(&format!(
            r#"{{"users":[{{"name":"admin","password":"{stored}","remotes":"127.0.0.1"}}]}}"#
        ));
        let login = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.login(HOME, credentials("admin:secret")).await }
        });
        while gate.hashing.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        gate.users.store(Arc::default());
        assert!(login.await.unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_passwords_are_hashed_at_a_time() {
        let gate = gate(&["admin"]);
        let turn = Arc::clone(&gate.hashing).try_acquire_owned().unwrap();
        let login = timeout(
            Duration::from_secs(9),
            gate.login(HOME, credentials("admin:secret")),
        );
        assert!(login.await.is_err());
        drop(turn);
        assert!(
            gate.login(HOME, credentials("admin:secret"))
                .await
                .is_some()
        );
    }

    #[tokio::test]
    async fn a_failure_counts_though_the_client_has_gone_meanwhile() {
        let gate = gate(&["admin"]);
        // As a rule it gives up before the hash is there.
        let _ = gate.login(HOME, credentials("admin:typo")).now_or_never();
        timeout(Duration::from_secs(60), async {
            while gate.refused() == 0 {
                sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .unwrap();
        assert!(!gate.throttle.lock().delay(HOME, Instant::now()).is_zero());
    }

    #[test]
    fn a_runtime_that_has_shut_down_refuses_without_a_panic() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let handle = runtime.handle().clone();
        runtime.shutdown_background();
        let _context = handle.enter();
        let gate = gate(&["admin"]);
        let login = gate.login(HOME, credentials("admin:secret")).now_or_never();
        assert!(login.unwrap().is_none());
        assert_eq!(gate.refused(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_file_counts_from_the_next_login_on_at_most_once_a_second() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.json");
        fs::write(&path, users_json(&["admin", "old"])).unwrap();
        let (file, users) = UsersFile::open(path.to_str().unwrap(), &mut Vec::new()).unwrap();
        let gate = Gate::new(GateSettings {
            users,
            file: Some(file),
            max_concurrency: 2,
        });
        let log = TestLog::start();
        let changes = gate.changes();
        let old = gate.login(HOME, credentials("old:secret")).await.unwrap();
        let admin = gate.login(HOME, credentials("admin:secret")).await.unwrap();

        fs::write(&path, users_json(&["admin", "new", "slow"])).unwrap();
        assert!(
            gate.login([10, 0, 0, 1].into(), credentials("new:secret"))
                .await
                .is_none()
        );
        assert!(!changes.has_changed().unwrap());
        assert!(gate.still_valid(&old));

        advance(Duration::from_secs(1)).await;
        assert!(gate.login(HOME, credentials("new:secret")).await.is_some());
        assert_eq!(*changes.borrow(), 1);
        assert!(gate.still_valid(&admin));
        assert!(!gate.still_valid(&old));
        assert!(
            log.take()
                .iter()
                .any(|line| line.ends_with("has changed, 3 users read"))
        );

        let admin_changed = users_json(&["admin"]).replace(";7\"", ";8\"");
        for (text, valid, count) in [("{", true, 1), (&admin_changed, false, 2)] {
            fs::write(&path, text).unwrap();
            advance(Duration::from_secs(1)).await;
            gate.refresh().await;
            assert_eq!(gate.still_valid(&admin), valid);
            assert_eq!(*changes.borrow(), count);
        }
        assert_eq!(
            log.take()
                .iter()
                .filter(|line| line.starts_with("ERROR"))
                .count(),
            1
        );
    }
}

//! The decision about each login: who, from where, with what password, and how soon.
//!
//! A login takes two steps: the address waits for its [`Turn`], then the password is checked. A
//! client cannot tell one failure from another, neither by the answer nor by the time it takes: all
//! failures cost the same work, and their answers wait, the longer the more of them come from an
//! address. A right password is answered at once.
//!
//! Passwords are hashed on blocking threads, so that events are not delayed: a limited number at a
//! time, and one at a time for each address. Addresses whose logins have failed lately share a part
//! of the threads, so that others do not wait for them.

use std::{net::IpAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep},
};

use super::{
    known_logins::KnownLogins,
    login::Credentials,
    password,
    rights::Rights,
    throttle::{AddressPermit, Order, PerAddressQueue, Throttle},
    user::User,
    users::Users,
};
use crate::{
    metrics::{Counters, LogLimit},
    runtime::on_blocking_thread,
};

/// The largest number of logins of an address that wait for their turn or have it.
pub(super) const MAX_WAITING: usize = 16;

/// The number of failed logins with one name, from one address and within a minute, from which on
/// further logins with that name are not preferred any more: somebody may be guessing its password.
const MAX_FAILURES_OF_KNOWN: usize = 3;

/// The settings of an [`Authenticator`].
#[derive(Debug)]
pub(crate) struct AuthenticatorSettings {
    /// Who may log in.
    pub users: Users,
    /// The number of passwords that are hashed at a time. 0 counts as 1.
    pub max_concurrency: usize,
    /// Counts the logins.
    pub counters: Arc<Counters>,
}

/// The reason that a login was refused. Clients are told only if the configuration asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoginError {
    /// There is no such user, or it has no right to log in here.
    UnknownUser,
    /// The user may not log in from this address.
    ForbiddenAddress,
    /// The password is wrong, or has changed while it was checked.
    WrongPassword,
    /// Too many logins from this address wait already.
    TooManyWaiting,
    /// Logins with this name have failed too often from this address.
    TooManyFailures,
}

/// A login that was refused after the check of the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The reason.
    pub error: LoginError,
    /// How long the answer must wait.
    pub delay: Duration,
}

/// Decides about all logins of a driver.
#[derive(Debug)]
pub(crate) struct Authenticator {
    /// Replaced as a whole.
    users: ArcSwap<Users>,
    /// One permit for each password that may be hashed at the same time.
    hashing: Arc<Semaphore>,
    /// Permits for half of `hashing`, rounded up. Logins from addresses with a failed login in the
    /// last minute need one of these, too, so that they cannot take all of `hashing`.
    suspects: Arc<Semaphore>,
    /// Lets one login of each address through at a time.
    queue: Arc<PerAddressQueue>,
    /// Knows the failures of the last minute.
    throttle: Mutex<Throttle>,
    /// Knows who has logged in from where.
    known: Mutex<KnownLogins>,
    counters: Arc<Counters>,
    /// Limits the log lines about refused logins.
    refusals: LogLimit,
    /// Limits the log lines about logins that were encrypted with another key. It is a limit of its
    /// own, so that other failures do not suppress these lines.
    wrong_keys: LogLimit,
}

/// The turn of an address to try a login. The next one of the address follows when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    authenticator: Arc<Authenticator>,
    from: IpAddr,
    permit: AddressPermit,
}

impl Authenticator {
    /// Returns an authenticator for all connections to share.
    pub(crate) fn new(settings: AuthenticatorSettings) -> Arc<Self> {
        let permits = settings.max_concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            users: ArcSwap::from_pointee(settings.users),
            hashing: Arc::new(Semaphore::new(permits)),
            suspects: Arc::new(Semaphore::new(permits.div_ceil(2))),
            queue: Arc::default(),
            throttle: Mutex::default(),
            known: Mutex::default(),
            counters: settings.counters,
            refusals: LogLimit::default(),
            wrong_keys: LogLimit::default(),
        })
    }

    /// Waits until no other login from the address is being checked. A login with the `name` of a
    /// user who has logged in from there in the last day goes before the others (but see
    /// [`MAX_FAILURES_OF_KNOWN`]). Among equals the oldest is the next, or the newest if logins from there have
    /// failed lately.
    ///
    /// Fails if more than [`MAX_WAITING`] logins from there wait or are checked. That need not be
    /// this one: see `PerAddressQueue::wait`.
    pub(crate) async fn turn(
        self: &Arc<Self>,
        name: &str,
        from: IpAddr,
    ) -> Result<Turn, LoginError> {
        let now = Instant::now();
        let (order, is_known) = {
            let throttle = self.throttle.lock();
            let order = match throttle.suspects(from, now) {
                true => Order::NewestFirst,
                false => Order::OldestFirst,
            };
            let is_guessed = throttle.failures_of(name, from, now) >= MAX_FAILURES_OF_KNOWN;
            (order, !is_guessed && self.known.lock().has(name, from, now))
        };
        let turn = self.queue.wait(from, order, is_known, MAX_WAITING);
        let Some(permit) = turn.await else {
            self.counters.login_too_many.add(1);
            return Err(LoginError::TooManyWaiting);
        };
        Ok(Turn {
            authenticator: self.clone(),
            from,
            permit,
        })
    }

    /// Does both steps of a login with `user:password`.
    #[cfg(test)]
    pub(crate) async fn login(
        self: &Arc<Self>,
        text: &str,
        from: IpAddr,
    ) -> Result<Arc<User>, Refusal> {
        let credentials = Credentials::parse(text);
        let name = credentials.as_ref().map_or("", |it| &it.user);
        let turn = self.turn(name, from).await.unwrap();
        turn.check(credentials, Rights::NONE).await
    }

    /// Replaces the users. Clients that are connected stay so, even if their user is gone.
    pub(crate) fn set_users(&self, mut users: Users) {
        users.inherit_generations(&self.users.load());
        self.users.store(Arc::new(users));
    }

    /// Returns the user with this name.
    #[cfg(test)]
    pub(crate) fn user(&self, name: &str) -> Option<Arc<User>> {
        self.users.load().get(name).cloned()
    }

    /// Returns true if a user who has logged in still exists with the same password, and was
    /// neither removed nor given another password since the login.
    pub(crate) fn still_valid(&self, user: &User) -> bool {
        self.current_user(user).is_some()
    }

    /// Returns the present record of a user who has logged in: its rights and addresses may have
    /// changed. Returns `None` if the user was removed, or its password was changed, since the
    /// login, even if that was undone later.
    pub(crate) fn current_user(&self, user: &User) -> Option<Arc<User>> {
        let users = self.users.load();
        let now = users.get(&user.name)?;
        let is_same = now.password == user.password && now.generation == user.generation;
        is_same.then(|| Arc::clone(now))
    }

    /// Waits for the permission to hash a password from the address.
    async fn hashing_permits(&self, from: IpAddr) -> [Option<OwnedSemaphorePermit>; 2] {
        let (pace, is_suspect) = {
            let (throttle, now) = (self.throttle.lock(), Instant::now());
            (throttle.pace(from, now), throttle.suspects(from, now))
        };
        if !pace.is_zero() {
            sleep(pace).await;
        }
        // The semaphores are never closed.
        let suspect = match is_suspect {
            true => Arc::clone(&self.suspects).acquire_owned().await.ok(),
            false => None,
        };
        [
            suspect,
            Arc::clone(&self.hashing).acquire_owned().await.ok(),
        ]
    }

    /// Checks everything about a login, the password first. Spends the same number of PBKDF2 rounds
    /// on every failure: those of two comparisons with the slowest stored password.
    fn check(
        &self,
        credentials: Option<&Credentials>,
        from: IpAddr,
        needed: Rights,
    ) -> Result<Arc<User>, Refusal> {
        let users = self.users.load_full();
        let mut spent = 0;
        let user = credentials.and_then(|credentials| users.get(&credentials.user));
        let counters = &self.counters;
        let (error, reason, counter) = match (credentials, user) {
            (None, _) => (
                LoginError::UnknownUser,
                "wrong key: what was decrypted is not user:password",
                &counters.login_undecryptable,
            ),
            (Some(_), None) => (
                LoginError::UnknownUser,
                "no such user",
                &counters.login_unknown,
            ),
            (
                Some(Credentials {
                    user: name,
                    password,
                }),
                Some(user),
            ) => {
                if !user.password.compare(name, password, &mut spent) {
                    (
                        LoginError::WrongPassword,
                        "wrong password",
                        &counters.login_password,
                    )
                } else if !user.rights.contains_one_of(needed) {
                    (
                        LoginError::UnknownUser,
                        "the user has no right to log in here",
                        &counters.login_right,
                    )
                } else if !user.remotes.allows(from) {
                    (
                        LoginError::ForbiddenAddress,
                        "the user may not log in from this address",
                        &counters.login_address,
                    )
                } else {
                    return Ok(Arc::clone(user));
                }
            }
        };
        password::spend((2 * users.max_rounds()).saturating_sub(spent));
        counter.add(1);
        let limit = match credentials {
            Some(_) => &self.refusals,
            None => &self.wrong_keys,
        };
        if let Some(repeats) = limit.allow_line() {
            let name = user.map_or("?", |user| &user.name);
            tracing::info!("login of {name} from {from} refused: {reason}{repeats}");
        }
        let name = credentials.map_or("", |credentials| &credentials.user);
        let delay = self
            .throttle
            .lock()
            .note_failure(name, from, Instant::now());
        Err(Refusal { error, delay })
    }
}

impl Turn {
    /// Returns how often a login with the name has failed from this address in the last minute, up
    /// to 16.
    pub(crate) fn failures_of(&self, name: &str) -> usize {
        let throttle = self.authenticator.throttle.lock();
        throttle.failures_of(name, self.from, Instant::now())
    }

    /// Gives the turn up because too many logins have failed, and returns the reason.
    pub(crate) fn refuse(self) -> LoginError {
        self.authenticator.counters.login_too_many.add(1);
        LoginError::TooManyFailures
    }

    /// Logs a user in who has one of the rights `needed`, and returns it. `credentials` are `None`
    /// if the client sent none that could be decrypted.
    ///
    /// Needs a tokio runtime with time. If the future is dropped while a password is hashed, a
    /// failure counts all the same.
    pub(crate) async fn check(
        self,
        credentials: Option<Credentials>,
        needed: Rights,
    ) -> Result<Arc<User>, Refusal> {
        let Self {
            authenticator,
            from,
            permit,
        } = self;
        let hashing = authenticator.hashing_permits(from).await;
        let checked = on_blocking_thread({
            let authenticator = authenticator.clone();
            move || {
                let checked = authenticator.check(credentials.as_ref(), from, needed);
                // Held until the work is done, even if nobody waits for its result any more.
                drop((hashing, permit));
                checked
            }
        });
        let refused = |error| Refusal {
            error,
            delay: Duration::ZERO,
        };
        let shut_down = Err(refused(LoginError::UnknownUser));
        let user = checked.await.unwrap_or(shut_down)?;
        // The users may have been replaced meanwhile.
        match authenticator.still_valid(&user) {
            true => {
                authenticator.counters.logins.add(1);
                let mut known = authenticator.known.lock();
                known.note(&user.name, from, Instant::now());
                drop(known);
                Ok(user)
            }
            false => {
                authenticator.counters.login_password.add(1);
                Err(refused(LoginError::WrongPassword))
            }
        }
    }
}

#[cfg(test)]
mod tests;

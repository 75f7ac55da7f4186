//! Logins of pages, by their cookies.
//!
//! A login lasts until its page logs out, it is not used for a day, it is a month old, or its user
//! is removed or has another password. A websocket that it has opened uses it for as long as it is
//! connected, and ends with it.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::{Instant, interval};

use crate::{
    auth::{Authenticator, Rights, User},
    client::{Registry, SessionId},
    metrics::LogLimit,
};

/// The rights of which a user needs one to log in with a page.
pub(super) const NEEDED: Rights = Rights::WEB.union(Rights::WEBSOCKETS);

/// How long a login may last without use.
const MAX_IDLE: Duration = Duration::from_secs(86_400);

/// How long a login may last.
const MAX_AGE: Duration = Duration::from_secs(30 * 86_400);

/// The time between two looks at the logins that have ended.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// The largest numbers of logins.
#[derive(Clone, Copy, Debug)]
struct Limits {
    all: usize,
    of_one_user: usize,
}

const LIMITS: Limits = Limits {
    all: 1000,
    of_one_user: 32,
};

/// The logins of all pages.
#[derive(Debug)]
pub(crate) struct Logins {
    authenticator: Arc<Authenticator>,
    registry: Arc<Registry>,
    open: Mutex<HashMap<SessionId, WebLogin>>,
    limits: Limits,
    /// Limits the lines about cookies from addresses that their users may not come from.
    forbidden: LogLimit,
}

#[derive(Debug)]
struct WebLogin {
    user: Arc<User>,
    since: Instant,
    /// The time of the last use.
    used: Instant,
}

impl Logins {
    /// Returns a table without logins.
    pub(super) fn new(authenticator: Arc<Authenticator>, registry: Arc<Registry>) -> Self {
        Self {
            authenticator,
            registry,
            open: Mutex::default(),
            limits: LIMITS,
            forbidden: LogLimit::default(),
        }
    }

    /// Adds the login of a user, and returns its id. If there are too many, of the user or in all,
    /// the one ends that was not used for the longest time. Fails if the system has no randomness.
    pub(super) fn open(&self, user: Arc<User>) -> Result<SessionId, getrandom::Error> {
        let id = SessionId::random()?;
        let now = Instant::now();
        let mut open = self.open.lock();
        let mut ended = self.expired(&mut open, now);
        let own = |login: &WebLogin| login.user.name == user.name;
        if open.values().filter(|login| own(login)).count() >= self.limits.of_one_user {
            ended.extend(remove_idlest(&mut open, own));
        }
        if open.len() >= self.limits.all {
            ended.extend(remove_idlest(&mut open, |_| true));
        }
        let login = WebLogin {
            user,
            since: now,
            used: now,
        };
        open.insert(id, login);
        drop(open);
        self.disconnect(&ended);
        Ok(id)
    }

    /// Returns the user of a login, for a client at `address`, as the user is now. Returns `None`
    /// if the login has ended or the user may not log in from there any more.
    pub(super) fn find(&self, id: SessionId, address: IpAddr) -> Option<Arc<User>> {
        let now = Instant::now();
        let mut open = self.open.lock();
        let login = open.get_mut(&id)?;
        if !login.lasts(now, &self.authenticator) {
            open.remove(&id);
            drop(open);
            self.disconnect(&[id]);
            return None;
        }
        let user = self.authenticator.current_user(&login.user)?;
        if !user.remotes.allows(address) {
            if let Some(repeats) = self.forbidden.allow_line() {
                let name = &user.name;
                tracing::warn!(
                    "cookie of {name} refused: {name} may not log in from {address}{repeats}"
                );
            }
            return None;
        }
        if !user.rights.contains_one_of(NEEDED) {
            return None;
        }
        login.used = now;
        Some(user)
    }

    /// Ends a login, and disconnects the websockets that it has opened. Returns its user, `None` if
    /// it had ended before.
    pub(super) fn close(&self, id: SessionId) -> Option<Arc<User>> {
        let login = self.open.lock().remove(&id);
        self.disconnect(&[id]);
        login.map(|login| login.user)
    }

    /// Ends the logins whose time has come, from now on until the runtime shuts down.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut ticks = interval(SWEEP_INTERVAL);
        loop {
            ticks.tick().await;
            self.sweep();
        }
    }

    /// Ends the logins whose time has come.
    fn sweep(&self) {
        let connected = self.registry.logins();
        let now = Instant::now();
        let mut open = self.open.lock();
        for id in &connected {
            if let Some(login) = open.get_mut(id) {
                login.used = now;
            }
        }
        let ended = self.expired(&mut open, now);
        // A login may end while a websocket of it connects, for example because there are too many
        // logins. Such a websocket registers too late to be disconnected with the login, and is
        // found here.
        let gone: Vec<_> = connected
            .into_iter()
            .filter(|id| !open.contains_key(id))
            .collect();
        drop(open);
        self.disconnect(&ended);
        self.disconnect(&gone);
    }

    /// Removes the logins whose time has come, and returns their ids.
    fn expired(&self, open: &mut HashMap<SessionId, WebLogin>, now: Instant) -> Vec<SessionId> {
        open.extract_if(|_, login| !login.lasts(now, &self.authenticator))
            .map(|(id, _)| id)
            .collect()
    }

    fn disconnect(&self, ended: &[SessionId]) {
        for id in ended {
            self.registry.disconnect_login(*id);
        }
    }
}

impl WebLogin {
    /// Returns true if the login has not ended by itself.
    fn lasts(&self, now: Instant, authenticator: &Authenticator) -> bool {
        now < self.used + MAX_IDLE
            && now < self.since + MAX_AGE
            && authenticator.still_valid(&self.user)
    }
}

/// Removes the login that was not used for the longest time, of those that `may_go`, and returns
/// its id.
fn remove_idlest(
    open: &mut HashMap<SessionId, WebLogin>,
    may_go: impl Fn(&WebLogin) -> bool,
) -> Option<SessionId> {
    let may_go = open.iter().filter(|(_, login)| may_go(login));
    let (&id, _) = may_go.min_by_key(|(_, login)| login.used)?;
    open.remove(&id);
    Some(id)
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::{
        auth::{StoredPassword, Users},
        client::{Kind, Shared, tests::shared},
        http::tests::HOME,
    };

    /// MD5 of `admin:secret`.
    const PASSWORD: &str = "2d1e4f91dae49cd08eaba2293e422273";

    fn logins() -> (Arc<Shared>, Logins) {
        let shared = shared();
        let logins = Logins::new(shared.authenticator.clone(), shared.registry.clone());
        (shared, logins)
    }

    fn user(name: &str) -> User {
        User::new(name, StoredPassword::parse(PASSWORD).unwrap())
    }

    fn set_users(shared: &Shared, list: impl IntoIterator<Item = User>) {
        let mut users = Users::default();
        for user in list {
            users.add(user);
        }
        shared.authenticator.set_users(users);
    }

    /// Opens a login of one of the users.
    fn open(shared: &Shared, logins: &Logins, name: &str) -> SessionId {
        let user = shared.authenticator.user(name).unwrap();
        logins.open(user).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_lasts_a_day_after_its_last_use_and_a_month_in_all() {
        let (_shared, logins) = logins();
        let id = logins.open(Arc::new(user("admin"))).unwrap();
        advance(MAX_IDLE).await;
        assert!(logins.find(id, HOME).is_none());
        let id = logins.open(Arc::new(user("admin"))).unwrap();
        for _ in 0..30 {
            advance(MAX_IDLE - Duration::from_secs(1)).await;
            assert!(logins.find(id, HOME).is_some());
        }
        advance(Duration::from_secs(30)).await;
        assert!(logins.find(id, HOME).is_none());
        assert!(logins.open.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_is_used_while_a_websocket_of_it_is_connected_and_ends_it() {
        let (shared, logins) = logins();
        let id = logins.open(Arc::new(user("admin"))).unwrap();
        let guard = shared.registry.admit_websocket(Kind::Ws2, HOME).await;
        let guard = guard.unwrap();
        guard.set_login(id);
        let is_closed = || {
            let context = std::task::Context::from_waker(std::task::Waker::noop());
            guard.poll_close(&context).is_ready()
        };
        for _ in 0..31 {
            logins.sweep();
            assert_eq!(logins.open.lock().len(), 1);
            assert!(!is_closed());
            advance(MAX_AGE / 31).await;
        }
        advance(Duration::from_secs(1)).await;
        logins.sweep();
        assert!(logins.open.lock().is_empty());
        assert!(is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn the_idlest_login_of_a_user_gives_its_place_to_a_new_one() {
        let (shared, logins) = logins();
        set_users(&shared, [user("admin"), user("other")]);
        let other = open(&shared, &logins, "other");
        let mut ids = Vec::new();
        for _ in 0..LIMITS.of_one_user {
            advance(Duration::from_secs(1)).await;
            ids.push(open(&shared, &logins, "admin"));
        }
        advance(Duration::from_secs(1)).await;
        assert!(logins.find(ids[0], HOME).is_some());
        open(&shared, &logins, "admin");
        assert!(logins.find(ids[0], HOME).is_some());
        assert!(logins.find(ids[1], HOME).is_none());
        assert!(logins.find(other, HOME).is_some());
    }

    #[tokio::test]
    async fn there_are_so_many_logins_and_no_more() {
        let (shared, logins) = logins();
        let names: Vec<_> = (0..LIMITS.all + 10).map(|n| n.to_string()).collect();
        set_users(&shared, names.iter().map(|name| user(name)));
        for name in &names {
            open(&shared, &logins, name);
        }
        assert_eq!(logins.open.lock().len(), LIMITS.all);
    }

    #[tokio::test]
    async fn a_login_follows_its_user() {
        let (shared, logins) = logins();
        let id = logins.open(Arc::new(user("admin"))).unwrap();
        let find = || logins.find(id, HOME);
        assert_eq!(find().unwrap().rights, Rights::ADMIN);
        set_users(&shared, [user("admin")]);
        assert_eq!(find().unwrap().rights, Rights::USER);
        let rights = Rights::REST;
        set_users(
            &shared,
            [User {
                rights,
                ..user("admin")
            }],
        );
        assert!(find().is_none());
        let remotes = crate::auth::AddressRules::parse("-127.0.0.1").unwrap();
        set_users(
            &shared,
            [User {
                remotes,
                ..user("admin")
            }],
        );
        assert!(find().is_none());
        set_users(&shared, [user("admin")]);
        assert!(find().is_some());
        let password = StoredPassword::parse(&PASSWORD.replace('2', "3")).unwrap();
        set_users(&shared, [User::new("admin", password)]);
        assert!(find().is_none());
        set_users(&shared, [user("admin")]);
        assert!(
            find().is_none(),
            "a login that has ended does not begin again"
        );
    }

    #[tokio::test]
    async fn a_login_does_not_survive_the_removal_of_its_user_who_comes_back() {
        let (shared, logins) = logins();
        set_users(&shared, [user("admin"), user("other")]);
        let [admin, other] = ["admin", "other"].map(|name| open(&shared, &logins, name));
        set_users(&shared, [user("other")]);
        set_users(&shared, [user("admin"), user("other")]);
        assert!(logins.find(admin, HOME).is_none());
        assert!(logins.find(other, HOME).is_some());
        // It may log in again.
        let again = open(&shared, &logins, "admin");
        assert!(logins.find(again, HOME).is_some());
    }
}

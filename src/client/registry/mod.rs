//! The registry of connected clients: admits clients within the limits, and disconnects them, for
//! example when their user changes or the driver closes.
//!
//! A websocket client holds one of a limited number of [`Places`] until it has logged in. Only then
//! it counts for the limits of clients, so that clients that have not logged in cannot keep users
//! out.

mod guard;

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) use self::guard::ClientGuard;
use super::{
    places::{Place, Places},
    session_id::SessionId,
};
use crate::{
    auth::{Authenticator, User},
    metrics::{Counters, LogLimit},
    network::Network,
};

/// Close code "going away" (RFC 6455 §7.4.1): the driver closes.
pub(crate) const GOING_AWAY: u16 = 1001;

/// Close code "normal closure" (RFC 6455 §7.4.1): the page that has opened the websocket logs out,
/// or its login has ended.
pub(crate) const LOGGED_OUT: u16 = 1000;

/// Close code "try again later" (<https://www.iana.org/assignments/websocket/>): there are too many
/// clients.
pub(crate) const TRY_AGAIN: u16 = 1013;

/// Close code "policy violation" (RFC 6455 §7.4.1): the client has broken a rule, or its user is
/// gone.
pub(crate) const POLICY: u16 = 1008;

/// The protocol of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The websocket protocol ws1.
    Ws1,
    /// The websocket protocol ws2.
    Ws2,
    /// REST.
    Rest,
}

/// The limits of the number of clients. Websockets and REST sessions are counted separately.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Websocket clients that have logged in, 0 for no limit.
    pub max_websockets: usize,
    /// REST sessions, 0 for no limit.
    pub max_sessions: usize,
    /// Websocket clients, and REST sessions, from one address; 0 for no limit.
    pub max_per_address: usize,
    /// Websocket clients that have not logged in, beside the others.
    pub max_pending: usize,
}

impl Limits {
    /// Returns how many clients of a kind there may be, in all and from one address.
    fn of(&self, kind: Kind) -> [usize; 2] {
        let max = match kind {
            Kind::Ws1 | Kind::Ws2 => self.max_websockets,
            Kind::Rest => self.max_sessions,
        };
        [max, self.max_per_address]
    }
}

/// The connected clients of a driver, REST sessions included.
#[derive(Debug)]
pub(crate) struct Registry {
    state: Mutex<State>,
    /// The places of websocket clients that have not logged in.
    pending: Arc<Places>,
    /// Limits the log lines about websocket clients that got no place in `pending`.
    pending_turned_away: LogLimit,
    /// Notified when the last client leaves.
    empty: Notify,
    limits: Limits,
    counters: Arc<Counters>,
    /// Limits the lines about clients that have not logged in.
    strangers: LogLimit,
}

#[derive(Debug, Default)]
struct State {
    clients: HashMap<u32, Arc<Client>>,
    websockets: Group,
    sessions: Group,
    last_id: u32,
    closed: bool,
}

/// The clients that share a limit.
#[derive(Debug, Default)]
struct Group {
    count: usize,
    per_address: HashMap<Network, usize>,
    /// Limits the lines about clients that were turned away.
    turned_away: LogLimit,
}

/// A connected client.
#[derive(Clone, Debug)]
pub(crate) struct ListedClient {
    /// Its number.
    pub(crate) id: u32,
    /// Its protocol.
    pub(crate) kind: Kind,
    /// Where it connects from.
    pub(crate) address: IpAddr,
    /// Its user, `None` until it has logged in.
    pub(crate) user: Option<Arc<User>>,
}

/// One client, as the registry and its guard see it.
#[derive(Debug)]
struct Client {
    id: u32,
    kind: Kind,
    address: IpAddr,
    /// `None` until it has logged in.
    user: Mutex<Option<Arc<User>>>,
    /// The login of a page that has let it in.
    login: Mutex<Option<SessionId>>,
    /// True if it counts for the limits of its group.
    is_counted: AtomicBool,
    /// The code to close with, 0 while it may stay.
    close_code: AtomicU16,
    /// Wakes the client's task when `close_code` is set.
    waker: AtomicWaker,
}

impl Registry {
    /// Returns a registry without clients.
    pub(crate) fn new(limits: Limits, counters: Arc<Counters>) -> Self {
        let pending = Places::new(
            "websocket clients that have not logged in",
            limits.max_pending,
        );
        Self {
            state: Mutex::default(),
            pending: Arc::new(pending),
            pending_turned_away: LogLimit::default(),
            empty: Notify::new(),
            limits,
            counters,
            strangers: LogLimit::default(),
        }
    }

    /// Returns true if `count` more clients of a kind would be admitted from an address now:
    /// neither the limit of all clients nor that of the address would be exceeded.
    pub(crate) fn has_places(&self, kind: Kind, address: IpAddr, count: usize) -> bool {
        let mut state = self.state.lock();
        let network = Network::of(address);
        let max = self.limits.of(kind);
        state.group(kind).has_places(network, max, count)
    }

    /// Admits a websocket client that has not logged in. Returns `None` if there is no place for
    /// it, if there would be none after a login, or if the registry is closed. The log lines about
    /// clients without a place are limited in rate.
    pub(crate) async fn admit_websocket(
        self: &Arc<Self>,
        kind: Kind,
        address: IpAddr,
    ) -> Option<ClientGuard> {
        let may_enter = self.may_enter(&mut self.state.lock(), kind, address);
        let pending = match may_enter {
            true => self.pending.enter(address, &self.pending_turned_away).await,
            false => None,
        };
        let mut state = self.state.lock();
        let Some(pending) = pending.filter(|_| !state.closed) else {
            self.counters.turned_away.add(1);
            return None;
        };
        match kind {
            Kind::Ws2 => self.counters.ws2_clients.add(1),
            _ => self.counters.ws1_clients.add(1),
        }
        let client = state.add(kind, address);
        Some(self.guard(client, Some(pending)))
    }

    /// Admits a REST session, whose user has logged in. Returns `None` if there are too many
    /// already, in all or from its address, or if the registry is closed. Logs some of those.
    pub(crate) fn admit_session(self: &Arc<Self>, address: IpAddr) -> Option<ClientGuard> {
        let mut state = self.state.lock();
        if !self.may_enter(&mut state, Kind::Rest, address) {
            self.counters.turned_away.add(1);
            return None;
        }
        self.counters.sessions.add(1);
        let client = state.add(Kind::Rest, address);
        state.count(&client);
        Some(self.guard(client, None))
    }

    /// Returns the number of clients of a kind.
    pub(crate) fn count_of(&self, kind: Kind) -> usize {
        let state = self.state.lock();
        let all = state.clients.values();
        all.filter(|client| client.kind == kind).count()
    }

    /// Returns the number of clients.
    pub(crate) fn count(&self) -> usize {
        self.state.lock().clients.len()
    }

    /// Disconnects the clients whose user has been removed or has another password now.
    pub(crate) fn disconnect_changed_users(&self, authenticator: &Authenticator) {
        for client in self.state.lock().clients.values() {
            let user = client.user.lock().clone();
            if user.is_some_and(|user| !authenticator.still_valid(&user)) {
                client.disconnect(POLICY);
            }
        }
    }

    /// Disconnects the clients that the login of a page has let in.
    pub(crate) fn disconnect_login(&self, login: SessionId) {
        for client in self.state.lock().clients.values() {
            if *client.login.lock() == Some(login) {
                client.disconnect(LOGGED_OUT);
            }
        }
    }

    /// Returns the logins of pages that have let clients in.
    pub(crate) fn logins(&self) -> HashSet<SessionId> {
        let state = self.state.lock();
        let clients = state.clients.values();
        clients.filter_map(|client| *client.login.lock()).collect()
    }

    /// Returns all clients, in the order of their numbers.
    pub(crate) fn list(&self) -> Vec<ListedClient> {
        let state = self.state.lock();
        let clients = state.clients.values().map(|client| ListedClient {
            id: client.id,
            kind: client.kind,
            address: client.address,
            user: client.user.lock().clone(),
        });
        let mut clients: Vec<_> = clients.collect();
        clients.sort_unstable_by_key(|client| client.id);
        clients
    }

    /// Disconnects all clients and admits no more.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        for client in state.clients.values() {
            client.disconnect(GOING_AWAY);
        }
    }

    /// Waits until no client is left.
    pub(crate) async fn wait_until_empty(&self) {
        loop {
            // Before the count is read, so that no notification is missed.
            let empty = self.empty.notified();
            if self.count() == 0 {
                return;
            }
            empty.await;
        }
    }

    /// Removes a client, unless it has been removed before.
    fn remove(&self, client: &Client) {
        let mut state = self.state.lock();
        if !client.is_in(&state) {
            return;
        }
        state.clients.remove(&client.id);
        if client.is_counted.load(Ordering::Relaxed) {
            state.group(client.kind).remove(Network::of(client.address));
        }
        if state.clients.is_empty() {
            self.empty.notify_waiters();
        }
    }

    /// Returns true if one more client may come. Logs some of those that may not.
    fn may_enter(&self, state: &mut State, kind: Kind, address: IpAddr) -> bool {
        let closed = state.closed;
        let group = state.group(kind);
        let fits = group.has_places(Network::of(address), self.limits.of(kind), 1);
        if !closed && !fits {
            group.log_turned_away(kind, address);
        }
        !closed && fits
    }

    fn guard(self: &Arc<Self>, client: Arc<Client>, pending: Option<Place>) -> ClientGuard {
        ClientGuard {
            registry: self.clone(),
            client,
            pending: pending.map(Arc::new),
        }
    }
}

impl State {
    fn group(&mut self, kind: Kind) -> &mut Group {
        match kind {
            Kind::Ws1 | Kind::Ws2 => &mut self.websockets,
            Kind::Rest => &mut self.sessions,
        }
    }

    /// Registers a client, which does not count for its group yet.
    fn add(&mut self, kind: Kind, address: IpAddr) -> Arc<Client> {
        let client = Arc::new(Client {
            id: self.new_id(),
            kind,
            address,
            user: Mutex::default(),
            login: Mutex::default(),
            is_counted: AtomicBool::default(),
            close_code: AtomicU16::new(0),
            waker: AtomicWaker::new(),
        });
        self.clients.insert(client.id, client.clone());
        client
    }

    /// Has a client count for its group from now on.
    fn count(&mut self, client: &Client) {
        client.is_counted.store(true, Ordering::Relaxed);
        let network = Network::of(client.address);
        self.group(client.kind).add(network);
    }

    fn new_id(&mut self) -> u32 {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if self.last_id != 0 && !self.clients.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
    }
}

impl Group {
    /// Returns true if the group may have `count` more clients, all of them from `network`. `all`
    /// is the largest number of clients in the group, `here` that from one network; 0 is no limit.
    fn has_places(&self, network: Network, [all, here]: [usize; 2], count: usize) -> bool {
        let fits = |max, present| max == 0 || present + count <= max;
        fits(all, self.count) && fits(here, self.count_from(network))
    }

    fn count_from(&self, network: Network) -> usize {
        self.per_address.get(&network).copied().unwrap_or(0)
    }

    fn add(&mut self, network: Network) {
        self.count += 1;
        *self.per_address.entry(network).or_default() += 1;
    }

    fn remove(&mut self, network: Network) {
        self.count -= 1;
        if let Some(count) = self.per_address.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.per_address.remove(&network);
            }
        }
    }

    fn log_turned_away(&self, kind: Kind, address: IpAddr) {
        if let Some(repeats) = self.turned_away.allow_line() {
            tracing::warn!(
                "too many {}: {address} turned away ({} connected, {} of them from there); raise \
                 max-clients or max-clients-per-address to admit more{repeats}",
                name_of(kind),
                self.count,
                self.count_from(Network::of(address)),
            );
        }
    }
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Ws1 | Kind::Ws2 => "websocket clients",
        Kind::Rest => "REST sessions",
    }
}

impl Client {
    fn disconnect(&self, code: u16) {
        self.close_code.store(code, Ordering::Release);
        self.waker.wake();
    }

    /// Returns true if this client, and not a later one with the same id, is registered.
    fn is_in(&self, state: &State) -> bool {
        let registered = state.clients.get(&self.id);
        registered.is_some_and(|registered| std::ptr::eq(&**registered, self))
    }
}

#[cfg(test)]
mod tests;

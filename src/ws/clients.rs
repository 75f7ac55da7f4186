//! Who is there: admission, and disconnecting from outside.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    task::Waker,
};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Protocol;
use crate::{
    auth::{Gate, User},
    config::Limits,
    metrics::Counters,
};

/// Close code: the driver ends.
pub const GOING_AWAY: u16 = 1001;

/// Close code: a rule was broken.
pub const POLICY: u16 = 1008;

/// What a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A websocket.
    Websocket(Protocol),
    /// A REST session.
    Rest,
}

/// All clients of a driver: websockets and REST sessions. The limits hold for each of these kinds.
#[derive(Debug)]
pub struct Clients {
    state: Mutex<State>,
    /// Told when the last client is gone.
    empty: Notify,
    max_clients: usize,
    max_per_address: usize,
    counters: Arc<Counters>,
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
    per_address: HashMap<IpAddr, usize>,
    /// Clients turned away since one was let in.
    turned_away: u64,
}

/// One client, as others see it.
#[derive(Debug)]
struct Client {
    id: u32,
    kind: Kind,
    address: IpAddr,
    user: Mutex<Option<Arc<User>>>,
    /// The close code to end with, 0 for none.
    close: AtomicU16,
    waker: AtomicWaker,
}

impl Clients {
    /// Nobody is there yet.
    pub fn new(limits: &Limits, counters: Arc<Counters>) -> Self {
        Self {
            state: Mutex::default(),
            empty: Notify::new(),
            max_clients: limits.max_clients,
            max_per_address: limits.max_clients_per_address,
            counters,
        }
    }

    /// Lets a client in, or not where there are too many or the driver ends.
    pub fn admit(self: &Arc<Self>, kind: Kind, address: IpAddr) -> Option<Ticket> {
        let mut state = self.state.lock();
        let closed = state.closed;
        let (name, counter) = match kind {
            Kind::Websocket(_) => ("clients", &self.counters.clients),
            Kind::Rest => ("REST sessions", &self.counters.sessions),
        };
        let group = state.group(kind);
        let here = group.per_address.get(&address).copied().unwrap_or(0);
        let full = self.max_clients > 0 && group.count >= self.max_clients
            || self.max_per_address > 0 && here >= self.max_per_address;
        if full || closed {
            self.counters.turned_away.add(1);
            if group.turned_away == 0 && !closed {
                tracing::warn!(
                    %address,
                    count = group.count,
                    from_this_address = here,
                    "too many {name}: turning new ones away"
                );
            }
            group.turned_away += 1;
            return None;
        }
        if group.turned_away > 0 {
            let count = std::mem::take(&mut group.turned_away);
            tracing::warn!("there is room for {name} again, {count} were turned away");
        }
        group.count += 1;
        *group.per_address.entry(address).or_default() += 1;
        let id = state.new_id();
        let client = Arc::new(Client {
            id,
            kind,
            address,
            user: Mutex::default(),
            close: AtomicU16::new(0),
            waker: AtomicWaker::new(),
        });
        state.clients.insert(id, client.clone());
        counter.add(1);
        Some(Ticket {
            clients: self.clone(),
            client,
        })
    }

    /// How many of a kind there are.
    pub fn count_of(&self, kind: Kind) -> usize {
        let state = self.state.lock();
        let all = state.clients.values();
        all.filter(|client| client.kind == kind).count()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.state.lock().clients.len()
    }

    /// Disconnects those whose user is gone or has another password.
    pub fn recheck(&self, gate: &Gate) {
        for client in self.state.lock().clients.values() {
            let user = client.user.lock().clone();
            if user.is_some_and(|user| !gate.still_valid(&user)) {
                client.end(POLICY);
            }
        }
    }

    /// Disconnects all and lets nobody in any more.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        for client in state.clients.values() {
            client.end(GOING_AWAY);
        }
    }

    /// Waits until nobody is there.
    pub async fn wait_until_empty(&self) {
        loop {
            let empty = self.empty.notified();
            if self.count() == 0 {
                return;
            }
            empty.await;
        }
    }

    /// Does nothing for one that is gone already.
    fn remove(&self, client: &Arc<Client>) {
        let mut state = self.state.lock();
        let known = state.clients.get(&client.id);
        if !known.is_some_and(|known| Arc::ptr_eq(known, client)) {
            return;
        }
        state.clients.remove(&client.id);
        let group = state.group(client.kind);
        group.count -= 1;
        if let Some(count) = group.per_address.get_mut(&client.address) {
            *count -= 1;
            if *count == 0 {
                group.per_address.remove(&client.address);
            }
        }
        if state.clients.is_empty() {
            self.empty.notify_waiters();
        }
    }
}

impl State {
    fn group(&mut self, kind: Kind) -> &mut Group {
        match kind {
            Kind::Websocket(_) => &mut self.websockets,
            Kind::Rest => &mut self.sessions,
        }
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

impl Client {
    fn end(&self, code: u16) {
        self.close.store(code, Ordering::Release);
        self.waker.wake();
    }
}

/// The right to be connected; ends with its drop.
#[derive(Debug)]
pub struct Ticket {
    clients: Arc<Clients>,
    client: Arc<Client>,
}

impl Ticket {
    /// The number of the connection, never 0.
    pub fn id(&self) -> u32 {
        self.client.id
    }

    /// Where the client is.
    pub fn address(&self) -> IpAddr {
        self.client.address
    }

    /// Says who is logged in.
    pub fn set_user(&self, user: Option<Arc<User>>) {
        *self.client.user.lock() = user;
    }

    /// Disconnects the client and lets another one have its place, before this is dropped.
    pub fn end(&self) {
        self.clients.remove(&self.client);
        self.client.end(POLICY);
    }

    /// The code to close with, where the client is to be disconnected; else `waker` is woken
    /// when it is.
    pub fn close_code(&self, waker: &Waker) -> Option<u16> {
        self.client.waker.register(waker);
        match self.client.close.load(Ordering::Acquire) {
            0 => None,
            code => Some(code),
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.clients.remove(&self.client);
    }
}

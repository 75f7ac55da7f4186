//! Who is connected: admission, and disconnecting from outside.

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

use crate::{
    auth::{Gate, User},
    config::Limits,
    metrics::Counters,
};

/// Close code: the driver ends.
pub const GOING_AWAY: u16 = 1001;

/// Close code: a rule was broken.
pub const POLICY: u16 = 1008;

/// All websocket clients of a driver.
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
    per_address: HashMap<IpAddr, usize>,
    last_id: u32,
    closed: bool,
    /// Connections turned away since one was let in.
    turned_away: u64,
}

/// One client, as others see it.
#[derive(Debug)]
struct Client {
    id: u32,
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
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Ticket> {
        let mut state = self.state.lock();
        let here = state.per_address.get(&address).copied().unwrap_or(0);
        let full = self.max_clients > 0 && state.clients.len() >= self.max_clients
            || self.max_per_address > 0 && here >= self.max_per_address;
        if full || state.closed {
            self.counters.turned_away.add(1);
            if state.turned_away == 0 && !state.closed {
                tracing::warn!(
                    %address,
                    clients = state.clients.len(),
                    from_this_address = here,
                    "too many clients: turning new ones away"
                );
            }
            state.turned_away += 1;
            return None;
        }
        if state.turned_away > 0 {
            let count = std::mem::take(&mut state.turned_away);
            tracing::warn!("there is room for clients again, {count} were turned away");
        }
        let id = state.new_id();
        let client = Arc::new(Client {
            id,
            address,
            user: Mutex::default(),
            close: AtomicU16::new(0),
            waker: AtomicWaker::new(),
        });
        state.clients.insert(id, client.clone());
        *state.per_address.entry(address).or_default() += 1;
        self.counters.clients.add(1);
        Some(Ticket {
            clients: self.clone(),
            client,
        })
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
}

impl State {
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
        let mut state = self.clients.state.lock();
        state.clients.remove(&self.client.id);
        if let Some(count) = state.per_address.get_mut(&self.client.address) {
            *count -= 1;
            if *count == 0 {
                state.per_address.remove(&self.client.address);
            }
        }
        if state.clients.is_empty() {
            self.clients.empty.notify_waiters();
        }
    }
}

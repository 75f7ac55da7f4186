//! The place of a client.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use super::{Client, POLICY, Registry};
use crate::{
    auth::User,
    client::{ClientLabel, Place, SessionId},
    metrics::Repeats,
};

/// A client's place in the [`Registry`]. Its drop gives the place back.
#[derive(Debug)]
pub(crate) struct ClientGuard {
    pub(super) registry: Arc<Registry>,
    pub(super) client: Arc<Client>,
    /// The place of a websocket client that has not logged in.
    pub(super) pending: Option<Arc<Place>>,
}

impl ClientGuard {
    /// Returns the number of the client, never 0.
    pub(crate) fn id(&self) -> u32 {
        self.client.id
    }

    /// Returns the address that the client connects from.
    pub(crate) fn address(&self) -> IpAddr {
        self.client.address
    }

    /// Returns the name of the client for log lines.
    pub(crate) fn label(&self) -> ClientLabel {
        ClientLabel {
            id: self.client.id,
            address: self.client.address,
        }
    }

    /// Returns the place that the client has until it logs in.
    pub(crate) fn pending(&self) -> Option<&Arc<Place>> {
        self.pending.as_ref()
    }

    /// Returns the end of a log line about the client, `None` if there is to be none: those about
    /// clients that have not logged in are limited in rate.
    pub(crate) fn allow_line(&self) -> Option<Repeats> {
        match self.pending {
            Some(_) => self.registry.strangers.allow_line(),
            None => Some(Repeats::NONE),
        }
    }

    /// Notes that the client has logged in. Returns false if there are too many clients already, in
    /// all or from its address, and logs that.
    pub(crate) fn note_login(&mut self) -> bool {
        if self.pending.is_none() {
            return true;
        }
        let mut state = self.registry.state.lock();
        let Client { kind, address, .. } = *self.client;
        if !self.registry.may_enter(&mut state, kind, address) {
            self.registry.counters.turned_away.add(1);
            return false;
        }
        state.count(&self.client);
        self.pending = None;
        true
    }

    /// Notes which user is logged in.
    pub(crate) fn set_user(&self, user: Option<Arc<User>>) {
        *self.client.user.lock() = user;
    }

    /// Notes which login of a page has let the client in: it ends with that.
    pub(crate) fn set_login(&self, login: SessionId) {
        *self.client.login.lock() = Some(login);
    }

    /// Disconnects the client, and gives its place back before the guard is dropped.
    pub(crate) fn disconnect(&self) {
        self.registry.remove(&self.client);
        self.client.disconnect(POLICY);
    }

    /// Returns the code to close with once the client is to be disconnected. Until then the task
    /// that polled last is woken when that happens.
    pub(crate) fn poll_close(&self, context: &Context<'_>) -> Poll<u16> {
        self.client.waker.register(context.waker());
        match self.client.close_code.load(Ordering::Acquire) {
            0 => Poll::Pending,
            code => Poll::Ready(code),
        }
    }
}

impl Drop for ClientGuard {
    fn drop(&mut self) {
        self.registry.remove(&self.client);
    }
}

//! Sessions: what is remembered between the requests of a client.

use std::{
    collections::HashMap,
    future::poll_fn,
    net::IpAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use super::reply::Taken;
use crate::{
    auth::{Rights, User},
    event::Filter,
    hub::{
        Subscription,
        batch::{Batch, Endpoint},
    },
    ws::{
        clients::{GOING_AWAY, Kind, Ticket},
        connection::Server,
        kept::Kept,
    },
};

/// Batches that are taken from the hub at once.
const BATCHES_AT_ONCE: usize = 16;

/// Rounds of these after which other tasks get their turn.
const ROUNDS: usize = 8;

/// All sessions of a driver.
#[derive(Debug)]
pub(super) struct Sessions {
    server: Arc<Server>,
    open: Mutex<HashMap<[u8; 16], Arc<Session>>>,
    /// Time without a request after which a session ends.
    expiry: Duration,
}

/// One session. Its task moves events from the hub to it, so that it holds nobody back.
#[derive(Debug)]
pub(super) struct Session {
    sid: [u8; 16],
    user: Arc<User>,
    ticket: Ticket,
    state: Mutex<State>,
    /// `None` where the user may not receive. Used with `state` locked.
    subscription: Option<Subscription>,
}

#[derive(Debug)]
struct State {
    filter: Filter,
    kept: Kept,
    /// When the last request came.
    used: Instant,
}

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Expired,
    /// By a request, or because the user is gone.
    Closed,
    /// The driver ends.
    GoingAway,
}

impl Sessions {
    /// None is open yet.
    pub(super) fn new(server: Arc<Server>, expiry: Duration) -> Self {
        Self {
            server,
            open: Mutex::default(),
            expiry,
        }
    }

    /// Opens a session; `None` where there are too many.
    pub(super) fn open(self: &Arc<Self>, user: Arc<User>, address: IpAddr) -> Option<Arc<Session>> {
        let mut sid = [0; 16];
        if let Err(error) = getrandom::fill(&mut sid) {
            tracing::error!("no random session id: {error}");
            return None;
        }
        let Server {
            clients,
            hub,
            limits,
            counters,
            ..
        } = &*self.server;
        let ticket = clients.admit(Kind::Rest, address)?;
        ticket.set_user(Some(user.clone()));
        let id = ticket.id();
        let receives = user.rights.contains(Rights::RCV_EVENT);
        tracing::info!("client {id}: REST session of {} from {address}", user.name);
        let session = Arc::new(Session {
            sid,
            state: Mutex::new(State {
                filter: user.filter,
                kept: Kept::new(id, limits.client_queue, counters.clone()),
                used: Instant::now(),
            }),
            subscription: receives.then(|| hub.subscribe(Endpoint::Client(id))),
            user,
            ticket,
        });
        self.open.lock().insert(sid, session.clone());
        tokio::spawn(run(self.clone(), session.clone()));
        Some(session)
    }

    /// The session with that id, which has a request now.
    pub(super) async fn find(&self, sid: &str, address: IpAddr) -> Option<Arc<Session>> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(sid, &mut bytes).ok()?;
        let gate = &self.server.gate;
        gate.refresh().await;
        let session = self.open.lock().get(&bytes)?.clone();
        let user = &session.user;
        if !gate.still_valid(user) || !user.remotes.allows(address) {
            return None;
        }
        session.state.lock().used = Instant::now();
        Some(session)
    }

    /// Ends a session.
    pub(super) fn close(&self, session: &Session) {
        self.open.lock().remove(&session.sid);
        session.ticket.end();
    }
}

impl Session {
    /// Its id, 32 hex digits.
    pub(super) fn sid(&self) -> String {
        hex::encode_upper(self.sid)
    }

    /// Whose it is.
    pub(super) fn user(&self) -> &User {
        &self.user
    }

    /// The number that events of it carry.
    pub(super) fn id(&self) -> u32 {
        self.ticket.id()
    }

    /// How many events are kept.
    pub(super) fn kept(&self) -> usize {
        self.state.lock().kept.len()
    }

    /// Takes the oldest events: as many as were requested, but at most `most`.
    pub(super) fn take(&self, requested: usize, most: usize) -> Taken {
        let mut state = self.state.lock();
        let available = state.kept.len();
        let events = std::iter::from_fn(|| state.kept.take());
        Taken {
            requested,
            available,
            events: events.take(requested.min(most)).collect(),
        }
    }

    /// Drops all events that were published so far.
    pub(super) fn clear(&self) {
        let mut state = self.state.lock();
        if let Some(subscription) = &self.subscription {
            subscription.clear();
        }
        state.kept.note_kept_up();
        state.kept.clear();
    }

    /// Sets what is kept from now on.
    pub(super) fn set_filter(&self, filter: Filter) {
        self.state.lock().filter = filter;
    }

    /// Keeps what the hub has, and looks whether the session is to end. Does nothing that takes
    /// long under the lock, for which requests wait.
    fn poll(&self, context: &Context<'_>, batches: &mut Vec<Arc<Batch>>) -> Poll<Ending> {
        match self.ticket.close_code(context.waker()) {
            Some(GOING_AWAY) => return Poll::Ready(Ending::GoingAway),
            Some(_) => return Poll::Ready(Ending::Closed),
            None => {}
        }
        let Some(subscription) = &self.subscription else {
            return Poll::Pending;
        };
        for _ in 0..ROUNDS {
            let mut state = self.state.lock();
            let State { filter, kept, .. } = &mut *state;
            match subscription.poll_take(context, BATCHES_AT_ONCE, batches) {
                Poll::Pending => {
                    kept.note_kept_up();
                    return Poll::Pending;
                }
                Poll::Ready(lost) => kept.note_passed_over(lost),
            }
            for batch in batches.drain(..) {
                kept.keep(&batch, |event| {
                    filter.passes_event(event) && self.user.may_receive(event.class, event.kind)
                });
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The task of a session.
async fn run(sessions: Arc<Sessions>, session: Arc<Session>) {
    let deadline = || session.state.lock().used + sessions.expiry;
    let mut timer = Box::pin(sleep_until(deadline()));
    let mut batches = Vec::new();
    let ending = poll_fn(|context| {
        if let Poll::Ready(ending) = session.poll(context, &mut batches) {
            return Poll::Ready(ending);
        }
        while timer.as_mut().poll(context).is_ready() {
            let deadline = deadline();
            if deadline <= Instant::now() {
                return Poll::Ready(Ending::Expired);
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    })
    .await;
    sessions.open.lock().remove(&session.sid);
    let id = session.id();
    match ending {
        Ending::Expired => tracing::info!("client {id}: REST session expired"),
        Ending::Closed => tracing::info!("client {id}: REST session closed"),
        Ending::GoingAway => tracing::info!("client {id}: REST session closed, going away"),
    }
}

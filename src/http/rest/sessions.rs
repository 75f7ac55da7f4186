//! Sessions, which last from one request of a client to the next.

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
    client::{
        Backlog, ClientGuard, Kind, SessionId, Shared, backlog::Overflow, registry::GOING_AWAY,
    },
    event::Filter,
    hub::{
        Subscription,
        batch::{Batch, Endpoint},
    },
};

/// The largest number of batches that are taken from the hub in one step.
const MAX_BATCHES_PER_POLL: usize = 16;

/// The number of such steps after which other tasks of the runtime run.
const MAX_STEPS_PER_POLL: usize = 8;

/// All sessions of a driver.
#[derive(Debug)]
pub(super) struct Sessions {
    shared: Arc<Shared>,
    open: Mutex<HashMap<SessionId, Arc<Session>>>,
    /// How long a session lasts after its last request.
    expiry: Duration,
}

/// One session. A task of its own takes its events from the hub, so that other readers of the hub
/// need not wait until the client asks for them.
#[derive(Debug)]
pub(super) struct Session {
    sid: SessionId,
    user: Arc<User>,
    guard: ClientGuard,
    shared: Arc<Shared>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// `None` if the user may not receive events, or the session has ended: a request may have it
    /// for longer, but nothing takes its events from the hub any more.
    subscription: Option<Subscription>,
    filter: Filter,
    kept: Backlog,
    /// The time of the last request.
    used: Instant,
}

/// The reason that a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// No request has come for too long.
    Expired,
    /// A request has closed it, or its user is gone.
    Closed,
    /// The driver closes.
    GoingAway,
}

impl Sessions {
    /// Returns a table without sessions.
    pub(super) fn new(shared: Arc<Shared>, expiry: Duration) -> Self {
        Self {
            shared,
            open: Mutex::default(),
            expiry,
        }
    }

    /// Opens a session. Returns `None` if there are too many, or no randomness for its id.
    pub(super) fn open(self: &Arc<Self>, user: Arc<User>, address: IpAddr) -> Option<Arc<Session>> {
        let name = &user.name;
        let sid = SessionId::random()
            .inspect_err(|error| {
                tracing::error!(
                    "REST session of {name} from {address} refused: the system gives no random \
                     id: {error}"
                );
            })
            .ok()?;
        let Shared {
            registry,
            hub,
            backlogs,
            ..
        } = &*self.shared;
        self.make_place(&user, address);
        let guard = registry.admit_session(address)?;
        guard.set_user(Some(user.clone()));
        let id = guard.id();
        let receives = user.rights.contains(Rights::RCV_EVENT);
        tracing::info!("{}: REST session of {name}", guard.label());
        let session = Arc::new(Session {
            sid,
            state: Mutex::new(State {
                subscription: receives.then(|| hub.subscribe(Endpoint::Client(id))),
                filter: user.filter,
                kept: Backlog::new(guard.label(), backlogs.clone()),
                used: Instant::now(),
            }),
            user,
            guard,
            shared: self.shared.clone(),
        });
        self.open.lock().insert(sid, session.clone());
        tokio::spawn(run(self.clone(), session.clone()));
        Some(session)
    }

    /// Closes the session of the user that had no request for the longest time, if a new one of the
    /// same user would take the last place: so that one user cannot take all sessions.
    fn make_place(&self, user: &User, address: IpAddr) {
        if self.shared.registry.has_places(Kind::Rest, address, 2) {
            return;
        }
        let idle = {
            let open = self.open.lock();
            let own = open
                .values()
                .filter(|session| session.user.name == user.name);
            own.min_by_key(|session| session.state.lock().used).cloned()
        };
        if let Some(session) = idle {
            let label = session.guard.label();
            tracing::info!("{label}: REST session gives its place to a new one of its user");
            self.close(&session);
        }
    }

    /// Finds the session of a request from `address`. Returns `None` if there is no session with
    /// this id, or its user is gone or may not come from there.
    pub(super) fn find(&self, sid: &str, address: IpAddr) -> Option<Arc<Session>> {
        let authenticator = &self.shared.authenticator;
        let session = self.open.lock().get(&SessionId::parse(sid)?)?.clone();
        let user = &session.user;
        if !authenticator.still_valid(user) || !user.remotes.allows(address) {
            return None;
        }
        session.state.lock().used = Instant::now();
        Some(session)
    }

    /// Closes a session.
    pub(super) fn close(&self, session: &Session) {
        self.open.lock().remove(&session.sid);
        session.guard.disconnect();
    }
}

impl Session {
    /// Returns its id, 32 hex digits.
    pub(super) fn sid(&self) -> String {
        self.sid.hex()
    }

    /// Returns its user.
    pub(super) fn user(&self) -> &User {
        &self.user
    }

    /// Returns its number as a client, which its events carry as OBID.
    pub(super) fn id(&self) -> u32 {
        self.guard.id()
    }

    /// Returns the number of events that are kept.
    pub(super) fn kept(&self) -> usize {
        self.state.lock().kept.len()
    }

    /// Takes the oldest events: as many as were requested, but at most `max`.
    pub(super) fn take(&self, requested: usize, max: usize) -> Taken {
        let mut state = self.state.lock();
        let available = state.kept.len();
        let events = std::iter::from_fn(|| state.kept.take_event());
        let events: Vec<_> = events.take(requested.min(max)).collect();
        let counters = &self.shared.counters;
        counters.to_clients.add(events.len() as u64);
        if state.kept.is_empty() {
            state.kept.note_kept_up();
        }
        Taken {
            requested,
            available,
            events,
        }
    }

    /// Drops the events that are kept or still in the hub.
    pub(super) fn clear(&self) {
        let mut state = self.state.lock();
        if let Some(subscription) = &state.subscription {
            subscription.clear();
        }
        state.kept.clear();
    }

    /// Sets the filter for the events that are kept from now on.
    pub(super) fn set_filter(&self, filter: Filter) {
        self.state.lock().filter = filter;
    }

    /// Takes the events that the hub has for the session. Returns the reason when the session is to
    /// end. The lock, for which requests wait, is given up after each step.
    fn poll(&self, context: &Context<'_>, batches: &mut Vec<Arc<Batch>>) -> Poll<Ending> {
        match self.guard.poll_close(context) {
            Poll::Ready(GOING_AWAY) => return Poll::Ready(Ending::GoingAway),
            Poll::Ready(_) => return Poll::Ready(Ending::Closed),
            Poll::Pending => {}
        }
        for _ in 0..MAX_STEPS_PER_POLL {
            let mut state = self.state.lock();
            let State {
                subscription: Some(subscription),
                filter,
                kept,
                ..
            } = &mut *state
            else {
                return Poll::Pending;
            };
            if subscription
                .poll_take(context, MAX_BATCHES_PER_POLL, batches)
                .is_pending()
            {
                return Poll::Pending;
            }
            for batch in batches.drain(..) {
                kept.add(&batch, Overflow::DropsNewest, false, |event| {
                    filter.passes_event(event) && self.user.may_receive(event.class, event.kind)
                });
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Runs a session: takes its events until it ends.
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
    session.state.lock().subscription = None;
    let label = session.guard.label();
    match ending {
        Ending::Expired => tracing::info!("{label}: REST session expired"),
        Ending::Closed => tracing::info!("{label}: REST session closed"),
        Ending::GoingAway => tracing::info!("{label}: REST session closed, going away"),
    }
}

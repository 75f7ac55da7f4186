//! Lets the thread that brings a lone event write it to the client's socket, so that nobody has to
//! be woken for it.
//!
//! Whoever finds the connection locked, or cannot do all that is to be done, leaves it to the
//! client's task.

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

use tracing::{Dispatch, dispatcher};

use super::{Connection, Ending, Socket, task_lock::TaskLock};

/// The time without an event after which the next is a lone one. Events that come sooner are left
/// to the task, which writes many at once.
pub(super) const PAUSE: Duration = Duration::from_micros(250);

/// A connection that its task polls, and that others may write a lone event to. The task owns this;
/// when it is dropped the connection ends, whoever still has the waker.
pub(super) struct Direct<S: Socket>(Arc<Delivery<S>>);

impl<S: Socket> Direct<S> {
    /// Makes it of a connection that is not polled yet.
    pub(super) fn new(connection: Connection<S>) -> Self {
        let delivery = Arc::new(Delivery {
            connection: TaskLock::new(None),
            log: dispatcher::get_default(Dispatch::clone),
        });
        let waker = Waker::from(delivery.clone());
        delivery.connection.wait(|place| {
            place.insert(connection).outbox.wake_for_events(waker);
        });
        Self(delivery)
    }

    /// Polls the connection, for its task.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Ending> {
        let polled = self.0.connection.poll(context.waker(), |connection| {
            Some(connection.as_mut()?.poll(context))
        });
        polled.flatten().unwrap_or(Poll::Pending)
    }

    /// Ends the sharing, and returns the connection.
    pub(super) fn take(&self) -> Option<Connection<S>> {
        self.0.connection.wait(Option::take)
    }
}

impl<S: Socket> Drop for Direct<S> {
    fn drop(&mut self) {
        // The connection holds a waker that keeps the `Delivery`, and so itself.
        drop(self.take());
    }
}

/// The waker that the hub gets. The thread that wakes it for an event also writes the event to the
/// client's socket, if that is possible without waiting.
///
/// All that this needs of a client stands here together: with thousands of clients it costs more
/// to fetch it from memory than to use it.
struct Delivery<S> {
    /// `None` when it has ended.
    connection: TaskLock<Option<Connection<S>>>,
    /// The threads of the host have no log of their own.
    log: Dispatch,
}

impl<S: Socket> Wake for Delivery<S> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.connection.help(|connection| match connection {
            Some(connection) => dispatcher::with_default(&self.log, || connection.deliver()),
            None => true,
        });
    }
}

impl<S: Socket> Connection<S> {
    /// Writes a lone event to an idle socket. Returns false if something is left for the task.
    fn deliver(&mut self) -> bool {
        let stream = self.websocket.get_mut();
        let now = Instant::now();
        let pause = now.duration_since(mem::replace(&mut self.last_event, now));
        let is_idle = stream.is_empty() && !self.outbox.has_events();
        if pause < PAUSE || !is_idle || !self.session.is_open() || !stream.takes_direct_writes() {
            return false;
        }
        if self.outbox.poll_events(&self.session) {
            return false;
        }
        self.outbox.fill(stream);
        // The stream may have been full before all was moved to it.
        if !stream.try_send() || self.outbox.has_events() {
            return false;
        }
        self.outbox.note_sent(stream, true);
        self.deadlines.note_sent();
        true
    }
}

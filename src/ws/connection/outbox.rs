//! The way to a client: replies, and the events that it receives.

use std::{
    sync::Arc,
    task::{Context, Waker},
};

use smallvec::SmallVec;
use tokio::io::AsyncWrite;

use super::super::{
    Protocol, event_frames, session::Session, settings::Dialect, stream::FrameStream,
};
use crate::{
    client::{Backlog, ClientLabel, Shared, backlog::Overflow},
    hub::{ReaderPace, Subscription, batch::Endpoint},
};

/// Batches that are taken from the hub by one call.
const MAX_BATCHES_PER_TAKE: usize = 16;

/// Times that batches are taken before they are sent.
const MAX_TAKES_PER_POLL: usize = 4;

/// The events of one client on their way from the hub to its stream.
///
/// They are taken from the hub at every poll, whatever the client does, and wait in a backlog until
/// the stream has room and the client is open.
#[derive(Debug)]
pub(super) struct Outbox {
    client: u32,
    protocol: Protocol,
    dialect: Dialect,
    shared: Arc<Shared>,
    /// `None` if the client may not receive events.
    subscription: Option<Subscription>,
    backlog: Backlog,
    pace: ReaderPace,
    /// Woken by the hub if it has events.
    waker: Waker,
}

impl Outbox {
    /// Makes the outbox of a client that receives no events yet.
    pub(super) fn new(
        client: ClientLabel,
        protocol: Protocol,
        dialect: Dialect,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            client: client.id,
            protocol,
            dialect,
            subscription: None,
            backlog: Backlog::new(client, shared.backlogs.clone()),
            pace: ReaderPace::new(shared.hub.pace().clone()),
            waker: Waker::noop().clone(),
            shared,
        }
    }

    /// Sets the waker that the hub wakes if it has events. To be called before events are polled.
    pub(super) fn wake_for_events(&mut self, waker: Waker) {
        self.waker = waker;
    }

    /// Starts or stops to receive events, as the user of the session may.
    pub(super) fn sync_user(&mut self, session: &Session) {
        if !session.receives() {
            self.stop();
        } else if self.subscription.is_none() {
            let endpoint = Endpoint::Client(self.client);
            self.subscription = Some(self.shared.hub.subscribe(endpoint));
        }
    }

    /// Stops to receive events, and gives up those that wait.
    pub(super) fn stop(&mut self) {
        self.subscription = None;
        self.backlog.clear();
        self.pace.release();
    }

    /// Stops to receive events, and counts those that wait as lost: the client goes.
    pub(super) fn end(&mut self) {
        self.backlog.abandon();
        self.stop();
    }

    /// Gives up the events that wait.
    pub(super) fn clear(&mut self) {
        if let Some(subscription) = &self.subscription {
            subscription.clear();
        }
        self.backlog.clear();
    }

    /// Counts the events that wait as lost: the client is closed as too slow.
    pub(super) fn lose(&mut self) {
        self.backlog.lose_all();
    }

    /// Returns whether events wait.
    pub(super) fn has_events(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Takes what the hub has. Returns true if there may be more.
    pub(super) fn poll_events(&mut self, session: &Session) -> bool {
        let Some(subscription) = &self.subscription else {
            return false;
        };
        let overflow = match session.is_open() {
            true => Overflow::DropsOldest,
            false => Overflow::DropsNewest,
        };
        let all = session.receives_all();
        let context = Context::from_waker(&self.waker);
        for _ in 0..MAX_TAKES_PER_POLL {
            let mut batches = SmallVec::<[_; MAX_BATCHES_PER_TAKE]>::new();
            let taken = subscription.poll_take(&context, MAX_BATCHES_PER_TAKE, &mut batches);
            if taken.is_pending() {
                return false;
            }
            for batch in batches {
                self.backlog
                    .add(&batch, overflow, all, |event| session.receives_event(event));
            }
        }
        true
    }

    /// Moves events into the stream while it has room.
    pub(super) fn fill<S>(&mut self, stream: &mut FrameStream<S>) {
        while !stream.is_full()
            && let Some(run) = self.backlog.take()
        {
            let frames = event_frames::frames(&run.batch, self.protocol, &self.dialect);
            stream.queue_events(frames.range(run.from, run.to), run.len());
        }
    }

    /// Counts what the socket has taken, and holds the host or lets it go. `all` tells that the
    /// stream is empty.
    pub(super) fn note_sent<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut FrameStream<S>,
        all: bool,
    ) {
        let sent = stream.take_sent_events();
        if sent > 0 {
            self.shared.counters.to_clients.add(sent);
        }
        if all && self.backlog.is_empty() {
            self.backlog.note_kept_up();
        }
        self.pace.update(self.backlog.len(), stream.written());
    }

    /// Counts what the socket of a client that is gone has taken, and what it has not.
    pub(super) fn note_gone<S: AsyncWrite + Unpin>(&mut self, stream: &mut FrameStream<S>) {
        self.note_sent(stream, false);
        let unsent = stream.unsent_events() as u64;
        self.shared.counters.dropped_gone.add(unsent);
    }
}

//! The task of one client: moves messages and events between socket, session and hub.

mod direct;
mod ending;
mod inbox;
mod outbox;
mod task_lock;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    future::{pending, poll_fn},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::Sink;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::protocol::{Role, WebSocketConfig},
};

use self::{direct::Direct, ending::Ending, inbox::Inbox, outbox::Outbox};
use super::{
    Protocol,
    deadlines::{Deadlines, Expired, Waiting},
    frame,
    session::{Action, Session, Settings},
    settings::Limits,
    stream::FrameStream,
};
use crate::{
    auth::{LoginError, Rights, User},
    client::{
        ClientGuard, Login, Place, Shared,
        registry::{GOING_AWAY, LOGGED_OUT, POLICY, TRY_AGAIN},
    },
    event::BatchClock,
    metrics::LogLimit,
};

/// Messages of a client that are handled before events are looked at and replies are sent.
const MAX_MESSAGES_PER_POLL: usize = 128;

/// The number of rounds in one poll, so that other tasks run.
const MAX_ROUNDS_PER_POLL: usize = 8;

/// Size of the read buffer. It is filled with zeros before each read, so a larger buffer costs more
/// than it saves.
const READ_BUFFER: usize = 2 * 1024;

/// How long a client may take to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a client may take to answer a close when the driver closes.
const GOING_AWAY_TIMEOUT: Duration = Duration::from_millis(100);

/// The state that all websockets of a driver share.
#[derive(Debug)]
pub(crate) struct Server {
    /// The state that they share with REST.
    pub shared: Arc<Shared>,
    /// The settings of sessions.
    pub settings: Arc<Settings>,
    /// Limits and times.
    pub limits: Limits,
}

/// The transport of a client.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Returns true if the client has closed or reset the connection, though not all that it sent
    /// before has been read.
    fn is_closed_by_peer(&self) -> bool;

    /// Returns true if a thread of the host may write to it with [`try_send`](Self::try_send).
    fn takes_direct_writes(&self) -> bool;

    /// Writes as many of the bytes as it takes without waiting. Writing to a client that is gone must not
    /// raise SIGPIPE, for the thread is the host's.
    fn try_send(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

/// A pipe in memory, whose other end is a test.
#[cfg(any(fuzzing, test))]
impl Socket for tokio::io::DuplexStream {
    fn is_closed_by_peer(&self) -> bool {
        false
    }

    fn takes_direct_writes(&self) -> bool {
        true
    }

    fn try_send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match Pin::new(self).poll_write(&mut context, bytes) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

/// Serves a client until it is gone. `user` is already logged in, if it is one; `early` is what the
/// client sent behind its HTTP request.
pub(crate) async fn serve<S: Socket>(
    server: Arc<Server>,
    protocol: Protocol,
    guard: ClientGuard,
    user: Option<Arc<User>>,
    socket: S,
    early: Bytes,
) {
    let label = guard.label();
    let mut session = match Session::new(protocol, server.settings.clone()) {
        Ok(session) => session,
        Err(error) => {
            tracing::error!("{label}: no random session id: {error}; disconnected");
            return;
        }
    };
    if let Some(user) = user {
        tracing::info!("{label}: {} logged in by cookie", user.name);
        session.set_user(user);
    }
    let evicted = guard.pending().map(|place| place.evicted());
    let evicted = async {
        match evicted {
            Some(evicted) => evicted.await,
            None => pending().await,
        }
    };
    let connection = Connection::new(server, protocol, session, guard, socket, early).await;
    let direct = Direct::new(connection);
    let ending = tokio::select! {
        ending = poll_fn(|context| direct.poll(context)) => ending,
        () = evicted => Ending::Evicted,
    };
    let Some(mut connection) = direct.take() else {
        return;
    };
    if let Some(repeats) = connection.guard.allow_line() {
        tracing::info!("{label}: {ending}{repeats}");
    }
    connection.finish(ending).await;
}

/// The connection of one client, as a state machine over its stream.
///
/// The task calls [`poll`](Self::poll) until that is ready, and then
/// [`finish`](Self::finish). Each round of a poll does, in this order:
///
/// 1. messages: handles what has come, unless replies wait for the socket, a password is being
///    checked or an event waits for the hub. A message that opens the session ends the step, so
///    that the events that waited go out before the reply to the next message;
/// 2. login: takes the result of a password check that has ended;
/// 3. events: takes what the hub has, always, and moves it to the stream while that has room;
/// 4. socket: writes what the stream has, with few system calls;
/// 5. deadlines: pings, and gives up a client that does not log in, answer or take anything.
///
/// If a round has left work undone, another one follows. After [`MAX_ROUNDS_PER_POLL`] rounds the
/// task wakes itself, and returns so that other tasks can run. Every step that waits for something
/// has registered a waker there: with the socket, the hub, the login, the timer, or the registry
/// (which may disconnect the client).
struct Connection<S> {
    websocket: WebSocketStream<FrameStream<S>>,
    server: Arc<Server>,
    guard: ClientGuard,
    session: Session,
    inbox: Inbox,
    outbox: Outbox,
    deadlines: Deadlines,
    /// True if the last round has read all that the client had sent: only then an answer to a ping
    /// was seen.
    has_read_all: bool,
    /// When the hub last had an event after a pause.
    last_event: Instant,
    /// Limits the lines about events that cannot be understood.
    refused_events: LogLimit,
}

impl<S: Socket> Connection<S> {
    async fn new(
        server: Arc<Server>,
        protocol: Protocol,
        session: Session,
        guard: ClientGuard,
        socket: S,
        early: Bytes,
    ) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(server.limits.message_size))
            .max_frame_size(Some(server.limits.message_size));
        let stream = FrameStream::new(socket, early, server.limits.message_size);
        let mut websocket =
            WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        websocket
            .get_mut()
            .queue_text(session.greeting().as_bytes());
        let dialect = server.settings.dialect;
        let mut connection = Self {
            websocket,
            outbox: Outbox::new(guard.label(), protocol, dialect, server.shared.clone()),
            guard,
            session,
            inbox: Inbox::default(),
            deadlines: Deadlines::new(),
            has_read_all: false,
            last_event: Instant::now(),
            refused_events: LogLimit::default(),
            server,
        };
        connection.sync_user();
        connection
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Ending> {
        match self.guard.poll_close(context) {
            Poll::Ready(GOING_AWAY) => {
                return Poll::Ready(Ending::Close(GOING_AWAY, "going away"));
            }
            Poll::Ready(LOGGED_OUT) => {
                return Poll::Ready(Ending::Close(LOGGED_OUT, "logged out"));
            }
            Poll::Ready(code) => return Poll::Ready(Ending::Close(code, "user changed")),
            Poll::Pending => {}
        }
        for _ in 0..MAX_ROUNDS_PER_POLL {
            match self.poll_round(context) {
                Ok(true) => {}
                Ok(false) => return Poll::Pending,
                Err(ending) => return Poll::Ready(ending),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Does each step once. Returns true if one has left work undone.
    fn poll_round(&mut self, context: &mut Context<'_>) -> Result<bool, Ending> {
        let mut more = self.poll_messages(context)?;
        let was_full = self.websocket.get_ref().is_full();
        // After the messages: one of them may have started a login, which has to be polled.
        more |= self.poll_login(context)?;
        more |= self.outbox.poll_events(&self.session);
        if self.session.is_open() {
            self.outbox.fill(self.websocket.get_mut());
        }
        more |= self.poll_send(context)?;
        // A stream that was full has kept messages from being read.
        more |= was_full && !self.websocket.get_ref().is_full();
        if self.session.is_exhausted() {
            return Err(Ending::Close(POLICY, "too many failed logins"));
        }
        more |= self.poll_deadlines(context)?;
        Ok(more)
    }

    /// Handles the messages that have come. Returns true if there may be more.
    fn poll_messages(&mut self, context: &mut Context<'_>) -> Result<bool, Ending> {
        let clock = self.server.shared.hub.batch_clock();
        self.has_read_all = false;
        for _ in 0..MAX_MESSAGES_PER_POLL {
            let full = self.websocket.get_ref().is_full();
            if self.poll_submit(context, &clock).is_pending() || full || !self.inbox.reads() {
                return Ok(false);
            }
            if self.session.is_open() && self.outbox.has_events() {
                return Ok(true);
            }
            let Poll::Ready(text) = self.inbox.poll_message(context, &mut self.websocket)? else {
                self.note_heard();
                self.has_read_all = true;
                return Ok(false);
            };
            let was_open = self.session.is_open();
            self.handle(&text);
            let opened = !was_open && self.session.is_open();
            if opened || self.session.is_exhausted() {
                return Ok(opened);
            }
        }
        self.note_heard();
        Ok(true)
    }

    /// Gives the hub the event that the client has sent; pending while it has no room.
    fn poll_submit(&mut self, context: &Context<'_>, clock: &BatchClock) -> Poll<()> {
        if self.inbox.submission.is_some() {
            let (hub, id) = (&self.server.shared.hub, self.guard.id());
            let submission = &mut self.inbox.submission;
            let result = ready!(hub.poll_accept(context, id, submission, clock));
            let reply = self.session.submitted(result);
            self.reply(&reply);
        }
        Poll::Ready(())
    }

    fn handle(&mut self, message: &str) {
        let was_logged_in = self.session.user().is_some();
        match self.session.message(message) {
            Action::Ignore => {}
            Action::Reply(reply) => self.reply(&reply),
            Action::Refuse(reply, error) => {
                if let Some(repeats) = self.refused_events.allow_line() {
                    tracing::debug!("{}: event refused: {error}{repeats}", self.guard.label());
                }
                self.reply(&reply);
            }
            Action::Clear(reply) => {
                self.outbox.clear();
                self.reply(&reply);
            }
            Action::Login(credentials) => {
                let authenticator = self.server.shared.authenticator.clone();
                let place = self.guard.pending().cloned();
                let login = Login {
                    credentials,
                    address: self.guard.address(),
                    needed: Rights::NONE,
                    // The session counts the failures of its connection.
                    max_failures: usize::MAX,
                };
                self.inbox.start_login(Box::pin(async move {
                    login.run(&authenticator, place.as_deref()).await
                }));
            }
            // Handled by `poll_submit` before the next message.
            Action::Submit(event) => self.inbox.submission = Some(event),
        }
        if was_logged_in && self.session.user().is_none() {
            self.sync_user();
        }
    }

    /// Takes the result of a login that has ended. Returns true if one has, so that messages are
    /// handled again.
    fn poll_login(&mut self, context: &mut Context<'_>) -> Result<bool, Ending> {
        let Poll::Ready(result) = self.inbox.poll_login(context) else {
            return Ok(false);
        };
        if matches!(result, Err(LoginError::TooManyWaiting)) {
            return Err(Ending::Close(TRY_AGAIN, "too many logins"));
        }
        let user = result.ok();
        if let Some(user) = &user {
            if !self.guard.note_login() {
                return Err(Ending::Close(TRY_AGAIN, "too many clients"));
            }
            tracing::info!("{}: {} logged in", self.guard.label(), user.name);
        }
        let other_user = match (&user, self.session.user()) {
            (Some(new), Some(old)) => new.name != old.name,
            _ => true,
        };
        if other_user {
            self.outbox.stop();
        }
        let reply = self.session.logged_in(user);
        self.reply(&reply);
        self.sync_user();
        let authenticator = &self.server.shared.authenticator;
        // The users may have been reloaded between the login and `set_user`.
        let gone = |user: &Arc<User>| !authenticator.still_valid(user);
        if self.session.user().is_some_and(gone) {
            return Err(Ending::Close(POLICY, "user changed"));
        }
        Ok(true)
    }

    /// Does what a change of the session's user brings with it.
    fn sync_user(&mut self) {
        self.guard.set_user(self.session.user().cloned());
        let logged_in = self.session.user().is_some();
        self.deadlines.note_login(logged_in, &self.server.limits);
        self.outbox.sync_user(&self.session);
    }

    /// Writes what the stream has. Returns true if all is written and there is more to move to it.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Result<bool, Ending> {
        let stream = self.websocket.get_mut();
        let sent = match stream.poll_send(context) {
            Poll::Ready(Ok(())) => true,
            Poll::Ready(Err(_)) => return Err(Ending::Broken),
            Poll::Pending => false,
        };
        self.outbox.note_sent(stream, sent);
        if !sent {
            let written = stream.written();
            self.deadlines.note_stall(written, &self.server.limits);
            return Ok(false);
        }
        self.deadlines.note_sent();
        Ok(self.session.is_open() && self.outbox.has_events())
    }

    /// Handles expired deadlines. Returns true if a ping was queued and has to be sent. Fails if
    /// another deadline has expired, or if the client has closed the connection while its messages
    /// wait for a login, so that a read cannot show it.
    fn poll_deadlines(&mut self, context: &mut Context<'_>) -> Result<bool, Ending> {
        let mut pinged = false;
        if self.inbox.holds_messages() && self.websocket.get_ref().is_closed_by_peer() {
            return Err(Ending::Broken);
        }
        let working = |place: &Arc<Place>| place.is_working();
        let waiting = Waiting {
            login: self.guard.pending().is_some_and(working),
            reads: self.has_read_all,
            holds_messages: self.inbox.holds_messages(),
        };
        let limits = &self.server.limits;
        while let Poll::Ready(expired) = self.deadlines.poll(context, limits, waiting) {
            match expired {
                Expired::Ping => {
                    self.websocket.get_mut().queue_bytes(&frame::PING);
                    pinged = true;
                }
                Expired::NoLogin => return Err(Ending::Close(POLICY, "no login")),
                Expired::Silent => return Err(Ending::Close(POLICY, "no answer to pings")),
                Expired::Slow => {
                    self.outbox.lose();
                    return Err(Ending::Close(POLICY, "slow consumer"));
                }
            }
        }
        Ok(pinged)
    }

    fn reply(&mut self, text: &str) {
        self.websocket.get_mut().queue_text(text.as_bytes());
    }

    fn note_heard(&mut self) {
        if self.websocket.get_mut().take_has_read() {
            self.deadlines.note_heard();
        }
    }

    /// Closes the websocket. Waits a short time for the client's answer.
    async fn finish(&mut self, ending: Ending) {
        // Nothing is taken from the hub any more: whoever brings events must not wait for this.
        self.outbox.end();
        let time = match ending {
            Ending::Broken => {
                self.outbox.note_gone(self.websocket.get_mut());
                return;
            }
            Ending::Closed => {
                // Has tungstenite write its answer to the close.
                let flush = poll_fn(|context| Pin::new(&mut self.websocket).poll_flush(context));
                let _ = timeout(CLOSE_TIMEOUT, flush).await;
                CLOSE_TIMEOUT
            }
            Ending::Close(code, reason) => {
                let close = frame::close(code, reason);
                self.websocket.get_mut().queue_bytes(&close);
                if code == GOING_AWAY {
                    GOING_AWAY_TIMEOUT
                } else {
                    CLOSE_TIMEOUT
                }
            }
            Ending::Evicted => {
                let close = frame::close(TRY_AGAIN, "no login");
                self.websocket.get_mut().queue_bytes(&close);
                Duration::ZERO
            }
        };
        // Unread bytes of the client would make the kernel reset the connection, and the close
        // frame could be lost.
        let drain = async {
            let stream = self.websocket.get_mut();
            stream.shutdown().await?;
            // On the heap: an array would be a part of the future, and make the task of each client
            // larger for all its life.
            let mut buffer = vec![0; 1024];
            while stream.read(&mut buffer).await? > 0 {}
            io::Result::Ok(())
        };
        let _ = timeout(time, drain).await;
        self.outbox.note_gone(self.websocket.get_mut());
    }
}

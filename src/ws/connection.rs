//! The task of one client: moves messages and events between socket, session and hub.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Sink, Stream, future::BoxFuture};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        protocol::{Role, WebSocketConfig},
    },
};

use super::{
    Protocol,
    clients::{Clients, GOING_AWAY, POLICY, Ticket},
    kept::Kept,
    patience::{Due, Patience, Waiting},
    session::{Action, Session, Settings},
    stream::FrameStream,
};
use crate::{
    auth::{Gate, User},
    config::Limits,
    event::{Event, Moment},
    hub::{
        Hub, Subscription,
        batch::{self, Batch, Endpoint},
        frame,
    },
    metrics::Counters,
    socket::Socket,
};

/// Bytes that wait for the socket above which nothing more is taken from client or hub.
const HIGH_WATER: usize = 64 * 1024;

/// Messages of a client that are handled before events are looked at and replies are sent.
const MESSAGES_AT_ONCE: usize = 128;

/// Batches that are taken from the hub at once.
const BATCHES_AT_ONCE: usize = 16;

/// Rounds after which other tasks get their turn.
const ROUNDS: usize = 8;

/// Larger ones are zero-filled before each read, which costs more than it saves.
const READ_BUFFER: usize = 4 * 1024;

/// How long a client may take to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The same where the driver ends.
const GOING_AWAY_TIMEOUT: Duration = Duration::from_millis(100);

/// What all connections of a driver share.
#[derive(Debug)]
pub struct Server {
    /// Where events come from and go to.
    pub hub: Arc<Hub>,
    /// Who may log in.
    pub gate: Arc<Gate>,
    /// Who is connected.
    pub clients: Arc<Clients>,
    /// How sessions behave.
    pub settings: Arc<Settings>,
    /// Limits and times.
    pub limits: Limits,
    /// What is counted.
    pub counters: Arc<Counters>,
}

/// Serves a client until it is gone. `early` is what it sent behind its HTTP request.
pub async fn serve(
    server: Arc<Server>,
    protocol: Protocol,
    ticket: Ticket,
    socket: Socket,
    early: Bytes,
) {
    let id = ticket.id();
    let address = ticket.address();
    tracing::debug!("client {id}: {protocol:?} from {address}");
    let mut connection = Connection::new(server, protocol, ticket, socket, early).await;
    let ending = poll_fn(|context| connection.poll(context)).await;
    match ending {
        Ending::Closed => tracing::info!("client {id}: closed by the client"),
        Ending::Broken => tracing::info!("client {id}: connection lost"),
        Ending::Close(code, reason) => tracing::info!("client {id}: closed, {code} {reason}"),
    }
    connection.finish(ending).await;
}

struct Connection {
    websocket: WebSocketStream<FrameStream>,
    server: Arc<Server>,
    protocol: Protocol,
    ticket: Ticket,
    session: Session,
    /// A password check that is under way; no message is handled before it has ended.
    login: Option<BoxFuture<'static, Option<Arc<User>>>>,
    /// A message that came meanwhile. One is read, so that a client that goes is noticed.
    next: Option<Message>,
    /// An event that the hub has no room for yet; no message is taken before it has.
    offer: Option<Event>,
    subscription: Option<Subscription>,
    /// Events for a client that has not opened yet.
    kept: Kept,
    /// Empty between calls; kept for its memory.
    batches: Vec<Arc<Batch>>,
    payload: Vec<u8>,
    patience: Patience,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// The client has sent a close frame.
    Closed,
    /// The client is gone without one.
    Broken,
    /// The driver closes it.
    Close(u16, &'static str),
}

impl Connection {
    async fn new(
        server: Arc<Server>,
        protocol: Protocol,
        ticket: Ticket,
        socket: Socket,
        early: Bytes,
    ) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(server.limits.message_size))
            .max_frame_size(Some(server.limits.message_size));
        let stream = FrameStream::new(socket, early);
        let mut websocket =
            WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        let session = Session::new(protocol, server.settings.clone());
        websocket
            .get_mut()
            .queue_text(session.greeting().as_bytes());
        let most = server.limits.client_queue;
        Self {
            websocket,
            protocol,
            kept: Kept::new(ticket.id(), most, server.counters.clone()),
            ticket,
            session,
            login: None,
            next: None,
            offer: None,
            subscription: None,
            batches: Vec::new(),
            payload: Vec::new(),
            patience: Patience::new(),
            server,
        }
    }

    /// Handles whatever is there. Replies and events are sent when nothing more is there.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Ending> {
        match self.ticket.close_code(context.waker()) {
            Some(GOING_AWAY) => return Poll::Ready(Ending::Close(GOING_AWAY, "going away")),
            Some(code) => return Poll::Ready(Ending::Close(code, "user changed")),
            None => {}
        }
        for _ in 0..ROUNDS {
            let mut more = match self.poll_messages(context) {
                Ok(more) => more,
                Err(ending) => return Poll::Ready(ending),
            };
            // Behind the messages: one of them may have started it.
            match self.poll_login(context) {
                Ok(ended) => more |= ended,
                Err(ending) => return Poll::Ready(ending),
            }
            self.poll_events(context);
            // There may be more events than there was room for.
            let was_full = self.is_full();
            match self.websocket.get_mut().poll_send(context) {
                Poll::Ready(Ok(())) => {
                    self.patience.note_sent();
                    more |= was_full;
                }
                Poll::Ready(Err(_)) => return Poll::Ready(Ending::Broken),
                Poll::Pending => {
                    let written = self.websocket.get_ref().written();
                    self.patience.note_stall(written, &self.server.limits);
                }
            }
            if self.session.is_exhausted() {
                return Poll::Ready(Ending::Close(POLICY, "too many failed logins"));
            }
            match self.poll_patience(context) {
                Ok(pinged) => more |= pinged,
                Err(ending) => return Poll::Ready(ending),
            }
            if !more {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Client(self.ticket.id())
    }

    fn is_full(&self) -> bool {
        self.websocket.get_ref().pending() >= HIGH_WATER
    }

    /// Whether messages are taken now; otherwise what the client answers is not seen.
    fn reads(&self) -> bool {
        let held = self.login.is_some() && self.next.is_some();
        !held && self.offer.is_none() && !self.is_full()
    }

    fn reply(&mut self, text: &str) {
        self.websocket.get_mut().queue_text(text.as_bytes());
    }

    /// Whether a login has ended, so that messages are taken again.
    fn poll_login(&mut self, context: &mut Context<'_>) -> Result<bool, Ending> {
        let Some(login) = &mut self.login else {
            return Ok(false);
        };
        let Poll::Ready(user) = login.as_mut().poll(context) else {
            return Ok(false);
        };
        self.login = None;
        let id = self.ticket.id();
        let address = self.ticket.address();
        match &user {
            Some(user) => tracing::info!("client {id}: {} logged in from {address}", user.name),
            None => tracing::info!("client {id}: a login from {address} failed"),
        }
        let other_user = match (&user, self.session.user()) {
            (Some(new), Some(old)) => new.name != old.name,
            _ => true,
        };
        if other_user {
            self.forget_events();
        }
        let reply = self.session.logged_in(user);
        self.reply(&reply);
        self.follow_login();
        let gate = &self.server.gate;
        // The users may have been read again before the ticket knew of this one.
        let gone = |user: &Arc<User>| !gate.still_valid(user);
        if self.session.user().is_some_and(gone) {
            return Err(Ending::Close(POLICY, "user changed"));
        }
        Ok(true)
    }

    /// Does what a change of the session's user brings with it.
    fn follow_login(&mut self) {
        self.ticket.set_user(self.session.user().cloned());
        let logged_in = self.session.user().is_some();
        self.patience.note_login(logged_in, &self.server.limits);
        if !self.session.receives() {
            self.forget_events();
        } else if self.subscription.is_none() {
            self.subscription = Some(self.server.hub.subscribe(self.endpoint()));
        }
    }

    fn forget_events(&mut self) {
        self.subscription = None;
        self.kept.note_kept_up();
        self.kept.clear();
    }

    /// Whether there may be more messages than were handled.
    fn poll_messages(&mut self, context: &mut Context<'_>) -> Result<bool, Ending> {
        let moment = self.server.hub.moment();
        for _ in 0..MESSAGES_AT_ONCE {
            if self.poll_offer(context, &moment).is_pending() || !self.reads() {
                return Ok(false);
            }
            if self.session.is_open() && !self.kept.is_empty() {
                return Ok(true);
            }
            let message = match self.next.take() {
                Some(message) => message,
                None => match self.poll_message(context)? {
                    Poll::Ready(message) => message,
                    Poll::Pending => return Ok(false),
                },
            };
            match message {
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                Message::Close(_) => return Err(Ending::Closed),
                message if self.login.is_some() => {
                    self.next = Some(message);
                    return Ok(false);
                }
                Message::Text(text) => {
                    let was_open = self.session.is_open();
                    self.message(&text);
                    // What came before this message goes out before the next one is handled.
                    if !was_open && self.session.is_open() {
                        return Ok(true);
                    }
                }
                Message::Binary(_) => return Err(Ending::Close(1003, "only text is understood")),
            }
            if self.session.is_exhausted() {
                return Ok(false);
            }
        }
        self.note_heard();
        Ok(true)
    }

    fn poll_message(&mut self, context: &mut Context<'_>) -> Result<Poll<Message>, Ending> {
        match Pin::new(&mut self.websocket).poll_next(context) {
            Poll::Pending => {
                self.note_heard();
                Ok(Poll::Pending)
            }
            Poll::Ready(None) => Err(Ending::Broken),
            Poll::Ready(Some(Err(error))) => Err(ending_of(&error)),
            Poll::Ready(Some(Ok(message))) => Ok(Poll::Ready(message)),
        }
    }

    /// Pending while the hub has no room for the event that the client has sent.
    fn poll_offer(&mut self, context: &Context<'_>, moment: &Moment) -> Poll<()> {
        if self.offer.is_some() {
            let (hub, id) = (&self.server.hub, self.ticket.id());
            let result = ready!(hub.poll_accept(context, id, &mut self.offer, moment));
            let reply = self.session.offered(result);
            self.reply(&reply);
        }
        Poll::Ready(())
    }

    fn note_heard(&mut self) {
        if self.websocket.get_mut().take_has_read() {
            self.patience.note_heard();
        }
    }

    fn message(&mut self, message: &str) {
        let was_logged_in = self.session.user().is_some();
        match self.session.message(message) {
            Action::Ignore => {}
            Action::Reply(reply) => self.reply(&reply),
            Action::Clear(reply) => {
                if let Some(subscription) = &self.subscription {
                    subscription.clear();
                }
                self.kept.note_kept_up();
                self.kept.clear();
                self.reply(&reply);
            }
            Action::Login(credentials) => {
                let gate = self.server.gate.clone();
                let address = self.ticket.address();
                self.login = Some(Box::pin(
                    async move { gate.login(address, credentials).await },
                ));
            }
            // Is taken before the next message is.
            Action::Offer(event) => self.offer = Some(event),
        }
        if was_logged_in && self.session.user().is_none() {
            self.follow_login();
        }
    }

    /// Queues events for the client while there is room, or keeps them where it has not opened.
    fn poll_events(&mut self, context: &mut Context<'_>) {
        self.send_kept();
        while !self.is_full() {
            let Some(subscription) = &self.subscription else {
                return;
            };
            let taken = subscription.poll_take(context, BATCHES_AT_ONCE, &mut self.batches);
            match taken {
                Poll::Pending => {
                    self.kept.note_kept_up();
                    return;
                }
                Poll::Ready(lost) => self.kept.note_passed_over(lost),
            }
            let mut batches = std::mem::take(&mut self.batches);
            for batch in batches.drain(..) {
                if self.session.is_open() && self.kept.is_empty() {
                    self.send(&batch);
                } else {
                    let session = &self.session;
                    self.kept
                        .keep(&batch, |event| session.receives_event(event));
                }
            }
            self.batches = batches;
        }
    }

    fn send(&mut self, batch: &Batch) {
        let endpoint = self.endpoint();
        let dialect = &self.server.settings.dialect;
        let frames = match self.protocol {
            Protocol::Ws1 => batch.ws1(),
            Protocol::Ws2 => batch.ws2(dialect.ws2_event_type, dialect.ws2_event_keys),
        };
        let stream = self.websocket.get_mut();
        let events = batch.events();
        if self.session.receives_all() && !batch.from_clients() {
            stream.queue_frames(frames.all());
            self.server.counters.to_clients.add(events.len() as u64);
            return;
        }
        let mut sent = 0;
        let mut start = None;
        for (index, routed) in events.iter().enumerate() {
            let hit = routed.origin != endpoint && self.session.receives_event(&routed.event);
            match (hit, start) {
                (true, None) => start = Some(index),
                (false, Some(from)) => {
                    stream.queue_frames(frames.range(from, index));
                    sent += index - from;
                    start = None;
                }
                _ => {}
            }
        }
        if let Some(from) = start {
            stream.queue_frames(frames.range(from, events.len()));
            sent += events.len() - from;
        }
        self.server.counters.to_clients.add(sent as u64);
    }

    fn send_kept(&mut self) {
        if !self.session.is_open() {
            return;
        }
        let dialect = self.server.settings.dialect;
        while !self.is_full()
            && let Some(event) = self.kept.take()
        {
            self.payload.clear();
            match self.protocol {
                Protocol::Ws1 => batch::ws1_event(&event, &mut self.payload),
                Protocol::Ws2 => batch::ws2_event(
                    &event,
                    dialect.ws2_event_type,
                    dialect.ws2_event_keys,
                    &mut self.payload,
                ),
            }
            self.websocket.get_mut().queue_text(&self.payload);
        }
    }

    /// Does what is due. Whether there is something to send for it.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Result<bool, Ending> {
        let mut pinged = false;
        let waiting = Waiting {
            login: self.login.is_some(),
            reads: self.reads(),
        };
        while let Poll::Ready(due) = self.patience.poll(context, &self.server.limits, waiting) {
            match due {
                Due::Ping => {
                    self.websocket.get_mut().queue_bytes(&frame::PING);
                    pinged = true;
                    // A user who was removed is not to stay until the next login.
                    let gate = self.server.gate.clone();
                    tokio::spawn(async move { gate.refresh().await });
                }
                Due::NoLogin => return Err(Ending::Close(POLICY, "no login")),
                Due::Silent => return Err(Ending::Close(POLICY, "no answer to pings")),
                Due::Slow => {
                    if let Some(subscription) = &self.subscription {
                        self.kept.note_passed_over(subscription.clear());
                    }
                    return Err(Ending::Close(POLICY, "slow consumer"));
                }
            }
        }
        Ok(pinged)
    }

    /// Says good-bye. A client that does not answer is not waited for long.
    async fn finish(&mut self, ending: Ending) {
        let time = match ending {
            Ending::Broken => return,
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
        };
        // What is still on its way from the client would make the kernel reset the connection,
        // and the close frame could be lost.
        let drain = async {
            let stream = self.websocket.get_mut();
            stream.shutdown().await?;
            // On the heap: the task has room for all that it may ever need.
            let mut buffer = vec![0; 1024];
            while stream.read(&mut buffer).await? > 0 {}
            std::io::Result::Ok(())
        };
        let _ = timeout(time, drain).await;
    }
}

fn ending_of(error: &Error) -> Ending {
    match error {
        Error::Capacity(_) => Ending::Close(1009, "message too large"),
        Error::Utf8(_) => Ending::Close(1007, "not UTF-8"),
        Error::Protocol(
            tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        ) => Ending::Broken,
        Error::Protocol(_) => Ending::Close(1002, "protocol error"),
        _ => Ending::Broken,
    }
}

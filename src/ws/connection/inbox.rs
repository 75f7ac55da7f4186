//! The way from a client: messages, and the work to be done before the next one is taken.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{Stream, future::BoxFuture};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, Utf8Bytes, error::ProtocolError},
};

use super::{super::stream::FrameStream, Ending};
use crate::{
    auth::{LoginError, User},
    event::Event,
};

/// The result of a login.
type LoginResult = Result<Arc<User>, LoginError>;

/// The messages of one client. They are handled one after the other: while a password is checked
/// or an event waits for the hub, at most one more is read.
#[derive(Default)]
pub(super) struct Inbox {
    /// A password check that is under way.
    login: Option<BoxFuture<'static, LoginResult>>,
    /// A message that came meanwhile. It is read so that a client that goes is noticed.
    next: Option<Message>,
    /// An event that the hub has no room for yet.
    pub(super) submission: Option<Event>,
}

impl Inbox {
    /// Returns whether messages are read now; pongs are seen only then.
    pub(super) fn reads(&self) -> bool {
        !self.holds_messages() && self.submission.is_none()
    }

    /// Returns whether messages wait for the end of a login, so that none are read.
    pub(super) fn holds_messages(&self) -> bool {
        self.login.is_some() && self.next.is_some()
    }

    /// Waits for the check of a password; messages wait for it, too.
    pub(super) fn start_login(&mut self, login: BoxFuture<'static, LoginResult>) {
        self.login = Some(login);
    }

    /// Polls the check of a password. Ready with its result once.
    pub(super) fn poll_login(&mut self, context: &mut Context<'_>) -> Poll<LoginResult> {
        let Some(login) = &mut self.login else {
            return Poll::Pending;
        };
        let user = login.as_mut().poll(context);
        if user.is_ready() {
            self.login = None;
        }
        user
    }

    /// Takes the next message that is to be handled. Fails if the client closes or is gone.
    pub(super) fn poll_message<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        context: &mut Context<'_>,
        websocket: &mut WebSocketStream<FrameStream<S>>,
    ) -> Result<Poll<Utf8Bytes>, Ending> {
        loop {
            let message = match self.next.take() {
                Some(message) => message,
                None => match Pin::new(&mut *websocket).poll_next(context) {
                    Poll::Pending => return Ok(Poll::Pending),
                    Poll::Ready(None) => return Err(Ending::Broken),
                    Poll::Ready(Some(Err(error))) => return Err(ending_of(&error)),
                    Poll::Ready(Some(Ok(message))) => message,
                },
            };
            match message {
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                Message::Close(_) => return Err(Ending::Closed),
                message if self.login.is_some() => {
                    self.next = Some(message);
                    return Ok(Poll::Pending);
                }
                Message::Text(text) => return Ok(Poll::Ready(text)),
                Message::Binary(_) => return Err(Ending::Close(1003, "only text is understood")),
            }
        }
    }
}

fn ending_of(error: &Error) -> Ending {
    match error {
        Error::Io(error) if error.kind() == io::ErrorKind::OutOfMemory => {
            Ending::Close(1009, "no memory for the message")
        }
        Error::Capacity(_) => Ending::Close(1009, "message too large"),
        Error::Utf8(_) => Ending::Close(1007, "not UTF-8"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ending::Broken,
        Error::Protocol(_) => Ending::Close(1002, "protocol error"),
        _ => Ending::Broken,
    }
}

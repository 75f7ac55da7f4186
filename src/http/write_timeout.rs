//! A socket whose writes fail if the peer takes nothing for too long. Before that it notes in the
//! place of the connection that the peer takes nothing, so that another peer can get the place.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::listen::Socket;
use crate::client::Place;

/// A [`Socket`] whose writes fail with `TimedOut` if the peer takes nothing for `time`.
#[derive(Debug)]
pub(super) struct WriteTimeout {
    socket: Socket,
    time: Duration,
    /// Runs while the peer takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    /// The place of the peer, which others may have while it takes nothing.
    place: Arc<Place>,
}

impl WriteTimeout {
    pub(super) fn new(socket: Socket, time: Duration, place: Arc<Place>) -> Self {
        Self {
            socket,
            time,
            stalled: None,
            place,
        }
    }

    pub(super) fn into_inner(self) -> Socket {
        self.socket
    }

    /// Writes, flushes or shuts down with `act`. Fails when the peer has taken nothing for too
    /// long.
    fn poll_act<T>(
        &mut self,
        context: &mut Context<'_>,
        act: impl FnOnce(Pin<&mut Socket>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let poll = act(Pin::new(&mut self.socket), context);
        if poll.is_ready() {
            if self.stalled.take().is_some() {
                self.place.note_stalled(false);
            }
            return poll;
        }
        let (time, place) = (self.time, &self.place);
        let stalled = self.stalled.get_or_insert_with(|| {
            place.note_stalled(true);
            Box::pin(sleep(time))
        });
        stalled
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for WriteTimeout {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for WriteTimeout {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut()
            .poll_act(context, |socket, context| socket.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_act(context, |socket, context| {
            socket.poll_write_vectored(context, slices)
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut()
            .poll_act(context, |socket, context| socket.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut()
            .poll_act(context, |socket, context| socket.poll_shutdown(context))
    }
}

//! The stream under a websocket: collects what is to be sent, and writes it with few system
//! calls.
//!
//! Whatever tungstenite writes (pongs, its answer to a close) and the replies are gathered in one
//! buffer; event frames are shared with the other clients and only referred to. Nothing is
//! written before a flush.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{connection::Socket, frame, frame_sizes::FrameSizes};
use crate::{memory, short_queue::ShortQueue};

/// Buffers of one vectored write.
const MAX_SLICES: usize = 64;

/// Bytes that wait for the socket above which nothing more is taken from client or backlog.
const HIGH_WATER: usize = 64 * 1024;

/// A stream that gathers frames and writes them together.
#[derive(Debug)]
pub(super) struct FrameStream<S> {
    socket: S,
    /// Bytes that came with the HTTP request.
    early: Bytes,
    /// Refuses messages that there is no memory for; `None` if all are small.
    sizes: Option<FrameSizes>,
    queue: ShortQueue<Piece>,
    /// The buffer behind the queue, to which messages are appended.
    tail: BytesMut,
    /// Bytes in `queue` and `tail`.
    pending: usize,
    /// True if something was read since this was last asked.
    has_read: bool,
    /// Bytes taken by the socket.
    written: u64,
    /// Events taken by the socket since this was last asked.
    sent_events: u64,
}

/// Bytes that wait for the socket.
#[derive(Debug)]
struct Piece {
    bytes: Bytes,
    /// The events that they are, 0 for others.
    events: usize,
}

impl<S> FrameStream<S> {
    /// Makes a stream whose reads fail if there is no memory for a message of the peer, of at most
    /// `max_message` bytes.
    pub(super) fn new(socket: S, early: Bytes, max_message: usize) -> Self {
        let sizes = || FrameSizes::new(max_message);
        Self {
            socket,
            early,
            sizes: (max_message > memory::SMALL).then(sizes),
            queue: ShortQueue::default(),
            tail: BytesMut::new(),
            pending: 0,
            has_read: false,
            written: 0,
            sent_events: 0,
        }
    }

    /// Queues frames of `events` events, which are shared with other clients.
    pub(super) fn queue_events(&mut self, frames: Bytes, events: usize) {
        if frames.is_empty() {
            return;
        }
        self.pending += frames.len();
        self.queue_tail();
        self.queue.push_back(Piece {
            bytes: frames,
            events,
        });
    }

    /// Queues a text message.
    pub(super) fn queue_text(&mut self, text: &[u8]) {
        let before = self.tail.len();
        frame::text(text, &mut self.tail);
        self.pending += self.tail.len() - before;
    }

    /// Queues bytes as they are.
    pub(super) fn queue_bytes(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        self.pending += bytes.len();
    }

    /// Returns whether so much waits for the socket that nothing more should be queued.
    pub(super) fn is_full(&self) -> bool {
        self.pending >= HIGH_WATER
    }

    /// Returns true if nothing waits for the socket.
    pub(super) fn is_empty(&self) -> bool {
        self.pending == 0
    }

    /// Returns the number of bytes that the socket took in all.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Returns the number of events that the socket took since this was last asked.
    pub(super) fn take_sent_events(&mut self) -> u64 {
        std::mem::take(&mut self.sent_events)
    }

    /// Returns the number of events that wait for the socket.
    pub(super) fn unsent_events(&self) -> usize {
        self.queue.iter().map(|piece| piece.events).sum()
    }

    /// Returns whether the peer has sent something since this was last asked.
    pub(super) fn take_has_read(&mut self) -> bool {
        std::mem::take(&mut self.has_read)
    }

    fn queue_tail(&mut self) {
        if !self.tail.is_empty() {
            self.queue.push_back(Piece {
                bytes: self.tail.split().freeze(),
                events: 0,
            });
        }
    }

    fn remove(&mut self, mut count: usize) {
        self.pending -= count;
        self.written += count as u64;
        while let Some(first) = self.queue.front_mut() {
            if count < first.bytes.len() {
                first.bytes.advance(count);
                return;
            }
            count -= first.bytes.len();
            self.sent_events += first.events as u64;
            self.queue.pop_front();
        }
    }
}

impl<S: Socket> FrameStream<S> {
    /// Returns true if the peer has closed or reset the connection, though not all that it sent
    /// before has been read.
    pub(super) fn is_closed_by_peer(&self) -> bool {
        self.socket.is_closed_by_peer()
    }

    /// Returns true if any thread may write to the socket with [`try_send`](Self::try_send).
    pub(super) fn takes_direct_writes(&self) -> bool {
        self.socket.takes_direct_writes()
    }

    /// Writes what waits if it is one buffer. Returns true if nothing waits any more. Nobody is
    /// woken if the socket takes more later.
    pub(super) fn try_send(&mut self) -> bool {
        self.queue_tail();
        if self.queue.len() == 1
            && let Some(only) = self.queue.front()
            && let Ok(written) = self.socket.try_send(&only.bytes)
        {
            self.remove(written);
        }
        self.is_empty()
    }
}

impl<S: AsyncWrite + Unpin> FrameStream<S> {
    /// Writes all that waits.
    pub(super) fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.pending > 0 {
            self.queue_tail();
            let socket = Pin::new(&mut self.socket);
            let written = if let (1, Some(only)) = (self.queue.len(), self.queue.front()) {
                socket.poll_write(context, &only.bytes)
            } else {
                let mut slices = [IoSlice::new(&[]); MAX_SLICES];
                let mut count = 0;
                for (slice, piece) in slices.iter_mut().zip(self.queue.iter()) {
                    *slice = IoSlice::new(&piece.bytes);
                    count += 1;
                }
                socket.poll_write_vectored(context, &slices[..count])
            };
            let written = ready!(written)?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.remove(written);
        }
        Pin::new(&mut self.socket).poll_flush(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FrameStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.early.is_empty() {
            ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        } else {
            let count = self.early.len().min(buffer.remaining());
            buffer.put_slice(&self.early.split_to(count));
        }
        let read = &buffer.filled()[before..];
        self.has_read |= !read.is_empty();
        match &mut self.sizes {
            Some(sizes) => Poll::Ready(sizes.follow(read)),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FrameStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.queue_bytes(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, sync::Arc, time::Duration};

    use rustls::{
        ClientConfig, RootCertStore, ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer,
    };
    use socket2::SockRef;
    use tokio::{
        io::AsyncReadExt,
        net::{TcpListener, TcpStream},
        time::timeout,
    };
    use tokio_rustls::{
        TlsAcceptor, TlsConnector, client::TlsStream, server::TlsStream as ServerStream,
    };

    use super::*;

    /// A stream over TLS on a socket that takes little, and who is at its other end.
    async fn secure_pair() -> (FrameStream<ServerStream<TcpStream>>, TlsStream<TcpStream>) {
        let pair = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
        let certificate = pair.cert.der().clone();
        let key = PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        SockRef::from(&accepted).set_send_buffer_size(4096).unwrap();
        let (accepted, connected) = tokio::join!(
            TlsAcceptor::from(Arc::new(server)).accept(accepted),
            TlsConnector::from(Arc::new(client)).connect("localhost".try_into().unwrap(), socket),
        );
        (
            FrameStream::new(accepted.unwrap(), Bytes::new(), 0),
            connected.unwrap(),
        )
    }

    #[tokio::test]
    async fn what_tls_has_taken_and_the_socket_has_not_is_sent_too() {
        let (mut stream, mut client) = secure_pair().await;
        let mut queued = 0;
        loop {
            stream.queue_bytes(&[7; 1000]);
            queued += 1000;
            let sent = poll_fn(|context| Poll::Ready(stream.poll_send(context))).await;
            if sent.is_pending() {
                break;
            }
        }
        let send = poll_fn(|context| stream.poll_send(context));
        let mut received = vec![0; queued];
        let receive = timeout(Duration::from_secs(10), client.read_exact(&mut received));
        let (sent, count) = tokio::join!(send, receive);
        sent.unwrap();
        assert_eq!(count.expect("all that was sent").unwrap(), queued);
    }
}

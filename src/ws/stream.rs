//! The stream under a websocket: collects what is to be sent, and writes it with few system
//! calls.
//!
//! Whatever tungstenite writes (pongs, its answer to a close) and the replies are gathered in one
//! buffer; event frames are shared with the other clients and only referred to. Nothing is
//! written before a flush.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{hub::frame, socket::Socket};

/// Buffers of one vectored write.
const MAX_SLICES: usize = 64;

/// The stream.
#[derive(Debug)]
pub(super) struct FrameStream {
    socket: Socket,
    /// Bytes that came with the HTTP request.
    early: Bytes,
    queue: VecDeque<Bytes>,
    /// Bytes behind the queue that still grow.
    tail: BytesMut,
    /// Bytes in `queue` and `tail`.
    pending: usize,
    /// Whether something was read since this was last asked.
    has_read: bool,
    /// Bytes taken by the socket.
    written: u64,
}

impl FrameStream {
    pub(super) fn new(socket: Socket, early: Bytes) -> Self {
        Self {
            socket,
            early,
            queue: VecDeque::new(),
            tail: BytesMut::new(),
            pending: 0,
            has_read: false,
            written: 0,
        }
    }

    /// Queues frames that are shared with other clients.
    pub(super) fn queue_frames(&mut self, frames: Bytes) {
        if frames.is_empty() {
            return;
        }
        self.pending += frames.len();
        if !self.tail.is_empty() {
            self.queue.push_back(self.tail.split().freeze());
        }
        self.queue.push_back(frames);
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

    /// Bytes that wait for a flush.
    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    /// Bytes that the socket took in all.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Whether the peer has sent something since this was last asked.
    pub(super) fn take_has_read(&mut self) -> bool {
        std::mem::take(&mut self.has_read)
    }

    /// Writes all that waits.
    pub(super) fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.pending > 0 {
            if !self.tail.is_empty() {
                self.queue.push_back(self.tail.split().freeze());
            }
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let mut count = 0;
            for (slice, bytes) in slices.iter_mut().zip(&self.queue) {
                *slice = IoSlice::new(bytes);
                count += 1;
            }
            let socket = Pin::new(&mut self.socket);
            let written = ready!(socket.poll_write_vectored(context, &slices[..count]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.remove(written);
        }
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn remove(&mut self, mut count: usize) {
        self.pending -= count;
        self.written += count as u64;
        while let Some(first) = self.queue.front_mut() {
            if count < first.len() {
                first.advance(count);
                return;
            }
            count -= first.len();
            self.queue.pop_front();
        }
    }
}

impl AsyncRead for FrameStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.early.is_empty() {
            let count = self.early.len().min(buffer.remaining());
            buffer.put_slice(&self.early.split_to(count));
            self.has_read = true;
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        self.has_read |= buffer.filled().len() > before;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for FrameStream {
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
    #![allow(clippy::unwrap_used, clippy::expect_used)]

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
    use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};

    use super::*;

    /// A stream over TLS on a socket that takes little, and who is at its other end.
    async fn secure_pair() -> (FrameStream, TlsStream<TcpStream>) {
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
        let socket = Socket::Tls(Box::new(accepted.unwrap()));
        (FrameStream::new(socket, Bytes::new()), connected.unwrap())
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

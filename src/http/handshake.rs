//! The start of a connection with TLS.

use std::{
    io,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{metrics::Burst, tls::Tls};

/// How long a client that is sent away may take to go.
const LINGER: Duration = Duration::from_secs(1);

/// Bytes that such a client may send meanwhile.
const MAX_LINGER: u64 = 64 * 1024;

/// What is answered to who speaks HTTP without TLS.
const PLAIN_HTTP: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 46\r\nConnection: close\r\n\r\nThis port speaks TLS: use https:// or wss://.\n";

/// Makes TLS of connections.
#[derive(Debug)]
pub(super) struct Handshakes {
    tls: Arc<Tls>,
    failures: Burst,
}

impl Handshakes {
    pub(super) fn new(tls: Arc<Tls>) -> Self {
        Self {
            tls,
            failures: Burst::default(),
        }
    }

    /// The connection with TLS, where it comes about in `time`; else `None`, which is logged.
    pub(super) async fn accept(
        &self,
        socket: TcpStream,
        address: IpAddr,
        time: Duration,
    ) -> Option<Box<TlsStream<TcpStream>>> {
        let handshake = timeout(time, self.handshake(socket));
        let (error, socket) = match handshake.await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err((error, socket))) => (error, Some(socket)),
            Err(_) => (io::ErrorKind::TimedOut.into(), None),
        };
        if error.kind() == io::ErrorKind::UnexpectedEof {
            // As watchdogs do, which only look whether somebody listens.
            tracing::debug!("no TLS with {address}: {error}");
        } else if let Some(count) = self.failures.hit(1, Instant::now()) {
            tracing::info!(
                "no TLS with {address}: {error} ({count} failed since the last such line)"
            );
        }
        if let Some(socket) = socket {
            let _ = timeout(LINGER, linger(socket)).await;
        }
        None
    }

    async fn handshake(
        &self,
        mut socket: TcpStream,
    ) -> Result<Box<TlsStream<TcpStream>>, (io::Error, TcpStream)> {
        let mut first = [0];
        match socket.peek(&mut first).await {
            // The method of a request; TLS starts with 22.
            Ok(1..) if first[0].is_ascii_uppercase() => {
                let _ = socket.write_all(PLAIN_HTTP).await;
                return Err((io::Error::other("plain HTTP"), socket));
            }
            Ok(_) => {}
            Err(error) => return Err((error, socket)),
        }
        let acceptor = TlsAcceptor::from(self.tls.config().await);
        acceptor.accept(socket).into_fallible().await.map(Box::new)
    }
}

/// Ends a connection so that what was written arrives: where bytes of the client are left unread
/// the kernel resets it.
async fn linger(mut socket: TcpStream) -> io::Result<()> {
    socket.shutdown().await?;
    let rest = &mut socket.take(MAX_LINGER);
    tokio::io::copy(rest, &mut tokio::io::sink()).await?;
    Ok(())
}

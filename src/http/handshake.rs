//! TLS handshakes of new connections.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::listen::REQUEST_TIMEOUT;
use crate::{metrics::LogLimit, tls::Tls};

/// How long a client without TLS may take to read the answer and close.
const LINGER: Duration = Duration::from_secs(1);

/// The largest number of bytes that are read from such a client meanwhile.
const MAX_LINGER: u64 = 64 * 1024;

/// The largest number of bytes that rustls keeps for a client until the socket takes them. It is
/// twice the `HIGH_WATER` of `ws/stream.rs`, so that as a rule all that is queued for a websocket
/// fits, and is sent with one write.
const MAX_UNSENT: usize = 128 * 1024;

/// The answer to a client that speaks HTTP without TLS.
const PLAIN_HTTP: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 46\r\nConnection: close\r\n\r\nThis port speaks TLS: use https:// or wss://.\n";

/// Does the handshakes of one listener.
#[derive(Debug)]
pub(crate) struct Handshakes {
    tls: Arc<Tls>,
    /// Limits the lines about handshakes that failed.
    failures: LogLimit,
    /// Limits the lines about connections without a handshake.
    probes: LogLimit,
}

impl Handshakes {
    pub(super) fn new(tls: Arc<Tls>) -> Self {
        Self {
            tls,
            failures: LogLimit::default(),
            probes: LogLimit::default(),
        }
    }

    /// Does the handshake with a client. Returns `None` if it fails or takes longer than
    /// [`REQUEST_TIMEOUT`], and logs why.
    pub(super) async fn accept(
        &self,
        socket: TcpStream,
        address: IpAddr,
    ) -> Option<Box<TlsStream<TcpStream>>> {
        let handshake = timeout(REQUEST_TIMEOUT, self.handshake(socket));
        let (error, socket) = match handshake.await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err((error, socket))) => (error, Some(socket)),
            Err(_) => (io::ErrorKind::TimedOut.into(), None),
        };
        if error.kind() == io::ErrorKind::UnexpectedEof {
            // Watchdogs only check that the port is open.
            if let Some(repeats) = self.probes.allow_line() {
                tracing::debug!(
                    "{address} closed the connection before a TLS handshake: {error}{repeats}"
                );
            }
        } else if let Some(repeats) = self.failures.allow_line() {
            tracing::info!("TLS handshake with {address} failed: {error}{repeats}");
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
            // An HTTP request starts with its method, TLS with the byte 22 (RFC 8446 §5.1).
            Ok(1..) if first[0].is_ascii_uppercase() => {
                let _ = socket.write_all(PLAIN_HTTP).await;
                return Err((
                    io::Error::other("the client speaks HTTP without TLS"),
                    socket,
                ));
            }
            Ok(_) => {}
            Err(error) => return Err((error, socket)),
        }
        let acceptor = TlsAcceptor::from(self.tls.config());
        let accept = acceptor.accept_with(socket, |connection| {
            connection.set_buffer_limit(Some(MAX_UNSENT));
        });
        accept.into_fallible().await.map(Box::new)
    }
}

/// Closes a connection so that the client receives the answer. If bytes of the client
/// were left unread, the kernel would reset the connection, and the answer could be lost.
async fn linger(mut socket: TcpStream) -> io::Result<()> {
    socket.shutdown().await?;
    let rest = &mut socket.take(MAX_LINGER);
    tokio::io::copy(rest, &mut tokio::io::sink()).await?;
    Ok(())
}

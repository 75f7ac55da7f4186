//! The task that accepts the connections of a listening socket.

use std::{
    convert::Infallible,
    error::Error,
    io,
    os::fd::AsRawFd,
    sync::{Arc, LazyLock},
    time::Duration,
};

use futures_util::FutureExt;
use hyper::{
    Request,
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::sys::socket::{MsgFlags, send};
use socket2::SockRef;
use tokio::{io::Interest, net::TcpStream};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use super::{
    bind::Listener,
    handshake::Handshakes,
    route::{Peer, Router, route},
    tracked_body::TrackedBody,
    write_timeout::WriteTimeout,
};
use crate::{
    client::{Place, Places},
    metrics::LogLimit,
    ws,
};

/// How long a client may take to send the head of its request, or to finish its TLS handshake.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The time between attempts to accept connections, when the system refuses.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Unsent bytes in the kernel above which a socket is not writable.
const MAX_NOT_SENT: u32 = 16 * 1024;

/// The largest number of bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;

/// The socket of a client, without or with TLS.
pub(super) type Socket = Either<TcpStream, Box<TlsStream<TcpStream>>>;

impl ws::connection::Socket for Socket {
    fn is_closed_by_peer(&self) -> bool {
        let stream = match self {
            Self::Left(stream) => stream,
            Self::Right(stream) => stream.get_ref().0,
        };
        // Polled once. It is ready if there is something to read or the peer has closed; the result
        // tells if the peer has closed.
        let ready = stream.ready(Interest::READABLE).now_or_never();
        ready.is_some_and(|ready| ready.is_ok_and(|ready| ready.is_read_closed()))
    }

    fn takes_direct_writes(&self) -> bool {
        matches!(self, Self::Left(_))
    }

    fn try_send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            // Past tokio, whose record of the socket stands elsewhere in memory.
            Self::Left(stream) => {
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                Ok(send(stream.as_raw_fd(), bytes, flags)?)
            }
            // It writes several buffers with one call, which raises SIGPIPE if the client is gone.
            Self::Right(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// The answer to a connection that there is no place for, where there is no TLS.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 22\r\nConnection: close\r\n\r\n\
    Too many connections.\n";

/// Returns the places of the connections of this process, whatever drivers it has opened and
/// wherever they listen. There are `max` of them from now on.
pub(crate) fn places(max: usize) -> Arc<Places> {
    static PLACES: LazyLock<Arc<Places>> =
        LazyLock::new(|| Arc::new(Places::new("connections", 1)));
    PLACES.set_max(max);
    PLACES.clone()
}

/// Accepts connections, and serves each that gets a place in a task of its own, until it is
/// dropped.
pub(crate) async fn accept(listener: Listener, router: Arc<Router>) {
    let handshakes = listener.tls.map(|tls| Arc::new(Handshakes::new(tls)));
    let failures = LogLimit::default();
    loop {
        match listener.socket.accept().await {
            Ok((socket, address)) => {
                let address = address.ip().to_canonical();
                let turned_away = &router.log_limits.connections;
                match router.places.enter(address, turned_away).await {
                    Some(place) => {
                        let peer = Peer {
                            address,
                            secure: handshakes.is_some(),
                            is_local: listener.address.ip().is_loopback(),
                            place: Arc::new(place),
                        };
                        tokio::spawn(serve(socket, peer, handshakes.clone(), router.clone()));
                    }
                    None => refuse(&socket, &router, handshakes.is_none()),
                }
            }
            Err(error) => {
                // The process has no descriptors or no memory left; there may be some later.
                if let Some(repeats) = failures.allow_line() {
                    tracing::error!(
                        "connections to {} cannot be accepted: {error}; trying again{repeats}",
                        listener.address
                    );
                }
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
        }
    }
}

/// Tells a client without TLS that there is no place for its connection, as far as that can be done
/// without waiting.
fn refuse(socket: &TcpStream, router: &Router, is_plain: bool) {
    router.server.shared.counters.refused_connections.add(1);
    if is_plain {
        let _ = socket.try_write(NO_PLACE);
    }
}

/// Serves a connection until it ends or its place is needed.
pub(crate) async fn serve(
    socket: TcpStream,
    peer: Peer,
    handshakes: Option<Arc<Handshakes>>,
    router: Arc<Router>,
) {
    let counters = router.server.shared.counters.clone();
    let evicted = peer.place.evicted();
    tokio::select! {
        () = serve_requests(socket, peer, handshakes, router) => {}
        () = evicted => counters.evicted_connections.add(1),
    }
}

async fn serve_requests(
    socket: TcpStream,
    peer: Peer,
    handshakes: Option<Arc<Handshakes>>,
    router: Arc<Router>,
) {
    // Events are gathered before they are written, so that the kernel need not wait for more.
    let _ = socket.set_nodelay(true);
    // Keeps few unsent bytes in the kernel. With many, a slow client would for a long time look
    // like one that takes nothing, because the socket would not become writable.
    let _ = SockRef::from(&socket).set_tcp_notsent_lowat(MAX_NOT_SENT);
    let socket = match handshakes {
        None => Either::Left(socket),
        Some(handshakes) => match handshakes.accept(socket, peer.address).await {
            Some(stream) => Either::Right(stream),
            None => return,
        },
    };
    let (address, place) = (peer.address, peer.place.clone());
    let write_timeout = router.server.limits.write_timeout;
    let failures = router.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, peer) = (router.clone(), peer.clone());
        async move {
            note_request(&peer.place, &request);
            let response = route(&router, &peer, request).await;
            Ok::<_, Infallible>(TrackedBody::follow(response, peer.place))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(
            TokioIo::new(WriteTimeout::new(socket, write_timeout, place)),
            service,
        )
        .with_upgrades();
    if let Err(error) = connection.await
        && let Some(repeats) = failures.log_limits.broken.allow_line()
    {
        let cause = error.source().map(|cause| format!(": {cause}"));
        let cause = cause.unwrap_or_default();
        tracing::debug!("request from {address} failed: {error}{cause}{repeats}");
    }
}

/// Notes that the driver works for a peer, unless the body of its request is still awaited.
fn note_request(place: &Place, request: &Request<Incoming>) {
    if request.body().is_end_stream() {
        place.note_working();
    } else {
        place.note_waiting();
    }
}

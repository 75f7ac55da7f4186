//! Listening sockets, and the task of each.

use std::{
    error::Error,
    fmt, io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use super::{
    handshake::Handshakes,
    patience::Patience,
    route::{Peer, Router, route},
};
use crate::{config::Listen, socket::Socket, tls::Tls};

/// Time for a client to send its request, or to finish its handshake with TLS.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The same where many others have sent none: those who wait for their places are not to wait for
/// long.
const HURRIED_REQUEST_TIMEOUT: Duration = Duration::from_secs(1);

/// Connections that have not sent a request, or whose request is being answered. More of them
/// wait in the kernel's backlog.
const MAX_REQUESTS: usize = 512;

/// Bytes that wait in the kernel before it takes no more.
const MAX_NOT_SENT: u32 = 16 * 1024;

/// Bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    /// `None` where clients speak without.
    tls: Option<Arc<Tls>>,
}

impl Listener {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        write!(f, "{scheme}://{}", self.address)
    }
}

/// Binds all addresses that the interfaces stand for.
///
/// # Errors
/// The interface and why it cannot be bound, where none of its addresses can or one is taken, or
/// where it is for TLS and there is none.
pub async fn bind(interfaces: &[Listen], tls: Option<&Arc<Tls>>) -> Result<Vec<Listener>, String> {
    let mut listeners = Vec::new();
    for interface in interfaces {
        let tls = match (interface.tls, tls) {
            (false, _) => None,
            (true, Some(tls)) => Some(tls.clone()),
            (true, None) => return Err(format!("{interface}: no certificate")),
        };
        let addresses = resolve(interface).map_err(|error| format!("{interface}: {error}"))?;
        let before = listeners.len();
        let mut last_error = None;
        for address in addresses {
            match TcpListener::bind(address).await {
                Ok(socket) => listeners.push(Listener {
                    address: socket.local_addr().unwrap_or(address),
                    tls: tls.clone(),
                    socket,
                }),
                // Names stand for addresses that the machine may not have, as ::1 for localhost.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    return Err(format!("{interface}: {address}: {error}"));
                }
                Err(error) => last_error = Some(format!("{interface}: {address}: {error}")),
            }
            if interface.host.is_none() && listeners.len() > before {
                break;
            }
        }
        if listeners.len() == before {
            return Err(last_error.unwrap_or_else(|| format!("{interface}: no such address")));
        }
    }
    Ok(listeners)
}

/// Accepts clients for as long as it is not dropped.
pub async fn accept(listener: Listener, router: Arc<Router>) {
    let handshakes = listener.tls.map(|tls| Arc::new(Handshakes::new(tls)));
    let requests = Arc::new(Semaphore::new(MAX_REQUESTS));
    let mut failing = false;
    loop {
        // Never closed.
        let Ok(permit) = requests.clone().acquire_owned().await else {
            return;
        };
        match listener.socket.accept().await {
            Ok((socket, address)) => {
                if failing {
                    failing = false;
                    tracing::warn!("connections are accepted again");
                }
                let handshakes = handshakes.clone();
                let router = router.clone();
                let time = if requests.available_permits() < MAX_REQUESTS / 2 {
                    HURRIED_REQUEST_TIMEOUT
                } else {
                    REQUEST_TIMEOUT
                };
                tokio::spawn(async move {
                    serve(socket, address, handshakes, router, time).await;
                    drop(permit);
                });
            }
            Err(error) => {
                // No descriptors, no memory: later there may be some.
                if !failing {
                    failing = true;
                    tracing::error!("cannot accept connections: {error}");
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn resolve(interface: &Listen) -> io::Result<Vec<SocketAddr>> {
    match &interface.host {
        // The IPv6 socket takes IPv4 as well; the second is for machines without IPv6.
        None => Ok(vec![
            SocketAddr::new([0u16; 8].into(), interface.port),
            SocketAddr::new([0u8; 4].into(), interface.port),
        ]),
        Some(host) => Ok((host.as_str(), interface.port).to_socket_addrs()?.collect()),
    }
}

async fn serve(
    socket: TcpStream,
    address: SocketAddr,
    handshakes: Option<Arc<Handshakes>>,
    router: Arc<Router>,
    time: Duration,
) {
    // Batches are made where events are; the kernel is not to wait for more.
    let _ = socket.set_nodelay(true);
    // A full send buffer of the kernel would hide for long that the client takes something.
    let _ = SockRef::from(&socket).set_tcp_notsent_lowat(MAX_NOT_SENT);
    let address = address.ip().to_canonical();
    let peer = Peer {
        address,
        secure: handshakes.is_some(),
    };
    let socket = match handshakes {
        None => Socket::Plain(socket),
        Some(handshakes) => match handshakes.accept(socket, address, time).await {
            Some(stream) => Socket::Tls(stream),
            None => return,
        },
    };
    let patience = router.server.limits.write_timeout;
    let service = service_fn(move |request| {
        let router = router.clone();
        async move { Ok::<_, std::convert::Infallible>(route(&router, peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(time)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(Patience::new(socket, patience)), service)
        .with_upgrades();
    if let Err(error) = connection.await {
        let cause = error.source().map(|cause| format!(": {cause}"));
        let cause = cause.unwrap_or_default();
        tracing::debug!("request from {address}: {error}{cause}");
    }
}

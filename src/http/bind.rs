//! Listening sockets.
//!
//! An address that the machine does not have yet, and a name that cannot be looked up yet, are
//! waited for: a daemon may be started before the network.

use std::{
    fmt, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use socket2::{Domain, Socket, Type};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep, timeout_at},
};

use super::address::Listen;
use crate::{resolver, tls::Tls};

/// How long [`bind`] waits for the addresses of names, all together.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// The time between two attempts to bind.
const RETRY: Duration = Duration::from_secs(1);

/// The longest time between two attempts to look up a name. It doubles from [`RETRY`] on.
const MAX_RETRY: Duration = Duration::from_secs(30);

/// Connections that wait in the kernel.
const BACKLOG: i32 = 1024;

/// A listening socket.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: TcpListener,
    pub(super) address: SocketAddr,
    /// `None` if clients speak without TLS.
    pub(super) tls: Option<Arc<Tls>>,
}

impl Listener {
    /// Returns the address that it listens on.
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

/// The result of [`bind`].
#[derive(Debug, Default)]
pub struct Bound {
    /// The sockets that listen.
    pub listeners: Vec<Listener>,
    /// The interfaces of which no address can be bound yet.
    pub missing: Vec<Missing>,
}

/// The error of an address that can never be bound.
#[derive(Debug)]
pub struct BindError {
    /// The index of the interface.
    pub index: usize,
    /// The interface, the address and what the system says.
    pub found: String,
    /// The state that was expected.
    pub expected: &'static str,
    /// True if something else listens there, perhaps for the moment.
    pub is_taken: bool,
}

/// Binds the addresses of all interfaces that are there. Fails if a port is taken or forbidden.
pub async fn bind(interfaces: &[Listen], tls: Option<&Arc<Tls>>) -> Result<Bound, BindError> {
    let deadline = Instant::now() + LOOKUP_TIMEOUT;
    let mut bound = Bound::default();
    for (index, interface) in interfaces.iter().enumerate() {
        if interface.tls && tls.is_none() {
            return Err(BindError {
                index,
                found: format!("{interface}: no certificate"),
                expected: "a certificate",
                is_taken: false,
            });
        }
        let interface = Missing {
            interface: interface.clone(),
            tls: tls.filter(|_| interface.tls).cloned(),
            error: String::new(),
        };
        let listeners = timeout_at(deadline, interface.bind()).await;
        let error = match listeners.unwrap_or_else(|_| Err(resolver::no_answer().into())) {
            Ok(listeners) => {
                bound.listeners.extend(listeners);
                continue;
            }
            Err(error) => error,
        };
        let found = format!("{}: {error}", interface.interface);
        if let Some(expected) = error.expected() {
            return Err(BindError {
                index,
                found,
                expected,
                is_taken: error.error.kind() == io::ErrorKind::AddrInUse,
            });
        }
        tracing::warn!("{found}; waiting for it");
        bound.missing.push(Missing {
            error: error.to_string(),
            ..interface
        });
    }
    Ok(bound)
}

/// An interface of which no address can be bound yet.
#[derive(Debug)]
pub struct Missing {
    interface: Listen,
    /// `None` if clients speak without TLS.
    tls: Option<Arc<Tls>>,
    /// The reason, as it was last logged.
    error: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.interface, self.error)
    }
}

impl Missing {
    /// Waits until addresses of the interface can be bound, and returns the sockets.
    pub async fn wait(mut self) -> Vec<Listener> {
        let host = self.interface.host.as_deref();
        let max_retry = match host.is_some_and(resolver::is_name) {
            true => MAX_RETRY,
            false => RETRY,
        };
        let mut retry = RETRY;
        loop {
            sleep(retry).await;
            retry = (retry * 2).min(max_retry);
            let error = match self.bind().await {
                Ok(listeners) => {
                    for listener in &listeners {
                        tracing::info!("listening on {listener} now");
                    }
                    return listeners;
                }
                Err(error) => error.to_string(),
            };
            if error != self.error {
                tracing::warn!("{}: {error}; waiting for it", self.interface);
                self.error = error;
            }
        }
    }

    /// Binds the addresses of the interface. Fails if one is taken or forbidden, or none can be
    /// bound.
    async fn bind(&self) -> Result<Vec<Listener>, Failure> {
        let Listen { host, port, .. } = &self.interface;
        let addresses = match host {
            // The IPv6 socket accepts IPv4, too. The IPv4 address is for machines without IPv6.
            None => vec![
                SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), *port),
                SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), *port),
            ],
            Some(host) => resolver::look_up(host, *port).await?,
        };
        let mut listeners = Vec::new();
        let mut failure = None;
        for address in addresses {
            match listen(address, host.is_none()) {
                Ok(socket) => listeners.push(Listener {
                    address: socket.local_addr().unwrap_or(address),
                    tls: self.tls.clone(),
                    socket,
                }),
                Err(error) => {
                    let address = Some(address);
                    let failed = failure.insert(Failure { address, error });
                    if failed.expected().is_some() {
                        break;
                    }
                }
            }
            if host.is_none() && !listeners.is_empty() {
                return Ok(listeners);
            }
        }
        match failure {
            Some(failure) if listeners.is_empty() || failure.expected().is_some() => Err(failure),
            // A name may have addresses that the machine lacks: localhost is ::1, too.
            Some(failure) => {
                tracing::info!("{}: {failure}; going on without", self.interface);
                Ok(listeners)
            }
            None => Ok(listeners),
        }
    }
}

/// Why no address of an interface can be bound.
#[derive(Debug)]
struct Failure {
    /// The last address that was tried, `None` if there is none.
    address: Option<SocketAddr>,
    error: io::Error,
}

impl Failure {
    /// Returns what should be the case, `None` if it may be so later without anybody changing the
    /// configuration.
    fn expected(&self) -> Option<&'static str> {
        match self.error.kind() {
            io::ErrorKind::AddrInUse => Some("an address and port that nobody listens on"),
            io::ErrorKind::PermissionDenied => Some("a port that this user may listen on"),
            _ => None,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self {
            address: None,
            error,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = self.address {
            write!(f, "{address}: ")?;
        }
        self.error.fmt(f)
    }
}

/// Listens on an address. With `accepts_ipv4` an IPv6 socket accepts IPv4 as well, whatever the
/// machine's default is (`net.ipv6.bindv6only`).
fn listen(address: SocketAddr, accepts_ipv4: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if accepts_ipv4 && address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

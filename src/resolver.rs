//! Looking up the addresses of names without waiting for the system's resolver longer than wanted.
//!
//! `getaddrinfo` takes seconds if no name server answers, and cannot be interrupted. Each lookup
//! has a thread of its own, which ends when the resolver does, whoever still waits for it.

use std::{
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs},
    sync::{
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
    time::Duration,
};

use nix::net::if_::if_nametoindex;
use tokio::sync::oneshot;

use crate::thread;

/// Lookups of the process at the same time.
const MAX_LOOKUPS: usize = 8;

/// The lookups that are under way.
static LOOKUPS: AtomicUsize = AtomicUsize::new(0);

/// Returns the addresses of a host, which is a name or an address. Fails if there are none, or the
/// resolver does not answer within `timeout`.
pub(crate) fn look_up_within(
    timeout: Duration,
    host: &str,
    port: u16,
) -> io::Result<Vec<SocketAddr>> {
    if let Some(address) = address(host, port) {
        return Ok(vec![address?]);
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    start(host, port, move |found| {
        // An error says that nobody waits any more.
        let _ = sender.send(found);
    })?;
    receiver
        .recv_timeout(timeout)
        .unwrap_or_else(|_| Err(no_answer()))
}

/// Returns the addresses of a host, which is a name or an address, whenever the resolver answers.
/// Fails if there are none.
pub(crate) async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Some(address) = address(host, port) {
        return Ok(vec![address?]);
    }
    let (sender, receiver) = oneshot::channel();
    start(host, port, |found| {
        // An error says that nobody waits any more.
        let _ = sender.send(found);
    })?;
    receiver.await.unwrap_or_else(|_| Err(no_answer()))
}

/// Makes the error of a resolver that does not answer in time.
pub(crate) fn no_answer() -> io::Error {
    io::Error::new(
        io::ErrorKind::TimedOut,
        "the name could not be looked up in time",
    )
}

/// Returns true if a host has to be looked up.
pub(crate) fn is_name(host: &str) -> bool {
    address(host, 0).is_none()
}

/// Reads an address, with the scope of an IPv6 address as a number or the name of an interface
/// (RFC 4007 section 11). Returns `None` for a name; fails if there is no such interface.
fn address(host: &str, port: u16) -> Option<io::Result<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(Ok(SocketAddr::new(address, port)));
    }
    let (address, scope) = host.split_once('%')?;
    let address = address.parse::<Ipv6Addr>().ok()?;
    let scope = match scope.parse() {
        Ok(number) => Ok(number),
        Err(_) => if_nametoindex(scope).map_err(io::Error::from),
    };
    Some(scope.map(|scope| SocketAddrV6::new(address, port, 0, scope).into()))
}

/// Starts a thread that looks up a name and hands the result to `done`. Fails if there are too many
/// lookups already, or the system gives no thread.
fn start(
    name: &str,
    port: u16,
    done: impl FnOnce(io::Result<Vec<SocketAddr>>) + Send + 'static,
) -> io::Result<()> {
    let lookup = Lookup::begin().ok_or_else(|| {
        let text = "too many names are being looked up, the resolver does not answer";
        io::Error::new(io::ErrorKind::WouldBlock, text)
    })?;
    let name = name.to_owned();
    thread::builder("websocksrv-name").spawn(move || {
        thread::block_signals();
        let found = (name.as_str(), port).to_socket_addrs();
        drop(lookup);
        done(found.map(Iterator::collect));
    })?;
    Ok(())
}

/// A lookup that is under way, until it is dropped.
struct Lookup;

impl Lookup {
    /// Returns `None` if there are too many.
    fn begin() -> Option<Self> {
        let more = |count| (count < MAX_LOOKUPS).then_some(count + 1);
        LOOKUPS.fetch_update(Relaxed, Relaxed, more).ok()?;
        Some(Self)
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        LOOKUPS.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn an_address_stands_for_itself_and_its_scope_is_a_number_or_a_name() {
        for (host, expected) in [
            ("127.0.0.1", "127.0.0.1:80"),
            ("::1", "[::1]:80"),
            ("fe80::1%7", "[fe80::1%7]:80"),
            ("fe80::1%lo", "[fe80::1%1]:80"),
        ] {
            let found = look_up_within(Duration::ZERO, host, 80).unwrap();
            assert_eq!(found, [expected.parse().unwrap()], "{host}");
        }
        let error = look_up_within(Duration::ZERO, "fe80::1%nosuch0", 80).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
    }

    #[tokio::test]
    async fn a_name_has_addresses_or_an_error() {
        let found = look_up("localhost", 80).await.unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()));
        assert!(!found.is_empty());
        assert_eq!(look_up_within(PATIENCE, "localhost", 80).unwrap(), found);
        assert!(look_up("no-such-host.invalid", 80).await.is_err());
    }
}

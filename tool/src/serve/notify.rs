//! Tells systemd how the host is (sd_notify(3)).

use std::{
    env,
    ffi::OsStr,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    time::Duration,
};

/// The way to systemd.
#[derive(Debug)]
pub(super) struct Notifier {
    socket: Option<(UnixDatagram, SocketAddr)>,
    /// How often it wants to hear that all is well.
    pub(super) watchdog: Option<Duration>,
}

impl Notifier {
    /// Finds out whether systemd has started this process and listens.
    pub(super) fn new() -> Self {
        let socket = env::var_os("NOTIFY_SOCKET").and_then(|name| open(&name).ok());
        let interval = env::var("WATCHDOG_USEC").ok();
        let interval = interval.and_then(|micros| micros.parse().ok());
        Self {
            watchdog: interval
                .filter(|_| socket.is_some())
                .map(|micros| Duration::from_micros(micros) / 2),
            socket,
        }
    }

    /// Tells a state, as in `READY=1`.
    pub(super) fn tell(&self, state: &str) {
        if let Some((socket, address)) = &self.socket {
            // If it does not listen any more there is nobody to tell.
            let _ = socket.send_to_addr(state.as_bytes(), address);
        }
    }
}

fn open(name: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    // The host does not wait for systemd.
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

//! The network interface of a bus: whether it is there, and when that changes.

use std::{
    fs, io,
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
    task::{Context, Poll, ready},
};

use nix::{
    errno::Errno,
    net::if_::if_nametoindex,
    sys::socket::{
        AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
    },
};
use tokio::io::{Interest, unix::AsyncFd};

use super::port::register;

const NETWORK_INTERFACES: &str = "/sys/class/net";

/// What `type` of a network interface says for CAN.
const CAN: &str = "280";

/// The bit of `flags` that says that an interface is up.
const UP: u32 = 1;

/// What a network interface is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterfaceState {
    /// There is none of this name.
    Missing,
    /// It is no CAN interface.
    NotCan,
    /// It is down.
    Down,
    /// It is up and its controller takes no part in the bus: bus-off, or nothing is connected.
    NoCarrier,
    /// It is up.
    Up,
}

/// The state of the network interface with this name.
pub fn interface_state(name: &str) -> InterfaceState {
    state(Path::new(NETWORK_INTERFACES), name, index(name).is_some())
}

/// The kernel's number of the network interface with this name.
pub(super) fn index(name: &str) -> Option<u32> {
    if_nametoindex(name).ok()
}

/// Tells when network interfaces come, go or change, so that nothing has to look regularly.
#[derive(Debug)]
pub(super) struct Watch(AsyncFd<OwnedFd>);

impl Watch {
    /// Starts to watch all interfaces. Needs a runtime.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn start() -> io::Result<Self> {
        const LINKS: u32 = libc::RTMGRP_LINK as u32;

        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            SockProtocol::NetlinkRoute,
        )?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, LINKS))?;
        Ok(Self(register(socket, Interest::READABLE)?))
    }

    /// Ready when something has changed since the last call.
    pub(super) fn poll_changed(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut changed = false;
        loop {
            let mut guard = match self.0.poll_read_ready(context) {
                Poll::Pending if changed => return Poll::Ready(Ok(())),
                ready => ready!(ready)?,
            };
            // What the messages say is looked up where it is needed: it may have changed again.
            let mut message = [0; 64];
            match recv(self.0.as_raw_fd(), &mut message, MsgFlags::MSG_DONTWAIT) {
                Err(Errno::EAGAIN) => guard.clear_ready(),
                // ENOBUFS: there were more messages than the kernel keeps.
                Ok(_) | Err(Errno::ENOBUFS) => changed = true,
                Err(Errno::EINTR) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

/// The state that the files of the kernel show. Without such files an interface that exists is
/// taken to be up: a socket will tell.
fn state(interfaces: &Path, name: &str, exists: bool) -> InterfaceState {
    if !exists {
        return InterfaceState::Missing;
    }
    let read = |file| fs::read_to_string(interfaces.join(name).join(file));
    if read("type").is_ok_and(|kind| kind.trim() != CAN) {
        return InterfaceState::NotCan;
    }
    let flags = read("flags")
        .ok()
        .and_then(|flags| u32::from_str_radix(flags.trim().strip_prefix("0x")?, 16).ok());
    if flags.is_some_and(|flags| flags & UP == 0) {
        return InterfaceState::Down;
    }
    if read("carrier").is_ok_and(|carrier| carrier.trim() == "0") {
        return InterfaceState::NoCarrier;
    }
    InterfaceState::Up
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_state_is_what_the_kernel_s_files_say() {
        let folder = tempfile::tempdir().unwrap();
        let interfaces = [
            ("eth0", "1", "0x1003", "1", InterfaceState::NotCan),
            ("can0", "280", "0x40081", "1", InterfaceState::Up),
            ("can1", "280", "0x40080", "", InterfaceState::Down),
            ("can2", "280", "0x40081", "0", InterfaceState::NoCarrier),
        ];
        for (name, kind, flags, carrier, expected) in interfaces {
            let interface = folder.path().join(name);
            fs::create_dir(&interface).unwrap();
            fs::write(interface.join("type"), format!("{kind}\n")).unwrap();
            fs::write(interface.join("flags"), format!("{flags}\n")).unwrap();
            if !carrier.is_empty() {
                fs::write(interface.join("carrier"), format!("{carrier}\n")).unwrap();
            }
            assert_eq!(state(folder.path(), name, true), expected, "{name}");
            assert_eq!(state(folder.path(), name, false), InterfaceState::Missing);
        }
        assert_eq!(state(folder.path(), "can9", true), InterfaceState::Up);
    }

    #[test]
    fn every_machine_has_a_loopback_interface_and_that_is_no_can() {
        assert_eq!(interface_state("lo"), InterfaceState::NotCan);
        assert_eq!(interface_state("no-such-can"), InterfaceState::Missing);
    }

    #[tokio::test]
    async fn nothing_has_changed_at_first() {
        let watch = Watch::start().unwrap();
        let changed = std::future::poll_fn(|context| watch.poll_changed(context));
        let timeout = std::time::Duration::from_millis(20);
        // Interfaces of the machine may change meanwhile, which is no error either.
        if let Ok(changed) = tokio::time::timeout(timeout, changed).await {
            changed.unwrap();
        }
    }
}

//! The state of network interfaces, and a watch that reports when it changes.

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

use super::socket::register;
use crate::number::parse_decimal_or_hex;

const NETWORK_INTERFACES: &str = "/sys/class/net";

/// ARPHRD_CAN of `linux/if_arp.h`: the content of the file `type` for a CAN interface.
const ARPHRD_CAN: &str = "280";

/// The bit of the file `flags` for an interface that is up (`linux/if.h`).
const IFF_UP: u64 = 1;

/// The state of a network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterfaceState {
    /// No interface has this name.
    Missing,
    /// The interface is not a CAN interface.
    NotCan,
    /// The interface is down.
    Down,
    /// The interface is up, but its controller takes no part in the bus: it is bus-off or not
    /// connected.
    NoCarrier,
    /// The interface is up.
    Up,
}

/// Returns the state of the network interface with this name.
pub fn interface_state(name: &str) -> InterfaceState {
    read_state(Path::new(NETWORK_INTERFACES), name, index(name).is_some())
}

/// Returns the kernel's index of the network interface with this name, `None` if it does not exist.
pub(super) fn index(name: &str) -> Option<u32> {
    if_nametoindex(name).ok()
}

/// Reports when network interfaces appear, disappear or change (rtnetlink(7), RTMGRP_LINK).
#[derive(Debug)]
pub(super) struct Watch(AsyncFd<OwnedFd>);

impl Watch {
    /// Starts to watch all interfaces. Needs a runtime.
    ///
    /// # Errors
    /// The error of the system call that failed.
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

    /// Polls for changes. Ready if an interface has changed since the last call.
    ///
    /// # Errors
    /// The error of the system call that failed; the watch is of no use any more.
    pub(super) fn poll_changed(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut changed = false;
        loop {
            let mut guard = match self.0.poll_read_ready(context) {
                Poll::Pending if changed => return Poll::Ready(Ok(())),
                ready => ready!(ready)?,
            };
            // The content is not used: the state may have changed again, and is read anew.
            let mut message = [0; 64];
            match recv(self.0.as_raw_fd(), &mut message, MsgFlags::MSG_DONTWAIT) {
                Err(Errno::EAGAIN) => guard.clear_ready(),
                // ENOBUFS: the kernel has dropped messages (netlink(7)).
                Ok(_) | Err(Errno::ENOBUFS) => changed = true,
                Err(Errno::EINTR) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

/// Reads the state from the files in `interfaces` (Documentation/ABI/testing/sysfs-class-net). An
/// interface without such files counts as up: the socket reports if it is not.
fn read_state(interfaces: &Path, name: &str, exists: bool) -> InterfaceState {
    if !exists {
        return InterfaceState::Missing;
    }
    let read = |file| fs::read_to_string(interfaces.join(name).join(file));
    if read("type").is_ok_and(|kind| kind.trim() != ARPHRD_CAN) {
        return InterfaceState::NotCan;
    }
    let flags = read("flags")
        .ok()
        .and_then(|flags| parse_decimal_or_hex(flags.trim()));
    if flags.is_some_and(|flags| flags & IFF_UP == 0) {
        return InterfaceState::Down;
    }
    let operstate = read("operstate");
    let is_down = operstate.is_ok_and(|state| matches!(state.trim(), "down" | "lowerlayerdown"));
    match read("carrier") {
        Ok(carrier) if carrier.trim() == "0" => InterfaceState::NoCarrier,
        // When the carrier has just come, `operstate` is still down for a moment, and the kernel
        // drops what is sent without an error. It reports a change when `operstate` goes up.
        Ok(_) if is_down => InterfaceState::NoCarrier,
        // An interface that goes down is "down" before its flags say so. The kernel refuses to read
        // its carrier then.
        Err(_) if is_down => InterfaceState::Down,
        _ => InterfaceState::Up,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_read_from_the_files_of_the_kernel() {
        use InterfaceState::{Down, NoCarrier, NotCan, Up};

        let folder = tempfile::tempdir().unwrap();
        let interfaces = [
            ("eth0", "1", "0x1003", "1", "up", NotCan),
            ("can0", "280", "0x40081", "1", "up", Up),
            ("can1", "280", "0x40080", "", "down", Down),
            ("can2", "280", "0x40081", "0", "down", NoCarrier),
            // The carrier is new, and the kernel has not taken notice of it yet.
            ("can3", "280", "0x40081", "1", "down", NoCarrier),
            ("can4", "280", "0x40081", "1", "lowerlayerdown", NoCarrier),
            // It is just going down.
            ("can5", "280", "0x40081", "", "down", Down),
            ("vcan0", "280", "0x400c1", "1", "unknown", Up),
        ];
        for (name, kind, flags, carrier, state, expected) in interfaces {
            let interface = folder.path().join(name);
            fs::create_dir(&interface).unwrap();
            fs::write(interface.join("type"), format!("{kind}\n")).unwrap();
            fs::write(interface.join("flags"), format!("{flags}\n")).unwrap();
            fs::write(interface.join("operstate"), format!("{state}\n")).unwrap();
            if !carrier.is_empty() {
                fs::write(interface.join("carrier"), format!("{carrier}\n")).unwrap();
            }
            assert_eq!(read_state(folder.path(), name, true), expected, "{name}");
            assert_eq!(
                read_state(folder.path(), name, false),
                InterfaceState::Missing
            );
        }
        assert_eq!(read_state(folder.path(), "can9", true), Up);
    }

    #[test]
    fn the_loopback_interface_is_not_a_can_interface() {
        assert_eq!(interface_state("lo"), InterfaceState::NotCan);
        assert_eq!(interface_state("no-such-can"), InterfaceState::Missing);
    }

    #[tokio::test]
    async fn a_new_watch_reports_no_error() {
        let watch = Watch::start().unwrap();
        let changed = std::future::poll_fn(|context| watch.poll_changed(context));
        let timeout = std::time::Duration::from_millis(20);
        // Interfaces of the machine may change meanwhile, which is no error either.
        if let Ok(changed) = tokio::time::timeout(timeout, changed).await {
            changed.unwrap();
        }
    }
}

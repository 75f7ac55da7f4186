//! The network interface that a link watches and opens; tests have one of their own.

use std::{
    io,
    task::{Context, Poll},
};

use super::MAX_DELAY;
use crate::can::{
    interface::{self, InterfaceState, Watch},
    socket::{CanSocket, Options},
};

/// The operations of a network interface that a link needs.
pub(in crate::can) trait Device: Send {
    /// Returns the kernel's index of the interface, `None` if it does not exist. An interface that
    /// was removed and created again has another index.
    fn index(&self) -> Option<u32>;

    /// Returns the state of the interface.
    fn state(&self) -> InterfaceState;

    /// Opens a socket on the interface with this index.
    ///
    /// # Errors
    /// The error of the system call that failed.
    fn open(&self, index: u32, options: &Options) -> io::Result<CanSocket>;

    /// Polls for a change. Ready if the interface may have changed since the last call; `None` if
    /// nothing reports changes, so that the caller has to check at intervals.
    fn poll_changed(&mut self, context: &mut Context<'_>) -> Option<Poll<()>>;
}

/// A network interface of this machine.
#[derive(Debug)]
pub(in crate::can) struct NetworkDevice {
    name: String,
    /// `None` if the kernel does not report changes.
    watch: Option<Watch>,
}

impl NetworkDevice {
    /// Starts to watch the interface with this name, which need not exist. Needs a runtime.
    pub(in crate::can) fn new(name: String) -> Self {
        let watch = Watch::start().inspect_err(|error| log_no_watch(&name, error));
        Self {
            watch: watch.ok(),
            name,
        }
    }
}

impl Device for NetworkDevice {
    fn index(&self) -> Option<u32> {
        interface::index(&self.name)
    }

    fn state(&self) -> InterfaceState {
        interface::interface_state(&self.name)
    }

    fn open(&self, index: u32, options: &Options) -> io::Result<CanSocket> {
        CanSocket::open(index, options)
    }

    fn poll_changed(&mut self, context: &mut Context<'_>) -> Option<Poll<()>> {
        match self.watch.as_ref()?.poll_changed(context) {
            Poll::Pending => Some(Poll::Pending),
            Poll::Ready(Ok(())) => Some(Poll::Ready(())),
            Poll::Ready(Err(error)) => {
                log_no_watch(&self.name, &error);
                self.watch = None;
                None
            }
        }
    }
}

fn log_no_watch(name: &str, error: &io::Error) {
    tracing::warn!(
        "CAN bus {name}: the kernel does not report changes of the interface ({error}); it is \
         checked every {} s",
        MAX_DELAY.as_secs()
    );
}

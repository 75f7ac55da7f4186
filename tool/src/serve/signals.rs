//! The signals that end the program or have it read its configuration again.

use std::{io, thread};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator,
};
use tokio::sync::mpsc;

/// An order to the process, given by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Stop,
    Reload,
}

/// The orders that come as signals.
///
/// A thread waits for them: the signals of tokio would cost the driver in this process descriptors.
#[derive(Debug)]
pub(super) struct Signals(mpsc::Receiver<Order>);

impl Signals {
    /// Begins to listen. Fails if the system has no room for it.
    pub(super) fn new() -> io::Result<Self> {
        let mut signals = iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])?;
        let (sender, receiver) = mpsc::channel(4);
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                for signal in signals.forever() {
                    let order = match signal {
                        SIGHUP => Order::Reload,
                        _ => Order::Stop,
                    };
                    if sender.blocking_send(order).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self(receiver))
    }

    /// Waits for the next order.
    pub(super) async fn next(&mut self) -> Order {
        self.0.recv().await.unwrap_or(Order::Stop)
    }
}

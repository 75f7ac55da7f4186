//! Waiting for room in the queue of an interface.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Sleep, sleep};

/// The first pause: a few frames on a bus of 1 Mbit/s.
const MIN_PAUSE: Duration = Duration::from_millis(1);

/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_millis(64);

/// A pause in writing because the queue of the interface is full (ENOBUFS), which the kernel does
/// not report the end of. Doubles until a write succeeds.
pub(super) struct Pause {
    sleep: Pin<Box<Sleep>>,
    active: bool,
    next: Duration,
}

impl Pause {
    /// Makes a pause that is over. Needs a runtime.
    pub(super) fn new() -> Self {
        Self {
            sleep: Box::pin(sleep(Duration::ZERO)),
            active: false,
            next: MIN_PAUSE,
        }
    }

    /// Starts the pause, twice as long as the one before.
    pub(super) fn start(&mut self) {
        self.sleep.set(sleep(self.next));
        self.active = true;
        self.next = (self.next * 2).min(MAX_PAUSE);
    }

    /// Makes the next pause the shortest one.
    pub(super) fn reset(&mut self) {
        self.next = MIN_PAUSE;
    }

    /// Polls the pause. Ready when it is over, or none was started.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.active {
            ready!(self.sleep.as_mut().poll(context));
            self.active = false;
        }
        Poll::Ready(())
    }
}

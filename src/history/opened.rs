//! A store that is opened by another thread.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Tells if the store has been opened once.
#[derive(Debug, Default)]
pub(super) struct Opened {
    is_open: Mutex<bool>,
    changed: Condvar,
}

impl Opened {
    /// Notes that it has.
    pub(super) fn set(&self) {
        *self.is_open.lock() = true;
        self.changed.notify_all();
    }

    /// Waits until it has, at most `limit`.
    pub(super) fn wait(&self, limit: Duration) {
        let until = Instant::now() + limit;
        let mut is_open = self.is_open.lock();
        while !*is_open && !self.changed.wait_until(&mut is_open, until).timed_out() {}
    }
}

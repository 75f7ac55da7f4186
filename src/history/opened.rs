//! A store that is opened by another thread.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Tells other threads that the writer has opened the store for the first time.
#[derive(Debug, Default)]
pub(super) struct Opened {
    is_open: Mutex<bool>,
    changed: Condvar,
}

impl Opened {
    /// Notes that the store has been opened, and wakes the threads that wait for that.
    pub(super) fn set(&self) {
        *self.is_open.lock() = true;
        self.changed.notify_all();
    }

    /// Waits until the store has been opened, at most `limit`.
    pub(super) fn wait(&self, limit: Duration) {
        let until = Instant::now() + limit;
        let mut is_open = self.is_open.lock();
        while !*is_open && !self.changed.wait_until(&mut is_open, until).timed_out() {}
    }
}

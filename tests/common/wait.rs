//! Waiting for conditions.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How long anything may take before a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// How often a condition is checked.
const CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// Waits until `done` returns true; panics with `what` after the deadline.
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    wait_for(what, || done().then_some(()));
}

/// Waits until `find` returns a value; panics with `what` after the deadline.
pub(crate) fn wait_for<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "never came: {what}");
        thread::sleep(CHECK_INTERVAL);
    }
}

/// Waits until `value` has not changed for a while, and returns it.
pub(crate) fn settled<T: PartialEq>(value: impl Fn() -> T) -> T {
    let mut last = value();
    wait_for("a value that stays", || {
        thread::sleep(Duration::from_millis(150));
        let now = value();
        let stayed = now == last;
        last = now;
        stayed.then(&value)
    })
}

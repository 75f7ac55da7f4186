//! What every exported function goes through.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::thread;

/// Runs `act`; where it panics, the value is `on_panic`. No panic reaches the host.
pub(super) fn guarded<T>(on_panic: T, act: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or(on_panic)
}

/// Runs `act` on a thread of its own, which takes no signals: what is written meanwhile cannot
/// raise SIGPIPE in a thread of the host. Where it panics, the value is `on_panic`.
pub(super) fn on_own_thread<T: Send>(on_panic: T, act: impl FnOnce() -> T + Send) -> T {
    let done = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("websocksrv-call".into())
            .spawn_scoped(scope, || {
                thread::block_signals();
                act()
            });
        thread.ok().and_then(|thread| thread.join().ok())
    });
    done.unwrap_or(on_panic)
}

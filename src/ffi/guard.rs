//! Keeps panics and signals of the driver away from the threads of the host.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::thread;

/// Why a call has no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// The system gives no thread for it.
    NoThread(io::Error),
    /// It has panicked.
    Panic,
}

/// Runs `act` and returns its result, or `on_panic` if it panics.
pub(super) fn catch_panics<T>(on_panic: T, act: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or(on_panic)
}

/// Runs `act` on a thread of its own and returns its result. The thread takes no signals, so that a
/// write to a closed socket cannot raise SIGPIPE in a thread of the host.
pub(super) fn on_own_thread<T: Send>(act: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    std::thread::scope(|scope| {
        let thread = thread::builder("websocksrv-call").spawn_scoped(scope, || {
            thread::block_signals();
            act()
        });
        let thread = thread.map_err(Failure::NoThread)?;
        thread.join().map_err(|_| Failure::Panic)
    })
}

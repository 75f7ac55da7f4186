//! The private tokio runtime of a driver.

use std::{cell::RefCell, io};

use tokio::{
    runtime::{Builder, Runtime},
    task::spawn_blocking,
};
use tracing::{
    Dispatch,
    dispatcher::{self, DefaultGuard},
};

use crate::thread;

thread_local! {
    static LOG: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
}

/// Starts a runtime whose threads take no signals and log to `log`.
pub(crate) fn start(threads: usize, log: &Dispatch) -> io::Result<Runtime> {
    let log = log.clone();
    Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("websocksrv")
        .on_thread_start(move || {
            thread::block_signals();
            LOG.with(|guard| guard.replace(Some(dispatcher::set_default(&log))));
        })
        .on_thread_stop(|| {
            LOG.with(RefCell::take);
        })
        .enable_io()
        .enable_time()
        .build()
}

/// Runs `work` with the log of the caller; `None` where the runtime shuts down.
pub(crate) async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let log = dispatcher::get_default(Clone::clone);
    let task = spawn_blocking(move || dispatcher::with_default(&log, work));
    task.await.ok()
}

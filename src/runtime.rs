//! The private tokio runtime of a driver.

use std::{cell::RefCell, io, time::Duration};

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

/// Starts a runtime with so many threads for tasks, and at most so many for work that blocks. They
/// block signals and log to `log`. Fails if the system gives no threads.
pub(crate) fn start(threads: usize, max_blocking: usize, log: &Dispatch) -> io::Result<Runtime> {
    check_threads(threads + 1)?;
    let log = log.clone();
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        .max_blocking_threads(max_blocking)
        // Idle threads never end. If the system gives no new thread, tokio queues the work for one
        // that is there; without any it panics.
        .thread_keep_alive(Duration::MAX)
        .thread_stack_size(thread::STACK_SIZE)
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
        .build()?;
    // An error says that it has panicked, which it does not.
    let _ = runtime.block_on(runtime.spawn_blocking(|| ()));
    Ok(runtime)
}

/// Fails if the system does not give so many threads at the same time: tokio would panic.
fn check_threads(count: usize) -> io::Result<()> {
    std::thread::scope(|scope| {
        let (running, ended) = crossbeam_channel::bounded::<()>(0);
        let mut threads = Vec::with_capacity(count);
        for _ in 0..count {
            let ended = ended.clone();
            // Nothing is ever sent: `recv` returns when `running` is dropped.
            let thread = thread::builder("websocksrv").spawn_scoped(scope, move || {
                thread::block_signals();
                let _ = ended.recv();
            });
            threads.push(thread?);
        }
        drop(running);
        // The scope waits only for the closures. `join` waits until the threads have ended: until
        // then they count for the limits of the system.
        for thread in threads {
            let _ = thread.join();
        }
        Ok(())
    })
}

/// Runs `work` on a thread that may block, with the caller's log. Returns its result, `None` if the
/// runtime shuts down.
pub(crate) async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let log = dispatcher::get_default(Clone::clone);
    let task = spawn_blocking(move || dispatcher::with_default(&log, work));
    task.await.ok()
}

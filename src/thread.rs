//! The threads of the driver: their stacks and signal masks.

use std::thread::Builder;

use nix::sys::signal::{SigSet, Signal};

/// The stack of every thread of the driver. Small, because daemons from 15.0.0 join their threads
/// twice at the stop, which is fatal if glibc has unmapped the stack of the joined thread in
/// between: it does so if more than 40 MB of stacks were freed. Code that is not optimised needs
/// more.
pub(crate) const STACK_SIZE: usize = match cfg!(debug_assertions) {
    true => 768 * 1024,
    false => 256 * 1024,
};

/// Prepares a thread with a small stack. What it runs begins with [`block_signals`].
pub(crate) fn builder(name: &str) -> Builder {
    Builder::new().name(name.to_owned()).stack_size(STACK_SIZE)
}

/// Blocks all signals on the calling thread, except those that the thread raises by a fault of its
/// own: SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS.
///
/// A vectored write to a closed socket raises SIGPIPE, which ends a host that does not ignore it.
/// Other signals are meant for the threads of the host.
pub(crate) fn block_signals() {
    let mut signals = SigSet::all();
    for own in [
        Signal::SIGSEGV,
        Signal::SIGBUS,
        Signal::SIGFPE,
        Signal::SIGILL,
        Signal::SIGABRT,
        Signal::SIGTRAP,
        Signal::SIGSYS,
    ] {
        signals.remove(own);
    }
    // It fails only for an unknown operation (pthread_sigmask(3)).
    let _ = signals.thread_block();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_fatal_signals_are_blocked_on_this_thread_alone() {
        let before = SigSet::thread_get_mask().unwrap();
        let mask = std::thread::spawn(|| {
            block_signals();
            SigSet::thread_get_mask().unwrap()
        })
        .join()
        .unwrap();
        for signal in Signal::iterator() {
            let blocked = match signal {
                // These two cannot be blocked (signal(7)).
                Signal::SIGKILL | Signal::SIGSTOP => continue,
                Signal::SIGSEGV | Signal::SIGBUS | Signal::SIGFPE | Signal::SIGILL => false,
                Signal::SIGABRT | Signal::SIGTRAP | Signal::SIGSYS => false,
                _ => true,
            };
            assert_eq!(mask.contains(signal), blocked, "{signal}");
        }
        assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    }
}

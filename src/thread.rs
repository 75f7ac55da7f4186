//! What every thread of the driver does first.

use nix::sys::signal::{SigSet, Signal};

/// Blocks every signal on the calling thread, except those that say that the thread itself did
/// wrong (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS).
///
/// A vectored write to a closed socket raises SIGPIPE, which would end a host that does not
/// ignore it; and the host's own signals are for the host's threads.
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
    // It can only fail for a request that does not exist.
    let _ = signals.thread_block();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

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
                // Nothing can block these two.
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

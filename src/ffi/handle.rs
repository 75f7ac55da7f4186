//! Handles: numbers that stand for open drivers.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    ffi::c_long,
    sync::{
        Arc, Once, Weak,
        atomic::{AtomicI64, Ordering},
    },
};

use parking_lot::RwLock;

use crate::driver::Driver;

/// The open drivers of the process.
static DRIVERS: RwLock<BTreeMap<c_long, Arc<Driver>>> = RwLock::new(BTreeMap::new());

/// The next handle. Counts up for as long as the process lives, so that no handle is used
/// twice; starts far from the small numbers and zeros that a host may pass by mistake.
static NEXT: AtomicI64 = AtomicI64::new(0x5653_4350_0000_0001);

/// The first handle that may be open: in a child of the host those of the parent are not, since
/// their threads are missing there.
static FIRST: AtomicI64 = AtomicI64::new(1);

thread_local! {
    /// The handle that this thread used last: hosts use one, and often.
    static LAST: RefCell<(c_long, Weak<Driver>)> = const { RefCell::new((0, Weak::new())) };
}

/// Registers a driver. The handle is positive.
pub(super) fn insert(driver: Driver) -> c_long {
    static FORKS: Once = Once::new();
    FORKS.call_once(|| {
        // SAFETY: the function may be called at any time, by any thread, for as long as the
        // process lives: the library is never unloaded. An error leaves things as they are.
        unsafe { libc::pthread_atfork(None, None, Some(forget_all)) };
    });
    let handle = NEXT.fetch_add(1, Ordering::Relaxed);
    DRIVERS.write().insert(handle, Arc::new(driver));
    handle
}

/// The driver of a handle, `None` where it is not open. One that is just being closed may still
/// be found, and says itself that it is closed.
pub(super) fn get(handle: c_long) -> Option<Arc<Driver>> {
    if handle < FIRST.load(Ordering::Relaxed) {
        return None;
    }
    let find = || DRIVERS.read().get(&handle).cloned();
    let last = |last: &RefCell<(c_long, Weak<Driver>)>| {
        let mut last = last.borrow_mut();
        if last.0 != handle {
            let driver = find()?;
            *last = (handle, Arc::downgrade(&driver));
            return Some(driver);
        }
        last.1.upgrade()
    };
    // A thread that ends has none any more.
    LAST.try_with(last).unwrap_or_else(|_| find())
}

/// Takes a driver out; its handle is never valid again.
pub(super) fn remove(handle: c_long) -> Option<Arc<Driver>> {
    if handle < FIRST.load(Ordering::Relaxed) {
        return None;
    }
    DRIVERS.write().remove(&handle)
}

/// Called in a child of the host: only sets a number, since any lock may be held.
extern "C" fn forget_all() {
    FIRST.store(NEXT.load(Ordering::Relaxed), Ordering::Relaxed);
}

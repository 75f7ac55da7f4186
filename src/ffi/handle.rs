//! Handles: the numbers of open drivers at the C interface.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    ffi::c_long,
    sync::{
        Arc, Once, Weak,
        atomic::{AtomicIsize, Ordering},
    },
};

use parking_lot::RwLock;

use crate::driver::Driver;

/// The open drivers of the process.
static DRIVERS: RwLock<BTreeMap<c_long, Arc<Driver>>> = RwLock::new(BTreeMap::new());

/// The first handle: the upper bits of a constant, far from 0 and the small numbers that a host may
/// pass by mistake. `isize` has the width of a C long on Linux, 32 or 64 bits.
const START: isize = (0x5653_4350_0000_0001_u64 >> (u64::BITS - isize::BITS)) as isize | 1;

const _: () = assert!(size_of::<isize>() == size_of::<c_long>() && START > isize::MAX / 2);

/// The next handle. It only counts up, so that no handle is used twice in a process.
static NEXT: AtomicIsize = AtomicIsize::new(START);

/// The lowest handle that may be open. In a child of the host all handles of the parent are lower:
/// the threads of their drivers do not exist there.
static FIRST: AtomicIsize = AtomicIsize::new(START);

thread_local! {
    /// The handle that this thread has used last: hosts use one, and often.
    static LAST: RefCell<(c_long, Weak<Driver>)> = const { RefCell::new((0, Weak::new())) };
}

/// Registers a driver and returns its handle, which is positive. Returns `None`, and closes the
/// driver, if all handles were used.
pub(super) fn insert(driver: Driver) -> Option<c_long> {
    static REGISTER_ONCE: Once = Once::new();
    REGISTER_ONCE.call_once(|| {
        // SAFETY: any thread may call the function at any time while the process lives: it uses
        // atomics only, and the library is never unloaded (see build.rs). If the call fails,
        // children are not told apart from their parent.
        unsafe { libc::pthread_atfork(None, None, Some(forget_all)) };
    });
    let handle = NEXT
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
            next.checked_add(1)
        })
        .ok()? as c_long;
    DRIVERS.write().insert(handle, Arc::new(driver));
    Some(handle)
}

/// Returns the driver of a handle, `None` if the handle is not open. A driver that another thread
/// is closing may still be returned; its methods report that it is closed.
pub(super) fn get(handle: c_long) -> Option<Arc<Driver>> {
    if !may_be_open(handle) {
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
    // A thread that is ending has no thread-local values any more.
    LAST.try_with(last).unwrap_or_else(|_| find())
}

/// Removes a driver and returns it, `None` if the handle is not open. The handle is never valid
/// again.
pub(super) fn remove(handle: c_long) -> Option<Arc<Driver>> {
    if !may_be_open(handle) {
        return None;
    }
    DRIVERS.write().remove(&handle)
}

/// Returns false for handles that are certainly not open. Takes no lock: in a child of the host any
/// lock may be held for ever.
fn may_be_open(handle: c_long) -> bool {
    handle >= FIRST.load(Ordering::Relaxed) as c_long
}

/// Closes all handles in a child of the host, where only async-signal-safe functions may be called.
extern "C" fn forget_all() {
    FIRST.store(NEXT.load(Ordering::Relaxed), Ordering::Relaxed);
}

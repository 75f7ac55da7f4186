//! The synchronisation primitives, and the clock, of the code that the crate `model` tests.
//!
//! That crate compiles the code with the primitives of loom in place of these. They try the orders
//! in which threads and tasks can take their steps.

pub(crate) use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence},
    time::Instant,
};

pub(crate) use futures_util::task::AtomicWaker;
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};

//! The primitives that threads and tasks meet at, and the clock.
//!
//! The crate `model` compiles the hub with others in their place, which try every order of steps.

pub(crate) use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence},
    time::Instant,
};

pub(crate) use futures_util::task::AtomicWaker;
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};

//! The hub of the driver, compiled with the primitives of loom in the place of the real ones.
//!
//! The tests run it again and again, with another order of the steps of its threads and tasks each
//! time, until every order with a few preemptions has been tried. A thread or task that waits for
//! something that never comes is found as a deadlock.

// Each model uses another part of the hub.
#![allow(dead_code, unused_imports)]
// The tests are the users of this crate.
#![allow(unreachable_pub)]
// A model that is wrong ends with a panic.
#![allow(clippy::expect_used)]

#[path = "../../src/hub/mod.rs"]
pub mod hub;
#[path = "../../src/metrics/mod.rs"]
pub mod metrics;
pub mod sync;
#[path = "../../src/ws/connection/task_lock.rs"]
pub mod task_lock;
#[path = "../../src/wording.rs"]
pub mod wording;

pub use vscpl2drv_websocksrv::{event, hlo};

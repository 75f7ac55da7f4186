//! Counters of events, frames and clients, and the text format of the page that shows them. Also
//! what is needed for log lines that peers can cause: a [`LogLimit`] of their rate, and
//! [`Excerpt`]s of what was sent.

mod counters;
mod log_limit;
mod page;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use parking_lot::Mutex;

pub(crate) use self::{
    counters::Counters,
    log_limit::{Excerpt, LogLimit, Repeats},
    page::{MetricKind, Page, label},
};

/// A counter that many threads add to.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `count`.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    /// Returns the value.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that many threads raise and lower.
#[derive(Debug, Default)]
pub struct Gauge(AtomicUsize);

impl Gauge {
    /// Adds `count`.
    pub fn raise(&self, count: usize) {
        self.0.fetch_add(count, Relaxed);
    }

    /// Subtracts `count`, which must have been added before.
    pub fn lower(&self, count: usize) {
        self.0.fetch_sub(count, Relaxed);
    }

    /// How many there are.
    pub fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}

/// Which CAN buses are up.
#[derive(Debug, Default)]
pub struct BusStates(Mutex<BTreeMap<usize, (String, bool)>>);

impl BusStates {
    /// Sets whether the bus with this index is up, which has this interface now.
    pub fn set(&self, bus: usize, interface: &str, is_up: bool) {
        self.0.lock().insert(bus, (interface.to_owned(), is_up));
    }

    /// Returns for each bus its index, its interface, and whether it is up.
    pub fn list(&self) -> Vec<(usize, String, bool)> {
        let buses = self.0.lock();
        let buses = buses.iter();
        buses
            .map(|(bus, (interface, is_up))| (*bus, interface.clone(), *is_up))
            .collect()
    }
}

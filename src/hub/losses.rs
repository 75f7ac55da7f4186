//! Counts the events, commands and replies that the hub refuses or drops, and logs them, limited in
//! rate.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::{
    metrics::{Counters, LogLimit},
    sync::Instant,
    wording::Counted,
};

/// Counts and logs what the hub refuses and drops.
#[derive(Debug)]
pub(super) struct Losses {
    counters: Arc<Counters>,
    /// The largest number of data bytes that the host takes.
    host_max_data: usize,
    full: LogLimit,
    hanging: LogLimit,
    too_large: LogLimit,
    wrong_date: LogLimit,
    bus_events: LogLimit,
    /// Commands that were dropped since the log was last told.
    commands: AtomicU64,
    too_many_commands: LogLimit,
    replies: LogLimit,
}

impl Losses {
    pub(super) fn new(counters: Arc<Counters>, host_max_data: usize) -> Self {
        Self {
            counters,
            host_max_data,
            full: LogLimit::default(),
            hanging: LogLimit::default(),
            too_large: LogLimit::default(),
            wrong_date: LogLimit::default(),
            bus_events: LogLimit::default(),
            commands: AtomicU64::new(0),
            too_many_commands: LogLimit::default(),
            replies: LogLimit::default(),
        }
    }

    /// Notes an event of a client that was refused, for `waiting` events fill the host's queue.
    pub(super) fn note_full(&self, waiting: usize) {
        self.counters.refused_full.add(1);
        if let Some(count) = self.full.allow(1, Instant::now()) {
            tracing::warn!(
                "{} of clients refused, {} for the host (key max-in-queue)",
                events(count),
                wait(waiting)
            );
        }
    }

    /// Notes an event of a client that a hanging host does not get.
    pub(super) fn note_hanging(&self, waiting: usize) {
        self.counters.dropped_hanging.add(1);
        if let Some(count) = self.hanging.allow(1, Instant::now()) {
            tracing::warn!(
                "{} of clients did not reach the host, which takes none: {} for it; clients and \
                 CAN buses get them",
                events(count),
                wait(waiting)
            );
        }
    }

    /// Notes an event of a client that was refused for its size.
    pub(super) fn note_too_large(&self, client: u32, bytes: usize) {
        self.counters.refused_large.add(1);
        if let Some(count) = self.too_large.allow(1, Instant::now()) {
            tracing::warn!(
                "{} refused, the host takes at most {} data bytes (key host-max-data): client \
                 {client} sent {bytes}",
                events(count),
                self.host_max_data
            );
        }
    }

    /// Notes an event of a client that was refused for its date.
    pub(super) fn note_wrong_date(&self, client: u32) {
        self.counters.refused_date.add(1);
        if let Some(count) = self.wrong_date.allow(1, Instant::now()) {
            tracing::warn!(
                "{} refused, the host takes dates from 1970 to 2554 only: client {client}",
                events(count)
            );
        }
    }

    /// Notes events of a bus that the host did not get, `full` for lack of room.
    pub(super) fn note_not_given(&self, full: u64, too_large: u64, waiting: usize) {
        self.counters.can_not_to_host.add(full);
        self.counters.can_too_large.add(too_large);
        let lost = full + too_large;
        if let Some(count) = self.bus_events.allow(lost, Instant::now()) {
            tracing::warn!(
                "{} of CAN buses did not reach the host: {} for it (key max-in-queue), and it takes \
                 at most {} data bytes (key host-max-data)",
                events(count),
                wait(waiting),
                self.host_max_data
            );
        }
    }

    /// Notes a command to the driver that there was no room for.
    pub(super) fn note_command(&self) {
        self.counters.dropped_own.add(1);
        self.commands.fetch_add(1, Relaxed);
    }

    /// Logs how many commands were dropped. The threads of the host, which bring them, have no log.
    pub(super) fn log_commands(&self) {
        let dropped = self.commands.swap(0, Relaxed);
        if dropped > 0
            && let Some(count) = self.too_many_commands.allow(dropped, Instant::now())
        {
            tracing::warn!(
                "{} to the driver dropped: they come faster than they are carried out",
                Counted(count, "command")
            );
        }
    }

    /// Notes a reply that the host has no room for.
    pub(super) fn note_reply(&self, waiting: usize) {
        self.counters.dropped_own.add(1);
        if let Some(count) = self.replies.allow(1, Instant::now()) {
            tracing::warn!(
                "{} of the driver dropped: {} for the host (key max-in-queue)",
                match count {
                    1 => "1 reply".to_owned(),
                    _ => format!("{count} replies"),
                },
                wait(waiting)
            );
        }
    }
}

fn events(count: u64) -> Counted {
    Counted(count, "event")
}

/// Says how many events wait: "1 event waits", "2 events wait".
fn wait(waiting: usize) -> String {
    let verb = if waiting == 1 { "waits" } else { "wait" };
    format!("{} {verb}", events(waiting as u64))
}

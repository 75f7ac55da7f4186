//! The events that wait for a client.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use smallvec::SmallVec;

use super::ClientLabel;
use crate::{
    event::Event,
    hub::batch::{Batch, BatchMemory, Endpoint},
    metrics::Counters,
    short_queue::ShortQueue,
    wording::Counted,
};

/// The limits of a backlog.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BacklogLimits {
    /// Events for one client.
    pub events: usize,
    /// Bytes for one client.
    pub bytes: usize,
    /// Bytes for all clients of the driver together.
    pub total_bytes: usize,
}

/// The state that the backlogs of a driver share.
#[derive(Debug)]
pub(crate) struct Backlogs {
    limits: BacklogLimits,
    memory: Arc<BatchMemory>,
    /// Backlogs that are not empty.
    holders: AtomicUsize,
    counters: Arc<Counters>,
}

impl Backlogs {
    /// Makes the state for clients whose batches are counted in `memory`.
    pub(crate) fn new(
        limits: BacklogLimits,
        memory: Arc<BatchMemory>,
        counters: Arc<Counters>,
    ) -> Arc<Self> {
        Arc::new(Self {
            limits,
            memory,
            holders: AtomicUsize::new(0),
            counters,
        })
    }

    /// Returns the bytes that each client may keep now: its own limit while all batches together
    /// are within `total_bytes`, and else an equal share of that. Batches that several clients
    /// refer to are counted once.
    fn share(&self) -> usize {
        let BacklogLimits {
            bytes, total_bytes, ..
        } = self.limits;
        if self.memory.used() <= total_bytes {
            return bytes;
        }
        bytes.min(total_bytes / self.holders.load(Relaxed).max(1))
    }
}

/// The events that wait for one client: references into batches that all clients share.
///
/// It is limited in events and bytes. If it is full, a client that takes events loses the oldest
/// ones; for a client that does not take any yet, the new ones are dropped. Only events that the
/// client would have received count as lost. The first loss is logged, and the number of lost
/// events when the client has caught up.
#[derive(Debug)]
pub(crate) struct Backlog {
    /// The number of the client.
    client: ClientLabel,
    all: Arc<Backlogs>,
    runs: ShortQueue<Run>,
    events: usize,
    bytes: usize,
    /// Events lost since the client last kept up, and how.
    lost: Option<(Overflow, u64)>,
}

/// Neighbouring events of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// The batch.
    pub batch: Arc<Batch>,
    /// The index of the first of them.
    pub from: usize,
    /// The index behind the last of them.
    pub to: usize,
    /// Its share of the backlog's bytes.
    bytes: usize,
}

impl Run {
    /// Returns how many events it has.
    pub(crate) fn len(&self) -> usize {
        self.to - self.from
    }

    /// Returns whether it has none.
    pub(crate) fn is_empty(&self) -> bool {
        self.from == self.to
    }
}

/// The events to drop when the backlog is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// The oldest: the client takes its events, but too slowly.
    DropsOldest,
    /// Those that come: the client takes none yet.
    DropsNewest,
}

impl Backlog {
    /// Makes an empty backlog.
    pub(crate) fn new(client: ClientLabel, all: Arc<Backlogs>) -> Self {
        Self {
            client,
            all,
            runs: ShortQueue::default(),
            events: 0,
            bytes: 0,
            lost: None,
        }
    }

    /// Adds the events of a batch that are for the client and that it `receives`.
    /// `all` tells that it receives every event.
    pub(crate) fn add(
        &mut self,
        batch: &Arc<Batch>,
        overflow: Overflow,
        all: bool,
        receives: impl Fn(&Event) -> bool,
    ) {
        if all && batch.is_for_all_clients() {
            self.add_ranges(batch, overflow, &[(0, batch.events().len())]);
            return;
        }
        let client = Endpoint::Client(self.client.id);
        let mut ranges = SmallVec::<[(usize, usize); 8]>::new();
        for (index, routed) in batch.events().iter().enumerate() {
            if !routed.is_for(client) || !receives(&routed.event) {
                continue;
            }
            match ranges.last_mut() {
                Some((_, to)) if *to == index => *to += 1,
                _ => ranges.push((index, index + 1)),
            }
        }
        self.add_ranges(batch, overflow, &ranges);
    }

    /// Takes the first run of events.
    pub(crate) fn take(&mut self) -> Option<Run> {
        let run = self.runs.pop_front()?;
        self.subtract(run.len(), run.bytes);
        Some(run)
    }

    /// Takes the first event.
    pub(crate) fn take_event(&mut self) -> Option<Event> {
        let run = self.runs.front_mut()?;
        let event = run.batch.events()[run.from].event.clone();
        run.from += 1;
        let bytes = if run.is_empty() { run.bytes } else { 0 };
        if run.is_empty() {
            self.runs.pop_front();
        }
        self.subtract(1, bytes);
        Some(event)
    }

    /// Returns how many events there are.
    pub(crate) fn len(&self) -> usize {
        self.events
    }

    /// Returns whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Removes all events, and logs what was lost before.
    pub(crate) fn clear(&mut self) {
        self.runs.clear();
        self.subtract(self.events, self.bytes);
        self.note_kept_up();
    }

    /// Counts all events as lost to a client that is closed as too slow.
    pub(crate) fn lose_all(&mut self) {
        self.lose(self.events, Overflow::DropsOldest);
        self.clear();
    }

    /// Counts all events as lost to a client that is gone.
    pub(crate) fn abandon(&mut self) {
        self.all.counters.dropped_gone.add(self.events as u64);
        self.clear();
    }

    /// Logs what was lost, now that the client has taken what there was.
    pub(crate) fn note_kept_up(&mut self) {
        let Some((overflow, count)) = self.lost.take() else {
            return;
        };
        let why = match overflow {
            Overflow::DropsOldest => ", too slow",
            Overflow::DropsNewest => "",
        };
        tracing::warn!("{}: {} dropped{why}", self.client, Counted(count, "event"));
    }

    fn add_ranges(&mut self, batch: &Arc<Batch>, overflow: Overflow, ranges: &[(usize, usize)]) {
        let count: usize = ranges.iter().map(|(from, to)| to - from).sum();
        // If there is no memory for a longer list, it stays as long as it is.
        let no_memory = self.runs.try_reserve(ranges.len()).is_err();
        if overflow == Overflow::DropsNewest {
            let room = if no_memory {
                0
            } else {
                self.room(batch, count)
            };
            self.add_first(batch, ranges, room);
            self.lose(count - room, overflow);
        } else {
            if no_memory {
                let dropped = ranges.iter().map_while(|_| self.take());
                let lost = dropped.map(|run| run.len()).sum();
                self.lose(lost, overflow);
            }
            self.add_first(batch, ranges, count);
            self.drop_oldest();
        }
    }

    /// Returns how many of `count` events of the batch fit.
    fn room(&self, batch: &Batch, count: usize) -> usize {
        if self.bytes + batch.weight() > self.all.share() {
            return 0;
        }
        count.min(self.all.limits.events.saturating_sub(self.events))
    }

    /// Adds the first `count` of the events in `ranges`.
    fn add_first(&mut self, batch: &Arc<Batch>, ranges: &[(usize, usize)], count: usize) {
        if count * 4 < batch.events().len() {
            // A few events get a batch of their own, so that the rest of theirs can be freed.
            let indices = ranges.iter().flat_map(|&(from, to)| from..to).take(count);
            if count > 0 {
                let batch = Arc::new(batch.only(indices));
                let bytes = batch.weight();
                self.add_run(&batch, 0, count, bytes);
            }
            return;
        }
        // The last run keeps the batch in memory for the longest time, so it counts all its bytes.
        let mut left = count;
        for &(from, to) in ranges {
            let to = to.min(from + left);
            left -= to - from;
            let bytes = if left == 0 { batch.weight() } else { 0 };
            self.add_run(batch, from, to, bytes);
            if left == 0 {
                return;
            }
        }
    }

    fn add_run(&mut self, batch: &Arc<Batch>, from: usize, to: usize, bytes: usize) {
        if self.is_empty() {
            self.all.holders.fetch_add(1, Relaxed);
        }
        self.events += to - from;
        self.bytes += bytes;
        self.all.counters.kept.raise(to - from);
        self.runs.push_back(Run {
            batch: batch.clone(),
            from,
            to,
            bytes,
        });
    }

    /// Drops the oldest events until what is left is within the limits.
    fn drop_oldest(&mut self) {
        let share = self.all.share();
        let max_events = self.all.limits.events;
        while self.bytes > share || self.events > max_events {
            let over = self.events.saturating_sub(max_events);
            let Some(run) = self.runs.front_mut() else {
                return;
            };
            let lost = if self.bytes <= share && over < run.len() {
                run.from += over;
                self.subtract(over, 0);
                over
            } else {
                self.take().map_or(0, |run| run.len())
            };
            self.lose(lost, Overflow::DropsOldest);
        }
    }

    fn subtract(&mut self, events: usize, bytes: usize) {
        if events == 0 {
            return;
        }
        self.events -= events;
        self.bytes -= bytes;
        self.all.counters.kept.lower(events);
        if self.events == 0 {
            self.all.holders.fetch_sub(1, Relaxed);
        }
    }

    fn lose(&mut self, count: usize, overflow: Overflow) {
        if count == 0 {
            return;
        }
        let Backlog { client, events, .. } = self;
        if self.lost.is_none() {
            match overflow {
                Overflow::DropsOldest => {
                    tracing::warn!("{client}: takes its events too slowly, the oldest are dropped")
                }
                Overflow::DropsNewest => tracing::warn!(
                    "{client}: {} kept until it takes them, newer ones are dropped (key \
                     max-client-queue-size)",
                    Counted(*events as u64, "event")
                ),
            }
        }
        self.lost.get_or_insert((overflow, 0)).1 += count as u64;
        let counters = &self.all.counters;
        match overflow {
            Overflow::DropsOldest => counters.dropped_slow.add(count as u64),
            Overflow::DropsNewest => counters.dropped_closed.add(count as u64),
        }
    }
}

/// Counts the events that are lost because the client is gone.
impl Drop for Backlog {
    fn drop(&mut self) {
        self.abandon();
    }
}

#[cfg(test)]
mod tests;

//! The thread that fills the store.

use std::{
    io,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use parking_lot::Mutex;
use tracing::dispatcher;

use super::{
    Settings, State,
    clock::SteadyClock,
    opened::Opened,
    queue::{Queue, Record, Wake},
    store::{Failure, Location, Store, StoreError},
};
use crate::{
    event::time::unix_ns_now,
    metrics::{Counters, LogLimit},
    thread,
    wording::Counted,
};

/// The stack of the thread. SQLite needs little, and all stacks together must not be large.
const STACK_SIZE: usize = thread::STACK_SIZE / 2;

/// How long records are gathered before they are written together.
const GATHER: Duration = Duration::from_secs(1);

/// Records that are taken at a time.
const MAX_BATCH: usize = 4096;

/// Bytes of one transaction, so that it fits into a small store.
const MAX_BYTES: usize = 1 << 17;

/// The time between two writes of the state if nothing comes that is stored.
const SAVE_INTERVAL: Duration = Duration::from_secs(60);

/// The time between two looks for what is too old.
const CLEANING_INTERVAL: Duration = Duration::from_secs(600);

/// The time between two steps of removing, while there is more to remove.
const STEP_INTERVAL: Duration = Duration::from_millis(200);

/// The time until a store that fails is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// The thread of the writer, seen from outside.
#[derive(Debug)]
pub(super) struct WriterThread {
    /// Disconnected when the thread ends.
    ended: Receiver<()>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl WriterThread {
    /// Starts a thread that stores what comes out of the queue. It logs what the caller's thread
    /// logs to. Fails if the system gives no thread.
    pub(super) fn start(
        location: Location,
        opened: Arc<Opened>,
        settings: &Settings,
        queue: Arc<Queue>,
        state: Arc<State>,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        let writer = Writer::new(location, opened, settings.clone(), queue, state, counters);
        let log = dispatcher::get_default(Clone::clone);
        let (running, ended) = crossbeam_channel::bounded::<()>(0);
        let builder = thread::builder("websocksrv-history").stack_size(STACK_SIZE);
        let handle = builder.spawn(move || {
            thread::block_signals();
            dispatcher::with_default(&log, || writer.run());
            drop(running);
        })?;
        Ok(Self {
            ended,
            handle: Mutex::new(Some(handle)),
        })
    }

    /// Waits until the thread has ended, at most `limit`. A disk that does not answer may keep it;
    /// it ends when the disk does.
    pub(super) fn wait_until_ended(&self, limit: Duration) {
        if self.ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the history is still being written; not waiting for it any longer");
        } else if let Some(handle) = self.handle.lock().take() {
            // An error says that it has panicked.
            let _ = handle.join();
        }
    }
}

/// Fills the store.
#[derive(Debug)]
struct Writer {
    location: Location,
    /// Is told when the store is open.
    opened: Arc<Opened>,
    settings: Settings,
    queue: Arc<Queue>,
    state: Arc<State>,
    counters: Arc<Counters>,
    /// `None` until it can be opened.
    store: Option<Store>,
    /// True if the state that was stored has been read.
    is_restored: bool,
    /// True if the last write has failed.
    is_failing: bool,
    /// Records that are written next.
    batch: Vec<Record>,
    /// Counts the records that were written. [`MAX_BATCH`] of them lead to a removal of old rows,
    /// and the count begins anew.
    written: usize,
    /// When the state is saved next, even if no records are written.
    save_at: Instant,
    /// When old rows are removed next.
    clean_at: Instant,
    clock: SteadyClock,
    /// Limits the lines about failures.
    failures: LogLimit,
}

impl Writer {
    fn new(
        location: Location,
        opened: Arc<Opened>,
        settings: Settings,
        queue: Arc<Queue>,
        state: Arc<State>,
        counters: Arc<Counters>,
    ) -> Self {
        let now = Instant::now();
        Self {
            location,
            opened,
            settings,
            queue,
            state,
            counters,
            store: None,
            is_restored: false,
            is_failing: false,
            batch: Vec::new(),
            written: 0,
            save_at: now + SAVE_INTERVAL,
            clean_at: now,
            clock: SteadyClock::new(now, unix_ms()),
            failures: LogLimit::default(),
        }
    }

    fn run(mut self) {
        // The stored state is shown without waiting for the first event.
        let mut failed = self.work(Instant::now()).is_err();
        loop {
            if failed && self.queue.pause(Instant::now() + RETRY) {
                break;
            }
            let due = self.save_at.min(self.clean_at);
            if !failed && self.queue.wait(due, GATHER) == Wake::Closed {
                break;
            }
            failed = self.work(Instant::now()).is_err();
        }
        self.finish();
    }

    /// Writes a batch, and does what it is time for. An error has been logged.
    fn work(&mut self, now: Instant) -> Result<(), ()> {
        let done = self.try_work(now);
        done.map_err(|error| self.note_failure(&error))
    }

    fn try_work(&mut self, now: Instant) -> Result<(), StoreError> {
        if self.queue.take_report() {
            return Err(StoreError::FoundBroken);
        }
        self.open()?;
        // Before anything is written: it may be that there is no room.
        if now >= self.clean_at {
            self.remove_old(now)?;
        }
        self.write_batch()?;
        if now >= self.save_at {
            self.save_at = now + SAVE_INTERVAL;
            self.save()?;
        }
        if std::mem::take(&mut self.is_failing) {
            tracing::info!("{} is written again", self.location);
        }
        Ok(())
    }

    /// Opens the store if it is not open, or not at its place any more, and reads the state that it
    /// has.
    fn open(&mut self) -> Result<(), StoreError> {
        if let Some(store) = &self.store {
            if !store.is_gone(&self.location) {
                return Ok(());
            }
            self.note_failure(&StoreError::Gone);
            self.state.mark_changed();
        }
        let store = Store::open(&self.location, &self.settings)?;
        if !self.is_restored {
            self.state.restore(store.saved()?);
            self.is_restored = true;
        }
        self.store = Some(store);
        self.opened.set();
        Ok(())
    }

    fn remove_old(&mut self, now: Instant) -> Result<(), StoreError> {
        let time = self.clock.check(now, unix_ms());
        if let Some(store) = &mut self.store {
            self.clean_at = now
                + match store.remove_old(time)? {
                    true => STEP_INTERVAL,
                    false => CLEANING_INTERVAL,
                };
        }
        Ok(())
    }

    /// Writes the records that wait, at most [`MAX_BATCH`], and the state that they have changed.
    /// Those that cannot be written are kept.
    fn write_batch(&mut self) -> Result<(), StoreError> {
        if self.batch.is_empty() {
            self.queue.take(MAX_BATCH, &mut self.batch);
        }
        // The state is saved first, since it tells who may see the values. So if the process is
        // killed between the two, there is no stored value without it.
        if !self.batch.is_empty() {
            self.save()?;
        }
        while let Some(store) = &mut self.store {
            let part = &self.batch[..first_part(&self.batch)];
            if part.is_empty() {
                break;
            }
            store.write(part)?;
            let is_value = |record: &&Record| matches!(record, Record::Value(_));
            let (count, values) = (part.len(), part.iter().filter(is_value).count());
            self.counters.history_values.add(values as u64);
            self.counters.history_events.add((count - values) as u64);
            self.batch.drain(..count);
            // Old records are removed as fast as new ones come.
            self.written += count;
            if self.written >= MAX_BATCH {
                self.written = 0;
                self.clean_at = self.clean_at.min(Instant::now());
            }
        }
        Ok(())
    }

    /// Stores what has changed of the state. Does nothing if the store is in memory: it would be
    /// lost together with the state.
    fn save(&mut self) -> Result<(), StoreError> {
        let (Some(store), Location::File(_)) = (&mut self.store, &self.location) else {
            return Ok(());
        };
        loop {
            let changed = self.state.take_changed();
            if changed.sensors.is_empty() && changed.kinds.is_empty() {
                return Ok(());
            }
            store
                .save(&changed)
                .inspect_err(|_| self.state.mark_changed())?;
        }
    }

    /// Counts and logs an error. A broken file is moved aside, so that a new one can be begun.
    fn note_failure(&mut self, error: &StoreError) {
        self.counters.history_failures.add(1);
        self.is_failing = true;
        self.clean_at = Instant::now();
        if let Some(repeats) = self.failures.allow_line() {
            tracing::error!(
                "{} failed: {error}; it is tried again{repeats}",
                self.location
            );
        }
        // All that is in memory would be gone with the connection.
        if matches!(self.location, Location::File(_)) {
            self.store = None;
        }
        if error.failure() != Failure::Broken {
            return;
        }
        match self.location.move_aside() {
            Ok(Some(aside)) => {
                tracing::error!(
                    "{} is broken: moved to {}, a new one is begun",
                    self.location,
                    aside.display()
                );
                self.is_restored = true;
                self.state.mark_changed();
            }
            Ok(None) => {}
            Err(error) => tracing::error!(
                "{} is broken and cannot be moved aside: {error}",
                self.location
            ),
        }
    }

    /// Writes all that waits, if it can be written.
    fn finish(mut self) {
        let finish = |writer: &mut Self| -> Result<(), StoreError> {
            writer.open()?;
            loop {
                writer.write_batch()?;
                writer.queue.take(MAX_BATCH, &mut writer.batch);
                if writer.batch.is_empty() {
                    return writer.save();
                }
            }
        };
        if let Err(error) = finish(&mut self) {
            self.note_failure(&error);
            self.queue.take(usize::MAX, &mut self.batch);
            let lost = self.batch.len() as u64;
            self.counters.history_lost.add(lost);
            tracing::error!(
                "{}: {} could not be stored at the end",
                self.location,
                Counted(lost, "event")
            );
        }
    }
}

/// Returns how many of the first records are written together.
fn first_part(records: &[Record]) -> usize {
    let mut bytes = 0;
    let fits = |record: &&Record| {
        bytes += match record {
            Record::Value(_) => size_of::<Record>(),
            Record::Event(record) => size_of::<Record>() + record.event.data.len(),
        };
        bytes <= MAX_BYTES
    };
    records.iter().take_while(fits).count()
}

/// Returns the milliseconds since 1970.
fn unix_ms() -> i64 {
    // Far from the end of 64 bits.
    (unix_ns_now() / 1_000_000) as i64
}

#[cfg(test)]
mod tests;

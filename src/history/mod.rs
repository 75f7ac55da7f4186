//! The state and the past of the bus: the last value of each sensor, the last events of each node,
//! and the values and events of the last days.
//!
//! The `recorder` is a reader of the hub. It records the events, within the rate limit of its
//! [`allowance`]: it updates the [`state`] in memory, and puts what is to be stored into a
//! [`queue`] of limited length. The thread of the `writer` moves that from the queue to the
//! [`store`], which is SQLite, in a file or in memory. No other thread waits for its writes.
//! Queries read the store on the thread of the caller, with a connection of their own.

mod allowance;
mod clock;
mod opened;
mod queue;
mod recorder;
mod sensor;
mod settings;
mod state;
mod store;
mod writer;

use std::{sync::Arc, time::Duration};

pub use self::settings::{Place, Settings};
use self::{
    opened::Opened,
    queue::Queue,
    recorder::Recorder,
    store::{Location, reader},
    writer::WriterThread,
};
pub(crate) use self::{
    sensor::Sensor,
    state::{Access, Heartbeat, LastEvent, NodeView, Origin, SensorView, State},
    store::{EventQuery, QueryError, Series, SeriesQuery, Step, StoredEvent},
};
use crate::{
    hub::{Hub, batch::Endpoint},
    metrics::Counters,
};

/// How long a query waits for a store that is not open yet.
const OPEN_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a query may take.
const QUERY_TIMEOUT: Duration = Duration::from_secs(3);

/// The largest number of queries that read the store at the same time.
pub(crate) const MAX_QUERIES: usize = 2;

/// The state and the history of one driver.
#[derive(Debug)]
pub(crate) struct History {
    state: Arc<State>,
    /// `None` if nothing is stored.
    stored: Option<Stored>,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Stored {
    queue: Arc<Queue>,
    location: Location,
    opened: Arc<Opened>,
    writer: WriterThread,
}

impl History {
    /// Makes an empty history, which shows the values of `max_shown` sensors on the page of
    /// metrics, and starts to read what is stored already. Without `settings` nothing is stored.
    pub(crate) fn start(
        settings: Option<Settings>,
        max_shown: usize,
        counters: &Arc<Counters>,
    ) -> std::io::Result<Self> {
        let state = Arc::new(State::new(max_shown));
        let stored = settings.map(|settings| -> std::io::Result<Stored> {
            let queue = Arc::new(Queue::default());
            let location = Location::new(&settings.place);
            let opened = Arc::new(Opened::default());
            let writer = WriterThread::start(
                location.clone(),
                opened.clone(),
                &settings,
                queue.clone(),
                state.clone(),
                counters.clone(),
            )?;
            Ok(Stored {
                queue,
                location,
                opened,
                writer,
            })
        });
        Ok(Self {
            state,
            stored: stored.transpose()?,
            counters: counters.clone(),
        })
    }

    /// Returns true if events are to be recorded: something is stored, or shown on the page of
    /// metrics.
    pub(crate) fn is_wanted(&self) -> bool {
        self.is_stored() || self.state.max_shown() > 0
    }

    /// Returns true if what happens is stored.
    pub(crate) fn is_stored(&self) -> bool {
        self.stored.is_some()
    }

    /// Records the events of a hub, from the call on until the hub is closed.
    pub(crate) fn record(&self, hub: &Hub) -> impl Future<Output = ()> + use<> {
        let queue = self.stored.as_ref().map(|stored| stored.queue.clone());
        let recorder = Recorder::new(self.state.clone(), queue, self.counters.clone());
        recorder.run(hub.subscribe(Endpoint::Monitor))
    }

    /// Returns the last values and events.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Reads what a sensor has measured. Blocks.
    pub(crate) fn series(&self, query: &SeriesQuery) -> Result<Series, QueryError> {
        let stored = self.stored.as_ref().ok_or(QueryError::Off)?;
        stored.opened.wait(OPEN_TIMEOUT);
        let series = reader::series(&stored.location, query, QUERY_TIMEOUT);
        stored.note_result(&series);
        series
    }

    /// Reads events that were stored, the newest first. Blocks.
    pub(crate) fn events(
        &self,
        query: &EventQuery,
        may_see: impl FnMut(&StoredEvent) -> bool,
    ) -> Result<Vec<StoredEvent>, QueryError> {
        let stored = self.stored.as_ref().ok_or(QueryError::Off)?;
        stored.opened.wait(OPEN_TIMEOUT);
        let events = reader::events(&stored.location, query, may_see, QUERY_TIMEOUT);
        stored.note_result(&events);
        events
    }

    /// Has the writer store the records that are queued, and waits until its thread has ended, at
    /// most `limit`. Blocks.
    pub(crate) fn close(&self, limit: Duration) {
        if let Some(stored) = &self.stored {
            stored.queue.close();
            stored.writer.wait_until_ended(limit);
        }
    }
}

impl Stored {
    /// Has the writer move the file aside if a query has found it broken.
    fn note_result<T>(&self, result: &Result<T, QueryError>) {
        if let Err(QueryError::Store(error)) = result
            && store::is_broken(error)
        {
            self.queue.report_broken();
        }
    }
}

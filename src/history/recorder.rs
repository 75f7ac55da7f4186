//! The reader of the hub that fills state and queue.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{
    Origin, Sensor, State,
    allowance::Allowance,
    queue::{EventRecord, Queue, Record, ValueRecord},
    state::{Seen, Timestamps},
};
use crate::{
    event::time::unix_ns_now,
    hlo,
    hub::{
        Subscription,
        batch::{Batch, Endpoint, Routed},
    },
    metrics::{Counters, LogLimit},
    wording::Counted,
};

/// The largest number of batches that are taken at a time, and how often they are taken before
/// other tasks run.
const MAX_BATCHES: usize = 16;
const MAX_ROUNDS: usize = 4;

/// How long no events are read after some that came too fast.
const REST: Duration = Duration::from_millis(50);

/// Looks at the events of a hub.
#[derive(Debug)]
pub(super) struct Recorder {
    state: Arc<State>,
    /// `None` if nothing is stored.
    queue: Option<Arc<Queue>>,
    counters: Arc<Counters>,
    allowance: Allowance,
    batches: Vec<Arc<Batch>>,
    records: Vec<Record>,
    /// Limit the lines about what is not recorded.
    passed_over: LogLimit,
    queue_full: LogLimit,
}

/// Why no events are read at the moment.
enum Pause {
    /// Some came too fast.
    Rest,
    /// The hub is closed.
    End,
}

impl Recorder {
    /// Makes a recorder, which stores nothing if there is no queue.
    pub(super) fn new(
        state: Arc<State>,
        queue: Option<Arc<Queue>>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            state,
            queue,
            counters,
            allowance: Allowance::new(Instant::now()),
            batches: Vec::new(),
            records: Vec::new(),
            passed_over: LogLimit::default(),
            queue_full: LogLimit::default(),
        }
    }

    /// Records the events of a subscription until its hub is closed.
    pub(super) async fn run(mut self, mut subscription: Subscription) {
        while let Pause::Rest = poll_fn(|context| self.poll(context, &subscription)).await {
            subscription.pause();
            sleep(REST).await;
            self.note_passed_over(subscription.resume(), Instant::now());
        }
    }

    fn poll(&mut self, context: &mut Context<'_>, subscription: &Subscription) -> Poll<Pause> {
        for _ in 0..MAX_ROUNDS {
            let mut batches = std::mem::take(&mut self.batches);
            let taken = subscription.poll_take(context, MAX_BATCHES, &mut batches);
            let passed_over = self.record(&batches);
            batches.clear();
            self.batches = batches;
            if passed_over {
                return Poll::Ready(Pause::Rest);
            }
            if taken.is_pending() {
                return match subscription.has_ended() {
                    true => Poll::Ready(Pause::End),
                    false => Poll::Pending,
                };
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Records the events of batches, but for those that come too fast. Returns true if there are
    /// such events.
    fn record(&mut self, batches: &[Arc<Batch>]) -> bool {
        if batches.is_empty() {
            return false;
        }
        let moment = Timestamps {
            instant: Instant::now(),
            // Far from the end of 64 bits.
            time: (unix_ns_now() / 1_000_000) as i64,
        };
        let mut passed_over = 0;
        for batch in batches {
            let events = batch.events();
            // An allocation that fails would end the host.
            let has_room = self.records.try_reserve(events.len()).is_ok();
            if !has_room || !self.allowance.take(events.len(), moment.instant) {
                passed_over += events.len() as u64;
                continue;
            }
            let mut state = self.state.update(moment);
            for routed in events {
                if routed.is_for(Endpoint::Monitor) && routed.event.class != hlo::CLASS {
                    let record = note(&mut state, routed, moment);
                    self.records.extend(record.filter(|_| self.queue.is_some()));
                }
            }
        }
        self.store();
        self.note_passed_over(passed_over, moment.instant);
        self.state.log_refused(moment.instant);
        passed_over > 0
    }

    fn store(&mut self) {
        let Some(queue) = &self.queue else { return };
        if self.records.is_empty() {
            return;
        }
        let dropped = queue.push(&mut self.records) as u64;
        if dropped == 0 {
            return;
        }
        self.counters.history_queue_full.add(dropped);
        if let Some(count) = self.queue_full.allow(dropped, Instant::now()) {
            tracing::warn!(
                "{} not stored in the history: more wait than there is room for",
                Counted(count, "event")
            );
        }
    }

    fn note_passed_over(&self, count: u64, now: Instant) {
        if count == 0 {
            return;
        }
        self.counters.history_passed_over.add(count);
        if let Some(count) = self.passed_over.allow(count, now) {
            tracing::warn!(
                "{} not looked at for the history: they come faster than it follows",
                Counted(count, "event")
            );
        }
    }
}

/// Updates the state by an event. Returns what is to be stored of it: nothing of a measurement of a
/// sensor that there is no room for.
fn note(
    state: &mut super::state::Update<'_>,
    routed: &Routed,
    moment: Timestamps,
) -> Option<Record> {
    let Routed { event, origin } = routed;
    let seen = Seen {
        event,
        origin: Origin::of(*origin),
    };
    state.note_event(seen);
    let Timestamps { time, .. } = moment;
    if let Some((sensor, value)) = Sensor::of(event) {
        let is_known = state.note_value(sensor, value, seen);
        return is_known.then_some(Record::Value(ValueRecord {
            sensor,
            time,
            value,
        }));
    }
    Some(Record::Event(Box::new(EventRecord {
        time,
        origin: Origin::of(*origin),
        event: event.clone(),
    })))
}

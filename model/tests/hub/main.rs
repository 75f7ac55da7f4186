//! The hub under loom: small situations in every order of their steps, within a bound.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod close;
mod delivery;
mod host;
mod room;
mod task;

use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use hub_model::{
    event::{Event, Filter, Guid, Layout, text},
    hub::{
        Hub, NotAccepted, RingLimits, Settings, Subscription,
        batch::{Batch, Endpoint},
    },
    sync::block_on,
};
use loom::{
    model::Builder,
    thread::{self, JoinHandle},
};

/// How often, in one run, a thread is interrupted that could go on. Few faults need more.
const PREEMPTIONS: usize = 2;

/// Runs `model` in every order of its steps.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.max_branches = 10_000;
    builder.check(model);
}

/// Limits that a few events reach.
const NARROW: RingLimits = RingLimits {
    batch: 2,
    host: 2,
    others: 3,
    weight: usize::MAX,
    woken_directly: 64,
};

fn hub(ring: RingLimits) -> Arc<Hub> {
    hub_with(ring, 100)
}

fn hub_with(ring: RingLimits, host_queue: usize) -> Arc<Hub> {
    let settings = Settings {
        guid: Guid::ZERO,
        rx_filter: Filter::default(),
        host_max_data: 512,
        layout: Layout::Classic,
        echo_filter: false,
        host_queue,
        ring,
    };
    let (commands, _) = tokio::sync::mpsc::channel(1);
    Arc::new(Hub::new(settings, Arc::default(), commands))
}

/// An event with a number, which is its time stamp.
fn event(number: u32) -> Event {
    // Parsing is no step of the model, but it would be done in each of its runs.
    static EVENT: Mutex<Option<Event>> = Mutex::new(None);
    let mut event = EVENT.lock().unwrap();
    let mut event = event
        .get_or_insert_with(|| text::parse("0,20,3,0,,1,-").unwrap())
        .clone();
    event.timestamp = number;
    event
}

/// Starts a thread of the host, or of the runtime with one task on it.
fn spawn<T: Send + 'static>(
    hub: &Arc<Hub>,
    work: impl FnOnce(&Hub) -> T + Send + 'static,
) -> JoinHandle<T> {
    let hub = hub.clone();
    let thread = thread::Builder::new().stack_size(256 * 1024);
    thread.spawn(move || work(&hub)).unwrap()
}

/// Has a client send an event, as its task does: that waits while the hub has no room.
fn send(hub: &Hub, client: u32, number: u32) -> Result<(), NotAccepted> {
    let clock = hub.batch_clock();
    let mut waiting = Some(event(number));
    block_on(|context| hub.poll_accept(context, client, &mut waiting, &clock))
}

/// Has a bus bring events.
fn bring(hub: &Hub, bus: usize, numbers: &[u32]) {
    let mut events = numbers.iter().map(|number| event(*number)).collect();
    block_on(|context| hub.poll_bus(context, bus, &mut events)).unwrap();
}

/// An event that somebody got: where it came from, and its number.
type Got = (Endpoint, u32);

/// What a reader has taken.
struct Reader {
    subscription: Subscription,
    batches: Vec<Arc<Batch>>,
    got: Vec<Got>,
}

impl Reader {
    fn new(hub: &Hub, endpoint: Endpoint) -> Self {
        Self {
            subscription: hub.subscribe(endpoint),
            batches: Vec::new(),
            got: Vec::new(),
        }
    }

    /// Takes all that is there.
    fn take(&mut self, context: &Context<'_>) {
        while self
            .subscription
            .poll_take(context, 1, &mut self.batches)
            .is_ready()
        {
            for batch in self.batches.drain(..) {
                let events = batch.events().iter();
                let got = events.map(|routed| (routed.origin, routed.event.timestamp));
                self.got.extend(got);
            }
        }
    }

    /// Polls until it has so many events.
    fn wait_for(mut self, count: usize) -> Vec<Got> {
        block_on(|context| {
            self.take(context);
            match self.got.len() < count {
                true => Poll::Pending,
                false => Poll::Ready(()),
            }
        });
        self.got
    }

    /// Polls until the hub is closed and there is nothing more.
    fn wait_for_end(mut self) -> Vec<Got> {
        block_on(|context| {
            self.take(context);
            match self.subscription.has_ended() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        });
        self.got
    }
}

/// Checks that `got` is all of `sent`, each once, those of each origin in their order.
fn assert_all(got: &[Got], sent: &[(Endpoint, &[u32])]) {
    let count: usize = sent.iter().map(|(_, numbers)| numbers.len()).sum();
    assert_eq!(got.len(), count, "{got:?}");
    for (origin, numbers) in sent {
        assert_eq!(numbers_of(got, *origin), *numbers, "{origin:?}");
    }
}

fn numbers_of(got: &[Got], origin: Endpoint) -> Vec<u32> {
    let of_origin = got.iter().filter(|(from, _)| *from == origin);
    of_origin.map(|(_, number)| *number).collect()
}

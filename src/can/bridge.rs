//! The task of one bus: moves events between hub and port.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use nix::errno::Errno;
use tokio::{
    sync::watch,
    time::{Sleep, sleep},
};

use super::{
    frame::Frame,
    life::{Life, Netdev},
    map::{self, KernelFilter, NotMapped},
    port::{Options, Pass, Progress},
};
use crate::{
    config::Bus,
    event::{Event, Guid},
    hub::{
        Hub, Subscription,
        batch::{Batch, Endpoint},
    },
    metrics::{Burst, Counters},
};

/// Batches that are taken from the hub at once.
const BATCHES_AT_ONCE: usize = 16;

/// System calls that write before events are taken and frames are read again.
const WRITES_AT_ONCE: usize = 4;

/// Rounds after which other tasks get their turn.
const ROUNDS: usize = 8;

/// Times to wait for room in the queue of an interface: frames of 1 ms, then longer.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

/// What all buses of a driver share.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Where events come from and go to.
    pub hub: Arc<Hub>,
    /// What is counted.
    pub counters: Arc<Counters>,
}

/// Exchanges events between a bus and the hub, until the hub is closed and what it had for the
/// bus is sent; `settings` may change meanwhile. `index` is the number of the bus in this driver, `guid` the GUID of its interface.
/// Events that the hub gets from now on are kept for the bus.
pub fn run(
    shared: Shared,
    index: usize,
    mut settings: watch::Receiver<Bus>,
    guid: Guid,
) -> impl Future<Output = ()> + Send {
    let subscription = shared.hub.subscribe(Endpoint::Bus(index));
    async move {
        let bus = settings.borrow_and_update().clone();
        let life = life_of(&bus, &guid);
        let mut bridge = Bridge::new(shared, index, bus, guid, life, subscription);
        loop {
            tokio::select! {
                () = poll_fn(|context| bridge.poll(context)) => return,
                Ok(()) = settings.changed() => {
                    let bus = settings.borrow_and_update().clone();
                    bridge.change(bus);
                }
            }
        }
    }
}

/// The life of a bus with these settings, from its beginning.
fn life_of(bus: &Bus, guid: &Guid) -> Life {
    let interface = Box::new(Netdev::new(bus.interface.clone()));
    let options = Options {
        fd: bus.fd,
        filter: kernel_filter(bus, guid),
    };
    let name = bus.interface.clone();
    Life::new(name, interface, options, bus.restart_delay)
}

struct Bridge {
    shared: Shared,
    index: usize,
    bus: Bus,
    guid: Guid,
    life: Life,
    subscription: Subscription,
    /// For the bus.
    queue: VecDeque<Frame>,
    /// For the hub.
    received: VecDeque<Event>,
    /// Whether the hub takes nothing any more.
    closing: bool,
    pause: Pause,
    bursts: Bursts,
    /// Empty between calls; kept for their memory.
    batches: Vec<Arc<Batch>>,
    frames: Vec<(Frame, u64)>,
}

/// What may happen often.
#[derive(Default)]
struct Bursts {
    refused: Burst,
    full: Burst,
    not_sent: Burst,
    lost: Burst,
}

impl Bridge {
    fn new(
        shared: Shared,
        index: usize,
        bus: Bus,
        guid: Guid,
        life: Life,
        subscription: Subscription,
    ) -> Self {
        Self {
            shared,
            index,
            bus,
            guid,
            life,
            subscription,
            queue: VecDeque::new(),
            received: VecDeque::new(),
            closing: false,
            pause: Pause::new(),
            bursts: Bursts::default(),
            batches: Vec::new(),
            frames: Vec::new(),
        }
    }

    /// Goes on with other settings. Frames that have come are not lost.
    fn change(&mut self, bus: Bus) {
        if (&bus.interface, bus.fd) == (&self.bus.interface, self.bus.fd) {
            self.life.set_filter(kernel_filter(&bus, &self.guid));
        } else {
            if let Some(port) = self.life.receiver() {
                let progress = port.take_rest(&mut self.frames);
                self.take_frames(progress);
            }
            self.life = life_of(&bus, &self.guid);
        }
        self.bus = bus;
    }

    /// Handles whatever is there. Ready at the end.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        for _ in 0..ROUNDS {
            let mut more = self.life.poll(context);
            more |= self.poll_events(context);
            more |= self.poll_send(context);
            more |= self.poll_receive(context);
            if more {
                continue;
            }
            let sent = self.queue.is_empty() || self.life.sender().is_none();
            if self.subscription.has_ended() && sent {
                return Poll::Ready(());
            }
            return Poll::Pending;
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Takes events from the hub, always: it is never held back by a bus. Whether there may be
    /// more.
    fn poll_events(&mut self, context: &mut Context<'_>) -> bool {
        let taken = self
            .subscription
            .poll_take(context, BATCHES_AT_ONCE, &mut self.batches);
        let Poll::Ready(passed_over) = taken else {
            return false;
        };
        self.drop_events(passed_over, "too many events for the driver");
        let mut batches = std::mem::take(&mut self.batches);
        let mut full = 0;
        for batch in batches.drain(..) {
            for routed in batch.events() {
                if matches!(routed.origin, Endpoint::Bus(_))
                    || !self.bus.out_filter.passes_event(&routed.event)
                {
                    continue;
                }
                match map::to_frame(&routed.event, &self.guid, self.bus.fd) {
                    Ok(_) if self.queue.len() >= self.bus.queue_size => full += 1,
                    Ok(frame) => self.queue.push_back(frame),
                    Err(why) => self.refuse(&routed.event, why),
                }
            }
        }
        self.batches = batches;
        self.drop_events(full, "the queue is full (key queue-size)");
        true
    }

    fn refuse(&self, event: &Event, why: NotMapped) {
        if !why.is_refusal() {
            return;
        }
        self.shared.counters.can_refused.add(1);
        if let Some(count) = self.bursts.refused.hit(1, Instant::now()) {
            tracing::warn!(
                "CAN bus {}: {count} events refused that fit into no frame: class {}, type {}: {why}",
                self.bus.interface,
                event.class,
                event.kind
            );
        }
    }

    fn drop_events(&self, count: u64, why: &str) {
        if count == 0 {
            return;
        }
        self.shared.counters.can_dropped.add(count);
        if let Some(count) = self.bursts.full.hit(count, Instant::now()) {
            let name = &self.bus.interface;
            tracing::warn!("CAN bus {name}: {count} events dropped: {why}");
        }
    }

    /// Writes frames. Whether there may be more to do.
    fn poll_send(&mut self, context: &mut Context<'_>) -> bool {
        for _ in 0..WRITES_AT_ONCE {
            if self.queue.is_empty() || self.pause.poll(context).is_pending() {
                return false;
            }
            let Some(port) = self.life.sender() else {
                return false;
            };
            let Poll::Ready(sent) = port.poll_send(context, self.queue.iter()) else {
                return false;
            };
            match sent {
                Ok(count) => {
                    self.queue.drain(..count);
                    self.shared.counters.can_sent.add(count as u64);
                    self.pause.reset();
                }
                Err(Errno::ENOBUFS) => self.pause.start(),
                Err(error) if self.life.failed(error) => {}
                Err(error) => self.give_up_frame(error),
            }
        }
        true
    }

    /// Drops the first frame of the queue: the interface does not take it.
    fn give_up_frame(&mut self, error: Errno) {
        let Some(frame) = self.queue.pop_front() else {
            return;
        };
        self.shared.counters.can_refused.add(1);
        if let Some(count) = self.bursts.not_sent.hit(1, Instant::now()) {
            tracing::warn!(
                "CAN bus {}: {count} frames refused by the interface: {}: {frame}",
                self.bus.interface,
                error.desc()
            );
        }
    }

    /// Reads frames and takes their events to the hub. Where that has no room, frames wait in the
    /// kernel. Whether there may be more to do.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> bool {
        if self.closing || !self.poll_deliver(context) {
            return false;
        }
        let Some(port) = self.life.receiver() else {
            return false;
        };
        let progress = match port.poll_receive(context, &mut self.frames) {
            Poll::Pending => return self.life.drained(),
            Poll::Ready(Err(error)) => {
                if !self.life.failed(error) {
                    let name = &self.bus.interface;
                    tracing::error!("CAN bus {name}: cannot read: {}", error.desc());
                    self.life.failed(Errno::ENODEV);
                }
                return true;
            }
            Poll::Ready(Ok(progress)) => progress,
        };
        self.take_frames(progress);
        self.poll_deliver(context);
        true
    }

    /// Makes events of the frames that were read.
    fn take_frames(&mut self, progress: Progress) {
        let counters = &self.shared.counters;
        counters.can_ignored.add(progress.malformed.into());
        self.note_lost(progress.dropped);
        let mut frames = std::mem::take(&mut self.frames);
        for (frame, ns) in frames.drain(..) {
            self.receive(&frame, ns);
        }
        self.frames = frames;
    }

    fn receive(&mut self, frame: &Frame, ns: u64) {
        let counters = &self.shared.counters;
        if frame.error_class().is_some() {
            counters.can_errors.add(1);
            self.life.report(frame);
            return;
        }
        counters.can_received.add(1);
        match map::to_event(frame, self.guid, ns) {
            None => counters.can_ignored.add(1),
            Some(event) if self.bus.filter.passes_event(&event) => self.received.push_back(event),
            Some(_) => {}
        }
    }

    /// Takes what was received to the hub. Whether it has taken all.
    fn poll_deliver(&mut self, context: &mut Context<'_>) -> bool {
        if self.received.is_empty() {
            return true;
        }
        let delivered = self
            .shared
            .hub
            .poll_bus(context, self.index, &mut self.received);
        self.closing = matches!(delivered, Poll::Ready(Err(_)));
        delivered == Poll::Ready(Ok(()))
    }

    fn note_lost(&self, count: u32) {
        if count == 0 {
            return;
        }
        self.shared.counters.can_lost.add(count.into());
        if let Some(count) = self.bursts.lost.hit(count.into(), Instant::now()) {
            tracing::warn!(
                "CAN bus {}: {count} frames lost, they come faster than they are taken",
                self.bus.interface
            );
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.drop_events(self.queue.len() as u64, "the driver closes");
    }
}

fn kernel_filter(bus: &Bus, guid: &Guid) -> Pass {
    if bus.filter.is_pass_all() {
        Pass::All
    } else {
        KernelFilter::new(&bus.filter, guid).map_or(Pass::Nothing, Pass::Some)
    }
}

/// The time in which nothing is written, because the queue of the interface is full.
struct Pause {
    sleep: Pin<Box<Sleep>>,
    active: bool,
    next: Duration,
}

impl Pause {
    /// Needs a runtime.
    fn new() -> Self {
        Self {
            sleep: Box::pin(sleep(Duration::ZERO)),
            active: false,
            next: SHORTEST_PAUSE,
        }
    }

    fn start(&mut self) {
        self.sleep.set(sleep(self.next));
        self.active = true;
        self.next = (self.next * 2).min(LONGEST_PAUSE);
    }

    fn reset(&mut self) {
        self.next = SHORTEST_PAUSE;
    }

    /// Ready when the time is over.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.active {
            std::task::ready!(self.sleep.as_mut().poll(context));
            self.active = false;
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests;

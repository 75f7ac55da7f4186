//! The task of one bus: moves events between the hub and the socket of a link.
//!
//! Events of the hub are taken at every poll, mapped to frames, and queued until the bus takes
//! them: the hub never waits for a bus. Received frames wait in the kernel while the hub has no
//! room.

mod pause;

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use nix::errno::Errno;
use tokio::sync::watch;

use self::pause::Pause;
use super::{
    bus::Bus,
    frame::Frame,
    kernel_filter::KernelFilter,
    link::{Link, NetworkDevice},
    map::{self, NotMapped},
    socket::{Options, Pass, Progress},
};
use crate::{
    event::{Event, Guid},
    hub::{
        Hub, Subscription,
        batch::{Batch, Endpoint},
    },
    metrics::{Counters, LogLimit},
    wording::Counted,
};

/// Batches that are taken from the hub in one poll.
const MAX_BATCHES_PER_POLL: usize = 16;

/// The largest number of writes in one round, before events are taken and frames are read again.
const MAX_WRITES_PER_POLL: usize = 4;

/// Rounds of one poll, after which other tasks get their turn.
const MAX_ROUNDS_PER_POLL: usize = 8;

/// The state that all buses share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// The router that events come from and go to.
    pub hub: Arc<Hub>,
    /// The counters of the driver.
    pub counters: Arc<Counters>,
}

/// Exchanges events between the hub and the bus with number `index` and GUID `guid`. Ends when the
/// hub is closed and has no more events for the bus, and all of them are sent or cannot be.
///
/// The bus has subscribed to the hub when this returns, before the future is polled. Changes of
/// `settings` take effect while it runs.
pub(crate) fn run(
    shared: Shared,
    index: usize,
    mut settings: watch::Receiver<Bus>,
    guid: Guid,
) -> impl Future<Output = ()> + Send {
    let subscription = shared.hub.subscribe(Endpoint::Bus(index));
    async move {
        let bus = settings.borrow_and_update().clone();
        let link = make_link(&bus, &guid);
        let mut bridge = Bridge::new(shared, index, bus, guid, link, subscription);
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

/// Makes the link of a bus with these settings.
fn make_link(bus: &Bus, guid: &Guid) -> Link {
    let interface = Box::new(NetworkDevice::new(bus.interface.clone()));
    let options = Options {
        fd: bus.fd,
        filter: kernel_filter(bus, guid),
    };
    let name = bus.interface.clone();
    Link::new(name, interface, options, bus.restart_delay)
}

struct Bridge {
    shared: Shared,
    index: usize,
    bus: Bus,
    guid: Guid,
    link: Link,
    subscription: Subscription,
    /// Frames that wait to be sent.
    queue: VecDeque<Frame>,
    /// Received events that the hub has not taken.
    received: VecDeque<Event>,
    /// True if the hub takes no more events.
    closing: bool,
    /// True if the bus is up, for the page of metrics.
    shown_state: Option<bool>,
    pause: Pause,
    log_limits: LogLimits,
    /// Empty between calls, as is `frames`; kept for their allocations.
    batches: Vec<Arc<Batch>>,
    frames: Vec<(Frame, u64)>,
}

/// The rate limits of log lines.
#[derive(Default)]
struct LogLimits {
    refused: LogLimit,
    full: LogLimit,
    not_sent: LogLimit,
    lost: LogLimit,
}

impl Bridge {
    fn new(
        shared: Shared,
        index: usize,
        bus: Bus,
        guid: Guid,
        link: Link,
        subscription: Subscription,
    ) -> Self {
        Self {
            shared,
            index,
            bus,
            guid,
            link,
            subscription,
            queue: VecDeque::new(),
            received: VecDeque::new(),
            closing: false,
            shown_state: None,
            pause: Pause::new(),
            log_limits: LogLimits::default(),
            batches: Vec::new(),
            frames: Vec::new(),
        }
    }

    /// Changes the settings. If that needs another link, the frames that the old one has received
    /// are read first.
    fn change(&mut self, bus: Bus) {
        if (&bus.interface, bus.fd) == (&self.bus.interface, self.bus.fd) {
            self.link.set_filter(kernel_filter(&bus, &self.guid));
        } else {
            if let Some(socket) = self.link.receiver() {
                let progress = socket.take_rest(&mut self.frames);
                self.take_frames(progress);
            }
            self.link = make_link(&bus, &self.guid);
            self.shown_state = None;
        }
        self.bus = bus;
    }

    /// Moves events and frames in both directions. Ready when the bus has ended, see [`run`].
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        for _ in 0..MAX_ROUNDS_PER_POLL {
            let mut more = self.link.poll(context);
            self.note_state();
            more |= self.poll_events(context);
            more |= self.poll_send(context);
            more |= self.poll_receive(context);
            if more {
                continue;
            }
            let all_sent = self.queue.is_empty() || self.link.sender().is_none();
            if self.subscription.has_ended() && all_sent {
                return Poll::Ready(());
            }
            return Poll::Pending;
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Tells the page of metrics whether the bus is up, if that has changed.
    fn note_state(&mut self) {
        let is_up = self.link.sender().is_some();
        if self.shown_state.replace(is_up) != Some(is_up) {
            let buses = &self.shared.counters.buses;
            buses.set(self.index, &self.bus.interface, is_up);
        }
    }

    /// Takes events from the hub, whether or not the bus is up. Returns true if there may be more.
    fn poll_events(&mut self, context: &mut Context<'_>) -> bool {
        let taken = self
            .subscription
            .poll_take(context, MAX_BATCHES_PER_POLL, &mut self.batches);
        if taken.is_pending() {
            return false;
        }
        let mut batches = std::mem::take(&mut self.batches);
        let mut full = 0;
        for batch in batches.drain(..) {
            for routed in batch.events() {
                if !routed.is_for(Endpoint::Bus(self.index))
                    || !self.bus.out_filter.passes_event(&routed.event)
                {
                    continue;
                }
                match map::to_frame(&routed.event, &self.guid, self.bus.fd) {
                    Ok(_) if self.queue.len() >= self.bus.queue_size => full += 1,
                    Ok(frame) => self.queue.push_back(frame),
                    Err(why) => self.note_refused(&routed.event, why),
                }
            }
        }
        self.batches = batches;
        self.note_dropped(full, "the queue is full (key queue-size)");
        true
    }

    /// Counts and logs an event that was meant for a bus and cannot be mapped to a frame.
    fn note_refused(&self, event: &Event, why: NotMapped) {
        if !why.is_refusal() {
            return;
        }
        self.shared.counters.can_refused.add(1);
        if let Some(count) = self.log_limits.refused.allow(1, Instant::now()) {
            tracing::warn!(
                "CAN bus {}: {} refused (class {}, type {}): {why}",
                self.bus.interface,
                Counted(count, "event"),
                event.class,
                event.kind
            );
        }
    }

    /// Counts and logs events for the bus that were dropped.
    fn note_dropped(&self, count: u64, why: &str) {
        if count == 0 {
            return;
        }
        self.shared.counters.can_dropped.add(count);
        if let Some(count) = self.log_limits.full.allow(count, Instant::now()) {
            let name = &self.bus.interface;
            let events = Counted(count, "event");
            tracing::warn!("CAN bus {name}: {events} dropped: {why}");
        }
    }

    /// Writes queued frames. Returns true if there may be more to do.
    fn poll_send(&mut self, context: &mut Context<'_>) -> bool {
        for _ in 0..MAX_WRITES_PER_POLL {
            if self.queue.is_empty() || self.pause.poll(context).is_pending() {
                return false;
            }
            let Some(socket) = self.link.sender() else {
                return false;
            };
            let Poll::Ready(sent) = socket.poll_send(context, self.queue.iter()) else {
                return false;
            };
            match sent {
                Ok(count) => {
                    self.queue.drain(..count);
                    self.shared.counters.can_sent.add(count as u64);
                    self.pause.reset();
                }
                Err(Errno::ENOBUFS) => self.pause.start(),
                Err(error) if self.link.handle_error(error) => {}
                Err(error) => self.give_up_frame(error),
            }
        }
        true
    }

    /// Drops the first frame of the queue, which the interface has refused.
    fn give_up_frame(&mut self, error: Errno) {
        let Some(frame) = self.queue.pop_front() else {
            return;
        };
        self.shared.counters.can_refused.add(1);
        if let Some(count) = self.log_limits.not_sent.allow(1, Instant::now()) {
            tracing::warn!(
                "CAN bus {}: {} refused by the interface (the last: {frame}): {}",
                self.bus.interface,
                Counted(count, "frame"),
                error.desc()
            );
        }
    }

    /// Reads frames and gives their events to the hub; reads nothing while the hub has no room.
    /// Returns true if there may be more to do.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> bool {
        if self.closing || !self.poll_deliver(context) {
            return false;
        }
        let Some(socket) = self.link.receiver() else {
            return false;
        };
        let progress = match socket.poll_receive(context, &mut self.frames) {
            Poll::Pending => return self.link.note_drained(),
            Poll::Ready(Err(error)) => {
                if !self.link.handle_error(error) {
                    let name = &self.bus.interface;
                    tracing::error!(
                        "CAN bus {name}: the socket cannot be read, another is opened: {}",
                        error.desc()
                    );
                    self.link.handle_error(Errno::ENODEV);
                }
                return true;
            }
            Poll::Ready(Ok(progress)) => progress,
        };
        self.take_frames(progress);
        self.poll_deliver(context);
        true
    }

    /// Maps the frames that were read to events, which wait in `received`.
    fn take_frames(&mut self, progress: Progress) {
        let counters = &self.shared.counters;
        counters.can_ignored.add(progress.malformed.into());
        self.note_lost(progress.dropped);
        let mut frames = std::mem::take(&mut self.frames);
        for (frame, ns) in frames.drain(..) {
            self.take_frame(&frame, ns);
        }
        self.frames = frames;
    }

    fn take_frame(&mut self, frame: &Frame, ns: u64) {
        let counters = &self.shared.counters;
        if frame.error_class().is_some() {
            counters.can_errors.add(1);
            self.link.note_error_frame(frame);
            return;
        }
        let Some(event) = map::to_event(frame, self.guid, ns) else {
            counters.can_ignored.add(1);
            return;
        };
        counters.can_received.add(1);
        if self.bus.filter.passes_event(&event) {
            self.received.push_back(event);
        }
    }

    /// Gives received events to the hub. Returns true if it has taken all.
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

    /// Counts and logs frames that the kernel had no room for.
    fn note_lost(&self, count: u32) {
        if count == 0 {
            return;
        }
        self.shared.counters.can_lost.add(count.into());
        if let Some(count) = self.log_limits.lost.allow(count.into(), Instant::now()) {
            tracing::warn!(
                "CAN bus {}: {} lost, they come faster than the driver takes them",
                self.bus.interface,
                Counted(count, "frame")
            );
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.note_dropped(self.queue.len() as u64, "the driver closes");
    }
}

/// Returns the filter that lets the kernel drop what `filter` would drop.
fn kernel_filter(bus: &Bus, guid: &Guid) -> Pass {
    if bus.filter.is_pass_all() {
        Pass::All
    } else {
        KernelFilter::new(&bus.filter, guid).map_or(Pass::Nothing, Pass::Some)
    }
}

#[cfg(test)]
mod tests;

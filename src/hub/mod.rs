//! The router in the middle: host, sessions and CAN buses give it events, it takes them to all
//! others.
//!
//! Host, sessions and CAN buses push into one bounded [`queue`]. One task takes whatever is there
//! (a lone event is never held back), makes a [`batch`] of it and publishes that on the [`ring`]
//! that all sessions and buses read. Events for the host go straight into the bounded queue of VSCPRead. An
//! event carries its origin and never goes back there.

pub mod batch;
mod echo;
pub mod frame;
mod queue;
mod ring;

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc;

pub use self::ring::Subscription;
use self::{
    batch::{Batch, Endpoint, Routed},
    echo::Echo,
    queue::{Queue, Refused},
    ring::Ring,
};
use crate::{
    config::Limits,
    event::{Clock, Event, Filter, Guid, Moment},
    hlo,
    metrics::{Burst, Counters},
};

/// Events of the host, of clients and of buses each that wait for the hub's task, which may have
/// as many in hand.
const QUEUE: usize = 4096;

/// Events of one batch: enough to make the cost of a write small, few enough to start early.
const MAX_BATCH: usize = 256;

/// Events of the host at once by which it is busy: more will come at once.
const BUSY: usize = 8;

/// How often other tasks get their turn before the hub's task sleeps, where the host is busy.
const MAX_YIELDS: usize = 16;

/// Bytes that the batches on the ring may need.
const MAX_RING_BYTES: usize = 64 << 20;

/// How long an event of the driver itself waits for room.
const ANNOUNCING: Duration = Duration::from_secs(5);

/// The router of one driver.
#[derive(Debug)]
pub struct Hub {
    queue: Queue,
    ring: Arc<Ring>,
    to_host: Sender<Event>,
    for_host: Receiver<Event>,
    /// Holds the sender that VSCPRead waits on beside the events; gone when the hub is closed.
    open: Mutex<Option<Sender<()>>>,
    closed: Receiver<()>,
    echo: Option<Echo>,
    /// May be changed at run time.
    rx_filter: RwLock<Filter>,
    /// Takes the commands that are for the driver itself.
    commands: mpsc::Sender<Routed>,
    settings: Settings,
    counters: Arc<Counters>,
    clock: Clock,
    /// Events refused because the host's queue is full.
    full: Burst,
    /// Events refused because they are too large for the host.
    too_large: Burst,
    /// Events of buses that the host did not get.
    bus_events: Burst,
    /// Commands to the driver that there was no room for, since the log was last told.
    commands_dropped: AtomicU64,
    too_many_commands: Burst,
    /// Replies of the driver that there is no room for.
    replies: Burst,
}

/// What the hub needs to know.
#[derive(Debug)]
pub struct Settings {
    /// The GUID that events without one get.
    pub guid: Guid,
    /// What reaches the host of the events of clients.
    pub rx_filter: Filter,
    /// Largest number of data bytes that the host gets.
    pub host_max_data: usize,
    /// Whether events that the host sends back are recognised.
    pub echo_filter: bool,
}

/// Why an event of a client was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAccepted {
    /// The host does not take its events fast enough.
    Full,
    /// It has more data than the host can take.
    TooLarge,
}

/// Why the host did not get what it wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// There was no room within the timeout.
    Full,
    /// Nothing came within the timeout.
    Timeout,
    /// The hub is closed.
    Closed,
}

impl Hub {
    /// A hub without any endpoint but the host.
    pub fn new(
        settings: Settings,
        limits: &Limits,
        counters: Arc<Counters>,
        commands: mpsc::Sender<Routed>,
    ) -> Self {
        let (to_host, for_host) = crossbeam_channel::bounded(limits.host_queue);
        let (open, closed) = crossbeam_channel::bounded(0);
        Self {
            queue: Queue::new(QUEUE),
            ring: Arc::new(Ring::new(limits.client_queue, MAX_RING_BYTES)),
            to_host,
            for_host,
            open: Mutex::new(Some(open)),
            closed,
            echo: settings.echo_filter.then(Echo::default),
            rx_filter: RwLock::new(settings.rx_filter),
            commands,
            settings,
            counters,
            clock: Clock::start(),
            full: Burst::default(),
            too_large: Burst::default(),
            bus_events: Burst::default(),
            commands_dropped: AtomicU64::new(0),
            too_many_commands: Burst::default(),
            replies: Burst::default(),
        }
    }

    /// Takes events to the sessions and buses until the hub is closed.
    pub async fn run(&self, limits: &Limits) {
        let most = MAX_BATCH.min(limits.client_queue);
        let mut taken = Vec::new();
        while let Some(counts) = self.queue.take(&mut taken).await {
            self.counters.from_host.add(counts.host as u64);
            self.counters.from_clients.add(counts.clients as u64);
            let mut events = taken.drain(..);
            while events.len() > 0 {
                let batch = Batch::new(events.by_ref().take(most).collect());
                self.ring.publish(batch).await;
            }
            drop(events);
            // Others get their turn, and events gather meanwhile: a busy host is held up less, and
            // need not wake this task again and again.
            let rounds = if counts.host < BUSY { 1 } else { MAX_YIELDS };
            for _ in 0..rounds {
                tokio::task::yield_now().await;
                if !self.queue.is_empty() {
                    break;
                }
            }
        }
        self.ring.end();
    }

    /// Takes an event of a client, out of `waiting`: to the host where it passes the filter, and
    /// to all other clients. `moment` is when it came. Where the host has no room, nobody gets it.
    /// Pending, and the event still waits, while the hub itself has no room.
    pub fn poll_accept(
        &self,
        context: &Context<'_>,
        client: u32,
        waiting: &mut Option<Event>,
        moment: &Moment,
    ) -> Poll<Result<(), NotAccepted>> {
        let Some(event) = waiting else {
            return Poll::Ready(Ok(()));
        };
        if event.data.len() > self.settings.host_max_data {
            self.counters.refused_large.add(1);
            if let Some(count) = self.too_large.hit(1, Instant::now()) {
                tracing::warn!(
                    "{count} events refused, the host takes at most {} data bytes (key \
                     host-max-data): client {client} sent {}",
                    self.settings.host_max_data,
                    event.data.len()
                );
            }
            *waiting = None;
            return Poll::Ready(Err(NotAccepted::TooLarge));
        }
        event.obid = client;
        event.complete(self.settings.guid, moment);
        let for_host = self.rx_filter().passes_event(event);
        let origin = Endpoint::Client(client);
        let command = self.command(event, origin);
        let accept = |event: &Event| {
            if !for_host {
                return Ok(());
            }
            match self.to_host.try_send(event.clone()) {
                Ok(()) => Ok(()),
                Err(TrySendError::Full(_)) => Err(Refused::Full),
                Err(TrySendError::Disconnected(_)) => Err(Refused::Closed),
            }
        };
        match ready!(self.queue.poll_push_if(context, origin, waiting, accept)) {
            Ok(()) => {
                self.take_command(command);
                Poll::Ready(Ok(()))
            }
            Err(_) => {
                *waiting = None;
                self.counters.refused_full.add(1);
                if let Some(count) = self.full.hit(1, Instant::now()) {
                    tracing::warn!(
                        "{count} events of clients refused, {} wait for the host (key \
                         max-in-queue)",
                        self.for_host.len()
                    );
                }
                Poll::Ready(Err(NotAccepted::Full))
            }
        }
    }

    /// Takes an event of the host to all clients. Waits for room at most `timeout` (`None`: as
    /// long as it takes). An echo is taken and goes nowhere.
    pub fn write(&self, mut event: Event, timeout: Option<Duration>) -> Result<(), HostError> {
        if let Some(echo) = &self.echo
            && echo.is_echo(&event, Instant::now)
        {
            self.counters.from_host.add(1);
            self.counters.echoes.add(1);
            return Ok(());
        }
        if event.timestamp == 0 {
            event.timestamp = self.clock.micros();
        }
        let origin = Endpoint::Host;
        let command = self.command(&event, origin);
        match self.queue.push(Routed { event, origin }, timeout) {
            Ok(()) => {
                self.take_command(command);
                Ok(())
            }
            Err(Refused::Full) => Err(HostError::Full),
            Err(Refused::Closed) => Err(HostError::Closed),
        }
    }

    /// Takes events of a CAN bus to the host and to all clients, and out of `events`. Where the
    /// host has no room, the clients get them all the same. Pending while the hub itself has no
    /// room for all.
    ///
    /// # Errors
    /// The hub is closed.
    pub fn poll_bus(
        &self,
        context: &Context<'_>,
        bus: usize,
        events: &mut VecDeque<Event>,
    ) -> Poll<Result<(), HostError>> {
        let mut lost = 0;
        let origin = Endpoint::Bus(bus);
        let poll = self.queue.poll_push_all(context, origin, events, |event| {
            let taken = event.data.len() <= self.settings.host_max_data
                && self.to_host.try_send(event.clone()).is_ok();
            lost += u64::from(!taken);
        });
        if lost > 0 {
            self.counters.can_not_to_host.add(lost);
            if let Some(count) = self.bus_events.hit(lost, Instant::now()) {
                tracing::warn!(
                    "{count} events of CAN buses did not reach the host: {} wait for it (key \
                     max-in-queue), and it takes at most {} data bytes (key host-max-data)",
                    self.for_host.len(),
                    self.settings.host_max_data
                );
            }
        }
        Poll::Ready(ready!(poll).map_err(|_| HostError::Closed))
    }

    /// The next event for the host. Waits for it at most `timeout` (`None`: as long as it
    /// takes).
    pub fn read(&self, timeout: Option<Duration>) -> Result<Event, HostError> {
        let (event, waited) = match self.for_host.try_recv() {
            Ok(event) => (event, false),
            Err(_) => (self.wait_for_event(timeout)?, true),
        };
        if let Some(echo) = &self.echo {
            echo.given_out(&event, waited, Instant::now);
        }
        self.counters.to_host.add(1);
        Ok(event)
    }

    /// Takes an event of the driver itself to the host, where it is not too large for it, and to
    /// all clients. Where the host has no room it does not get it; for the hub's own the caller's
    /// thread waits.
    pub fn announce(&self, mut event: Event) {
        event.complete(self.settings.guid, &self.moment());
        if event.data.len() <= self.settings.host_max_data
            && self.to_host.try_send(event.clone()).is_err()
        {
            self.drop_reply("the host (key max-in-queue)", self.for_host.len());
        }
        let routed = Routed {
            event,
            origin: Endpoint::Driver,
        };
        // What comes when the hub is closed is too late.
        if let Err(refused) = self.queue.push(routed, Some(ANNOUNCING)) {
            match refused {
                Refused::Full => self.drop_reply("the clients", self.queue.len()),
                Refused::Closed => self.counters.dropped_own.add(1),
            }
        }
    }

    /// What reaches the host of the events of clients.
    pub fn rx_filter(&self) -> Filter {
        *self.rx_filter.read()
    }

    /// Sets what reaches the host of the events of clients.
    pub fn set_rx_filter(&self, filter: Filter) {
        *self.rx_filter.write() = filter;
    }

    /// Now, by the clock of the time stamps.
    pub fn moment(&self) -> Moment {
        self.clock.moment()
    }

    /// What the hub was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Starts to read what is published from now on.
    pub fn subscribe(&self, reader: Endpoint) -> Subscription {
        self.ring.subscribe(reader)
    }

    /// How many events wait: for the hub, for the host, for the client that is furthest behind,
    /// and for all who are to get theirs later.
    pub fn waiting(&self) -> [(&'static str, usize); 4] {
        [
            ("hub", self.queue.len()),
            ("host", self.for_host.len()),
            ("clients", self.ring.len()),
            ("kept", self.counters.kept.get()),
        ]
    }

    /// Wakes everybody who waits; nothing is taken any more.
    pub fn close(&self) {
        self.open.lock().take();
        self.queue.close();
    }

    fn command(&self, event: &Event, origin: Endpoint) -> Option<Routed> {
        hlo::is_command(event, self.settings.guid).then(|| Routed {
            event: event.clone(),
            origin,
        })
    }

    fn take_command(&self, command: Option<Routed>) {
        if let Some(command) = command
            && self.commands.try_send(command).is_err()
        {
            self.counters.dropped_own.add(1);
            self.commands_dropped.fetch_add(1, Relaxed);
        }
    }

    /// Logs the commands that there was no room for. The threads of the host have no log: this is
    /// for the one who takes the commands.
    pub fn log_dropped_commands(&self) {
        let dropped = self.commands_dropped.swap(0, Relaxed);
        if dropped > 0
            && let Some(count) = self.too_many_commands.hit(dropped, Instant::now())
        {
            tracing::warn!(
                "{count} commands to the driver dropped: they come faster than they are carried out"
            );
        }
    }

    fn drop_reply(&self, receiver: &str, waiting: usize) {
        self.counters.dropped_own.add(1);
        if let Some(count) = self.replies.hit(1, Instant::now()) {
            tracing::warn!(
                "{count} replies of the driver dropped: {waiting} events wait for {receiver}"
            );
        }
    }

    fn wait_for_event(&self, timeout: Option<Duration>) -> Result<Event, HostError> {
        let timer = match timeout {
            Some(timeout) => crossbeam_channel::after(timeout),
            None => crossbeam_channel::never(),
        };
        crossbeam_channel::select_biased! {
            recv(self.closed) -> _ => Err(HostError::Closed),
            recv(self.for_host) -> event => event.map_err(|_| HostError::Closed),
            recv(timer) -> _ => Err(HostError::Timeout),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{
        event::{Data, text},
        test_log::TestLog,
    };

    fn hub(limits: &Limits, commands: mpsc::Sender<Routed>) -> Hub {
        let settings = Settings {
            guid: Guid([0xD1; 16]),
            rx_filter: Filter::default(),
            host_max_data: 512,
            echo_filter: false,
        };
        Hub::new(settings, limits, Arc::default(), commands)
    }

    #[test]
    fn commands_that_there_is_no_room_for_are_counted_and_logged_once() {
        let (commands, _waiting) = mpsc::channel(1);
        let hub = hub(&Limits::default(), commands);
        let log = TestLog::start();
        let mut command = text::parse("0,1028,1,,,,-").unwrap();
        command.data = Data::copy_from(&[&[0xD1; 16][..], b" {}"].concat()).unwrap();
        for _ in 0..4 {
            hub.write(command.clone(), None).unwrap();
        }
        assert_eq!(hub.counters.dropped_own.get(), 3);
        hub.log_dropped_commands();
        hub.log_dropped_commands();
        assert_eq!(
            log.take(),
            ["WARN 3 commands to the driver dropped: they come faster than they are carried out"]
        );
    }

    #[test]
    fn replies_that_the_host_has_no_room_for_are_counted_and_logged_once() {
        let limits = Limits {
            host_queue: 1,
            ..Limits::default()
        };
        let hub = hub(&limits, mpsc::channel(1).0);
        let log = TestLog::start();
        for _ in 0..4 {
            hub.announce(text::parse("0,1028,2,,,,-").unwrap());
        }
        assert_eq!(hub.counters.dropped_own.get(), 3);
        assert_eq!(
            log.take(),
            ["WARN 1 replies of the driver dropped: 1 events wait for the host (key max-in-queue)"]
        );
    }
}

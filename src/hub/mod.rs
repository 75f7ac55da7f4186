//! The router in the middle: host, sessions and CAN buses give it events, it takes them to all
//! others.
//!
//! Each producer puts its events on the [`ring`] that all sessions and buses read, each with a
//! cursor, as [`batch`]es. Events for the host go into the [`host_queue`] of VSCPRead as well. An
//! event carries its origin and never goes back there; a reply of the driver goes to the one who
//! has asked.
//!
//! The hub does not wait for clients: readers take all that is on the ring whatever their clients
//! do. The host's threads alone may be held back, by the [`pace`] of the readers. `losses` counts
//! and logs the events that are refused or dropped.

pub mod batch;
mod echo;
mod host_queue;
mod losses;
mod pace;
mod ring;

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use parking_lot::RwLock;
use tokio::sync::mpsc;

use self::{
    batch::{BatchMemory, Endpoint, Routed},
    echo::Echo,
    host_queue::{HostQueue, NoEvent, NoRoom},
    losses::Losses,
    pace::TimedOut,
    ring::{Closed, NotTaken, Ring},
};
pub use self::{
    pace::{Pace, ReaderPace},
    ring::{RingLimits, Subscription},
};
use crate::{
    event::{BatchClock, Clock, Event, Filter, Guid, Layout},
    hlo,
    metrics::Counters,
    sync::Instant,
};

/// The router of one driver.
#[derive(Debug)]
pub struct Hub {
    ring: Arc<Ring>,
    memory: Arc<BatchMemory>,
    for_host: HostQueue,
    pace: Arc<Pace>,
    echo: Option<Echo>,
    /// May be changed at run time.
    rx_filter: RwLock<Filter>,
    /// Takes the commands that are for the driver itself.
    commands: mpsc::Sender<Routed>,
    settings: Settings,
    counters: Arc<Counters>,
    clock: Clock,
    losses: Losses,
}

/// The settings of the hub.
#[derive(Debug)]
pub struct Settings {
    /// The GUID that events without one get.
    pub guid: Guid,
    /// Selects the events of clients that reach the host.
    pub rx_filter: Filter,
    /// Largest number of data bytes that the host gets.
    pub host_max_data: usize,
    /// The layout of the host's events.
    pub layout: Layout,
    /// True if events that the host sends back are recognised.
    pub echo_filter: bool,
    /// Events that wait for VSCPRead.
    pub host_queue: usize,
    /// How much the ring takes.
    pub ring: RingLimits,
}

/// The reason that an event of a client was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAccepted {
    /// The host does not take its events fast enough.
    Full,
    /// It has more data than the host can take.
    TooLarge {
        /// Its data bytes.
        bytes: usize,
        /// The data bytes that the host takes at the most.
        max: usize,
    },
    /// It has a date that the layout of the host's events cannot hold.
    Date,
    /// The driver ends.
    Closed,
}

/// The reason that a call of the host failed.
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
    /// Returns a hub that has no endpoint but the host.
    pub fn new(
        settings: Settings,
        counters: Arc<Counters>,
        commands: mpsc::Sender<Routed>,
    ) -> Self {
        let memory = Arc::new(BatchMemory::default());
        Self {
            ring: Arc::new(Ring::new(memory.clone(), settings.ring)),
            memory,
            for_host: HostQueue::new(settings.host_queue),
            pace: Arc::default(),
            echo: settings.echo_filter.then(Echo::default),
            rx_filter: RwLock::new(settings.rx_filter),
            commands,
            losses: Losses::new(counters.clone(), settings.host_max_data),
            settings,
            counters,
            clock: Clock::start(),
        }
    }

    /// Wakes the readers that the producers of events leave to this task because there are many,
    /// see [`RingLimits::woken_directly`]. Returns when the hub is closed.
    pub async fn run(&self) {
        self.ring.wake_readers().await;
    }

    /// Takes an event of a client out of `waiting`, and passes it on: to the host if it passes the
    /// filter, and to all other clients and to the buses. `clock` gives it a time if it has none.
    /// Pending, with the event still in `waiting`, while the ring has no room because the tasks of
    /// the driver are behind.
    ///
    /// If the host's queue is full the event is refused and nobody gets it, so that the client may
    /// send it again. But if the host has taken nothing for long, the others get the event.
    pub fn poll_accept(
        &self,
        context: &Context<'_>,
        client: u32,
        waiting: &mut Option<Event>,
        clock: &BatchClock,
    ) -> Poll<Result<(), NotAccepted>> {
        if waiting.is_none() {
            return Poll::Ready(Ok(()));
        }
        if ready!(self.ring.poll_room(context)).is_err() {
            *waiting = None;
            return Poll::Ready(Err(NotAccepted::Closed));
        }
        match waiting.take() {
            Some(event) => Poll::Ready(self.accept(client, event, clock)),
            None => Poll::Ready(Ok(())),
        }
    }

    fn accept(&self, client: u32, mut event: Event, clock: &BatchClock) -> Result<(), NotAccepted> {
        self.check_size(client, &event)?;
        self.check_date(client, &event)?;
        event.obid = client;
        event.complete(self.settings.guid, clock);
        let origin = Endpoint::Client(client);
        if self.rx_filter().passes_event(&event) {
            match self.for_host.push(origin, event.clone()) {
                Ok(()) => {}
                Err(NoRoom::Full) => {
                    self.losses.note_full(self.for_host.len());
                    return Err(NotAccepted::Full);
                }
                Err(NoRoom::Hanging) => self.losses.note_hanging(self.for_host.len()),
            }
        }
        let command = self.command(&event, origin);
        self.ring
            .push([Routed { event, origin }])
            .map_err(|Closed| NotAccepted::Closed)?;
        self.counters.from_clients.add(1);
        self.take_command(command);
        Ok(())
    }

    fn check_size(&self, client: u32, event: &Event) -> Result<(), NotAccepted> {
        let (bytes, max) = (event.data.len(), self.settings.host_max_data);
        if bytes <= max {
            return Ok(());
        }
        self.losses.note_too_large(client, bytes);
        Err(NotAccepted::TooLarge { bytes, max })
    }

    fn check_date(&self, client: u32, event: &Event) -> Result<(), NotAccepted> {
        if event.has_time_for(self.settings.layout) {
            return Ok(());
        }
        self.losses.note_wrong_date(client);
        Err(NotAccepted::Date)
    }

    /// Passes an event of the host on to all clients and buses. Waits at most `timeout` (`None`: as
    /// long as it takes) while the tasks of the driver or good readers (see `pace`) are behind, and
    /// only briefly for other readers. Drops and counts an echo.
    pub fn write(&self, mut event: Event, timeout: Option<Duration>) -> Result<(), HostError> {
        if let Some(echo) = &self.echo
            && echo.is_echo(&event, Instant::now)
        {
            self.counters.from_host.add(1);
            self.counters.echoes.add(1);
            return Ok(());
        }
        event.complete_timestamp(|| self.clock.micros());
        let origin = Endpoint::Host;
        let command = self.command(&event, origin);
        let deadline = || timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        self.pace
            .wait(deadline)
            .map_err(|TimedOut| HostError::Full)?;
        match self.ring.push_from_host(Routed { event, origin }, deadline) {
            Ok(()) => {
                self.counters.from_host.add(1);
                self.take_command(command);
                Ok(())
            }
            Err(NotTaken::Full) => Err(HostError::Full),
            Err(NotTaken::Closed) => Err(HostError::Closed),
        }
    }

    /// Takes events of a CAN bus out of `events`, and passes them on to the host and to all
    /// clients. The clients also get the events that the host has no room for or cannot take.
    /// Pending, with the rest still in `events`, while the ring has no room because the tasks of
    /// the driver are behind.
    ///
    /// # Errors
    /// The hub is closed.
    pub fn poll_bus(
        &self,
        context: &Context<'_>,
        bus: usize,
        events: &mut VecDeque<Event>,
    ) -> Poll<Result<(), HostError>> {
        let origin = Endpoint::Bus(bus);
        while !events.is_empty() {
            let Ok(room) = ready!(self.ring.poll_room(context)) else {
                return Poll::Ready(Err(HostError::Closed));
            };
            let count = room.min(events.len());
            self.give_to_host(origin, events.range(..count));
            let routed = events.drain(..count).map(|event| Routed { event, origin });
            if self.ring.push(routed).is_err() {
                return Poll::Ready(Err(HostError::Closed));
            }
            self.counters.from_buses.add(count as u64);
        }
        Poll::Ready(Ok(()))
    }

    /// Gives events of a bus to the host. Counts and logs those that it has no room for.
    fn give_to_host<'e>(&self, origin: Endpoint, events: impl Iterator<Item = &'e Event>) {
        let (mut full, mut too_large) = (0, 0);
        for event in events {
            if event.data.len() > self.settings.host_max_data {
                too_large += 1;
            } else if self.for_host.push(origin, event.clone()).is_err() {
                full += 1;
            }
        }
        if full + too_large > 0 {
            let waiting = self.for_host.len();
            self.losses.note_not_given(full, too_large, waiting);
        }
    }

    /// Takes the next event for the host. Waits for it at most `timeout` (`None`: as long as it
    /// takes).
    pub fn read(&self, timeout: Option<Duration>) -> Result<Event, HostError> {
        let event = self.for_host.pop(timeout).map_err(|error| match error {
            NoEvent::Timeout => HostError::Timeout,
            NoEvent::Closed => HostError::Closed,
        })?;
        if let Some(echo) = &self.echo {
            echo.given_out(&event, Instant::now());
        }
        self.counters.to_host.add(1);
        Ok(event)
    }

    /// Takes a reply of the driver to the host or the client that has asked. If it has no room for
    /// the reply it does not get it.
    pub fn reply(&self, to: Endpoint, mut event: Event) {
        event.complete(self.settings.guid, &self.batch_clock());
        match to {
            Endpoint::Host => {
                if self.for_host.push(Endpoint::Host, event).is_err() {
                    self.losses.note_reply(self.for_host.len());
                }
            }
            Endpoint::Client(client) => {
                let origin = Endpoint::DriverTo(client);
                // Fails only if the hub is closed.
                if self.ring.push([Routed { event, origin }]).is_err() {
                    self.counters.dropped_own.add(1);
                }
            }
            // They send no commands.
            Endpoint::Bus(_) | Endpoint::DriverTo(_) | Endpoint::Monitor => {}
        }
    }

    /// Returns the filter for the events of clients that reach the host.
    pub fn rx_filter(&self) -> Filter {
        *self.rx_filter.read()
    }

    /// Sets the filter for the events of clients that reach the host.
    pub fn set_rx_filter(&self, filter: Filter) {
        *self.rx_filter.write() = filter;
    }

    /// Returns a clock for events that arrive now.
    pub fn batch_clock(&self) -> BatchClock {
        self.clock.batch_clock()
    }

    /// Returns the settings of the hub.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns a reader of the events that are pushed from now on.
    pub fn subscribe(&self, reader: Endpoint) -> Subscription {
        self.ring.subscribe(reader)
    }

    /// Returns how many events wait: for the driver's own tasks, for the host, and for clients.
    pub fn waiting(&self) -> [(&'static str, usize); 3] {
        [
            ("hub", self.ring.len()),
            ("host", self.for_host.len()),
            ("clients", self.counters.kept.get()),
        ]
    }

    /// Returns true if the host's queue is full and the host has taken nothing for long.
    pub fn is_host_hanging(&self) -> bool {
        self.for_host.is_hanging()
    }

    /// Returns the memory that the batches of events are counted in.
    pub fn memory(&self) -> &Arc<BatchMemory> {
        &self.memory
    }

    /// Returns what holds the host's threads back.
    pub fn pace(&self) -> &Arc<Pace> {
        &self.pace
    }

    /// Wakes all who wait. The hub takes no more events.
    pub fn close(&self) {
        self.for_host.close();
        self.ring.close();
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
            self.losses.note_command();
        }
    }

    /// Logs how many commands were dropped. It is called by the task that takes the commands,
    /// because the threads of the host have no log.
    pub fn log_dropped_commands(&self) {
        self.losses.log_commands();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{Data, text},
        test_log::TestLog,
    };

    fn hub(host_queue: usize, commands: mpsc::Sender<Routed>) -> Hub {
        let settings = Settings {
            guid: Guid([0xD1; 16]),
            rx_filter: Filter::default(),
            host_max_data: 512,
            layout: Layout::UnixNs,
            echo_filter: false,
            host_queue,
            ring: RingLimits::default(),
        };
        Hub::new(settings, Arc::default(), commands)
    }

    #[test]
    fn commands_that_there_is_no_room_for_are_counted_and_logged_once() {
        let (commands, _waiting) = mpsc::channel(1);
        let hub = hub(100, commands);
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

    #[tokio::test]
    async fn a_date_that_the_host_cannot_take_is_refused_and_logged_once() {
        let hub = hub(100, mpsc::channel(1).0);
        let log = TestLog::start();
        for (date, accepted) in [
            ("1969-12-31T23:59:59Z", Err(NotAccepted::Date)),
            ("2554-07-21T23:34:34Z", Err(NotAccepted::Date)),
            ("1970-01-01T00:00:00Z", Ok(())),
        ] {
            let mut waiting = Some(text::parse(&format!("0,20,3,,{date},,-")).unwrap());
            let accept = |context: &mut Context<'_>| {
                hub.poll_accept(context, 7, &mut waiting, &hub.batch_clock())
            };
            assert_eq!(std::future::poll_fn(accept).await, accepted, "{date}");
        }
        assert_eq!(
            log.take(),
            ["WARN 1 event refused, the host takes dates from 1970 to 2554 only: client 7"]
        );
        let event = hub.read(Some(Duration::ZERO)).unwrap();
        assert_eq!(event.date.unwrap().to_unix_ns(), Some(0));
    }

    #[test]
    fn replies_that_the_host_has_no_room_for_are_counted_and_logged_once() {
        let hub = hub(1, mpsc::channel(1).0);
        let log = TestLog::start();
        for _ in 0..4 {
            hub.reply(Endpoint::Host, text::parse("0,1028,2,,,,-").unwrap());
        }
        assert_eq!(hub.counters.dropped_own.get(), 3);
        assert_eq!(
            log.take(),
            ["WARN 1 reply of the driver dropped: 1 event waits for the host (key max-in-queue)"]
        );
    }
}

//! The life of a bus: keeps a port open on an interface that may be missing, go down, be removed
//! and come back at any time.

use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use nix::errno::Errno;
use tokio::time::{Sleep, sleep};

use super::{
    frame::Frame,
    interface::{self, InterfaceState, Watch},
    port::{Options, Pass, Port, errno},
    report::{Report, Reports},
};

/// The longest time between two attempts, where the configuration does not say a longer one.
const LONGEST_DELAY: Duration = Duration::from_secs(8);

/// How long a controller that was bus-off or has restarted is taken to do so again and again.
const RESTARTING: Duration = Duration::from_secs(10);

/// What a bus needs of the system.
pub(super) trait Interface: Send {
    /// The number of the interface; a new one where it was removed and created again.
    fn index(&self) -> Option<u32>;

    fn state(&self) -> InterfaceState;

    fn open(&self, index: u32, options: &Options) -> io::Result<Port>;

    /// Ready when something may have changed. `None` where nothing tells, and one has to look.
    fn poll_changed(&mut self, context: &mut Context<'_>) -> Option<Poll<()>>;
}

/// A network interface of the machine.
#[derive(Debug)]
pub(super) struct Netdev {
    name: String,
    watch: Option<Watch>,
}

impl Netdev {
    /// Needs a runtime.
    pub(super) fn new(name: String) -> Self {
        let watch = Watch::start().inspect_err(|error| log_no_watch(&name, error));
        Self {
            watch: watch.ok(),
            name,
        }
    }
}

impl Interface for Netdev {
    fn index(&self) -> Option<u32> {
        interface::index(&self.name)
    }

    fn state(&self) -> InterfaceState {
        interface::interface_state(&self.name)
    }

    fn open(&self, index: u32, options: &Options) -> io::Result<Port> {
        Port::open(index, options)
    }

    fn poll_changed(&mut self, context: &mut Context<'_>) -> Option<Poll<()>> {
        match self.watch.as_ref()?.poll_changed(context) {
            Poll::Pending => Some(Poll::Pending),
            Poll::Ready(Ok(())) => Some(Poll::Ready(())),
            Poll::Ready(Err(error)) => {
                log_no_watch(&self.name, &error);
                self.watch = None;
                None
            }
        }
    }
}

/// How a bus is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Missing,
    NotCan,
    Down,
    /// Nothing that is sent would reach the bus.
    BusOff,
    /// It cannot be opened.
    Failed(Errno),
    Up,
}

/// The life of one bus.
pub(super) struct Life {
    name: String,
    interface: Box<dyn Interface>,
    options: Options,
    /// With the number of the interface that it is open on.
    port: Option<(u32, Port)>,
    /// Whether the interface of the port is gone: what it had received is still there.
    stale: bool,
    /// `None` before the first look.
    state: Option<State>,
    /// The state that the log has.
    logged: Option<State>,
    /// When an error frame has last told that the controller is bus-off or has restarted.
    restarting: Option<Instant>,
    /// What limits how often the state is logged: a controller that restarts by itself may go
    /// bus-off and restart many times a second.
    limit: Option<Report>,
    /// Whether something tells about changes.
    watched: bool,
    /// When to look again, and whether.
    timer: Pin<Box<Sleep>>,
    waiting: bool,
    first_delay: Duration,
    delay: Duration,
    reports: Reports,
}

impl Life {
    /// Needs a runtime. Between two attempts to open the interface `delay` passes, and twice as
    /// long with each.
    pub(super) fn new(
        name: String,
        interface: Box<dyn Interface>,
        options: Options,
        delay: Duration,
    ) -> Self {
        Self {
            name,
            interface,
            options,
            port: None,
            stale: false,
            state: None,
            logged: None,
            restarting: None,
            limit: None,
            watched: true,
            timer: Box::pin(sleep(Duration::ZERO)),
            waiting: false,
            first_delay: delay,
            delay,
            reports: Reports::default(),
        }
    }

    /// The port to read from.
    pub(super) fn receiver(&mut self) -> Option<&mut Port> {
        self.port.as_mut().map(|(_, port)| port)
    }

    /// The port to write to, where what is written reaches the bus.
    pub(super) fn sender(&self) -> Option<&Port> {
        match &self.port {
            Some((_, port)) if self.state == Some(State::Up) => Some(port),
            _ => None,
        }
    }

    /// Sets what the kernel lets through, without missing a frame.
    pub(super) fn set_filter(&mut self, filter: Pass) {
        if filter == self.options.filter {
            return;
        }
        self.options.filter = filter;
        if let Some((_, port)) = &self.port
            && let Err(error) = port.set_filter(filter)
        {
            // When all that came is read, another is opened.
            self.stale = true;
            self.enter(State::Failed(errno(&error)));
        }
    }

    /// Follows the interface. Whether something was done; then this is to be called again.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> bool {
        let changed = self.interface.poll_changed(context);
        let watched = changed.is_some();
        let lost_sight = self.watched && !watched;
        self.watched = watched;
        let due = self.waiting && self.timer.as_mut().poll(context).is_ready();
        if due {
            self.waiting = false;
            self.delay = (self.delay * 2).min(LONGEST_DELAY.max(self.first_delay));
        }
        let changed = changed.is_some_and(|changed| changed.is_ready());
        let look = self.state.is_none() || due || lost_sight || changed;
        if look {
            self.look();
        }
        look
    }

    /// Takes note that the port has nothing more to read. Whether that has changed anything.
    pub(super) fn drained(&mut self) -> bool {
        if !self.stale {
            return false;
        }
        self.stale = false;
        // Where the port has failed on an interface that is still there, the timer looks again.
        if let Some((open, _)) = self.port.take()
            && Some(open) != self.interface.index()
        {
            self.look();
        }
        true
    }

    /// Takes note of an error of the port. Whether it says that the interface is not usable;
    /// else it is about one frame.
    pub(super) fn failed(&mut self, error: Errno) -> bool {
        match error {
            Errno::ENETDOWN => {
                self.renew_port();
                self.enter(State::Down);
            }
            Errno::ENODEV | Errno::ENXIO => {
                self.stale = true;
                self.enter(State::Missing);
            }
            _ => return false,
        }
        true
    }

    /// Takes note of an error frame.
    pub(super) fn report(&mut self, frame: &Frame) {
        let now = Instant::now();
        for report in Report::of(frame) {
            match report {
                Report::BusOff => {
                    self.restarting = Some(now);
                    self.enter(State::BusOff);
                }
                Report::Restarted => {
                    self.restarting = Some(now);
                    // Where the interface has a carrier again, frames reach the bus again.
                    self.look();
                }
                _ => {
                    if let Some(count) = self.reports.hit(report, 1, now) {
                        tracing::warn!("CAN bus {}: {report}{}", self.name, Times(count));
                    }
                }
            }
        }
    }

    /// Opens what can be opened, and closes what is gone.
    fn look(&mut self) {
        if let Some((_, port)) = &self.port
            && let Some(error) = port.take_error()
        {
            self.failed(error);
        }
        let index = self.interface.index();
        if let Some((open, _)) = &self.port {
            // Removed, created again or renamed. It is closed when all that came is read.
            self.stale |= Some(*open) != index;
        }
        if self.stale {
            self.enter(State::Missing);
            return;
        }
        let state = match (self.interface.state(), index) {
            (InterfaceState::Missing, _) | (_, None) => State::Missing,
            (InterfaceState::NotCan, _) => State::NotCan,
            (state, Some(index)) => match self.open(index) {
                Err(error) => State::Failed(error),
                Ok(()) => match state {
                    InterfaceState::Down => State::Down,
                    InterfaceState::NoCarrier => State::BusOff,
                    _ => State::Up,
                },
            },
        };
        self.enter(state);
    }

    /// Opens the port where it is not open. An interface that is down can be opened, too: so no
    /// frame is missed when it goes up.
    fn open(&mut self, index: u32) -> Result<(), Errno> {
        if self.port.is_none() {
            let port = self
                .interface
                .open(index, &self.options)
                .map_err(|error| errno(&error))?;
            self.port = Some((index, port));
        }
        Ok(())
    }

    fn renew_port(&mut self) {
        if let Some((index, port)) = self.port.take() {
            // Where it cannot be had, the next look opens another.
            self.port = port.renew().ok().map(|port| (index, port));
        }
    }

    fn enter(&mut self, state: State) {
        let before = self.state.replace(state);
        let changed = before != Some(state);
        if changed {
            self.delay = self.first_delay;
            self.waiting = false;
            let limited = self
                .restarting
                .is_some_and(|since| since.elapsed() < RESTARTING);
            self.limit = match (before, state) {
                _ if !limited => None,
                (_, State::BusOff) => Some(Report::BusOff),
                (Some(State::BusOff), State::Up) => Some(Report::Restarted),
                _ => None,
            };
        }
        if changed || self.logged != Some(state) {
            self.log(state, changed);
        }
        let wait = state != State::Up || !self.watched || self.logged != Some(state);
        if wait && !self.waiting {
            self.timer.set(sleep(self.delay));
        }
        self.waiting = wait;
    }

    fn log(&mut self, state: State, changed: bool) {
        let count = match self.limit {
            None => Some(1),
            Some(limit) => self.reports.hit(limit, changed.into(), Instant::now()),
        };
        let Some(count) = count.map(Times) else {
            return;
        };
        self.logged = Some(state);
        let name = &self.name;
        match state {
            State::Up => tracing::info!("CAN bus {name}: up{count}"),
            State::Missing => tracing::warn!(
                "CAN bus {name}: there is no such interface; it is used as soon as there is one"
            ),
            State::NotCan => tracing::warn!("CAN bus {name}: this is no CAN interface"),
            State::Down => tracing::warn!("CAN bus {name}: the interface is down"),
            State::BusOff => tracing::warn!(
                "CAN bus {name}: bus-off, or not connected{count}: nothing is sent; a controller \
                 restarts by itself only with a restart-ms (ip link set {name} type can \
                 restart-ms 100)"
            ),
            State::Failed(Errno::EAFNOSUPPORT) => {
                tracing::error!("CAN bus {name}: the kernel has no CAN (modprobe can_raw)");
            }
            State::Failed(error) => {
                tracing::error!("CAN bus {name}: cannot be opened: {}", error.desc());
            }
        }
    }
}

/// How often something has happened; shown where that is more than once.
struct Times(u64);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ..=1 => Ok(()),
            count => write!(f, " ({count} times)"),
        }
    }
}

fn log_no_watch(name: &str, error: &io::Error) {
    tracing::warn!(
        "CAN bus {name}: changes of the interface are looked for every {} s only: {error}",
        LONGEST_DELAY.as_secs()
    );
}

#[cfg(test)]
mod tests;

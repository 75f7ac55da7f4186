//! The link of a bus: keeps a socket open on a network interface that may be missing, go down, be
//! removed and come back at any time.
//!
//! The caller polls the link, reads from [`Link::receiver`] and writes to [`Link::sender`]. It
//! passes errors of the socket to [`Link::handle_error`], error frames to
//! [`Link::note_error_frame`], and calls [`Link::note_drained`] when nothing is left to read.

mod device;

use std::{
    future::Future,
    pin::Pin,
    task::Context,
    time::{Duration, Instant},
};

use nix::errno::Errno;
use tokio::time::{Sleep, sleep};

pub(super) use self::device::{Device, NetworkDevice};
use super::{
    frame::Frame,
    interface::InterfaceState,
    report::{Report, ReportLimits},
    socket::{CanSocket, Options, Pass, errno},
};
use crate::wording::Times;

/// The longest delay between two attempts to open the interface, unless the configured first
/// delay is longer.
const MAX_DELAY: Duration = Duration::from_secs(8);

/// Changes of state this soon after a bus-off or a restart are logged with a rate limit: a
/// controller with restart-ms may go bus-off and restart many times a second.
const RESTART_PERIOD: Duration = Duration::from_secs(10);

/// The state of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinkState {
    /// No interface has the name.
    Missing,
    /// The interface is not a CAN interface.
    NotCan,
    /// The interface is down.
    Down,
    /// The interface is up, but nothing that is sent reaches the bus.
    BusOff,
    /// The socket cannot be opened.
    Failed(Errno),
    /// Frames are sent and received.
    Up,
}

/// The link of one bus.
pub(super) struct Link {
    /// The name of the interface, for the log.
    name: String,
    device: Box<dyn Device>,
    options: Options,
    /// The open socket, and the index of the interface that it is bound to.
    socket: Option<(u32, CanSocket)>,
    /// True if the socket is of no use any more, but may still hold received frames.
    is_stale: bool,
    /// `None` before the first check.
    state: Option<LinkState>,
    /// The state that was logged last.
    logged_state: Option<LinkState>,
    /// When an error frame last reported that the controller is bus-off or has restarted.
    last_restart: Option<Instant>,
    /// The rate limit that holds for the log line of the current state.
    log_limit: Option<Report>,
    /// True if the device reports its changes.
    is_watched: bool,
    /// When the state is checked again; counts only while `timer_runs`.
    timer: Pin<Box<Sleep>>,
    timer_runs: bool,
    first_delay: Duration,
    /// The delay of the next start of the timer: doubled up to [`MAX_DELAY`], the first again
    /// after a change of state.
    delay: Duration,
    report_limits: ReportLimits,
}

impl Link {
    /// Makes a link that opens its socket at the first poll. `delay` is the time between the first
    /// two attempts to open it, and doubles with each attempt. Needs a runtime.
    pub(super) fn new(
        name: String,
        device: Box<dyn Device>,
        options: Options,
        delay: Duration,
    ) -> Self {
        Self {
            name,
            device,
            options,
            socket: None,
            is_stale: false,
            state: None,
            logged_state: None,
            last_restart: None,
            log_limit: None,
            is_watched: true,
            timer: Box::pin(sleep(Duration::ZERO)),
            timer_runs: false,
            first_delay: delay,
            delay,
            report_limits: ReportLimits::default(),
        }
    }

    /// Returns the socket to read from, `None` if none is open.
    pub(super) fn receiver(&mut self) -> Option<&mut CanSocket> {
        self.socket.as_mut().map(|(_, socket)| socket)
    }

    /// Returns the socket to write to, `None` if frames would not reach the bus now.
    pub(super) fn sender(&self) -> Option<&CanSocket> {
        match &self.socket {
            Some((_, socket)) if self.state == Some(LinkState::Up) => Some(socket),
            _ => None,
        }
    }

    /// Changes which frames the kernel passes on. No frame is missed: if the kernel refuses the
    /// change, the socket is read to its end before another is opened.
    pub(super) fn set_filter(&mut self, filter: Pass) {
        if filter == self.options.filter {
            return;
        }
        self.options.filter = filter;
        if let Some((_, socket)) = &self.socket
            && let Err(error) = socket.set_filter(filter)
        {
            self.is_stale = true;
            self.enter(LinkState::Failed(errno(&error)));
        }
    }

    /// Polls the interface for changes and refreshes the state. Returns true if the state was
    /// refreshed; the caller then calls again, so that the task is registered for the next change.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> bool {
        let changed = self.device.poll_changed(context);
        let watched = changed.is_some();
        let stopped_watching = self.is_watched && !watched;
        self.is_watched = watched;
        let timer_ended = self.timer_runs && self.timer.as_mut().poll(context).is_ready();
        if timer_ended {
            self.timer_runs = false;
            self.delay = (self.delay * 2).min(MAX_DELAY.max(self.first_delay));
        }
        let changed = changed.is_some_and(|changed| changed.is_ready());
        let refresh = self.state.is_none() || timer_ended || stopped_watching || changed;
        if refresh {
            self.refresh_state();
        }
        refresh
    }

    /// Closes a stale socket, which has nothing more to read. Returns true if there was one.
    pub(super) fn note_drained(&mut self) -> bool {
        if !self.is_stale {
            return false;
        }
        self.is_stale = false;
        // If the socket has failed on an interface that still exists, the next attempt is the
        // timer's: opening it again without a delay could go on for ever.
        if let Some((open, _)) = self.socket.take()
            && Some(open) != self.device.index()
        {
            self.refresh_state();
        }
        true
    }

    /// Enters the state that an error of the socket stands for. Returns false if the error is about
    /// one frame and not about the interface.
    pub(super) fn handle_error(&mut self, error: Errno) -> bool {
        match error {
            Errno::ENETDOWN => {
                self.renew_socket();
                self.enter(LinkState::Down);
            }
            Errno::ENODEV | Errno::ENXIO => {
                self.is_stale = true;
                self.enter(LinkState::Missing);
            }
            _ => return false,
        }
        true
    }

    /// Logs what an error frame reports, and follows the controller to bus-off and back.
    pub(super) fn note_error_frame(&mut self, frame: &Frame) {
        let now = Instant::now();
        for report in Report::of(frame) {
            match report {
                Report::BusOff => {
                    self.last_restart = Some(now);
                    self.enter(LinkState::BusOff);
                }
                Report::Restarted => {
                    self.last_restart = Some(now);
                    // Up if the interface has its carrier again.
                    self.refresh_state();
                }
                _ => {
                    if let Some(count) = self.report_limits.allow(report, 1, now) {
                        tracing::warn!("CAN bus {}: {report}{}", self.name, Times(count));
                    }
                }
            }
        }
    }

    /// Reads the state of the interface and enters the state that follows from it. Opens the socket
    /// if it can be opened, and marks it as stale if its interface no longer exists.
    fn refresh_state(&mut self) {
        if let Some((_, socket)) = &self.socket
            && let Some(error) = socket.take_error()
        {
            self.handle_error(error);
        }
        let index = self.device.index();
        if let Some((open, _)) = &self.socket {
            // The interface was removed, created again or renamed. The socket is closed when all
            // received frames are read.
            self.is_stale |= Some(*open) != index;
        }
        if self.is_stale {
            self.enter(LinkState::Missing);
            return;
        }
        let state = match (self.device.state(), index) {
            (InterfaceState::Missing, _) | (_, None) => LinkState::Missing,
            (InterfaceState::NotCan, _) => LinkState::NotCan,
            (state, Some(index)) => match self.open(index) {
                Err(error) => LinkState::Failed(error),
                Ok(()) => match state {
                    InterfaceState::Down => LinkState::Down,
                    InterfaceState::NoCarrier => LinkState::BusOff,
                    _ => LinkState::Up,
                },
            },
        };
        self.enter(state);
    }

    /// Opens the socket if it is not open. A socket on an interface that is down opens, too, and so
    /// misses no frame when the interface goes up.
    fn open(&mut self, index: u32) -> Result<(), Errno> {
        if self.socket.is_none() {
            let socket = self
                .device
                .open(index, &self.options)
                .map_err(|error| errno(&error))?;
            self.socket = Some((index, socket));
        }
        Ok(())
    }

    /// Registers the socket with the runtime again. If that fails, the next refresh opens another.
    fn renew_socket(&mut self) {
        if let Some((index, socket)) = self.socket.take() {
            self.socket = socket.renew().ok().map(|socket| (index, socket));
        }
    }

    /// Enters a state, which may be the current one: logs it, and starts the timer unless nothing
    /// needs to be checked.
    fn enter(&mut self, state: LinkState) {
        let before = self.state.replace(state);
        let changed = before != Some(state);
        if changed {
            self.delay = self.first_delay;
            self.timer_runs = false;
            let limited = self
                .last_restart
                .is_some_and(|since| since.elapsed() < RESTART_PERIOD);
            self.log_limit = match (before, state) {
                _ if !limited => None,
                (_, LinkState::BusOff) => Some(Report::BusOff),
                (Some(LinkState::BusOff), LinkState::Up) => Some(Report::Restarted),
                _ => None,
            };
        }
        if changed || self.logged_state != Some(state) {
            self.log_state(state, changed);
        }
        let run_timer =
            state != LinkState::Up || !self.is_watched || self.logged_state != Some(state);
        if run_timer && !self.timer_runs {
            self.timer.set(sleep(self.delay));
        }
        self.timer_runs = run_timer;
    }

    /// Logs a state, unless its rate limit forbids that now. `changed` is false for a state that an
    /// earlier call has not logged because of the limit.
    fn log_state(&mut self, state: LinkState, changed: bool) {
        let count = match self.log_limit {
            None => Some(1),
            Some(limit) => self
                .report_limits
                .allow(limit, changed.into(), Instant::now()),
        };
        let Some(times) = count.map(Times) else {
            return;
        };
        self.logged_state = Some(state);
        let name = &self.name;
        match state {
            LinkState::Up => tracing::info!("CAN bus {name}: the interface is up{times}"),
            LinkState::Missing => tracing::warn!(
                "CAN bus {name}: the interface does not exist; it is used as soon as it does"
            ),
            LinkState::NotCan => tracing::warn!(
                "CAN bus {name}: {name} is not a CAN interface; set the key interface to one"
            ),
            LinkState::Down => tracing::warn!(
                "CAN bus {name}: the interface is down; bring it up with: ip link set {name} up"
            ),
            LinkState::BusOff => tracing::warn!(
                "CAN bus {name}: the controller is bus-off or not connected{times}, nothing is \
                 sent; to let it restart by itself: ip link set {name} type can restart-ms 100"
            ),
            LinkState::Failed(Errno::EAFNOSUPPORT) => tracing::error!(
                "CAN bus {name}: the kernel has no CAN sockets; load them with: modprobe can_raw"
            ),
            LinkState::Failed(error) => tracing::error!(
                "CAN bus {name}: the interface cannot be opened: {}",
                error.desc()
            ),
        }
    }
}

#[cfg(test)]
mod tests;

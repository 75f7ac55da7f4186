//! The last value of each sensor and the last events of each node, in memory.
//!
//! Callers pass a function that tells which events the user may receive ([`MayReceive`]). The user
//! sees a sensor only if it may receive all kinds of events that the values of the sensor came
//! with. Of a node it sees only the kinds of events that it may receive.

mod access;
mod interval;
mod nodes;
mod rate;
mod sensors;
mod silence;
#[cfg(test)]
mod tests;

use std::time::Instant;

use parking_lot::{Mutex, MutexGuard};

pub(crate) use self::{
    access::Access,
    nodes::{Heartbeat, LastEvent, NodeView},
    sensors::{SensorView, ShownSensor},
};
use self::{nodes::Nodes, sensors::Sensors};
pub(super) use self::{nodes::SavedKind, sensors::SavedSensor};
use super::Sensor;
use crate::{
    event::{Event, Guid},
    hub::batch::Endpoint,
    metrics::LogLimit,
    wording::Counted,
};

/// Tells if somebody may receive events with this priority, class, type and GUID.
pub(crate) type MayReceive<'f> = dyn Fn(u8, u16, u16, &Guid) -> bool + 'f;

/// Where an event came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The host.
    Host,
    /// A client.
    Client,
    /// The CAN bus with this index.
    Bus(usize),
}

impl Origin {
    /// Returns the origin of an event that came from an endpoint.
    pub(super) fn of(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::Client(_) => Self::Client,
            Endpoint::Bus(bus) => Self::Bus(bus),
            Endpoint::Host | Endpoint::DriverTo(_) | Endpoint::Monitor => Self::Host,
        }
    }

    /// Returns the number that stands for it in the store.
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Host => 0,
            Self::Client => 1,
            // There are at most 256.
            Self::Bus(bus) => 2 + bus as i64,
        }
    }

    /// Returns the origin with this number.
    pub(super) fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Client,
            bus @ 2.. => Self::Bus((bus - 2) as usize),
            _ => Self::Host,
        }
    }
}

/// A point in time by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timestamps {
    /// By the monotonic clock.
    pub(super) instant: Instant,
    /// By the system clock, in milliseconds since 1970.
    pub(super) time: i64,
}

/// An event and where it came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'e> {
    pub(super) event: &'e Event,
    pub(super) origin: Origin,
}

/// The part of the state that is kept over a restart.
#[derive(Debug, Default)]
pub(super) struct Saved {
    pub(super) sensors: Vec<SavedSensor>,
    pub(super) kinds: Vec<SavedKind>,
}

/// Sensors, and kinds of events, that are saved at a time: large allocations that fail would end
/// the host.
const MAX_SAVED: usize = 256;

/// The last values and events.
#[derive(Debug)]
pub(crate) struct State {
    inner: Mutex<Inner>,
    /// How many sensors the page of metrics shows.
    max_shown: usize,
    /// Limit the lines about what there is no room for.
    full: LogLimit,
    not_shown: LogLimit,
}

#[derive(Debug)]
struct Inner {
    sensors: Sensors,
    nodes: Nodes,
    /// Events that were refused or not shown since that was logged last.
    refused: u64,
    not_shown: u64,
    /// All that was not shown.
    not_shown_total: u64,
}

impl State {
    /// Makes an empty state, which shows the values of `max_shown` sensors on the page of metrics.
    pub(super) fn new(max_shown: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                sensors: Sensors::default(),
                nodes: Nodes::new(Instant::now()),
                refused: 0,
                not_shown: 0,
                not_shown_total: 0,
            }),
            max_shown,
            full: LogLimit::default(),
            not_shown: LogLimit::default(),
        }
    }

    /// Returns how many sensors the page of metrics shows.
    pub(crate) fn max_shown(&self) -> usize {
        self.max_shown
    }

    /// Returns how many sensors and kinds of events of nodes there are.
    pub(crate) fn len(&self) -> usize {
        let inner = self.inner.lock();
        inner.sensors.len() + inner.nodes.len()
    }

    /// Returns the sensors that somebody may see, in order.
    pub(crate) fn sensors(&self, may_receive: &MayReceive<'_>) -> Vec<SensorView> {
        self.inner.lock().sensors.views(may_receive)
    }

    /// Returns true if there is such a sensor and somebody may see it.
    pub(crate) fn may_see(&self, sensor: &Sensor, may_receive: &MayReceive<'_>) -> bool {
        self.inner.lock().sensors.may_see(sensor, may_receive)
    }

    /// Returns what somebody may see of the nodes, in order.
    pub(crate) fn nodes(&self, may_receive: &MayReceive<'_>) -> Vec<NodeView> {
        self.inner.lock().nodes.views(may_receive, Instant::now())
    }

    /// Returns the sensors for the page of metrics, and how many measurements of others there were.
    pub(crate) fn shown(&self) -> (Vec<ShownSensor>, u64) {
        let mut inner = self.inner.lock();
        let shown = inner.sensors.shown(Instant::now());
        (shown, inner.not_shown_total)
    }

    /// Locks the state, to note what came at a moment.
    pub(super) fn update(&self, moment: Timestamps) -> Update<'_> {
        Update {
            inner: self.inner.lock(),
            moment,
            max_shown: self.max_shown,
        }
    }

    /// Logs how much there was no room for, if there was something.
    pub(super) fn log_refused(&self, now: Instant) {
        let (refused, not_shown) = {
            let mut inner = self.inner.lock();
            (
                std::mem::take(&mut inner.refused),
                std::mem::take(&mut inner.not_shown),
            )
        };
        if refused > 0
            && let Some(count) = self.full.allow(refused, now)
        {
            tracing::warn!(
                "{} of sensors or nodes not kept: there are {} sensors or {} kinds of events of \
                 nodes already",
                Counted(count, "event"),
                sensors::MAX_SENSORS,
                nodes::MAX_KINDS,
            );
        }
        if not_shown > 0
            && let Some(count) = self.not_shown.allow(not_shown, now)
        {
            tracing::warn!(
                "{} not shown on the page of metrics, which has values of {} sensors (key \
                 metrics-measurements)",
                Counted(count, "measurement"),
                self.max_shown
            );
        }
    }

    /// Returns a part of what has changed, nothing if nothing has changed since it was returned
    /// last.
    pub(super) fn take_changed(&self) -> Saved {
        let mut inner = self.inner.lock();
        Saved {
            sensors: inner.sensors.take_changed(),
            kinds: inner.nodes.take_changed(),
        }
    }

    /// Has [`take_changed`](Self::take_changed) return everything the next time.
    pub(super) fn mark_changed(&self) {
        let mut inner = self.inner.lock();
        inner.sensors.mark_changed();
        inner.nodes.mark_changed();
    }

    /// Adds what was saved, as far as there is nothing newer.
    pub(super) fn restore(&self, saved: Saved) {
        let mut inner = self.inner.lock();
        let now = Instant::now();
        inner.sensors.restore(saved.sensors, now);
        inner.nodes.restore(saved.kinds, now);
    }
}

/// The state while it is changed.
#[derive(Debug)]
pub(super) struct Update<'s> {
    inner: MutexGuard<'s, Inner>,
    moment: Timestamps,
    max_shown: usize,
}

impl Update<'_> {
    /// Notes an event of a node.
    pub(super) fn note_event(&mut self, seen: Seen<'_>) {
        if !self.inner.nodes.note(seen, self.moment) {
            self.inner.refused += 1;
        }
    }

    /// Notes the value of a sensor, and the event that it came with. Returns false if there is no
    /// room for the sensor.
    pub(super) fn note_value(&mut self, sensor: Sensor, value: f64, seen: Seen<'_>) -> bool {
        let inner = &mut *self.inner;
        let noted = inner
            .sensors
            .note(sensor, value, seen, self.moment, self.max_shown);
        if !noted.is_kept {
            inner.refused += 1;
        }
        if !noted.is_shown && self.max_shown > 0 {
            inner.not_shown += 1;
            inner.not_shown_total += 1;
        }
        noted.is_kept
    }
}

//! The last events of each node.

use std::{collections::BTreeMap, time::Instant};

use super::{
    MAX_SAVED, MayReceive, Origin, Seen, Timestamps, access,
    interval::Interval,
    rate::Rate,
    silence::{SearchInterval, is_silent},
};
use crate::event::{Event, Guid};

/// The largest number of kinds of events, of all nodes together.
pub(super) const MAX_KINDS: usize = 16_384;

/// A heartbeat is late if none has come for this many of its intervals and [`LATE_SECONDS`] more.
const LATE: f64 = 2.5;
const LATE_SECONDS: f64 = 2.0;

/// The nodes, and the kinds of events (class and type) that each has sent.
#[derive(Debug)]
pub(super) struct Nodes {
    nodes: BTreeMap<Guid, BTreeMap<(u16, u16), Kind>>,
    /// The number of kinds of all nodes.
    count: usize,
    /// The number of events that have come.
    events: u64,
    search_interval: SearchInterval,
    started: Instant,
}

#[derive(Debug)]
struct Kind {
    last: LastEvent,
    came: Instant,
    /// The number of the last event among those of all nodes, 0 if none has come since the driver
    /// was opened.
    order: u64,
    /// A bit for each priority that they had.
    priorities: u8,
    count: u64,
    rate: Rate,
    interval: Interval,
    is_changed: bool,
}

/// The last event of a kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LastEvent {
    /// When it came, in milliseconds since 1970.
    pub(crate) time: i64,
    /// Where it came from.
    pub(crate) origin: Origin,
    /// The event.
    pub(crate) event: Event,
}

/// A node as somebody sees it.
#[derive(Clone, Debug)]
pub(crate) struct NodeView {
    /// Its GUID.
    pub(crate) guid: Guid,
    /// The last event of all.
    pub(crate) last: LastEvent,
    /// How many events it has sent.
    pub(crate) events: u64,
    /// About how many of them in the last minute.
    pub(crate) per_minute: f64,
    /// `None` if it has no heartbeat.
    pub(crate) heartbeat: Option<Heartbeat>,
    /// How many alarms it has sent.
    pub(crate) alarms: u64,
    /// The last of them.
    pub(crate) last_alarm: Option<LastEvent>,
}

/// The heartbeat of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Heartbeat {
    /// When the last one came, in milliseconds since 1970.
    pub(crate) time: i64,
    /// About how many seconds are between two of them, `None` if there was one only.
    pub(crate) interval: Option<f64>,
    /// True if one is missing; `None` if that cannot be told.
    pub(crate) is_late: Option<bool>,
}

/// The last event of a kind as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::history) struct SavedKind {
    pub(in crate::history) last: LastEvent,
    pub(in crate::history) priorities: u8,
    pub(in crate::history) count: u64,
    pub(in crate::history) interval: Option<f64>,
}

impl Nodes {
    /// Makes an empty list.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            nodes: BTreeMap::new(),
            count: 0,
            events: 0,
            search_interval: SearchInterval::default(),
            started: now,
        }
    }

    /// Notes an event. Returns false if there is no room for its kind.
    pub(super) fn note(&mut self, seen: Seen<'_>, moment: Timestamps) -> bool {
        let Seen { event, origin } = seen;
        let now = moment.instant;
        if self.count >= MAX_KINDS {
            self.clean(now);
        }
        let has_room = self.count < MAX_KINDS;
        let key = (event.class, event.kind);
        let last = || LastEvent {
            time: moment.time,
            origin,
            event: event.clone(),
        };
        let known = self.nodes.get_mut(&event.guid);
        let kind = match known.and_then(|kinds| kinds.get_mut(&key)) {
            Some(kind) => {
                if kind.order > 0 {
                    kind.interval.note(now.saturating_duration_since(kind.came));
                }
                kind.last = last();
                kind
            }
            None if has_room => {
                self.count += 1;
                let kinds = self.nodes.entry(event.guid).or_default();
                kinds.entry(key).or_insert_with(|| Kind::new(last(), now))
            }
            None => return false,
        };
        kind.came = now;
        self.events += 1;
        kind.order = self.events;
        kind.priorities |= 1 << event.priority();
        kind.count += 1;
        kind.rate.count(self.started, now);
        kind.is_changed = true;
        true
    }

    /// Returns what somebody may see of the nodes.
    pub(super) fn views(&self, may_receive: &MayReceive<'_>, now: Instant) -> Vec<NodeView> {
        let view = |(guid, kinds): (&Guid, &BTreeMap<(u16, u16), Kind>)| {
            let visible: Vec<_> = kinds
                .values()
                .filter(|kind| kind.is_visible(may_receive))
                .collect();
            self.view(*guid, &visible, now)
        };
        self.nodes.iter().filter_map(view).collect()
    }

    /// Returns a node by some kinds of its events, `None` if there are none.
    fn view(&self, guid: Guid, kinds: &[&Kind], now: Instant) -> Option<NodeView> {
        let is_alarm = |kind: &&&Kind| is_alarm(&kind.last.event);
        let heartbeats = kinds.iter().filter(|kind| is_heartbeat(&kind.last.event));
        Some(NodeView {
            guid,
            last: newest(kinds.iter())?,
            events: kinds.iter().map(|kind| kind.count).sum(),
            per_minute: kinds
                .iter()
                .map(|kind| kind.rate.per_minute(self.started, now))
                .sum(),
            heartbeat: heartbeats
                .max_by_key(|kind| (kind.order, kind.last.time))
                .map(|kind| kind.heartbeat(now)),
            alarms: kinds.iter().filter(is_alarm).map(|kind| kind.count).sum(),
            last_alarm: newest(kinds.iter().filter(is_alarm)),
        })
    }

    /// Returns how many kinds there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Returns some of the kinds that have changed since they were returned last.
    pub(super) fn take_changed(&mut self) -> Vec<SavedKind> {
        let kinds = self.nodes.values_mut().flat_map(BTreeMap::values_mut);
        kinds
            .filter_map(|kind| {
                std::mem::take(&mut kind.is_changed).then(|| SavedKind {
                    last: kind.last.clone(),
                    priorities: kind.priorities,
                    count: kind.count,
                    interval: kind.interval.seconds(),
                })
            })
            .take(MAX_SAVED)
            .collect()
    }

    /// Marks all as changed.
    pub(super) fn mark_changed(&mut self) {
        let kinds = self.nodes.values_mut().flat_map(BTreeMap::values_mut);
        kinds.for_each(|kind| kind.is_changed = true);
    }

    /// Adds what was stored and is not known yet.
    pub(super) fn restore(&mut self, saved: Vec<SavedKind>, now: Instant) {
        for saved in saved {
            if self.count >= MAX_KINDS {
                return;
            }
            let event = &saved.last.event;
            let key = (event.class, event.kind);
            let kinds = self.nodes.entry(event.guid).or_default();
            if kinds.contains_key(&key) {
                continue;
            }
            self.count += 1;
            let kind = Kind {
                priorities: saved.priorities,
                count: saved.count,
                interval: Interval::from_seconds(saved.interval),
                is_changed: false,
                ..Kind::new(saved.last, now)
            };
            kinds.insert(key, kind);
        }
    }

    /// Removes the kinds of events of which none came for a day. Does nothing if the last search
    /// for them was less than a minute ago.
    fn clean(&mut self, now: Instant) {
        if !self.search_interval.start_if_due(now) {
            return;
        }
        for kinds in self.nodes.values_mut() {
            kinds.retain(|_, kind| !is_silent(kind.came, now));
        }
        self.nodes.retain(|_, kinds| !kinds.is_empty());
        self.count = self.nodes.values().map(BTreeMap::len).sum();
    }
}

impl Kind {
    fn new(last: LastEvent, now: Instant) -> Self {
        Self {
            last,
            came: now,
            order: 0,
            priorities: 0,
            count: 0,
            rate: Rate::default(),
            interval: Interval::default(),
            is_changed: true,
        }
    }

    fn is_visible(&self, may_receive: &MayReceive<'_>) -> bool {
        let event = &self.last.event;
        let (class, kind) = (event.class, event.kind);
        access::allows(self.priorities, class, kind, &event.guid, may_receive)
    }

    fn heartbeat(&self, now: Instant) -> Heartbeat {
        let interval = self.interval.seconds();
        // After a restart, a whole interval is waited for.
        let silent = now.saturating_duration_since(self.came).as_secs_f64();
        Heartbeat {
            time: self.last.time,
            interval,
            is_late: interval.map(|interval| silent > interval * LATE + LATE_SECONDS),
        }
    }
}

/// Returns the last event of the kind that came last.
fn newest<'k>(kinds: impl Iterator<Item = &'k &'k Kind>) -> Option<LastEvent> {
    let newest = kinds.max_by_key(|kind| (kind.order, kind.last.time));
    newest.map(|kind| kind.last.clone())
}

/// Returns true for the heartbeats of nodes: type 9 of CLASS1.INFORMATION and type 2 of
/// CLASS2.INFORMATION (VSCP specification).
fn is_heartbeat(event: &Event) -> bool {
    matches!((event.class, event.kind), (20 | 532, 9) | (1044, 2))
}

/// Returns true for events of CLASS1.ALARM.
fn is_alarm(event: &Event) -> bool {
    matches!(event.class, 1 | 513)
}

//! The last value of each sensor.

use std::{collections::BTreeMap, time::Instant};

use super::{
    Access, MAX_SAVED, MayReceive, Origin, Seen, Timestamps,
    interval::Interval,
    silence::{SearchInterval, is_silent},
};
use crate::history::Sensor;

/// The largest number of sensors.
pub(super) const MAX_SENSORS: usize = 10_000;

/// The sensors.
#[derive(Debug, Default)]
pub(super) struct Sensors {
    /// In order, so that pages do not change their order.
    known: BTreeMap<Sensor, Known>,
    /// How many the page of metrics shows.
    shown: usize,
    search_interval: SearchInterval,
}

#[derive(Debug)]
struct Known {
    value: f64,
    time: i64,
    came: Instant,
    /// True until a value has come since the driver was opened.
    is_restored: bool,
    interval: Interval,
    origin: Origin,
    access: Access,
    /// True if the page of metrics shows it.
    is_shown: bool,
    is_changed: bool,
}

/// The last value of a sensor, as somebody sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SensorView {
    /// The sensor.
    pub(crate) sensor: Sensor,
    /// Its last value.
    pub(crate) value: f64,
    /// When that came, in milliseconds since 1970.
    pub(crate) time: i64,
    /// Where it came from.
    pub(crate) origin: Origin,
    /// About how many seconds are between two values, `None` if there was one only.
    pub(crate) interval: Option<f64>,
}

/// The last value of a sensor on the page of metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShownSensor {
    /// The sensor.
    pub(crate) sensor: Sensor,
    /// Its last value.
    pub(crate) value: f64,
    /// When that came, in milliseconds since 1970.
    pub(crate) time: i64,
}

/// A sensor as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::history) struct SavedSensor {
    pub(in crate::history) sensor: Sensor,
    pub(in crate::history) value: f64,
    pub(in crate::history) time: i64,
    pub(in crate::history) interval: Option<f64>,
    pub(in crate::history) origin: Origin,
    pub(in crate::history) access: Access,
}

/// The result of noting a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noted {
    /// False if there is no room for its sensor.
    pub(super) is_kept: bool,
    /// True if the page of metrics shows it.
    pub(super) is_shown: bool,
}

impl Sensors {
    /// Notes the value of a sensor.
    pub(super) fn note(
        &mut self,
        sensor: Sensor,
        value: f64,
        seen: Seen<'_>,
        moment: Timestamps,
        max_shown: usize,
    ) -> Noted {
        let now = moment.instant;
        if !self.known.contains_key(&sensor) && self.known.len() >= MAX_SENSORS {
            self.clean(now);
            if self.known.len() >= MAX_SENSORS {
                return Noted {
                    is_kept: false,
                    is_shown: false,
                };
            }
        }
        if self.shown >= max_shown && max_shown > 0 {
            self.clean(now);
        }
        let known = self.known.entry(sensor).or_insert_with(|| Known {
            value,
            time: moment.time,
            came: now,
            is_restored: true,
            interval: Interval::default(),
            origin: seen.origin,
            access: Access::default(),
            is_shown: false,
            is_changed: true,
        });
        if !std::mem::take(&mut known.is_restored) {
            known
                .interval
                .note(now.saturating_duration_since(known.came));
        }
        known.value = value;
        known.time = moment.time;
        known.came = now;
        known.origin = seen.origin;
        known.access.note(seen.event);
        known.is_changed = true;
        if !known.is_shown && self.shown < max_shown {
            known.is_shown = true;
            self.shown += 1;
        }
        Noted {
            is_kept: true,
            is_shown: known.is_shown,
        }
    }

    /// Returns the sensors that somebody may see.
    pub(super) fn views(&self, may_receive: &MayReceive<'_>) -> Vec<SensorView> {
        self.known
            .iter()
            .filter(|(sensor, known)| known.access.allows(&sensor.guid, may_receive))
            .map(|(sensor, known)| SensorView {
                sensor: *sensor,
                value: known.value,
                time: known.time,
                origin: known.origin,
                interval: known.interval.seconds(),
            })
            .collect()
    }

    /// Returns true if there is such a sensor and somebody may see it.
    pub(super) fn may_see(&self, sensor: &Sensor, may_receive: &MayReceive<'_>) -> bool {
        let known = self.known.get(sensor);
        known.is_some_and(|known| known.access.allows(&sensor.guid, may_receive))
    }

    /// Returns the sensors for the page of metrics.
    pub(super) fn shown(&mut self, now: Instant) -> Vec<ShownSensor> {
        self.clean(now);
        let shown = self.known.iter().filter(|(_, known)| known.is_shown);
        shown
            .map(|(sensor, known)| ShownSensor {
                sensor: *sensor,
                value: known.value,
                time: known.time,
            })
            .collect()
    }

    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Returns some of the sensors that have changed since they were returned last.
    pub(super) fn take_changed(&mut self) -> Vec<SavedSensor> {
        let changed = self.known.iter_mut();
        changed
            .filter_map(|(sensor, known)| {
                std::mem::take(&mut known.is_changed).then(|| SavedSensor {
                    sensor: *sensor,
                    value: known.value,
                    time: known.time,
                    interval: known.interval.seconds(),
                    origin: known.origin,
                    access: known.access.clone(),
                })
            })
            .take(MAX_SAVED)
            .collect()
    }

    /// Marks all as changed.
    pub(super) fn mark_changed(&mut self) {
        let all = self.known.values_mut();
        all.for_each(|known| known.is_changed = true);
    }

    /// Adds sensors that were stored and are not known yet.
    pub(super) fn restore(&mut self, saved: Vec<SavedSensor>, now: Instant) {
        for saved in saved {
            if self.known.len() >= MAX_SENSORS {
                return;
            }
            self.known.entry(saved.sensor).or_insert_with(|| Known {
                value: saved.value,
                time: saved.time,
                came: now,
                is_restored: true,
                interval: Interval::from_seconds(saved.interval),
                origin: saved.origin,
                access: saved.access,
                is_shown: false,
                is_changed: false,
            });
        }
    }

    /// Takes the sensors that have sent nothing for a day off the page of metrics. If there are
    /// [`MAX_SENSORS`], also removes all such sensors from the list. Does nothing if the last
    /// search for them was less than a minute ago.
    fn clean(&mut self, now: Instant) {
        if !self.search_interval.start_if_due(now) {
            return;
        }
        for known in self.known.values_mut() {
            if known.is_shown && is_silent(known.came, now) {
                known.is_shown = false;
                self.shown -= 1;
            }
        }
        if self.known.len() >= MAX_SENSORS {
            self.known.retain(|_, known| !is_silent(known.came, now));
        }
    }
}

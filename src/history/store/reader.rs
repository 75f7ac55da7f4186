//! Queries.

use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::{HOUR, Location, MINUTE, saved};
use crate::{
    event::{Event, Guid},
    history::{Origin, Sensor},
};

/// Instructions of SQLite after which the time is looked at.
const INSTRUCTIONS: i32 = 10_000;

/// The longest time of a query, so that sums do not overflow.
const MAX_TIME: i64 = 1 << 53;

/// A question for what a sensor has measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeriesQuery {
    /// The sensor.
    pub(crate) sensor: Sensor,
    /// The first and the last time, in milliseconds since 1970.
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// About how many steps the answer is to have.
    pub(crate) points: u32,
}

/// The values of a sensor, summed up in steps.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    /// The length of a step in milliseconds.
    pub(crate) step: i64,
    /// The steps in which something was measured, in order.
    pub(crate) steps: Vec<Step>,
}

/// The values within a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    /// When it begins, in milliseconds since 1970.
    pub(crate) time: i64,
    /// The lowest value.
    pub(crate) min: f64,
    /// Their mean.
    pub(crate) mean: f64,
    /// The highest value.
    pub(crate) max: f64,
    /// How many there are.
    pub(crate) count: u64,
}

/// A question for events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventQuery {
    /// The first and the last time, in milliseconds since 1970.
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Their class, type and GUID, `None` for any.
    pub(crate) class: Option<u16>,
    pub(crate) kind: Option<u16>,
    pub(crate) guid: Option<Guid>,
    /// The largest number of them.
    pub(crate) limit: usize,
}

/// An event, when it came and where from.
#[derive(Clone, Debug)]
pub(crate) struct StoredEvent {
    /// When it came, in milliseconds since 1970.
    pub(crate) time: i64,
    /// Where it came from.
    pub(crate) origin: Origin,
    /// The event.
    pub(crate) event: Event,
}

/// The reason that there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    /// Nothing is stored.
    #[error("there is no history; see the key history")]
    Off,
    /// It has taken too long.
    #[error("the query has taken too long; ask for less")]
    TimedOut,
    /// The store cannot be read.
    #[error("the history cannot be read: {0}")]
    Store(rusqlite::Error),
}

impl From<rusqlite::Error> for QueryError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted | ErrorCode::DatabaseBusy) => Self::TimedOut,
            _ => Self::Store(error),
        }
    }
}

/// Reads what a sensor has measured.
pub(in crate::history) fn series(
    location: &Location,
    query: &SeriesQuery,
    timeout: Duration,
) -> Result<Series, QueryError> {
    let connection = open(location, timeout)?;
    let SeriesQuery {
        sensor,
        from,
        to,
        points,
    } = *query;
    let (from, to) = (
        from.clamp(-MAX_TIME, MAX_TIME),
        to.clamp(-MAX_TIME, MAX_TIME),
    );
    let wanted = ((to - from).max(1) as u64).div_ceil(u64::from(points.max(1))) as i64;
    let Some(id) = id_of(&connection, &sensor)? else {
        let steps = Vec::new();
        return Ok(Series {
            step: wanted,
            steps,
        });
    };
    if wanted < MINUTE && has_values_from(&connection, id, from)? {
        return values(&connection, id, [from, to], wanted);
    }
    let (table, length) = match wanted {
        ..HOUR => ("minute", MINUTE),
        _ => ("hour", HOUR),
    };
    let step = (wanted + length - 1) / length * length;
    sums(&connection, id, table, [from, to], step)
}

/// Reads the newest events that `may_see` lets through.
pub(in crate::history) fn events(
    location: &Location,
    query: &EventQuery,
    mut may_see: impl FnMut(&StoredEvent) -> bool,
    timeout: Duration,
) -> Result<Vec<StoredEvent>, QueryError> {
    let connection = open(location, timeout)?;
    let EventQuery {
        from,
        to,
        class,
        kind,
        guid,
        limit,
    } = *query;
    let mut statement = connection.prepare(
        "SELECT time, origin, head, class, kind, guid, obid, timestamp, unix_ns, date, data \
         FROM event WHERE time BETWEEN ?1 AND ?2 AND (?3 IS NULL OR class = ?3) \
         AND (?4 IS NULL OR kind = ?4) AND (?5 IS NULL OR guid = ?5) ORDER BY time DESC, id DESC",
    )?;
    let guid = guid.map(|guid| guid.0);
    let rows = statement.query_map(params![from, to, class, kind, guid], saved::event)?;
    let mut events = Vec::new();
    for row in rows.filter_map(saved::understood) {
        let (time, origin, event) = row?;
        let event = StoredEvent {
            time,
            origin,
            event,
        };
        if may_see(&event) {
            events.push(event);
        }
        if events.len() >= limit {
            break;
        }
    }
    Ok(events)
}

fn open(location: &Location, timeout: Duration) -> rusqlite::Result<Connection> {
    let mut connection = location.open_for_reading()?;
    let start = Instant::now();
    let is_over = move || start.elapsed() > timeout;
    connection.progress_handler(INSTRUCTIONS, Some(is_over))?;
    Ok(connection)
}

fn id_of(connection: &Connection, sensor: &Sensor) -> rusqlite::Result<Option<i64>> {
    let Sensor {
        guid,
        kind,
        unit,
        sensor,
        zone,
        subzone,
    } = sensor;
    connection
        .query_row(
            "SELECT id FROM sensor WHERE guid = ?1 AND sensor = ?2 AND kind = ?3 AND unit = ?4 \
             AND zone = ?5 AND subzone = ?6",
            params![guid.0, sensor, kind, unit, zone, subzone],
            |row| row.get(0),
        )
        .optional()
}

/// Returns true if the single values are there for all the time from `from` on. Returns false if
/// some of them have been removed, so that only the sums of minutes and hours are left.
fn has_values_from(connection: &Connection, sensor: i64, from: i64) -> rusqlite::Result<bool> {
    let first = |table: &str| {
        let query = format!("SELECT min(time) FROM {table} WHERE sensor = ?1");
        connection.query_row(&query, [sensor], |row| row.get::<_, Option<i64>>(0))
    };
    Ok(match (first("value")?, first("minute")?) {
        (Some(value), Some(minute)) => value < minute + MINUTE || value <= from,
        (value, _) => value.is_some(),
    })
}

fn values(
    connection: &Connection,
    sensor: i64,
    [from, to]: [i64; 2],
    step: i64,
) -> Result<Series, QueryError> {
    let mut statement = connection.prepare(
        "SELECT time, value FROM value WHERE sensor = ?1 AND time BETWEEN ?2 AND ?3 ORDER BY time",
    )?;
    let mut rows = statement.query(params![sensor, from, to])?;
    let mut steps = Steps::new(step);
    while let Some(row) = rows.next()? {
        let value = row.get(1)?;
        steps.add(row.get(0)?, value, value, value, 1);
    }
    Ok(steps.finish())
}

fn sums(
    connection: &Connection,
    sensor: i64,
    table: &str,
    [from, to]: [i64; 2],
    step: i64,
) -> Result<Series, QueryError> {
    let mut statement = connection.prepare(&format!(
        "SELECT time, low, high, total, count FROM {table} \
         WHERE sensor = ?1 AND time BETWEEN ?2 AND ?3 ORDER BY time"
    ))?;
    let from = from.div_euclid(step) * step;
    let mut rows = statement.query(params![sensor, from, to])?;
    let mut steps = Steps::new(step);
    while let Some(row) = rows.next()? {
        let (low, high, total) = (row.get(1)?, row.get(2)?, row.get(3)?);
        steps.add(row.get(0)?, low, high, total, row.get(4)?);
    }
    Ok(steps.finish())
}

/// Sums up what comes in the order of time, in steps that begin at multiples of their length.
#[derive(Debug)]
struct Steps {
    step: i64,
    steps: Vec<Step>,
    total: f64,
}

impl Steps {
    fn new(step: i64) -> Self {
        Self {
            step,
            steps: Vec::new(),
            total: 0.0,
        }
    }

    fn add(&mut self, time: i64, low: f64, high: f64, total: f64, count: i64) {
        let time = time.div_euclid(self.step) * self.step;
        let count = count.max(1) as u64;
        match self.steps.last_mut() {
            Some(last) if last.time == time => {
                last.min = last.min.min(low);
                last.max = last.max.max(high);
                last.count += count;
                self.total += total;
            }
            _ => {
                self.end_step();
                self.total = total;
                self.steps.push(Step {
                    time,
                    min: low,
                    mean: 0.0,
                    max: high,
                    count,
                });
            }
        }
    }

    fn end_step(&mut self) {
        if let Some(last) = self.steps.last_mut() {
            // Rounding must not carry it out of the range.
            let mean = self.total / last.count as f64;
            last.mean = mean.max(last.min).min(last.max);
        }
    }

    fn finish(mut self) -> Series {
        self.end_step();
        Series {
            step: self.step,
            steps: self.steps,
        }
    }
}

//! Removing what is too old, and what is too much.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::{HOUR, StoreError};

/// Rows that are removed in a step, of one table.
const ROWS: i64 = 5000;

/// Sensors that are looked at in a step.
const SENSORS: usize = 100;

/// Pages that are given back to the system in a step.
const PAGES: u32 = 500;

/// The part of the pages that may be free without being given back: they are used again.
const FREE: i64 = 8;

/// The tables that have rows of sensors by time.
const TABLES: [&str; 3] = ["value", "minute", "hour"];

/// The bytes of the maximum size for each event that is kept. There are no more than
/// [`MAX_EVENTS`].
const BYTES_PER_EVENT: u64 = 1024;
const MAX_EVENTS: u64 = 200_000;

/// The bytes of the maximum size for each row of `seen` that is kept: the last event of a kind of a
/// node. A row takes an eighth of them at most, so that a flood of kinds leaves room for values.
/// There are no more than [`MAX_KINDS`], as in the state.
const BYTES_PER_KIND: u64 = 8192;
const MAX_KINDS: u64 = 16_384;

/// Decides what is removed. Each step is short, so that what waits to be stored need not wait long.
#[derive(Debug)]
pub(super) struct Retention {
    keep: i64,
    max_size: u64,
    max_events: i64,
    max_kinds: i64,
    /// The last sensor that was looked at.
    sensor: i64,
}

/// The result of a step.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// The numbers of the sensors that are not there any more.
    pub(super) sensors: Vec<i64>,
    /// True if there is more to remove.
    pub(super) has_more: bool,
}

impl Retention {
    /// Keeps what came within `keep`, in at most `max_size` bytes.
    pub(super) fn new(keep: Duration, max_size: u64) -> Self {
        let max_events = (max_size / BYTES_PER_EVENT).clamp(1, MAX_EVENTS);
        Self {
            keep: i64::try_from(keep.as_millis()).unwrap_or(i64::MAX),
            max_size,
            max_events: i64::try_from(max_events).unwrap_or(i64::MAX),
            max_kinds: (max_size / BYTES_PER_KIND).min(MAX_KINDS) as i64,
            sensor: i64::MIN,
        }
    }

    /// Removes some of the rows that exceed the maximum size or number. If `now` is given, also
    /// removes some of the rows that are older than `keep` then.
    pub(super) fn step(
        &mut self,
        connection: &mut Connection,
        now: Option<i64>,
    ) -> Result<Gone, StoreError> {
        let transaction = connection.transaction()?;
        let mut gone = Gone::default();
        gone.has_more |= self.remove_events(&transaction)?;
        gone.has_more |= self.remove_kinds(&transaction)?;
        if let Some(now) = now {
            let limit = now.saturating_sub(self.keep);
            gone.has_more |= self.remove_older(&transaction, limit, &mut gone.sensors)?;
        }
        if used(&transaction)? > self.max_size {
            gone.has_more |= remove_oldest(&transaction)?;
        }
        transaction.commit()?;
        give_back(connection)?;
        Ok(gone)
    }

    /// Removes the first events if there are too many. Returns true if there are more.
    fn remove_events(&self, connection: &Connection) -> Result<bool, StoreError> {
        // They are numbered as they came, without gaps but at the start.
        let first = edge(connection, "min")?;
        let last = edge(connection, "max")?;
        let (Some(first), Some(last)) = (first, last) else {
            return Ok(false);
        };
        let limit = (last - self.max_events).min(first + ROWS - 1);
        let removed = match limit >= first {
            true => connection.execute("DELETE FROM event WHERE id <= ?1", [limit])?,
            false => 0,
        };
        Ok(removed as i64 >= ROWS)
    }

    /// Removes the oldest of the last events of kinds if there are too many. Returns true if there
    /// are more.
    pub(super) fn remove_kinds(&self, connection: &Connection) -> Result<bool, StoreError> {
        let count: i64 = connection.query_row("SELECT count(*) FROM seen", [], |row| row.get(0))?;
        let excess = (count - self.max_kinds).min(ROWS);
        if excess <= 0 {
            return Ok(false);
        }
        connection.execute(
            "DELETE FROM seen WHERE (guid, class, kind) IN \
             (SELECT guid, class, kind FROM seen ORDER BY time LIMIT ?1)",
            [excess],
        )?;
        Ok(excess == ROWS)
    }

    /// Removes what is older than `limit`: events, the last events of kinds (`seen`), and rows of
    /// the next [`SENSORS`] sensors. Returns true if there may be more to remove.
    fn remove_older(
        &mut self,
        connection: &Connection,
        limit: i64,
        gone: &mut Vec<i64>,
    ) -> Result<bool, StoreError> {
        let old = "SELECT id FROM event WHERE time < ?1 ORDER BY time LIMIT ?2";
        let removed = connection.execute(
            &format!("DELETE FROM event WHERE id IN ({old})"),
            [limit, ROWS],
        )?;
        let mut has_more = removed as i64 == ROWS;
        connection.execute("DELETE FROM seen WHERE time < ?1", [limit])?;
        let sensors = next_sensors(connection, self.sensor)?;
        for sensor in &sensors {
            for table in TABLES {
                if remove_rows(connection, table, *sensor, limit)? {
                    // The same one the next time.
                    return Ok(true);
                }
            }
            if forget(connection, *sensor, limit)? {
                gone.push(*sensor);
            }
            self.sensor = *sensor;
        }
        match sensors.len() {
            SENSORS => has_more = true,
            _ => self.sensor = i64::MIN,
        }
        Ok(has_more)
    }
}

/// Returns the first or the last number of an event.
fn edge(connection: &Connection, function: &str) -> Result<Option<i64>, StoreError> {
    let query = format!("SELECT {function}(id) FROM event");
    Ok(connection.query_row(&query, [], |row| row.get(0))?)
}

fn next_sensors(connection: &Connection, after: i64) -> Result<Vec<i64>, StoreError> {
    let mut query =
        connection.prepare("SELECT id FROM sensor WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let ids = query.query_map(params![after, SENSORS as i64], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Removes the first rows of a sensor that are older than `limit`. Returns true if there are more
/// of them.
fn remove_rows(
    connection: &Connection,
    table: &str,
    sensor: i64,
    limit: i64,
) -> Result<bool, StoreError> {
    let next = connection
        .query_row(
            &format!(
                "SELECT time FROM {table} WHERE sensor = ?1 AND time < ?2 ORDER BY time LIMIT 1 \
                 OFFSET ?3"
            ),
            [sensor, limit, ROWS],
            |row| row.get::<_, i64>(0),
        )
        .optional()?;
    connection.execute(
        &format!("DELETE FROM {table} WHERE sensor = ?1 AND time < ?2"),
        [sensor, next.unwrap_or(limit)],
    )?;
    Ok(next.is_some())
}

/// Removes a sensor that has no rows left, if its last value is not newer than `limit`. Returns
/// true if it was removed.
fn forget(connection: &Connection, sensor: i64, limit: i64) -> Result<bool, StoreError> {
    let removed = connection.execute(
        "DELETE FROM sensor WHERE id = ?1 AND coalesce(time, ?2) <= ?2 \
         AND NOT EXISTS (SELECT 1 FROM value WHERE sensor = ?1) \
         AND NOT EXISTS (SELECT 1 FROM hour WHERE sensor = ?1)",
        [sensor, limit],
    )?;
    Ok(removed > 0)
}

/// Removes the oldest rows of the finest table that has some. Returns true if there is more to
/// remove.
fn remove_oldest(connection: &Connection) -> Result<bool, StoreError> {
    for table in TABLES {
        let mut oldest: Vec<(i64, i64)> = Vec::new();
        let mut query = connection.prepare(&format!(
            "SELECT id, (SELECT min(time) FROM {table} WHERE sensor = id) AS first FROM sensor \
             WHERE first IS NOT NULL"
        ))?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            oldest.push((row.get(1)?, row.get(0)?));
        }
        oldest.sort_unstable();
        let Some((first, _)) = oldest.first() else {
            continue;
        };
        let limit = (first.div_euclid(HOUR) + 1) * HOUR;
        let before = oldest.iter().take_while(|(time, _)| *time < limit);
        for (_, sensor) in before.take(SENSORS) {
            if remove_rows(connection, table, *sensor, limit)? {
                break;
            }
        }
        return Ok(true);
    }
    Ok(false)
}

/// Returns the bytes of the pages that are in use.
fn used(connection: &Connection) -> Result<u64, StoreError> {
    let [pages, free, size] = ["page_count", "freelist_count", "page_size"].map(|pragma| {
        connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0))
    });
    let pages = pages?.saturating_sub(free?);
    Ok(u64::try_from(pages.saturating_mul(size?)).unwrap_or_default())
}

/// Gives free pages back to the system.
fn give_back(connection: &Connection) -> Result<(), StoreError> {
    let [pages, free] = ["page_count", "freelist_count"].map(|pragma| {
        connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0))
    });
    if free? > pages? / FREE {
        connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    }
    Ok(())
}

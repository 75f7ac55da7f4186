//! The state of sensors and nodes, kept over a restart.

use std::num::NonZeroU64;

use rusqlite::{Connection, Row, params};

use super::{StoreError, batch};
use crate::{
    event::{Data, Date, Event, Guid},
    history::{
        Access, LastEvent, Origin, Sensor,
        state::{Saved, SavedKind, SavedSensor},
    },
};

/// Writes what has changed.
pub(super) fn write(connection: &Connection, saved: &Saved) -> Result<(), StoreError> {
    let mut sensor = connection.prepare(
        "UPDATE sensor SET value = ?2, time = ?3, interval = ?4, origin = ?5, access = ?6 \
         WHERE id = ?1",
    )?;
    for saved in &saved.sensors {
        sensor.execute(params![
            batch::id_of(connection, &saved.sensor)?,
            saved.value,
            saved.time,
            saved.interval,
            saved.origin.code(),
            saved.access.to_text(),
        ])?;
    }
    let mut seen = connection.prepare(
        "REPLACE INTO seen (guid, class, kind, time, origin, head, obid, timestamp, unix_ns, date, \
         data, priorities, count, interval) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    for saved in &saved.kinds {
        let event = &saved.last.event;
        seen.execute(params![
            event.guid.0,
            event.class,
            event.kind,
            saved.last.time,
            saved.last.origin.code(),
            event.head,
            event.obid,
            event.timestamp,
            event.unix_ns.map(|ns| ns.get() as i64),
            event.date.map(|date| date.to_string()),
            &*event.data,
            saved.priorities,
            saved.count as i64,
            saved.interval,
        ])?;
    }
    Ok(())
}

/// Reads the state that was written. Rows that cannot be understood are left out.
pub(super) fn read(connection: &Connection) -> Result<Saved, StoreError> {
    let mut sensors = connection.prepare(
        "SELECT guid, sensor, kind, unit, zone, subzone, value, time, interval, origin, access \
         FROM sensor WHERE access IS NOT NULL ORDER BY time DESC",
    )?;
    let sensors = sensors.query_map([], sensor)?;
    let mut kinds = connection.prepare(
        "SELECT time, origin, head, class, kind, guid, obid, timestamp, unix_ns, date, data, \
         priorities, count, interval FROM seen ORDER BY time DESC",
    )?;
    let kinds = kinds.query_map([], |row| {
        let (time, origin, event) = event(row)?;
        let count: i64 = row.get(12)?;
        Ok(SavedKind {
            last: LastEvent {
                time,
                origin,
                event,
            },
            priorities: row.get(11)?,
            count: count.max(0) as u64,
            interval: row.get(13)?,
        })
    })?;
    Ok(Saved {
        sensors: sensors.filter_map(understood).collect::<Result<_, _>>()?,
        kinds: kinds.filter_map(understood).collect::<Result<_, _>>()?,
    })
}

/// Leaves a row out whose values are not what was written.
pub(super) fn understood<T>(row: rusqlite::Result<T>) -> Option<rusqlite::Result<T>> {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    match row {
        Err(FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..)) => {
            None
        }
        row => Some(row),
    }
}

fn sensor(row: &Row<'_>) -> rusqlite::Result<SavedSensor> {
    let access: String = row.get(10)?;
    Ok(SavedSensor {
        sensor: Sensor {
            guid: Guid(row.get(0)?),
            sensor: row.get(1)?,
            kind: row.get(2)?,
            unit: row.get(3)?,
            zone: row.get(4)?,
            subzone: row.get(5)?,
        },
        value: row.get(6)?,
        time: row.get(7)?,
        interval: row.get(8)?,
        origin: Origin::from_code(row.get(9)?),
        access: Access::from_text(&access).ok_or(rusqlite::Error::InvalidColumnType(
            10,
            access,
            rusqlite::types::Type::Text,
        ))?,
    })
}

/// Reads time, origin and event from the first eleven columns.
pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<(i64, Origin, Event)> {
    let unix_ns: Option<i64> = row.get(8)?;
    let date: Option<String> = row.get(9)?;
    let data: Vec<u8> = row.get(10)?;
    let event = Event {
        head: row.get(2)?,
        class: row.get(3)?,
        kind: row.get(4)?,
        obid: row.get(6)?,
        date: date.and_then(|date| Date::parse_wire(&date).ok().flatten()),
        timestamp: row.get(7)?,
        unix_ns: unix_ns.and_then(|ns| NonZeroU64::new(ns as u64)),
        guid: Guid(row.get(5)?),
        data: Data::copy_from(&data).unwrap_or_default(),
    };
    Ok((row.get(0)?, Origin::from_code(row.get(1)?), event))
}

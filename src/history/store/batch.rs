//! Writing what has come.

use std::collections::{BTreeMap, btree_map::Entry};

use rusqlite::{Connection, OptionalExtension, Statement, params};

use super::{STEPS, StoreError};
use crate::{
    event::Event,
    history::{
        Sensor,
        queue::{EventRecord, Record, ValueRecord},
    },
};

/// The values of a step, summed up.
#[derive(Clone, Copy, Debug)]
struct Sum {
    low: f64,
    high: f64,
    total: f64,
    count: i64,
}

/// Writes records, and adds their values to the sums of minutes and hours. `ids` are the numbers of
/// the sensors that are known; returns the numbers of the sensors that are not in `ids`.
///
/// The maps are B-trees, which allocate little memory at a time: a large allocation that fails
/// would end the process.
pub(super) fn write(
    connection: &Connection,
    ids: &BTreeMap<Sensor, i64>,
    records: &[Record],
) -> Result<BTreeMap<Sensor, i64>, StoreError> {
    let mut new = BTreeMap::new();
    let mut sums: [BTreeMap<(i64, i64), Sum>; 2] = Default::default();
    let mut value = connection.prepare(
        "INSERT INTO value VALUES (?1, ?2, ?3) \
         ON CONFLICT DO UPDATE SET value = excluded.value",
    )?;
    let mut event = connection.prepare(
        "INSERT INTO event (time, origin, head, class, kind, guid, obid, timestamp, unix_ns, date, \
         data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for record in records {
        match record {
            Record::Value(record) => {
                let id = match ids.get(&record.sensor) {
                    Some(id) => *id,
                    None => match new.entry(record.sensor) {
                        Entry::Occupied(known) => *known.get(),
                        Entry::Vacant(place) => *place.insert(id_of(connection, &record.sensor)?),
                    },
                };
                value.execute(params![id, record.time, record.value])?;
                for (sums, (_, length)) in sums.iter_mut().zip(STEPS) {
                    let start = record.time.div_euclid(length) * length;
                    add(sums, (id, start), record);
                }
            }
            Record::Event(record) => write_event(&mut event, record)?,
        }
    }
    for (sums, (table, _)) in sums.into_iter().zip(STEPS) {
        write_sums(connection, table, sums)?;
    }
    Ok(new)
}

/// Returns the number of a sensor, which gets one if it has none.
pub(super) fn id_of(connection: &Connection, sensor: &Sensor) -> Result<i64, StoreError> {
    let Sensor {
        guid,
        kind,
        unit,
        sensor,
        zone,
        subzone,
    } = sensor;
    let key = params![guid.0, sensor, kind, unit, zone, subzone];
    let known = connection
        .query_row(
            "SELECT id FROM sensor WHERE guid = ?1 AND sensor = ?2 AND kind = ?3 AND unit = ?4 \
             AND zone = ?5 AND subzone = ?6",
            key,
            |row| row.get(0),
        )
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    connection.execute(
        "INSERT INTO sensor (guid, sensor, kind, unit, zone, subzone) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        key,
    )?;
    Ok(connection.last_insert_rowid())
}

fn add(sums: &mut BTreeMap<(i64, i64), Sum>, key: (i64, i64), record: &ValueRecord) {
    let value = record.value;
    let sum = sums.entry(key).or_insert(Sum {
        low: value,
        high: value,
        total: 0.0,
        count: 0,
    });
    sum.low = sum.low.min(value);
    sum.high = sum.high.max(value);
    // The sum stays finite: two opposite infinities would add up to NaN, which SQLite stores as
    // NULL.
    sum.total = (sum.total + value).clamp(f64::MIN, f64::MAX);
    sum.count += 1;
}

fn write_sums(
    connection: &Connection,
    table: &str,
    sums: BTreeMap<(i64, i64), Sum>,
) -> Result<(), StoreError> {
    let mut upsert = connection.prepare(&format!(
        "INSERT INTO {table} VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET \
         low = min(low, excluded.low), high = max(high, excluded.high), \
         total = max(-1.7e308, min(1.7e308, total + excluded.total)), \
         count = count + excluded.count"
    ))?;
    for ((sensor, time), sum) in sums {
        upsert.execute(params![
            sensor, time, sum.low, sum.high, sum.total, sum.count
        ])?;
    }
    Ok(())
}

fn write_event(insert: &mut Statement<'_>, record: &EventRecord) -> Result<(), StoreError> {
    let EventRecord {
        time,
        origin,
        event,
    } = record;
    let Event {
        head,
        class,
        kind,
        obid,
        date,
        timestamp,
        unix_ns,
        guid,
        data,
    } = event;
    insert.execute(params![
        time,
        origin.code(),
        head,
        class,
        kind,
        guid.0,
        obid,
        timestamp,
        unix_ns.map(|ns| ns.get() as i64),
        date.map(|date| date.to_string()),
        &**data,
    ])?;
    Ok(())
}

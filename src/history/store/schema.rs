//! The tables.

use rusqlite::Connection;

use super::StoreError;

/// The application id in the file, which tells that it is a history of this driver: `VSws` in
/// ASCII.
const APPLICATION: i64 = 0x5653_7773;

/// The version of the tables.
const VERSION: i64 = 1;

/// Bytes that the log of changes keeps when it is empty.
const LOG_SIZE: u64 = 4 << 20;

/// The names of the tables.
const NAMES: [&str; 6] = ["sensor", "value", "minute", "hour", "event", "seen"];

/// Rows of `value`, `minute` and `hour` stand in the order of sensors and times, so that those of a
/// query are neighbours. `low` to `count` sum up the values of a step, which begins at `time`.
/// `seen` has the last event of each kind of each node.
const TABLES: &str = "
CREATE TABLE sensor (
    id INTEGER PRIMARY KEY,
    guid BLOB NOT NULL,
    sensor INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    zone INTEGER NOT NULL,
    subzone INTEGER NOT NULL,
    value REAL,
    time INTEGER,
    interval REAL,
    origin INTEGER,
    access TEXT,
    UNIQUE (guid, sensor, kind, unit, zone, subzone)
);
CREATE TABLE value (
    sensor INTEGER NOT NULL,
    time INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (sensor, time)
) WITHOUT ROWID;
CREATE TABLE minute (
    sensor INTEGER NOT NULL,
    time INTEGER NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    total REAL NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (sensor, time)
) WITHOUT ROWID;
CREATE TABLE hour (
    sensor INTEGER NOT NULL,
    time INTEGER NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    total REAL NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (sensor, time)
) WITHOUT ROWID;
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    head INTEGER NOT NULL,
    class INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    guid BLOB NOT NULL,
    obid INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    unix_ns INTEGER,
    date TEXT,
    data BLOB NOT NULL
);
CREATE INDEX event_by_time ON event (time);
CREATE TABLE seen (
    guid BLOB NOT NULL,
    class INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    time INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    head INTEGER NOT NULL,
    obid INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    unix_ns INTEGER,
    date TEXT,
    data BLOB NOT NULL,
    priorities INTEGER NOT NULL,
    count INTEGER NOT NULL,
    interval REAL,
    PRIMARY KEY (guid, class, kind)
) WITHOUT ROWID;
";

/// Makes the tables if the database is empty. Fails, and changes nothing, if it is one of another
/// program or version, or if tables are missing.
pub(super) fn prepare(connection: &Connection) -> Result<(), StoreError> {
    let is_empty = check(connection)?;
    // With these settings no committed transaction is lost if the process is killed. If the machine
    // stops, the last ones may be lost.
    connection.execute_batch(&format!(
        "PRAGMA auto_vacuum = INCREMENTAL;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = NORMAL;
         PRAGMA journal_size_limit = {LOG_SIZE};
         PRAGMA temp_store = MEMORY;"
    ))?;
    if is_empty {
        connection.execute_batch(&format!(
            "BEGIN; {TABLES} PRAGMA application_id = {APPLICATION};
             PRAGMA user_version = {VERSION}; COMMIT;"
        ))?;
    }
    Ok(())
}

/// Returns true if the database is empty. Fails if it is none of ours, or not whole.
fn check(connection: &Connection) -> Result<bool, StoreError> {
    let number = |pragma: &str| {
        connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0))
    };
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (tables, number("application_id")?, number("user_version")?) {
        (0, ..) => Ok(true),
        (_, APPLICATION, VERSION) => {
            let mut found = connection
                .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?;
            for name in NAMES {
                if !found.exists([name])? {
                    return Err(StoreError::Incomplete(name));
                }
            }
            Ok(false)
        }
        (_, APPLICATION, version) => Err(StoreError::foreign(format_args!("version {version}"))),
        _ => Err(StoreError::foreign("a database of another program")),
    }
}

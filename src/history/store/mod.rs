//! The history in SQLite.
//!
//! `location` opens connections, `schema` makes the tables, [`Store`] fills them for the writer,
//! `retention` removes what is old or too much, and [`reader`] answers queries. Times are
//! milliseconds since 1970.
//!
//! Values are stored as they come, and summed up for each minute and each hour, so that a query for
//! a month need not read each of them.

mod batch;
mod error;
mod location;
#[cfg(test)]
mod month;
pub(super) mod reader;
mod retention;
mod saved;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rusqlite::Connection;

pub(crate) use self::reader::{EventQuery, QueryError, Series, SeriesQuery, Step, StoredEvent};
pub(super) use self::{
    error::{Failure, StoreError, is_broken},
    location::Location,
};
use self::{location::FileId, retention::Retention};
use super::{Sensor, Settings, queue::Record, state::Saved};

/// Milliseconds of a minute and of an hour.
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// The tables of steps, each with the length of its steps.
const STEPS: [(&str, i64); 2] = [("minute", MINUTE), ("hour", HOUR)];

/// A store that is open for writing.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    /// The file that is open, `None` for memory.
    file: Option<FileId>,
    /// The numbers of the sensors that were met.
    ids: BTreeMap<Sensor, i64>,
    retention: Retention,
}

impl Store {
    /// Opens a store, and makes it if there is none.
    pub(super) fn open(location: &Location, settings: &Settings) -> Result<Self, StoreError> {
        let connection = location.open_for_writing()?;
        schema::prepare(&connection)?;
        let max_size = location.limit(&connection, settings.max_size)?;
        let file = location.file()?;
        if file.is_none() && matches!(location, Location::File(_)) {
            return Err(StoreError::Gone);
        }
        Ok(Self {
            connection,
            file,
            ids: BTreeMap::new(),
            retention: Retention::new(settings.keep, max_size),
        })
    }

    /// Returns true if the file is not at its path any more. What is written into it would be lost.
    pub(super) fn is_gone(&self, location: &Location) -> bool {
        // If the path cannot be read, the file may still be there.
        location.file().is_ok_and(|file| file != self.file)
    }

    /// Stores records, all or none.
    pub(super) fn write(&mut self, records: &[Record]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        // New sensors are not remembered if the transaction fails.
        let new = batch::write(&transaction, &self.ids, records)?;
        transaction.commit()?;
        self.ids.extend(new);
        Ok(())
    }

    /// Stores the state of sensors and nodes, all or nothing.
    pub(super) fn save(&mut self, state: &Saved) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        saved::write(&transaction, state)?;
        self.retention.remove_kinds(&transaction)?;
        Ok(transaction.commit()?)
    }

    /// Returns the state that was stored last.
    pub(super) fn saved(&self) -> Result<Saved, StoreError> {
        saved::read(&self.connection)
    }

    /// Removes some of the rows that exceed the maximum size or number. If `now` is given, also
    /// removes some of the rows that are too old then. Returns true if there is more to remove.
    pub(super) fn remove_old(&mut self, now: Option<i64>) -> Result<bool, StoreError> {
        let gone = self.retention.step(&mut self.connection, now)?;
        for id in gone.sensors {
            self.ids.retain(|_, known| *known != id);
        }
        Ok(gone.has_more)
    }
}

//! The table of all keys of the configuration and of users files.
//!
//! A [`Row`] describes a key: its names, the values that it takes, its default,
//! what it is for. The reader takes keys by their rows, warns of keys that have none, and the
//! manual's reference is made of them, so that nothing is said twice. `CONTRIBUTING.md` tells how
//! to add one.

// Each row has its own sentence for the manual.
#![allow(missing_docs)]

pub mod history;
mod kind;
pub mod logging;
mod monitoring;
pub mod remote;
mod row;
pub mod socketcan;
pub mod tls;
mod top;
pub mod users;

pub use self::{
    kind::{
        Choice, Describe, Flag, Kind, NoEffect, Number, OneOrMore, Optional, Parse, Special, Text,
    },
    row::{AnyRow, Empty, Row},
};
pub(crate) use self::{monitoring::*, top::*};

/// The keys that an object may have.
#[derive(Debug)]
pub struct Table {
    /// The path of the object.
    pub path: &'static str,
    /// Its keys, as the manual groups them.
    pub groups: &'static [Group],
}

/// Keys that belong together.
pub struct Group {
    /// The heading, empty if there is one group only.
    pub title: &'static str,
    /// The keys, in the order of the manual.
    pub rows: &'static [&'static dyn AnyRow],
}

/// All tables.
pub static TABLES: [&Table; 9] = [
    &TABLE,
    &logging::TABLE,
    &tls::TABLE,
    &socketcan::TABLE,
    &history::TABLE,
    &remote::TABLE,
    &users::FILE,
    &users::USER,
    &users::EVENT_RULE,
];

impl Table {
    /// Returns all rows.
    pub fn rows(&self) -> impl Iterator<Item = &'static dyn AnyRow> {
        self.groups.iter().flat_map(|group| group.rows).copied()
    }

    /// Returns all keys and synonyms.
    pub fn names(&self) -> Vec<&'static str> {
        self.rows().flat_map(|row| row.names()).copied().collect()
    }
}

/// Returns whether a key, of whichever table, holds a secret.
pub fn is_secret(key: &str) -> bool {
    let rows = TABLES.iter().flat_map(|table| table.rows());
    rows.filter(|row| row.is_secret())
        .any(|row| row.names().contains(&key))
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.rows.iter().map(|row| row.names());
        f.debug_map()
            .entry(&self.title, &names.collect::<Vec<_>>())
            .finish()
    }
}

#[cfg(test)]
mod tests;

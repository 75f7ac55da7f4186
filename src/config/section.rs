//! An object of the configuration whose keys are taken by their rows.

use super::keys::{Describe, Empty, Kind, Row, Table};
use crate::located_json::{ConfigError, Node, Object, Position, Warnings};

/// An object of the configuration.
#[derive(Debug)]
pub(super) struct Section<'s, 'w> {
    /// The object, `None` if it is not written anywhere.
    node: Option<Node<'s>>,
    object: Object<'s>,
    warnings: &'w mut Warnings,
}

impl<'s, 'w> Section<'s, 'w> {
    /// Opens an object and warns of keys that `table` does not have. Fails if it is not an object.
    pub(super) fn open(
        node: &Node<'s>,
        table: &Table,
        warnings: &'w mut Warnings,
    ) -> Result<Self, ConfigError> {
        let mut section = Self {
            node: Some(node.clone()),
            ..Self::empty(warnings)
        };
        section.overlay(node, table)?;
        Ok(section)
    }

    /// Makes an object in which every key has its default.
    pub(super) fn empty(warnings: &'w mut Warnings) -> Self {
        Self {
            node: None,
            object: Object::default(),
            warnings,
        }
    }

    /// Adds the keys of another object, which override those that are there. Warns of keys that
    /// `table` does not have. Fails if `node` is not an object.
    pub(super) fn overlay(&mut self, node: &Node<'s>, table: &Table) -> Result<(), ConfigError> {
        let object = node.object()?;
        object.warn_of_unknown_keys(&table.names(), self.warnings);
        self.object.overlay(object);
        Ok(())
    }

    /// Takes the value of a key, its default if it is not set. If the value is not what its row
    /// says, records the error and goes on with the default.
    pub(super) fn take<K: Kind>(&mut self, row: &Row<K>) -> Result<K::Value, ConfigError> {
        let node = self.node(row);
        let value = node.and_then(|node| row.read(node.as_ref(), self.warnings));
        value.or_else(|error| {
            self.warnings.record(error);
            row.read(None, self.warnings)
        })
    }

    /// Reads a part, `fallback` if something in it is wrong. Records the error.
    pub(super) fn part<T>(
        &mut self,
        fallback: T,
        read: impl FnOnce(&mut Self) -> Result<T, ConfigError>,
    ) -> T {
        read(self).unwrap_or_else(|error| {
            self.warnings.record(error);
            fallback
        })
    }

    /// Takes a key as it is written, `None` if it is not set.
    pub(super) fn node<K: Describe>(
        &mut self,
        row: &Row<K>,
    ) -> Result<Option<Node<'s>>, ConfigError> {
        let Some(node) = self.object.take(row.names()) else {
            return Ok(None);
        };
        match row.empty() {
            Empty::NotSet if node.is_blank() => Ok(None),
            Empty::Refused if node.is_blank() => Err(node.error_found(
                "an empty string",
                format_args!("a value, or no {} at all", row.name()),
            )),
            _ => Ok(Some(node)),
        }
    }

    /// Returns where a key that has not been taken yet is set, the place of the object if it is
    /// not.
    pub(super) fn position<K: Describe>(&self, row: &Row<K>) -> Position {
        match (self.object.get(row.names()), &self.node) {
            (Some(value), _) => value.position(),
            (None, Some(node)) => node.position().with_key(node.path_of(row.name())),
            (None, None) => Position::default().with_key(row.name()),
        }
    }

    /// Returns what collects warnings.
    pub(super) fn warnings(&mut self) -> &mut Warnings {
        self.warnings
    }
}

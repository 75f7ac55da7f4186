//! Reading JSON so that every error and warning can name file, line, key, what was found and what
//! was expected.
//!
//! A [`Source`] is a text with its name, a [`Node`] a value in it, an [`Object`] the entries of
//! one.

mod finding;
mod node;
mod object;
mod source;
mod warnings;

pub use self::{
    finding::{ConfigError, Expected, Finding, Position},
    node::{Node, one_of},
    object::{Object, nearest},
    source::Source,
    warnings::Warnings,
};

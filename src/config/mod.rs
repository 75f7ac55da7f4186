//! The configuration, from text to typed values.

pub mod json;

pub use json::{ConfigError, Node, Object, Source};

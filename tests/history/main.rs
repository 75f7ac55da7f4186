//! Names, state and history, as pages see them by the API.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;
mod disk;
mod events;
mod names;
mod page;
mod rights;
mod series;
mod state;

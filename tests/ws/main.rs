//! Websockets: connections, both protocols, the delivery of events, and users.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;
mod connections;
mod delivery;
mod users;
mod ws1;
mod ws2;

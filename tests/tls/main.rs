//! TLS: handshakes, files and websockets, with rustls, openssl and curl as peers.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
#[path = "../common/mod.rs"]
mod common;
mod files;
mod handshakes;
mod peers;
mod reload;
mod variables;
mod websockets;

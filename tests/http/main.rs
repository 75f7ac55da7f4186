//! What is served over HTTP besides websockets: REST, files and metrics.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;
mod files;
mod metrics;
mod requests;
mod rest;

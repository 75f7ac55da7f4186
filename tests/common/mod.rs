//! The harness of the integration tests: a driver that serves on a port of its own, and clients
//! for it over real sockets.

// Each test program uses another part of it.
#![allow(dead_code, unused_imports)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub(crate) mod client;
pub(crate) mod commands;
pub(crate) mod configuration;
pub(crate) mod events;
pub(crate) mod files;
pub(crate) mod http;
pub(crate) mod messages;
pub(crate) mod namespace;
pub(crate) mod net;
pub(crate) mod process;
pub(crate) mod server;
pub(crate) mod tls;
pub(crate) mod users;
pub(crate) mod wait;

pub(crate) use self::{
    client::Client,
    configuration::{GUID, KEY, configuration, log_path, open},
    events::{event_of, text_of},
    http::Response,
    net::{tcp, tcp_from},
    server::{BOTH, Server},
    users::user,
    wait::{DEADLINE, wait_for, wait_until},
};

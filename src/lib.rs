//! A level II driver for the VSCP daemon: a websocket server for its events.
//!
//! The daemon loads the shared library and calls the functions of [`ffi`]. Events go through one
//! router, the [`hub`]; everything else is an endpoint of it.
//!
//! | module | what it is | uses |
//! |---|---|---|
//! | [`ffi`] | the C interface, the only place with `unsafe` | driver |
//! | [`driver`] | one open driver: runtime, tasks, queues | all below |
//! | [`http`] | listening sockets, TLS handshakes, what paths lead to: REST, files, metrics | ws, tls |
//! | [`ws`] | the protocols ws1 and ws2 | hub, auth |
//! | [`can`] | the CAN buses | hub, event |
//! | [`hub`] | the router | event |
//! | [`config`] | the configuration as typed values | auth, tls, log, event, json |
//! | [`identity`] | the GUID of the driver | event |
//! | [`auth`] | users, rights, passwords, logins | event, json |
//! | [`tls`] | certificates and keys from files | json |
//! | [`log`] | log lines to file and console | |
//! | [`event`] | the event, its text and JSON, filters | |
//! | [`json`] | JSON with places, for files | |

#![deny(unsafe_code)]

pub mod auth;
pub mod can;
pub mod config;
pub mod control;
pub mod driver;
pub mod event;
pub mod ffi;
pub mod hlo;
pub mod http;
pub mod hub;
pub mod identity;
pub mod json;
pub mod log;
pub mod metrics;
mod runtime;
pub mod socket;
mod stamp;
#[cfg(test)]
mod test_log;
mod thread;
pub mod tls;
pub mod ws;

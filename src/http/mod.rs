//! The HTTP server.
//!
//! [`bind`] makes listening sockets, [`listen`] accepts connections, `handshake` does their TLS
//! handshakes, and [`route`] passes each request to what serves its path: `upgrade` makes
//! websockets of connections; the others are [`rest`], the [`api`] of pages, [`files`], and what
//! [`monitoring`](crate::monitoring) tells. `rules` checks what the RFCs demand of a request first,
//! `sender` tells which page it comes from, and `body` reads what follows it.

pub(crate) mod address;
pub(crate) mod api;
pub mod bind;
mod body;
pub(crate) mod files;
mod handshake;
mod host_names;
pub(crate) mod listen;
mod monitor;
pub(crate) mod rest;
pub(crate) mod route;
mod rules;
mod sender;
mod settings;
#[cfg(test)]
mod tests;
mod tracked_body;
mod upgrade;
mod write_timeout;

pub use self::{
    address::Listen,
    host_names::HostNames,
    settings::{PanelLogin, Settings, StaticFiles, Urls},
};

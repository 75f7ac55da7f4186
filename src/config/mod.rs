//! The configuration as typed values: if a [`Config`] exists, nothing in it is wrong.
//!
//! [`keys`] is the table of all keys. Each file beside it reads one part of the configuration into
//! the settings of the module that uses them; `load.rs` calls them all.

mod addresses;
mod can;
mod dialect;
mod filter;
mod history;
mod key;
pub mod keys;
mod limits;
mod load;
mod logging;
pub(crate) mod remote;
mod section;
mod string;
mod tls;
pub mod users;
mod web;

use std::{path::PathBuf, sync::Arc};

pub use self::{load::users_path, users::UsersFile};
pub use crate::located_json::{ConfigError, Finding, Position, nearest};
use crate::{
    auth::{Key, Users},
    can::Bus,
    client::{backlog::BacklogLimits, registry},
    event::{Filter, Guid, Layout},
    http, log,
    tls::Tls,
    ws,
};

/// Everything that a configuration says, defaults filled in.
#[derive(Debug)]
pub struct Config {
    /// The name of the configuration in messages: its path, or "inline configuration".
    pub name: String,
    /// Its file, `None` if it is in none.
    pub file: Option<PathBuf>,
    /// The value of its text.
    pub json: serde_json::Value,
    /// True if commands may change it at run time.
    pub write: bool,
    /// True if more is logged, and REST clients are told why a login fails.
    pub debug: bool,
    /// Addresses to listen on.
    pub listen: Vec<http::Listen>,
    /// Where each of them is written, for errors.
    pub listen_positions: Vec<Position>,
    /// The settings of the HTTP side.
    pub http: http::Settings,
    /// TLS, if an address asks for it.
    pub tls: Option<Arc<Tls>>,
    /// The CAN buses.
    pub buses: Vec<Bus>,
    /// The key of the login blobs.
    pub key: Key,
    /// The users.
    pub users: Users,
    /// The users file, `None` if the users stand in the configuration.
    pub users_file: Option<UsersFile>,
    /// Which events of clients reach the host.
    pub rx_filter: Filter,
    /// How many clients there may be.
    pub clients: registry::Limits,
    /// Limits of one websocket.
    pub ws: ws::Limits,
    /// How ws1 and ws2 are spoken.
    pub dialect: ws::Dialect,
    /// Where the history is stored, `None` for nowhere.
    pub history: Option<crate::history::Settings>,
    /// The file with the names of nodes and sensors, `None` for none.
    pub names: Option<PathBuf>,
    /// Passwords that are checked at the same time.
    pub auth_concurrency: usize,
    /// Limits of the events kept for clients that do not take them.
    pub(crate) backlog: BacklogLimits,
    /// Events that wait for VSCPRead.
    pub host_queue: usize,
    /// GUID of the driver if the host gives none.
    pub guid: Option<Guid>,
    /// Layout of events at the C interface, `None` to find out by looking at the host.
    pub layout: Option<Layout>,
    /// Largest number of data bytes that the host gets, `None` to find out by looking at the host.
    pub host_max_data: Option<usize>,
    /// True if events that the host sends back are recognised.
    pub echo_filter: bool,
    /// Worker threads.
    pub threads: usize,
    /// The settings of the log.
    pub logging: log::Settings,
    /// Findings that are odd but no error, for the log.
    pub warnings: Vec<Finding>,
    /// Keys that are known but without effect, for the log.
    pub notes: Vec<Finding>,
}

/// All that is found in a configuration.
#[derive(Debug)]
pub struct Findings {
    /// The configuration, with defaults in place of what is wrong: it is to be opened only if
    /// `errors` is empty. `None` if it could not be read at all.
    pub config: Option<Config>,
    /// The errors, in the order in which they were found.
    pub errors: Vec<ConfigError>,
    /// Findings that are odd but no error.
    pub warnings: Vec<Finding>,
}

#[cfg(test)]
mod tests;

//! The configuration as typed values: what can be wrong in it has been found when a [`Config`]
//! exists.

mod can;
mod dialogue;
pub(crate) mod filter;
mod listen;
mod load;
mod logging;
mod remote;
mod string;
mod tls;
mod web;

use std::{path::PathBuf, sync::Arc, time::Duration};

pub use self::{
    can::{Bus, interface as interface_name, unused_interface},
    listen::Listen,
    web::Web,
};
use crate::{
    auth::{Key, Users, UsersFile},
    event::{Filter, Guid, json::Keys},
    log,
    tls::Tls,
};

/// Everything that a configuration says, defaults filled in.
#[derive(Debug)]
pub struct Config {
    /// What messages call the configuration: its path, or "inline configuration".
    pub name: String,
    /// Its file, `None` where it is in none.
    pub file: Option<PathBuf>,
    /// What its text holds.
    pub json: serde_json::Value,
    /// Whether it may be changed at run time.
    pub write: bool,
    /// Whether more is logged, and clients are told why their logins fail.
    pub debug: bool,
    /// Addresses to listen on.
    pub listen: Vec<Listen>,
    /// Where the endpoints are.
    pub urls: Urls,
    /// What is served besides websockets.
    pub web: Web,
    /// TLS, where an interface asks for it.
    pub tls: Option<Arc<Tls>>,
    /// The CAN buses.
    pub buses: Vec<Bus>,
    /// The key of the login blobs.
    pub key: Key,
    /// The users.
    pub users: Users,
    /// The users file, `None` where the users stand in the configuration.
    pub users_file: Option<UsersFile>,
    /// What reaches the host of the events that clients send.
    pub rx_filter: Filter,
    /// Limits and times.
    pub limits: Limits,
    /// How ws1 and ws2 are spoken.
    pub dialect: Dialect,
    /// Origins that may open a websocket, `None` for any.
    pub origins: Option<Vec<String>>,
    /// GUID of the driver where the host gives none.
    pub guid: Option<Guid>,
    /// Layout of events at the C interface, `None` to look at the host.
    pub layout: Option<Layout>,
    /// Largest number of data bytes that the host gets, `None` to look at the host.
    pub host_max_data: Option<usize>,
    /// Whether events that the host sends back are recognised.
    pub echo_filter: bool,
    /// Worker threads.
    pub threads: usize,
    /// Where log lines go.
    pub logging: log::Settings,
    /// What is odd but no error; for the log.
    pub warnings: Vec<String>,
    /// What is known but without effect; for the log.
    pub notes: Vec<String>,
}

/// Paths of the endpoints; `None` where one is switched off.
#[derive(Debug)]
pub struct Urls {
    /// ws1, default `/ws1`.
    pub ws1: Option<String>,
    /// ws2, default `/ws2`.
    pub ws2: Option<String>,
}

/// Limits and times, each with its default.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Websocket clients at once, 0 for no limit.
    pub max_clients: usize,
    /// Of these from one address, 0 for no limit.
    pub max_clients_per_address: usize,
    /// Events kept for a client that does not take them.
    pub client_queue: usize,
    /// Events waiting for VSCPRead.
    pub host_queue: usize,
    /// Bytes of one message of a client.
    pub message_size: usize,
    /// Time to log in.
    pub auth_timeout: Duration,
    /// Failed logins on one connection.
    pub auth_attempts: u32,
    /// Password checks at once.
    pub auth_concurrency: usize,
    /// Time between pings, `None` for none.
    pub ping_interval: Option<Duration>,
    /// Silence after which a client is given up.
    pub ping_timeout: Duration,
    /// Time in which a client must take something of what is sent to it.
    pub write_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_clients: 100,
            max_clients_per_address: 0,
            client_queue: 32_000,
            host_queue: 32_000,
            message_size: 16_384,
            auth_timeout: Duration::from_secs(30),
            auth_attempts: 5,
            auth_concurrency: 2,
            ping_interval: Some(Duration::from_secs(30)),
            ping_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(10),
        }
    }
}

/// How ws1 and ws2 are spoken, for clients that want it in a special way.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// Whether the `iv` of a ws1 login must be the sid.
    pub ws1_iv_is_sid: bool,
    /// Whether the `iv` of a ws2 login must be the sid.
    pub ws2_iv_is_sid: bool,
    /// The word in a ws1 login reply.
    pub ws1_auth_reply: &'static str,
    /// The `type` of outgoing ws2 events.
    pub ws2_event_type: &'static str,
    /// The keys of outgoing ws2 events.
    pub ws2_event_keys: Keys,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            ws1_iv_is_sid: true,
            ws2_iv_is_sid: false,
            ws1_auth_reply: "AUTH1",
            ws2_event_type: "EVENT",
            ws2_event_keys: Keys::Both,
        }
    }
}

/// The layout of an event at the C interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Daemons 14 and 15.0, 56 bytes.
    Classic,
    /// Daemons from 2026, 64 bytes.
    UnixNs,
}

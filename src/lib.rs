//! A level II driver for the VSCP daemon: a websocket server for its events.
//!
//! The daemon loads the shared library and calls the functions of [`ffi`]. Events go through one
//! router, the [`hub`]; everything else is an endpoint of it. `ARCHITECTURE.md` shows the way of an
//! event, and why things are as they are.
//!
//! Every module stands above those that it uses; nothing points back up (`tests/layers.rs` holds
//! the code to this table).
//!
//! | module | what it is | uses |
//! |---|---|---|
//! | `fuzzing` | what the fuzz targets call; only in test builds | ffi, driver, config, http, monitoring, ws, can, client, auth, history, names, hub, hlo, event, tls, log, metrics, located_json |
//! | [`ffi`] | the C interface, the only place with `unsafe` | driver, hub, event, log, thread |
//! | [`driver`] | one open driver: runtime, tasks, queues; changes at run time | config, http, monitoring, ws, can, client, auth, history, names, hub, event, hlo, tls, identity, log, metrics, runtime, located_json, wording, replace_file |
//! | [`config`] | text into the settings of the modules below | http, monitoring, ws, can, client, auth, history, event, tls, log, located_json, file_version, resolver, wording, replace_file |
//! | [`http`] | listening sockets; what paths lead to: websockets, the API, REST, files, metrics | monitoring, ws, client, auth, history, names, hub, event, tls, log, metrics, memory, located_json, number, resolver, runtime |
//! | [`monitoring`] | the page of metrics, the health | client, auth, history, hub, metrics |
//! | [`ws`] | the protocols ws1 and ws2 | client, auth, hub, event, json_fields, memory, metrics, short_queue, sync |
//! | [`can`] | the CAN buses | hub, event, metrics, number, wording |
//! | [`client`] | the parts that websocket clients and REST sessions share | auth, hub, event, metrics, short_queue, wording, network |
//! | [`history`] | the last values and events, and what was stored of them | hub, hlo, event, metrics, located_json, number, thread, wording |
//! | [`names`] | the names of nodes and sensors | event, located_json, file_version, replace_file, number, wording |
//! | [`hub`] | the router | event, hlo, metrics, wording, sync |
//! | [`auth`] | users, rights, passwords, logins | event, runtime, number, wording, metrics, network |
//! | [`hlo`] | high level objects: commands in events | event |
//! | [`identity`] | the GUID of the driver | event |
//! | [`event`] | the event, its text and JSON, filters | located_json, json_fields, number |
//! | [`tls`] | certificates and keys from files | located_json, file_version |
//! | [`log`] | log lines to file and console | located_json, thread, wording |
//! | `memory` | checks that there is memory before it is allocated | |
//! | `runtime` | the private tokio runtime | thread |
//! | `resolver` | the addresses of names, in limited time | thread |
//! | [`metrics`] | counters, and the form of the page that shows them | sync |
//! | `short_queue` | a queue that mostly has one item | |
//! | `network` | the addresses that limits count by | |
//! | [`located_json`] | JSON that knows file, line and key | json_fields, number, wording |
//! | `json_fields` | JSON objects of which the last value of a key counts | |
//! | `number` | the parser of numbers in texts of clients and people | |
//! | `file_version` | the version of a file, to see if it has changed | |
//! | `wording` | numbers with their nouns, for log lines | |
//! | `thread` | the stacks and signal masks of all threads | |
//! | [`replace_file`] | writing a file anew | |
//! | `sync` | locks, atomic numbers and the clock; the crate `model` replaces them by its own | |

#![deny(unsafe_code)]

pub mod auth;
pub mod can;
mod client;
pub mod config;
pub mod driver;
pub mod event;
pub mod ffi;
mod file_version;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
pub mod history;
pub mod hlo;
pub mod http;
pub mod hub;
pub mod identity;
mod json_fields;
pub mod located_json;
pub mod log;
mod memory;
mod metrics;
mod monitoring;
pub mod names;
mod network;
mod number;
pub mod replace_file;
mod resolver;
mod runtime;
mod short_queue;
mod sync;
#[cfg(test)]
mod test_log;
mod thread;
pub mod tls;
mod wording;
pub mod ws;

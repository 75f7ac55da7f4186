//! The connection to the broker.

mod backoff;
mod framer;
mod link;
mod packets;
mod session;
mod transport;
mod websocket;

pub(super) use self::link::Link;

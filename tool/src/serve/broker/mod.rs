//! The connection to the broker.

mod backoff;
mod framer;
mod handover;
mod link;
mod packets;
mod session;
mod transport;
mod websocket;

pub(super) use self::{
    handover::{Ending, Kept},
    link::Link,
};

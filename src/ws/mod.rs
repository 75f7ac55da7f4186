//! Websocket clients: the protocols ws1 and ws2.
//!
//! [`session`] is what both have in common, a state machine that knows nothing of sockets;
//! [`ws1`] and [`ws2`] are how it is spoken. [`connection`] is the task that moves bytes, on the
//! [`stream`] that shares event frames between clients; [`kept`] holds the events of clients that
//! do not take them yet; [`patience`] says how long a client is waited for; [`clients`] knows who
//! is there.

pub mod clients;
pub mod connection;
pub(crate) mod kept;
mod patience;
pub mod session;
mod stream;
mod ws1;
mod ws2;

/// Which protocol a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Text.
    Ws1,
    /// JSON.
    Ws2,
}

impl Protocol {
    /// The websocket sub-protocol that stands for it.
    pub fn subprotocol(self) -> &'static str {
        match self {
            Self::Ws1 => "vscp-std",
            Self::Ws2 => "vscp-json",
        }
    }
}

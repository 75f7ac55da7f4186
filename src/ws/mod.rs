//! Websocket clients: the protocols ws1 and ws2.
//!
//! A [`session`] is the state machine that both protocols share, without IO; `ws1` and `ws2` read
//! and write their messages. A [`connection`] is the task of one client: it moves messages and
//! events between socket, session and hub, within its `deadlines`, on a `stream` that gathers what
//! is to be sent. [`event_frames`] are the events of a batch as websocket messages, encoded once
//! for all clients, and [`frame`] the bytes around them.

pub(crate) mod connection;
mod deadlines;
pub mod event_frames;
pub mod frame;
mod frame_sizes;
pub(crate) mod session;
mod settings;
mod stream;
mod ws1;
mod ws2;

pub use self::settings::{Dialect, Limits};
use crate::client::Kind;

/// The protocol of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Text.
    Ws1,
    /// JSON.
    Ws2,
}

impl Protocol {
    /// Returns its websocket sub-protocol.
    pub fn subprotocol(self) -> &'static str {
        match self {
            Self::Ws1 => "vscp-std",
            Self::Ws2 => "vscp-json",
        }
    }

    /// Returns the kind of the clients that speak it.
    pub fn kind(self) -> Kind {
        match self {
            Self::Ws1 => Kind::Ws1,
            Self::Ws2 => Kind::Ws2,
        }
    }
}

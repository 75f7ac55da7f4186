//! The ends of connections.

use std::fmt;

/// The way in which a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client has sent a close frame.
    Closed,
    /// The connection was lost without a close frame.
    Broken,
    /// The driver closes it.
    Close(u16, &'static str),
    /// The driver closes it without a handshake: another one needs its place.
    Evicted,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed by the client"),
            Self::Broken => f.write_str("connection lost"),
            Self::Close(code, reason) => write!(f, "closed, {code} {reason}"),
            Self::Evicted => f.write_str("closed without a login, its place was needed"),
        }
    }
}

//! The name of a client in log lines.

use std::{fmt, net::IpAddr};

/// The name of a client in log lines: `client 7 (10.0.0.1)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientLabel {
    /// Its number.
    pub(crate) id: u32,
    /// Where it connects from.
    pub(crate) address: IpAddr,
}

impl fmt::Display for ClientLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {} ({})", self.id, self.address)
    }
}

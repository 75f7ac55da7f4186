//! The settings of websocket clients: limits and dialect.

use std::time::Duration;

use crate::event::json::Keys;

/// Limits of one connection.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one message of a client.
    pub message_size: usize,
    /// Time to log in.
    pub auth_timeout: Duration,
    /// Failed logins after which the connection is closed.
    pub auth_attempts: u32,
    /// Time between pings, `None` for no pings.
    pub ping_interval: Option<Duration>,
    /// Silence after which a client is given up.
    pub ping_timeout: Duration,
    /// Time in which a client must take something of what is sent to it.
    pub write_timeout: Duration,
}

/// Variants of ws1 and ws2 that some clients expect.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// True if the `iv` of a ws1 login must be the sid.
    pub ws1_iv_is_sid: bool,
    /// True if the `iv` of a ws2 login must be the sid.
    pub ws2_iv_is_sid: bool,
    /// The word in a ws1 login reply.
    pub ws1_auth_reply: &'static str,
    /// The `type` of outgoing ws2 events.
    pub ws2_event_type: &'static str,
    /// The keys of outgoing ws2 events.
    pub ws2_event_keys: Keys,
}

#[cfg(test)]
impl Default for Limits {
    fn default() -> Self {
        Self {
            message_size: 16_384,
            auth_timeout: Duration::from_secs(30),
            auth_attempts: 5,
            ping_interval: Some(Duration::from_secs(30)),
            ping_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
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

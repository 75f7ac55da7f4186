//! A websocket client, for `send` and `watch`.

mod codec;
mod connection;
mod options;

pub(crate) use self::{
    connection::{ClientError, Connection},
    options::Options,
};

/// Reads the number of a class or type.
pub(crate) fn number(text: &str) -> Result<u16, &'static str> {
    text.parse()
        .map_err(|_| "expected a number from 0 to 65535")
}

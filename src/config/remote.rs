//! The `remote-variables` key.

use std::time::Duration;

use super::load::{flag, number};
use crate::json::{ConfigError, Node, Object};

/// A server whose variables add to the configuration.
#[derive(Clone)]
pub struct RemoteVariables {
    /// Name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// User to log in with.
    pub user: String,
    /// Password of the user.
    pub password: String,
    /// What the names of the variables start with.
    pub prefix: String,
    /// Time for the whole dialogue.
    pub timeout: Duration,
    /// Whether the driver refuses to open without the server.
    pub required: bool,
    /// Whether the server is spoken to over TLS.
    pub tls: bool,
}

impl std::fmt::Debug for RemoteVariables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port, .. } = self;
        write!(f, "RemoteVariables({host}:{port})")
    }
}

pub(super) fn read(
    node: &Node<'_>,
    warnings: &mut Vec<String>,
) -> Result<RemoteVariables, ConfigError> {
    let mut object = node.object()?;
    let remote = RemoteVariables {
        host: text(&mut object, "host", "127.0.0.1")?,
        port: number(&mut object, &["port"], 1..=65_535)?.unwrap_or(9598),
        user: text(&mut object, "user", "")?,
        password: text(&mut object, "password", "")?,
        prefix: text(&mut object, "prefix", "")?,
        timeout: Duration::from_millis(
            number(&mut object, &["timeout-ms"], 1..=3_600_000)?.unwrap_or(2000),
        ),
        required: flag(&mut object, "required", false)?,
        tls: flag(&mut object, "tls", false)?,
    };
    object.finish(warnings);
    Ok(remote)
}

fn text(object: &mut Object<'_>, name: &'static str, default: &str) -> Result<String, ConfigError> {
    let Some(node) = object.take(&[name]) else {
        return Ok(default.to_owned());
    };
    // What is there may be a password.
    node.string()
        .map_err(|_| node.error_found("something else", "a string"))
}

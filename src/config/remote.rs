//! The `remote-variables` key.

use std::{path::PathBuf, time::Duration};

use super::{
    dialogue,
    load::{flag, number, path},
};
use crate::json::{ConfigError, Node, Object, Source};

/// The authorities that the system trusts.
const SYSTEM_CA: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A server whose variables add to the configuration.
pub(super) struct RemoteVariables {
    /// Name or address of the server.
    pub(super) host: String,
    /// Its port.
    pub(super) port: u16,
    /// User to log in with.
    pub(super) user: String,
    /// Password of the user.
    pub(super) password: String,
    /// What the names of the variables start with.
    pub(super) prefix: String,
    /// Time for the whole dialogue.
    pub(super) timeout: Duration,
    /// Whether the driver refuses to open without the server.
    pub(super) required: bool,
    /// Whether the server is spoken to over TLS.
    pub(super) tls: bool,
    /// Certificates in PEM of which one must have signed that of the server.
    pub(super) ca: PathBuf,
}

impl RemoteVariables {
    fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// What the server has said; what it has not is `None`.
#[derive(Debug, Default)]
pub(super) struct Variables {
    /// The CAN interface.
    pub(super) interface: Option<Source>,
    /// The filter of the CAN bus.
    pub(super) filter: Option<Source>,
    /// Its mask.
    pub(super) mask: Option<Source>,
    /// JSON with any key of the configuration.
    pub(super) config: Option<Source>,
}

/// Reads the key and asks the server. Where that fails and it is not required, there are no
/// variables.
pub(super) fn read(node: &Node<'_>, warnings: &mut Vec<String>) -> Result<Variables, ConfigError> {
    let remote = settings(node, warnings)?;
    match fetch(&remote) {
        Ok(variables) => Ok(variables),
        Err(error) if remote.required => {
            Err(node.error_found(format!("{}: {error}", remote.name()), "its variables"))
        }
        Err(error) => {
            warnings.push(format!(
                "{}: remote-variables: {}: {error}; going on without",
                node.place(),
                remote.name()
            ));
            Ok(Variables::default())
        }
    }
}

fn fetch(remote: &RemoteVariables) -> Result<Variables, String> {
    let names = ["interface", "filter", "mask", "config"];
    let names = names.map(|name| format!("{}_{name}", remote.prefix));
    let [interface, filter, mask, config] = dialogue::fetch(remote, &names)?;
    let source = |name: &str, value: Option<String>| {
        value.map(|value| Source::new(format!("variable {name} of {}", remote.name()), value))
    };
    let config = source(&names[3], config);
    if let Some(config) = &config {
        config
            .root()
            .and_then(|root| root.object())
            .map_err(|error| error.finding())?;
    }
    Ok(Variables {
        interface: source(&names[0], interface),
        filter: source(&names[1], filter),
        mask: source(&names[2], mask),
        config,
    })
}

fn settings(node: &Node<'_>, warnings: &mut Vec<String>) -> Result<RemoteVariables, ConfigError> {
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
        ca: path(&mut object, &["ca"])?.unwrap_or_else(|| SYSTEM_CA.into()),
    };
    object.finish(warnings);
    Ok(remote)
}

fn text(object: &mut Object<'_>, name: &'static str, default: &str) -> Result<String, ConfigError> {
    let Some(node) = object.take(&[name]) else {
        return Ok(default.to_owned());
    };
    // What is there may be a password.
    let expected = "a string of one line";
    let text = node
        .string()
        .map_err(|_| node.error_found("something else", expected))?;
    if text.contains(|c: char| c.is_control()) {
        return Err(node.error_found("control characters", expected));
    }
    Ok(text)
}

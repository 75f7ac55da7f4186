//! The key `remote-variables`: a server with further settings.

pub(crate) mod client;

use std::{path::PathBuf, time::Duration};

use super::{
    keys::{self, remote as rows},
    section::Section,
};
use crate::located_json::{ConfigError, Node, Source, Warnings};

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
    /// The start of the names of the variables.
    pub(super) prefix: String,
    /// Time for all of it.
    pub(super) timeout: Duration,
    /// True if the driver refuses to open without the server.
    pub(super) required: bool,
    /// True if the connection uses TLS.
    pub(super) tls: bool,
    /// Certificates in PEM of which one must have signed that of the server.
    pub(super) ca: PathBuf,
}

impl RemoteVariables {
    fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// The variables of the server, `None` for those that it does not have.
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

/// Reads the key and asks the server. If that fails and the server is not required, there are no
/// variables and a warning.
pub(super) fn variables(section: &mut Section<'_, '_>) -> Result<Variables, ConfigError> {
    let Some(node) = section.node(&keys::REMOTE_VARIABLES)? else {
        return Ok(Variables::default());
    };
    let warnings = section.warnings();
    let remote = settings(&node, warnings)?;
    match fetch(&remote) {
        Ok(variables) => Ok(variables),
        Err(error) if remote.required => {
            Err(node.error_found(format!("{}: {error}", remote.name()), "its variables"))
        }
        Err(error) => {
            let name = remote.name();
            warnings.at(&node, format_args!("{name}: {error}; going on without"));
            Ok(Variables::default())
        }
    }
}

fn fetch(remote: &RemoteVariables) -> Result<Variables, String> {
    let names = ["interface", "filter", "mask", "config"];
    let names = names.map(|name| format!("{}_{name}", remote.prefix));
    let [interface, filter, mask, config] = client::fetch(remote, &names)?;
    let source = |name: &str, value: Option<String>| {
        value.map(|value| Source::new(format!("variable {name} of {}", remote.name()), value))
    };
    let config = source(&names[3], config);
    if let Some(config) = &config {
        config
            .root()
            .and_then(|root| root.object())
            .map_err(|error| error.in_brief())?;
    }
    Ok(Variables {
        interface: source(&names[0], interface),
        filter: source(&names[1], filter),
        mask: source(&names[2], mask),
        config,
    })
}

fn settings(node: &Node<'_>, warnings: &mut Warnings) -> Result<RemoteVariables, ConfigError> {
    let mut section = Section::open(node, &rows::TABLE, warnings)?;
    Ok(RemoteVariables {
        host: section.take(&rows::HOST)?,
        port: section.take(&rows::PORT)?,
        user: section.take(&rows::USER)?,
        password: match section.node(&rows::PASSWORD)? {
            Some(node) => read_password(&node)?,
            None => String::new(),
        },
        prefix: section.take(&rows::PREFIX)?,
        timeout: section.take(&rows::TIMEOUT)?,
        required: section.take(&rows::REQUIRED)?,
        tls: section.take(&rows::TLS)?,
        ca: section.take(&rows::CA)?,
    })
}

/// Reads a password. Errors do not show it.
fn read_password(node: &Node<'_>) -> Result<String, ConfigError> {
    let password = node.string().map_err(|error| error.to_string());
    password.and_then(|text| rows::line(&text)).map_err(|_| {
        node.error_found(
            "a value that is not such a string",
            "a string without control characters",
        )
    })
}

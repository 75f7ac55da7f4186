//! The settings of the HTTP server.

use std::{fmt, path::PathBuf};

use super::HostNames;
use crate::monitoring;

/// The paths of what is served, `None` for what is switched off.
#[derive(Clone, Debug)]
pub struct Urls {
    /// The path of ws1.
    pub ws1: Option<String>,
    /// The path of ws2.
    pub ws2: Option<String>,
    /// The path of REST, besides [`FIXED_PATH`](super::rest::FIXED_PATH).
    pub rest: Option<String>,
    /// The path of the metrics page.
    pub metrics: Option<String>,
    /// The path that tells whether the driver is well.
    pub health: Option<String>,
}

/// The files that are served at the paths of nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StaticFiles {
    /// None.
    Off,
    /// The panel that is in the library.
    Panel,
    /// Those of a folder.
    Folder(PathBuf),
}

impl fmt::Display for StaticFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Panel => f.write_str("the panel"),
            Self::Folder(root) => root.display().fmt(f),
        }
    }
}

/// Where pages may log in with name and password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanelLogin {
    /// Over TLS, and on this machine.
    Tls,
    /// Everywhere.
    Any,
    /// Nowhere.
    Off,
}

/// The settings of the HTTP server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The paths.
    pub urls: Urls,
    /// The names of a server that only this machine can reach.
    pub host_names: HostNames,
    /// Origins whose pages may open a websocket, `None` for any.
    pub origins: Option<Vec<String>>,
    /// Other origins whose pages may use REST, `*` for all.
    pub cors_origins: Vec<String>,
    /// True if REST may answer as JSONP.
    pub jsonp: bool,
    /// True if REST tells clients why their login failed.
    pub explain_logins: bool,
    /// Failed logins by request with the same name and from the same address after which further
    /// ones are refused for a while.
    pub max_failed_logins: usize,
    /// Where pages may log in with name and password.
    pub panel_login: PanelLogin,
    /// The largest number of bytes of a request's body.
    pub max_body: usize,
    /// The settings of the metrics page.
    pub monitoring: monitoring::Settings,
    /// The static files.
    pub files: StaticFiles,
}

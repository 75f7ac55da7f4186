//! TLS: of the server, from files that are read again when they have changed, and of the client
//! that asks a server for remote variables.
//!
//! No state is shared by the whole process: each configuration names its provider of cryptography
//! instead of installing a default one, which the host or another driver may need.

mod load;

use std::{
    fmt,
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rustls::{ClientConnection, ServerConfig, StreamOwned, pki_types::ServerName};

use crate::{
    file_version::{Reload, WatchedFiles},
    located_json::ConfigError,
};

/// The settings of TLS.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Certificate chain in PEM, the server's own first.
    pub certificate: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
    /// Certificates in PEM of the authorities that sign those of clients. `None` if clients need no
    /// certificate.
    pub client_ca: Option<PathBuf>,
    /// The oldest version that clients may use.
    pub min_version: Version,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// TLS 1.2
    V1_2,
    /// TLS 1.3
    V1_3,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// The certificate chain.
    Certificate,
    /// The private key.
    Key,
    /// The certificates of the authorities that sign those of clients.
    ClientCa,
}

/// A file that cannot be used. Shown with its path and what was found.
#[derive(Debug)]
pub struct FileError {
    /// Which one.
    pub file: File,
    /// Its path.
    pub path: PathBuf,
    /// The finding there.
    pub found: String,
    /// The content that is expected there.
    pub expected: &'static str,
}

/// The TLS configuration of the listeners of a driver.
#[derive(Debug)]
pub struct Tls {
    settings: Settings,
    /// Replaced as a whole when the files have changed. Connections keep the one they began with.
    config: ArcSwap<ServerConfig>,
    /// Locked on blocking threads only, since the lock is held while files are read.
    watched: Mutex<WatchedFiles>,
}

impl Tls {
    /// Reads the files at start. Fails if one cannot be read, or they do not belong together.
    pub fn open(settings: Settings) -> Result<Self, FileError> {
        let watched = WatchedFiles::new(settings.files().cloned().collect());
        Ok(Self {
            config: ArcSwap::from_pointee(load::server_config(&settings)?),
            watched: Mutex::new(watched),
            settings,
        })
    }

    /// Returns the configuration for a new connection.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.config.load_full()
    }

    /// Reads the files again if one of them has changed since they were last read, and logs what
    /// came of it.
    pub fn reload(&self) {
        match self
            .watched
            .lock()
            .reload(|| load::server_config(&self.settings))
        {
            Reload::Unchanged => {}
            Reload::Read { content, changed } => {
                self.config.store(Arc::new(content));
                let changed: Vec<_> = changed
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                tracing::info!(
                    "TLS files reloaded for new connections: {} changed",
                    changed.join(", ")
                );
            }
            Reload::Failed { error, is_new } => {
                if is_new {
                    let error = ConfigError::from(error);
                    tracing::error!(
                        "TLS files not reloaded: {error}; new connections use the old ones"
                    );
                }
            }
        }
    }
}

impl Settings {
    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.certificate, &self.key]
            .into_iter()
            .chain(&self.client_ca)
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.found)
    }
}

impl From<FileError> for ConfigError {
    fn from(error: FileError) -> Self {
        Self::new(error.path.to_string_lossy(), error.found, error.expected)
    }
}

/// Returns a stream that speaks TLS with a server, whose certificate must be for `host` and signed
/// by one in the file `ca`. Fails if the file or the name is wrong. If the server is not trusted,
/// the first read or write fails.
pub fn connect<S: Read + Write>(
    stream: S,
    host: &str,
    ca: &Path,
) -> Result<StreamOwned<ClientConnection, S>, String> {
    let config = load::client_config(ca)?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let session =
        ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    Ok(StreamOwned::new(session, stream))
}

//! TLS of the server: its certificate, its key and what it asks of clients, from files that are
//! read again when they have changed. And of the one client that the driver is, of the server with
//! the remote variables.
//!
//! Nothing here is shared by the process: each driver names its own provider of cryptography.

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
    json::ConfigError,
    runtime::on_blocking_thread,
    stamp::{Looks, Stamp},
};

/// What TLS is made of.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Certificate chain in PEM, the server's own first.
    pub certificate: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
    /// Certificates in PEM of which one must have signed a client's; `None` where clients need
    /// none.
    pub client_ca: Option<PathBuf>,
    /// The oldest version that is spoken.
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

/// One of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// The certificate chain.
    Certificate,
    /// The private key.
    Key,
    /// The certificates that sign those of clients.
    ClientCa,
}

/// What is wrong with a file.
#[derive(Debug)]
pub struct FileError {
    /// Which one.
    pub file: File,
    /// Its path.
    pub path: PathBuf,
    /// What is there.
    pub found: String,
    /// What should be.
    pub expected: &'static str,
}

/// TLS as new connections get it; all connections of a driver share it.
#[derive(Debug)]
pub struct Tls {
    settings: Settings,
    /// Replaced as a whole when the files have changed. Connections keep what they began with.
    config: ArcSwap<ServerConfig>,
    /// What the files looked like when they were last read. Locked on blocking threads only.
    seen: Mutex<Vec<Option<Stamp>>>,
    looks: Looks,
}

impl Tls {
    /// Reads the files at start.
    pub fn open(settings: Settings) -> Result<Self, FileError> {
        let seen = settings.stamps(); // before they are read, so that no change is missed
        Ok(Self {
            config: ArcSwap::from_pointee(load::server_config(&settings)?),
            seen: Mutex::new(seen),
            looks: Looks::new(),
            settings,
        })
    }

    /// What a new connection is to use. Reads the files again where they have changed; looks at
    /// them at most once a second.
    pub async fn config(self: &Arc<Self>) -> Arc<ServerConfig> {
        if self.looks.is_due() {
            let tls = Arc::clone(self);
            on_blocking_thread(move || tls.reload()).await;
        }
        self.config.load_full()
    }

    fn reload(&self) {
        let mut seen = self.seen.lock();
        let stamps = self.settings.stamps();
        if *seen == stamps {
            return;
        }
        let changed: Vec<_> = self
            .settings
            .files()
            .zip(seen.iter().zip(&stamps))
            .filter(|(_, (before, now))| before != now)
            .map(|(path, _)| path.display().to_string())
            .collect();
        *seen = stamps;
        match load::server_config(&self.settings) {
            Ok(config) => {
                self.config.store(Arc::new(config));
                tracing::info!(
                    "{}: changed, new connections use what is there now",
                    changed.join(", ")
                );
            }
            Err(error) => {
                let error = ConfigError::from(error);
                tracing::error!("{error}; new connections use what was there before");
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

    fn stamps(&self) -> Vec<Option<Stamp>> {
        self.files().map(Stamp::of).collect()
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

/// Speaks TLS with a server, whose certificate must be for `host` and signed by one of those in
/// the file `ca`.
///
/// # Errors
/// What is wrong with the file or the name. A server that is not trusted is an error of the first
/// read or write.
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

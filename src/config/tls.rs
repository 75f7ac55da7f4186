//! The `tls` key.

use std::path::PathBuf;

use super::load::path;
use crate::json::{ConfigError, Node};

/// The files of TLS, and what is asked of clients.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Certificate chain in PEM, the server's own first.
    pub certificate: Option<PathBuf>,
    /// Private key in PEM.
    pub key: Option<PathBuf>,
    /// Certificates in PEM of which one must have signed a client's; `None` where clients need
    /// none.
    pub client_ca: Option<PathBuf>,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2
    V1_2,
    /// TLS 1.3
    V1_3,
}

pub(super) fn read(node: &Node<'_>, warnings: &mut Vec<String>) -> Result<Tls, ConfigError> {
    let mut object = node.object()?;
    let tls = Tls {
        certificate: path(&mut object, &["cert", "certificate"])?,
        key: path(&mut object, &["key"])?,
        client_ca: path(&mut object, &["ca"])?,
        min_version: match object.take(&["min-version"]) {
            None => TlsVersion::V1_2,
            Some(node) => node.choice(&[("1.2", TlsVersion::V1_2), ("1.3", TlsVersion::V1_3)])?,
        },
    };
    object.finish(warnings);
    Ok(tls)
}

//! The key `tls`.

use std::{path::PathBuf, sync::Arc};

use super::{
    addresses::Addresses,
    key::readable_by_all,
    keys::{self, tls as rows},
    section::Section,
};
use crate::{
    located_json::{ConfigError, Node, Warnings},
    tls::{File, FileError, Settings, Tls, Version},
};

/// Opens the files if an address asks for TLS. If none does, what the key holds is not looked at:
/// old configurations name files that do not exist.
pub(super) fn read(
    section: &mut Section<'_, '_>,
    addresses: &Addresses<'_>,
) -> Result<Option<Arc<Tls>>, ConfigError> {
    let node = section.node(&keys::TLS)?;
    let warnings = section.warnings();
    match (node, &addresses.secure) {
        (None, None) => Ok(None),
        (Some(node), None) => {
            warn_without_effect(&node, warnings);
            Ok(None)
        }
        (None, Some(interface)) => Err(interface
            .error_found("TLS without the key tls", "tls with cert and key")
            .with_hint("vscpl2drv-websocksrv cert makes both files")),
        (Some(node), Some(_)) => open(&node, warnings).map(Some),
    }
}

/// Warns that no interface uses TLS, and of misspelt keys, which may be why.
fn warn_without_effect(node: &Node<'_>, warnings: &mut Warnings) {
    warnings.at(node, "without effect, no interface is wss://");
    if let Ok(object) = node.object() {
        object.warn_of_unknown_keys(&rows::TABLE.names(), warnings);
    }
}

fn open(node: &Node<'_>, warnings: &mut Warnings) -> Result<Arc<Tls>, ConfigError> {
    let mut section = Section::open(node, &rows::TABLE, warnings)?;
    let files = Files {
        tls: node,
        certificate: section.node(&rows::CERTIFICATE)?,
        key: section.node(&rows::KEY)?,
        client_ca: section.node(&rows::CLIENT_CA)?,
    };
    let min_version = section.take(&rows::MIN_VERSION)?;
    let settings = files.settings(min_version, warnings)?;
    if readable_by_all(&settings.key) {
        let path = settings.key.display();
        warnings.at_with_hint(
            files.node(File::Key),
            format_args!("{path}: everybody can read this private key"),
            "chmod o-r",
        );
    }
    // First each file is checked by itself, so that the errors of all of them are reported.
    // `Tls::open` stops at the first error; it also checks that the files belong together.
    for error in settings.unusable_files() {
        warnings.record(files.error(&error));
    }
    let tls = Tls::open(settings).map_err(|error| files.error(&error))?;
    Ok(Arc::new(tls))
}

/// The keys that name the files, for errors.
struct Files<'n, 's> {
    tls: &'n Node<'s>,
    certificate: Option<Node<'s>>,
    key: Option<Node<'s>>,
    client_ca: Option<Node<'s>>,
}

impl Files<'_, '_> {
    fn settings(
        &self,
        min_version: Version,
        warnings: &mut Warnings,
    ) -> Result<Settings, ConfigError> {
        let certificate = rows::CERTIFICATE.read(self.certificate.as_ref(), warnings)?;
        let key = rows::KEY.read(self.key.as_ref(), warnings)?;
        let client_ca = rows::CLIENT_CA.read(self.client_ca.as_ref(), warnings)?;
        let mut needed = |path: Option<PathBuf>, name: &str, expected: &str| {
            path.ok_or_else(|| {
                let error = self.tls.error_found(format_args!("no {name:?}"), expected);
                warnings.record(error.clone());
                error
            })
        };
        let certificate = needed(
            certificate,
            rows::CERTIFICATE.name(),
            "the path of a certificate chain in PEM",
        );
        let key = needed(key, rows::KEY.name(), "the path of a private key in PEM");
        Ok(Settings {
            certificate: certificate?,
            key: key?,
            client_ca,
            min_version,
        })
    }

    /// Returns the key that names a file.
    fn node(&self, file: File) -> &Node<'_> {
        let node = match file {
            File::Certificate => &self.certificate,
            File::Key => &self.key,
            File::ClientCa => &self.client_ca,
        };
        node.as_ref().unwrap_or(self.tls)
    }

    /// Makes an error at the key that names the file.
    fn error(&self, error: &FileError) -> ConfigError {
        self.node(error.file).error_found(error, error.expected)
    }
}

//! The `tls` key.

use std::sync::Arc;

use super::load::{path_of, readable_by_all};
use crate::{
    json::{ConfigError, Node},
    tls::{File, Settings, Tls, Version},
};

/// Opens the files where an interface, `secure`, asks for TLS; else they need not be there.
pub(super) fn read(
    node: Option<Node<'_>>,
    secure: Option<&Node<'_>>,
    warnings: &mut Vec<String>,
) -> Result<Option<Arc<Tls>>, ConfigError> {
    let Some(node) = node else {
        return match secure {
            None => Ok(None),
            Some(interface) => Err(interface.error_found(
                "TLS without the key tls",
                "tls with cert and key (vscpl2drv-websocksrv cert makes both files)",
            )),
        };
    };
    let mut object = node.object()?;
    let certificate = object.take(&["cert", "certificate"]);
    let key = object.take(&["key"]);
    let client_ca = object.take(&["ca"]);
    let min_version = match object.take(&["min-version"]) {
        None => Version::V1_2,
        Some(node) => node.choice(&[("1.2", Version::V1_2), ("1.3", Version::V1_3)])?,
    };
    object.finish(warnings);
    let path = |file: &Option<Node<'_>>| file.as_ref().map(path_of).transpose();
    let [certificate_path, key_path, client_ca_path] =
        [path(&certificate)?, path(&key)?, path(&client_ca)?];

    if secure.is_none() {
        let place = node.place();
        warnings.push(format!(
            "{place}: tls: without effect, no interface is wss://"
        ));
        return Ok(None);
    }
    let missing = |name, expected| node.error_found(format_args!("no {name:?}"), expected);
    let Some(certificate_path) = certificate_path else {
        return Err(missing("cert", "the path of a certificate chain in PEM"));
    };
    let Some(key_path) = key_path else {
        return Err(missing("key", "the path of a private key in PEM"));
    };
    if readable_by_all(&key_path) {
        let path = key_path.display();
        warnings.push(format!(
            "{path}: everybody can read this private key (chmod o-r)"
        ));
    }
    let tls = Tls::open(Settings {
        certificate: certificate_path,
        key: key_path,
        client_ca: client_ca_path,
        min_version,
    })
    .map_err(|error| {
        let file = match error.file {
            File::Certificate => &certificate,
            File::Key => &key,
            File::ClientCa => &client_ca,
        };
        file.as_ref()
            .unwrap_or(&node)
            .error_found(&error, error.expected)
    })?;
    Ok(Some(Arc::new(tls)))
}

//! Files with certificates and keys.

use std::fs;

use super::server::in_folder;
use crate::tls::{File, Settings, Tls, Version};

/// A certificate of the year 2026 that is valid for a hundred years, and its key.
const CERTIFICATE: &[u8] = include_bytes!("certificate.pem");
const KEY: &[u8] = include_bytes!("key.pem");

/// Opens TLS with three files. The first byte chooses one of them, which holds the rest of the
/// input; the other two are valid. An error must be about the chosen file.
pub fn tls_files(data: &[u8]) {
    let Some((choice, input)) = data.split_first() else {
        return;
    };
    in_folder(
        |_| {},
        |folder| {
            let path = |name: &str| folder.join(name);
            let (file, name) = match choice % 3 {
                0 => (File::Certificate, "certificate"),
                1 => (File::Key, "key"),
                _ => (File::ClientCa, "ca"),
            };
            for (name, content) in [
                ("certificate", CERTIFICATE),
                ("key", KEY),
                ("ca", CERTIFICATE),
            ] {
                fs::write(path(name), content).expect("a file");
            }
            fs::write(path(name), input).expect("a file");
            let opened = Tls::open(Settings {
                certificate: path("certificate"),
                key: path("key"),
                client_ca: Some(path("ca")),
                min_version: Version::V1_2,
            });
            match opened {
                Ok(tls) => assert!(!tls.config().alpn_protocols.is_empty()),
                // If the input is a valid certificate, the error is about the key, which does not
                // belong to it.
                Err(error) if file == File::Certificate => assert_ne!(error.file, File::ClientCa),
                Err(error) => assert_eq!(error.file, file),
            }
        },
    );
}

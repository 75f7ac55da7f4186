//! Certificates, and servers that use them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
    SignatureAlgorithm, date_time_ymd,
};
use serde_json::{Value, json};

use super::files::replace_file;

/// Years from which and until which a certificate is valid.
pub(crate) const VALID: [i32; 2] = [2001, 2999];
pub(crate) const EXPIRED: [i32; 2] = [2001, 2002];
pub(crate) const NOT_YET: [i32; 2] = [2998, 2999];

/// The authority of the test certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// A folder with the files of a server.
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for localhost.
    pub(crate) fn issue(&self, years: [i32; 2]) -> Pair {
        self.issue_with(years, &rcgen::PKCS_ECDSA_P256_SHA256)
    }

    pub(crate) fn issue_with(
        &self,
        [from, to]: [i32; 2],
        algorithm: &'static SignatureAlgorithm,
    ) -> Pair {
        let names = ["localhost", "127.0.0.1"].map(String::from);
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        let key = KeyPair::generate_for(algorithm).unwrap();
        Pair {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// The key `tls` of a configuration, with a certificate in `folder`.
    pub(crate) fn tls(&self, folder: &Path) -> Value {
        Files::write(folder, &self.issue(VALID)).tls()
    }
}

impl Files {
    pub(crate) fn write(folder: &Path, pair: &Pair) -> Self {
        let files = Self {
            certificate: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        };
        files.replace(pair);
        files
    }

    /// Puts other files in the place of these.
    pub(crate) fn replace(&self, pair: &Pair) {
        replace_file(&self.certificate, &pair.certificate);
        replace_file(&self.key, &pair.key);
    }

    /// The key `tls` of a configuration.
    pub(crate) fn tls(&self) -> Value {
        json!({"cert": self.certificate, "key": self.key})
    }
}

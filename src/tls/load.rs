//! Reads certificates and keys, and builds the configurations of rustls from them.

use std::{
    fs,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use jiff::Timestamp;
use rustls::{
    CertificateError, ClientConfig, Error, InconsistentKeys, RootCertStore, ServerConfig,
    client::verify_server_cert_signed_by_trust_anchor,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{
        CertificateDer, PrivateKeyDer, UnixTime,
        pem::{self, PemObject},
    },
    server::{
        NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier, danger::ClientCertVerifier,
    },
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};

use super::{File, FileError, Settings, Version};

/// The largest size of a file in bytes. A bundle of all public authorities has a quarter of it.
const MAX_FILE: u64 = 1 << 20;

const CERTIFICATE: &str = "a certificate chain in PEM";
const KEY: &str = "a private key in PEM (PKCS#8, PKCS#1 or SEC1) without a password";
const USABLE_KEY: &str =
    "an RSA key of 2048 bits or more, an ECDSA key (P-256, P-384, P-521) or an Ed25519 key";
const CLIENT_CA: &str = "certificates in PEM";

/// Reads the files and returns the configuration of a server. Fails if a file cannot be used, a
/// certificate is not valid now, or the key is not that of the certificate.
pub(super) fn server_config(settings: &Settings) -> Result<ServerConfig, FileError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let certified = certified_key(settings, &provider)?;
    let verifier = client_verifier(settings, &provider)?;
    let versions = match settings.min_version {
        Version::V1_2 => &[&TLS13, &TLS12][..],
        Version::V1_3 => &[&TLS13],
    };
    let fault =
        |cause: &dyn std::fmt::Display| settings.error(File::Certificate, cause.to_string(), "TLS");
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|cause| fault(&cause))?;
    let asks_clients = verifier.is_some();
    let builder = match verifier {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if asks_clients {
        // A client that resumes a session shows no certificate (RFC 8446 §2.2). One that has
        // expired meanwhile, or whose authority has been removed, would get in.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    } else {
        // A new ticketer with each certificate, so that no session lasts longer than its
        // certificate.
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(|cause| fault(&cause))?;
    }
    Ok(config)
}

/// Returns the configuration of a client that trusts the authorities in a PEM file. Fails if the
/// file cannot be used.
pub(super) fn client_config(ca: &Path) -> Result<ClientConfig, String> {
    let roots = read(ca)
        .and_then(|pem| client_roots(&pem))
        .map_err(|found| format!("{}: {found}", ca.display()))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

impl Settings {
    /// Reads each file by itself. Returns an error for each that cannot be used.
    pub fn unusable_files(&self) -> Vec<FileError> {
        let provider = aws_lc_rs::default_provider();
        let errors = [
            chain(self, &provider).err(),
            key(self).err(),
            client_verifier(self, &Arc::new(provider)).err(),
        ];
        errors.into_iter().flatten().collect()
    }

    fn error(&self, file: File, found: String, expected: &'static str) -> FileError {
        let path = match file {
            File::Certificate => self.certificate.clone(),
            File::Key => self.key.clone(),
            File::ClientCa => self.client_ca.clone().unwrap_or_default(),
        };
        FileError {
            file,
            path,
            found,
            expected,
        }
    }
}

/// Reads the certificate and its key.
fn certified_key(
    settings: &Settings,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, FileError> {
    let chain = chain(settings, provider)?;
    let key = key(settings)?;
    CertifiedKey::from_der(chain, key, provider).map_err(|cause| {
        let (found, expected) = match cause {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => (
                "a key that does not match the certificate",
                "the key of the certificate",
            ),
            _ => ("a key that cannot be used", USABLE_KEY),
        };
        settings.error(File::Key, found.to_owned(), expected)
    })
}

/// Reads the certificate with those behind it.
fn chain(
    settings: &Settings,
    provider: &CryptoProvider,
) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let wrong_certificate = |found, expected| settings.error(File::Certificate, found, expected);
    let chain = read(&settings.certificate)
        .and_then(|pem| certificates(&pem))
        .map_err(|found| wrong_certificate(found, CERTIFICATE))?;
    for certificate in &chain {
        check(certificate, provider)
            .map_err(|(found, expected)| wrong_certificate(found, expected))?;
    }
    Ok(chain)
}

/// Reads the key.
fn key(settings: &Settings) -> Result<PrivateKeyDer<'static>, FileError> {
    read(&settings.key)
        .and_then(|pem| private_key(&pem))
        .map_err(|found| settings.error(File::Key, found, KEY))
}

/// Reads the authorities of clients, if they need a certificate.
fn client_verifier(
    settings: &Settings,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, FileError> {
    let Some(path) = &settings.client_ca else {
        return Ok(None);
    };
    let error = |found| settings.error(File::ClientCa, found, CLIENT_CA);
    let roots = read(path)
        .and_then(|pem| client_roots(&pem))
        .map_err(error)?;
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map(Some)
        .map_err(|cause| error(cause.to_string()))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let read = || {
        let mut bytes = Vec::new();
        fs::File::open(path)?
            .take(MAX_FILE + 1)
            .read_to_end(&mut bytes)?;
        io::Result::Ok(bytes)
    };
    match read() {
        Ok(bytes) if bytes.len() as u64 > MAX_FILE => Err("a file of more than 1 MiB".into()),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(error.to_string()),
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| damage(&error))?;
    if found.is_empty() {
        return Err(nothing(pem, "certificate"));
    }
    Ok(found)
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    match PrivateKeyDer::from_pem_slice(pem) {
        Ok(key) => Ok(key),
        Err(_) if contains(pem, b"ENCRYPTED") => Err("a key with a password".into()),
        Err(pem::Error::NoItemsFound) => Err(nothing(pem, "private key")),
        Err(error) => Err(damage(&error)),
    }
}

fn client_roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate).map_err(|error| unreadable(&error))?;
    }
    Ok(roots)
}

/// Checks that a certificate can be parsed and is valid now. Fails with what was found and what is
/// expected.
fn check(
    certificate: &CertificateDer<'_>,
    provider: &CryptoProvider,
) -> Result<(), (String, &'static str)> {
    let parsed = ParsedCertificate::try_from(certificate)
        .map_err(|error| (unreadable(&error), "an X.509 certificate of version 3"))?;
    // Without trusted roots this always fails, but webpki checks the dates before the signature.
    let verified = verify_server_cert_signed_by_trust_anchor(
        &parsed,
        &RootCertStore::empty(),
        &[],
        UnixTime::now(),
        provider.signature_verification_algorithms.all,
    );
    let found = match verified {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            format!("a certificate that expired on {}", date(not_after))
        }
        Err(Error::InvalidCertificate(CertificateError::NotValidYetContext {
            not_before, ..
        })) => format!(
            "a certificate that is not valid before {}",
            date(not_before)
        ),
        _ => return Ok(()),
    };
    Err((found, "a certificate that is valid now"))
}

fn unreadable(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => format!("a certificate that cannot be read ({error})"),
        error => format!("a certificate that cannot be read ({error})"),
    }
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).ok();
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or("an unknown day".into(), |time| time.to_string())
}

fn nothing(pem: &[u8], wanted: &str) -> String {
    if contains(pem, b"-----BEGIN ") {
        format!("PEM without a {wanted}")
    } else {
        "no PEM".into()
    }
}

fn damage(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "damaged PEM (no END line)",
        pem::Error::IllegalSectionStart { .. } => "damaged PEM (a BEGIN line)",
        _ => "damaged PEM (not base64)",
    }
    .into()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

//! From files to what rustls needs.

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
    server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};

use super::{File, FileError, Settings, Version};

/// Bundles of all public authorities have a quarter of that.
const MAX_FILE: u64 = 1 << 20;

const CERTIFICATE: &str = "a certificate chain in PEM";
const KEY: &str = "a private key in PEM (PKCS#8, PKCS#1 or SEC1) without a password";
const CLIENT_CA: &str = "certificates in PEM";

/// Reads the files and checks that they fit together.
pub(super) fn server_config(settings: &Settings) -> Result<ServerConfig, FileError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let error = |file, found: String, expected| FileError {
        file,
        path: match file {
            File::Certificate => settings.certificate.clone(),
            File::Key => settings.key.clone(),
            File::ClientCa => settings.client_ca.clone().unwrap_or_default(),
        },
        found,
        expected,
    };

    let chain = read(&settings.certificate)
        .and_then(|pem| certificates(&pem))
        .map_err(|found| error(File::Certificate, found, CERTIFICATE))?;
    for certificate in &chain {
        check(certificate, &provider)
            .map_err(|(found, expected)| error(File::Certificate, found, expected))?;
    }
    let key = read(&settings.key)
        .and_then(|pem| private_key(&pem))
        .map_err(|found| error(File::Key, found, KEY))?;
    let certified = CertifiedKey::from_der(chain, key, &provider).map_err(|cause| match cause {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => error(
            File::Key,
            "a key that does not match the certificate".into(),
            "the key of the certificate",
        ),
        _ => error(
            File::Key,
            "a key that cannot be used".into(),
            "an RSA key of 2048 bits or more, an ECDSA key (P-256, P-384, P-521) or an Ed25519 key",
        ),
    })?;
    let roots = settings
        .client_ca
        .as_deref()
        .map(|path| read(path).and_then(|pem| client_roots(&pem)))
        .transpose()
        .map_err(|found| error(File::ClientCa, found, CLIENT_CA))?;

    let versions = match settings.min_version {
        Version::V1_2 => &[&TLS13, &TLS12][..],
        Version::V1_3 => &[&TLS13],
    };
    let fault = |cause: &dyn std::fmt::Display| error(File::Certificate, cause.to_string(), "TLS");
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(|cause| fault(&cause))?;
    let asks_clients = roots.is_some();
    let builder = match roots {
        None => builder.with_no_client_auth(),
        Some(roots) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|cause| error(File::ClientCa, cause.to_string(), CLIENT_CA))?,
        ),
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if asks_clients {
        // A session that goes on with a ticket shows no certificate: one that has expired since,
        // or that is signed by nobody any more, would be let in.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    } else {
        // New with each certificate, so that who comes back after a change sees it.
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(|cause| fault(&cause))?;
    }
    Ok(config)
}

/// What a client needs that trusts those whom the certificates in a PEM file have signed.
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

/// What is wrong with a certificate of the chain, and what should be.
fn check(
    certificate: &CertificateDer<'_>,
    provider: &CryptoProvider,
) -> Result<(), (String, &'static str)> {
    let parsed = ParsedCertificate::try_from(certificate)
        .map_err(|error| (unreadable(&error), "an X.509 certificate of version 3"))?;
    // Nobody is trusted here, so this always fails; first of all it looks at the time.
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

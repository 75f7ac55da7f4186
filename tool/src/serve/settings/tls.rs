//! The `tls` object: whom the connection trusts, and how it shows itself.

use std::{collections::BTreeMap, fmt, fs, path::Path, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    version::{TLS12, TLS13},
};
use serde_json::Value;
use vscpl2drv_websocksrv::located_json::{ConfigError, Node, Object, Warnings, nearest};

use super::keys;

/// The configuration of TLS.
#[derive(Clone)]
pub(in crate::serve) struct Tls(pub(in crate::serve) Arc<ClientConfig>);

/// How much of the broker's certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verify {
    Everything,
    /// All but the name.
    NotTheName,
    Nothing,
}

const VERSIONS: [(&str, &[&SupportedProtocolVersion]); 2] =
    [("tlsv1.2", &[&TLS12]), ("tlsv1.3", &[&TLS13])];

const ALL_VERSIONS: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// The largest number of files of a folder of certificates.
const MAX_FILES: usize = 1000;

/// The `tls` object, read as far as it must be right whether the connection is encrypted or not.
#[derive(Default)]
pub(super) struct Section<'a> {
    /// The names of files.
    files: Object<'a>,
    /// `None` for all.
    versions: Option<&'static [&'static SupportedProtocolVersion]>,
    /// Where it says that the name is not checked.
    without_name: Option<Node<'a>>,
    /// Where it says that nothing is checked.
    without_check: Option<Node<'a>>,
    /// True if there is something in it that makes no sense without TLS.
    pub(super) asks_for_tls: bool,
    /// True if it has nothing but empty values.
    pub(super) is_empty: bool,
}

impl<'a> Section<'a> {
    /// Reads the object. What it does not understand is an error: to go on without it would be
    /// less safe.
    pub(super) fn read(node: &Node<'a>, warnings: &mut Warnings) -> Result<Self, ConfigError> {
        let mut object = node.object()?;
        refuse_unknown_keys(node, &object)?;
        object.warn_of_unknown_keys(keys::TLS, warnings);
        let has = |name: &&str| object.get(&[name]).is_some_and(says_something);
        let is_empty = !keys::TLS.iter().any(has);
        let has_files = keys::TLS_FILES.iter().any(has);
        let mut take = |key| object.take(&[key]).filter(|node| !node.is_blank());
        for key in ["psk", "psk-identity", "ciphers", "pwkeyfile"] {
            if let Some(node) = take(key) {
                return Err(unsupported(&node, key));
            }
        }
        let versions = take("version").map(|node| node.choice(&VERSIONS));
        let versions = versions.transpose()?;
        let without_name = match take("no-hostname-checking") {
            Some(node) => node.boolean(warnings)?.then_some(node),
            None => None,
        };
        let requirement = match take("cert-reqs") {
            Some(node) => Some((node.integer(0..=2, warnings)?, node)),
            None => None,
        };
        let is_certificate_required = matches!(requirement, Some((1.., _)));
        Ok(Self {
            files: object,
            versions,
            without_name,
            without_check: match requirement {
                Some((0, node)) => Some(node),
                _ => None,
            },
            asks_for_tls: has_files || versions.is_some() || is_certificate_required,
            is_empty,
        })
    }

    fn verification(&self, warnings: &mut Warnings) -> Verify {
        let mut verify = Verify::Everything;
        if let Some(node) = &self.without_name {
            warnings.at(node, "the name in the broker's certificate is not checked");
            verify = Verify::NotTheName;
        }
        if let Some(node) = &self.without_check {
            warnings.at(
                node,
                "the broker's certificate is not checked: anybody can be the broker",
            );
            verify = Verify::Nothing;
        }
        verify
    }
}

/// Fails if there is a key that is not known; one that starts with `//` is a comment.
fn refuse_unknown_keys(node: &Node<'_>, object: &Object<'_>) -> Result<(), ConfigError> {
    let all: BTreeMap<String, Value> =
        serde_json::from_str(node.text()).map_err(|_| node.error("an object {...}"))?;
    let mut unknown = all
        .keys()
        .filter(|key| !keys::TLS.contains(&key.as_str()) && !key.starts_with("//"));
    let Some(key) = unknown.next() else {
        return Ok(());
    };
    let expected = keys::TLS.join(", ");
    let expected = format_args!("some of {expected}");
    let error = match object.get(&[key]) {
        Some(node) => node.error_found("an unknown key", expected),
        None => node.error_found(format_args!("the unknown key {key:?}"), expected),
    };
    Err(match nearest(key, keys::TLS) {
        Some(known) => error.with_hint(format_args!("did you mean {known:?}?")),
        None => error,
    })
}

fn says_something(node: &Node<'_>) -> bool {
    !node.is("null") && !node.is_blank()
}

impl Tls {
    /// Makes the configuration of what the `tls` object says. `owner` is where errors without a
    /// key of their own belong.
    pub(super) fn read(
        mut section: Section<'_>,
        owner: &Node<'_>,
        alpn: Option<String>,
        warnings: &mut Warnings,
    ) -> Result<Self, ConfigError> {
        let verify = section.verification(warnings);
        let versions = section.versions.unwrap_or(ALL_VERSIONS);
        let roots = Self::roots(&mut section.files, owner)?;
        let fault = |error: Error| owner.error_found(error, "TLS");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)
            .map_err(fault)?;
        let builder = match verify {
            Verify::Everything => builder.with_root_certificates(roots),
            verify => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(
                    Lenient::new(verify, roots, provider)
                        .map_err(|error| owner.error_found(error, "TLS"))?,
                )),
        };
        let mut config = match Self::identity(&mut section.files)? {
            Some((chain, key, node)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| node.error_found(error, "the key of the certificate"))?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.into_iter().map(String::into_bytes).collect();
        Ok(Self(Arc::new(config)))
    }

    /// Reads the authorities: those that are named, or those of the system.
    fn roots(object: &mut Object<'_>, owner: &Node<'_>) -> Result<RootCertStore, ConfigError> {
        let mut roots = RootCertStore::empty();
        let mut is_named = false;
        if let Some(node) = object.take(&["cafile"]).filter(|node| !node.is_blank()) {
            is_named = true;
            let path = node.string()?;
            for certificate in certificates(Path::new(&path)).map_err(|found| {
                node.error_found(format_args!("{path}: {found}"), "certificates in PEM")
            })? {
                roots.add(certificate).map_err(|error| {
                    node.error_found(format_args!("{path}: {error}"), "certificates in PEM")
                })?;
            }
        }
        if let Some(node) = object.take(&["capath"]).filter(|node| !node.is_blank()) {
            is_named = true;
            let path = node.string()?;
            let wrong = |found: &dyn fmt::Display| {
                node.error_found(
                    format_args!("{path}: {found}"),
                    "a folder with certificates in PEM",
                )
            };
            let entries = fs::read_dir(&path).map_err(|error| wrong(&error))?;
            let files = entries.filter_map(Result::ok).take(MAX_FILES);
            // Such folders have other files, too, and links to all certificates.
            let found: Vec<_> = files
                .filter_map(|file| certificates(&file.path()).ok())
                .flatten()
                .collect();
            if roots.add_parsable_certificates(found).0 == 0 {
                return Err(wrong(&"no certificate"));
            }
        }
        if !is_named {
            let system = rustls_native_certs::load_native_certs();
            if roots.add_parsable_certificates(system.certs).0 == 0 {
                let expected = "the package ca-certificates, or tls.cafile";
                return Err(owner.error_found("a system without trusted certificates", expected));
            }
        }
        Ok(roots)
    }

    /// Reads the certificate of the client and its key.
    fn identity<'a>(object: &mut Object<'a>) -> Result<Option<Identity<'a>>, ConfigError> {
        let take = |object: &mut Object<'a>, name| {
            object
                .take(&[name])
                .filter(|node: &Node<'_>| !node.is_blank())
        };
        let (certificate, key) = (take(object, "certfile"), take(object, "keyfile"));
        let (certificate, key) = match (certificate, key) {
            (Some(certificate), Some(key)) => (certificate, key),
            (None, None) => return Ok(None),
            (Some(node), None) => return Err(node.error_found("no keyfile", "the key of certfile")),
            (None, Some(node)) => {
                return Err(node.error_found("no certfile", "the certificate of keyfile"));
            }
        };
        let path = certificate.string()?;
        let chain = certificates(Path::new(&path)).map_err(|found| {
            certificate.error_found(format_args!("{path}: {found}"), "a certificate in PEM")
        })?;
        let path = key.string()?;
        let expected = "a private key in PEM without a password";
        let pem = fs::read(&path)
            .map_err(|error| key.error_found(format_args!("{path}: {error}"), expected))?;
        let private = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|error| key.error_found(format_args!("{path}: {error}"), expected))?;
        Ok(Some((chain, private, key)))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

type Identity<'a> = (
    Vec<CertificateDer<'static>>,
    PrivateKeyDer<'static>,
    Node<'a>,
);

fn unsupported(node: &Node<'_>, key: &str) -> ConfigError {
    match key {
        "pwkeyfile" => node.error_found(
            "a key file with a password",
            "a key without one: openssl pkey -in old.pem -out new.pem",
        ),
        "ciphers" => node.error_found("a list of ciphers", "no such key: TLS 1.2 and 1.3 are safe"),
        _ => node.error_found(
            "a pre-shared key",
            "a certificate, or a user with a password",
        ),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = fs::read(path).map_err(|error| error.to_string())?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err("no certificate".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(error.to_string()),
    }
}

/// Checks less of a certificate than usual, because the configuration says so.
#[derive(Debug)]
struct Lenient {
    /// The verifier of the certificate, `None` if it is not checked.
    inner: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Lenient {
    fn new(
        verify: Verify,
        roots: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, String> {
        let inner = match verify {
            Verify::Nothing => None,
            _ => Some(
                WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone())
                    .build()
                    .map_err(|error| error.to_string())?,
            ),
        };
        Ok(Self { inner, provider })
    }
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(inner) = &self.inner else {
            return Ok(ServerCertVerified::assertion());
        };
        let checked =
            inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match checked {
            // The name is what is checked last.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

//! The keys of `tls`.

use std::path::PathBuf;

use super::{
    Group, Table,
    kind::{Choice, Optional, Text},
    row::Row,
};
use crate::tls::Version;

pub static CERTIFICATE: Row<Optional<Text<PathBuf>>> = Row::new(
    &["cert", "certificate"],
    Optional(Text::path()),
    "none; needed",
    "A file with the certificate of the server in PEM, and behind it those that lead to its \
     authority.",
)
.empty_is_not_set();

pub static KEY: Row<Optional<Text<PathBuf>>> = Row::new(
    &["key"],
    Optional(Text::path()),
    "none; needed",
    "A file with the private key of the certificate in PEM (PKCS#8, PKCS#1 or SEC1), without a \
     password: RSA of 2048 bits or more, ECDSA (P-256, P-384, P-521) or Ed25519.",
)
.empty_is_not_set()
.secret();

pub static CLIENT_CA: Row<Optional<Text<PathBuf>>> = Row::new(
    &["ca"],
    Optional(Text::path()),
    "none",
    "A file with certificates in PEM of which one must have signed that of a client.",
)
.manual("Clients must then show a certificate; they have to log in all the same.")
.empty_is_not_set();

pub static MIN_VERSION: Row<Choice<Version>> = Row::new(
    &["min-version"],
    Choice(&[("1.2", Version::V1_2), ("1.3", Version::V1_3)]),
    "\"1.2\"",
    "The oldest version of TLS that is spoken.",
)
.empty_is_not_set();

/// The keys of `tls`.
pub static TABLE: Table = Table {
    path: "tls",
    groups: &[Group {
        title: "",
        rows: &[&CERTIFICATE, &KEY, &CLIENT_CA, &MIN_VERSION],
    }],
};

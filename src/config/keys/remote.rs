//! The keys of `remote-variables`.

use std::{path::PathBuf, time::Duration};

use super::{
    Group, Table,
    kind::{Flag, Number, Special, Text},
    row::Row,
};

pub static HOST: Row<Text<String>> = Row::new(
    &["host"],
    Text(line),
    "\"127.0.0.1\"",
    "The name or address of the server.",
);

pub static PORT: Row<Number<u16>> = Row::new(
    &["port"],
    Number::new(1..=65_535, "", |port| {
        u16::try_from(port).unwrap_or(u16::MAX)
    }),
    "9598",
    "The port of the server.",
);

pub static USER: Row<Text<String>> =
    Row::new(&["user"], Text(line), "\"\"", "The user to log in as.");

pub static PASSWORD: Row<Special> =
    Row::new(&["password"], Special, "none", "The password of the user.").secret();

pub static PREFIX: Row<Text<String>> = Row::new(
    &["prefix"],
    Text(line),
    "\"\"",
    "What the names of the variables start with.",
);

pub static TIMEOUT: Row<Number<Duration>> = Row::new(
    &["timeout-ms"],
    Number::milliseconds(1..=3_600_000),
    "2000",
    "The time for all of it, looking up the name included.",
);

pub static REQUIRED: Row<Flag> = Row::new(
    &["required"],
    Flag,
    "false",
    "Whether the driver refuses to open if the server cannot be reached or refuses; else that is a \
     warning.",
);

pub static TLS: Row<Flag> = Row::new(
    &["tls"],
    Flag,
    "false",
    "Whether the server is spoken to over TLS.",
);

pub static CA: Row<Text<PathBuf>> = Row::new(
    &["ca"],
    Text::path(),
    "\"/etc/ssl/certs/ca-certificates.crt\"",
    "A file of certificates in PEM, of which one must have signed that of the server.",
);

/// The keys of `remote-variables`.
pub static TABLE: Table = Table {
    path: "remote-variables",
    groups: &[Group {
        title: "",
        rows: &[
            &HOST, &PORT, &USER, &PASSWORD, &PREFIX, &TIMEOUT, &REQUIRED, &TLS, &CA,
        ],
    }],
};

/// Reads a text that is sent as a line, or a part of one.
pub(in crate::config) fn line(text: &str) -> Result<String, String> {
    match text.contains(|c: char| c.is_control()) {
        true => Err("a string without control characters".to_owned()),
        false => Ok(text.to_owned()),
    }
}

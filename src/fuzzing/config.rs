//! Configurations, users and remote variables.

use std::io::{self, Read, Write};

use super::text;
use crate::{
    config::{Config, remote::client::ask, users::parse},
    located_json::{Finding, Source, Warnings},
};

/// Reads a configuration in JSON.
pub fn configuration(data: &[u8]) {
    if let Some(text) = text(data).filter(|text| text.trim_start().starts_with('{')) {
        load(text);
    }
}

/// Reads an old configuration string.
pub fn configuration_string(data: &[u8]) {
    if let Some(text) = text(data) {
        load(text);
    }
}

/// Loads a configuration. Ignores texts that could make the driver connect to a server
/// (`remote-variables`) or open a file that is no regular one, such as a device.
fn load(text: &str) {
    let elsewhere = ["\\", "remote", "/dev", "/proc", "/sys", "/run"];
    if elsewhere.iter().any(|word| text.contains(word)) {
        return;
    }
    match Config::load(text) {
        Ok(config) => {
            check_lines(&lines(&config.warnings));
            check_lines(&lines(&config.notes));
        }
        Err(error) => check_lines(&[error.to_string()]),
    }
}

/// Reads a users file. The login reply of each user has its ten fields.
pub fn users(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut warnings = Warnings::default();
    match parse(&Source::new("users.json", text), &mut warnings) {
        Ok(users) => {
            for user in users.iter() {
                let fields = user.auth1_fields();
                assert_eq!(fields.split(';').count(), 10, "{fields}");
                check_lines(&[fields]);
            }
        }
        Err(error) => check_lines(&[error.to_string()]),
    }
    check_lines(&warnings.into_lines());
}

/// Asks a server that sends the input for variables.
pub fn remote_variables(data: &[u8]) {
    let names = ["a_interface", "a_filter", "a_mask", "a_config"].map(str::to_owned);
    match ask(Server(data), "user", "password", &names) {
        Ok(values) => {
            for value in values.into_iter().flatten() {
                assert!(!value.trim().is_empty());
                // Any text is read or refused.
                let _ = Source::new("variable", value).root();
            }
        }
        Err(error) => check_lines(&[error]),
    }
}

fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(Finding::to_string).collect()
}

/// A line of the log cannot be forged by what it reports.
fn check_lines(lines: &[String]) {
    for line in lines {
        assert!(!line.contains(['\n', '\r']), "{line:?}");
    }
}

/// A server that sends fixed bytes and takes everything.
struct Server<'d>(&'d [u8]);

impl Read for Server<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Server<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

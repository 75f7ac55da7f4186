//! The keys `key-file` and `allow-default-key`: the key of the login blobs.

use std::{
    fs::{self, File},
    io::Read,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use super::{keys, section::Section, string};
use crate::{
    auth::{Key, login::TooFewDigits},
    located_json::{ConfigError, Finding, Node},
};

/// Bytes of a key file that are read: it is a line of text, but a wrong path may name an endless
/// device.
const MAX_KEY_FILE: u64 = 4096;

/// Reads the key of the login blobs. Fails if there is no usable key file, unless the key that
/// everybody knows is allowed. `are_local` tells that only clients of this machine can use it.
pub(super) fn read(
    root: &Node<'_>,
    are_local: bool,
    section: &mut Section<'_, '_>,
) -> Result<Key, ConfigError> {
    let allow_default = section.take(&keys::ALLOW_DEFAULT_KEY)?;
    let Some(node) = section.node(&keys::KEY_FILE)? else {
        return without_file(root, allow_default, are_local, section);
    };
    let path = node.string()?;
    match read_file(&path) {
        Ok(key) => {
            if readable_by_all(Path::new(&path)) {
                section.warnings().at_with_hint(
                    &node,
                    format_args!("{path}: everybody can read this key file"),
                    "chmod o-r",
                );
            }
            Ok(key)
        }
        Err(error) if allow_default => {
            section.warnings().at(
                &node,
                format_args!(
                    "{error}; logins use the key that everybody knows ({})",
                    keys::ALLOW_DEFAULT_KEY.name()
                ),
            );
            Ok(Key::WELL_KNOWN)
        }
        Err(error) => Err(node.error_in_file(&error)),
    }
}

/// Returns whether everybody can read a file.
pub(super) fn readable_by_all(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

fn without_file(
    root: &Node<'_>,
    allow_default: bool,
    are_local: bool,
    section: &mut Section<'_, '_>,
) -> Result<Key, ConfigError> {
    if allow_default && are_local {
        return Ok(Key::WELL_KNOWN);
    }
    let position = section.position(&keys::KEY_FILE);
    if allow_default {
        let found = format_args!(
            "not set, logins use the key that everybody knows ({})",
            keys::ALLOW_DEFAULT_KEY.name()
        );
        let hint = "vscpl2drv-websocksrv key makes one";
        let warning = Finding::new(position, found).with_hint(hint);
        section.warnings().add(warning);
        return Ok(Key::WELL_KNOWN);
    }
    if root.source_name() == string::NAME {
        // A configuration string such as `can0` is enough for a driver that only serves CAN buses,
        // so a missing key file is no error. With a random key no client can log in.
        let warning = Finding::new(position, "not set, no client can log in");
        section.warnings().add(warning);
        return Key::random().map_err(|error| root.error_found(error, "random numbers"));
    }
    let found = format_args!("no {:?}", keys::KEY_FILE.name());
    let error = root.error_found(found, "the path of a file with at least 32 hex digits");
    Err(error.with_hint("vscpl2drv-websocksrv key makes one"))
}

fn read_file(path: &str) -> Result<Key, ConfigError> {
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_KEY_FILE).read_to_end(&mut text))
        .map_err(|error| ConfigError::new(path, error, "a readable file with the key"))?;
    Key::parse(&text).map_err(|TooFewDigits { found }| {
        ConfigError::new(
            path,
            format_args!("{found} hex digits at its start"),
            "at least 32 hex digits (a key of 16 bytes)",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_32_digits_of_a_key_file_are_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vscp.key");
        let path = path.to_str().unwrap();
        let digits = "2dbb079a38985af00EBEEFE22F9FFA0E";
        for text in [
            digits.into(),
            format!(" \n{digits}\r\n"),
            format!("{digits}00FF and so on"),
        ] {
            fs::write(path, text).unwrap();
            assert_eq!(read_file(path), Ok(Key::WELL_KNOWN));
        }
        for (text, found) in [
            (String::new(), "0 hex digits"),
            (digits[1..].into(), "31 hex digits"),
            (digits.replace("8985", "89x5"), "11 hex digits"),
        ] {
            fs::write(path, text).unwrap();
            assert_eq!(
                read_file(path).unwrap_err().to_string(),
                format!(
                    "{path}: found {found} at its start, \
                     expected at least 32 hex digits (a key of 16 bytes)"
                )
            );
        }
        let missing = read_file("/nowhere/vscp.key").unwrap_err().to_string();
        assert!(
            missing.starts_with("/nowhere/vscp.key: found No such file"),
            "{missing}"
        );
    }

    #[test]
    fn an_endless_key_file_is_not_read_to_its_end() {
        assert!(read_file("/dev/zero").is_err());
    }
}

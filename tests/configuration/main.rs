//! What configurations are taken, what is refused, and what is said about them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod any_text;
#[path = "../common/mod.rs"]
mod common;
mod control;
mod errors;
mod existing;
mod key_files;
mod logging;
mod remote;
mod sources;
mod values;
mod warnings;

use std::{fs, os::unix::fs::PermissionsExt};

use tempfile::TempDir;

/// A configuration whose fourth line is `"key": value`.
fn with_line(key: &str, value: &str) -> String {
    format!(
        "{{\n\"interface\": \"ws://127.0.0.1:0\",\n\"allow-default-key\": true,\n\
         \"{key}\": {value}\n}}"
    )
}

/// Expects that what was found and what was expected are each there once, on one line.
fn assert_one_line(error: &str) {
    let words: Vec<_> = error.split([' ', '\n']).collect();
    let count = |word| words.iter().filter(|&&other| other == word).count();
    assert_eq!((count("found"), count("expected")), (1, 1), "{error}");
    assert!(!error.contains('\n'), "{error}");
}

fn key_file(folder: &TempDir, text: &str, mode: u32) -> String {
    let path = folder.path().join("vscp.key");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path.to_string_lossy().into_owned()
}

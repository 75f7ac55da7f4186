//! Files that the driver reads.

use std::{fs, path::Path};

/// Puts a file into its place as a whole: it is never seen empty or half written.
pub(crate) fn replace_file(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(&new, path).unwrap();
}

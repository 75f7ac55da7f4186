//! Writing a file anew so that nobody ever sees half of it.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, fchown},
    path::Path,
};

/// Replaces a file by a new one with the same owner and mode, which is complete on the disk first.
///
/// # Errors
/// The error of the system call that failed. The old file is then still there.
pub fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    // A symbolic link stays one.
    let file = fs::canonicalize(file)?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mut new = tempfile::Builder::new()
        .prefix(".websocksrv-")
        .tempfile_in(folder)?;
    new.write_all(text)?;
    let old = fs::metadata(&file)?;
    // Each by itself: either may be forbidden, and then it is better to save without.
    let _ = fchown(new.as_file(), Some(old.uid()), None);
    let _ = fchown(new.as_file(), None, Some(old.gid()));
    // Not when it is created: the umask would cut the mode.
    new.as_file().set_permissions(old.permissions())?;
    new.as_file().sync_all()?;
    new.persist(&file)?;
    fs::File::open(folder)?.sync_all()
}

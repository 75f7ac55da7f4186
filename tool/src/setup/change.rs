//! A change of a file that exists.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use similar::TextDiff;
use vscpl2drv_websocksrv::replace_file::replace;

use super::root::Root;
use crate::message;

/// A file that exists and another text for it.
pub(super) struct Change {
    pub(super) path: PathBuf,
    /// True if it is the configuration of the daemon.
    pub(super) is_of_daemon: bool,
    pub(super) old: String,
    pub(super) new: String,
}

impl Change {
    /// Returns the difference, as diff -u shows it.
    pub(super) fn diff(&self) -> String {
        let name = self.path.display().to_string();
        TextDiff::from_lines(&self.old, &self.new)
            .unified_diff()
            .header(&name, &name)
            .to_string()
    }

    /// Writes the new text, and the old one beside it.
    pub(super) fn carry_out(&self, root: &Root) -> Result<(), Box<dyn Error>> {
        let here = root.at(&self.path);
        let backup = free_name(&here);
        fs::copy(&here, &backup).map_err(|error| format!("{}: {error}", backup.display()))?;
        replace(&here, self.new.as_bytes())
            .map_err(|error| format!("{}: {error}", here.display()))?;
        message::note(format_args!(
            "{} is changed; the old one is {}",
            self.path.display(),
            backup.display()
        ));
        Ok(())
    }
}

/// Returns the name of a backup that is not there yet.
fn free_name(path: &Path) -> PathBuf {
    let named = |end: &str| PathBuf::from(format!("{}{end}", path.display()));
    let numbered = (1_u32..).map(|number| named(&format!(".bak{number}")));
    let mut names = [named(".bak")].into_iter().chain(numbered);
    names.find(|name| !name.exists()).unwrap_or_default()
}

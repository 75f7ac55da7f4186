//! Finds the daemon and what its configuration says of the driver.

use std::{
    error::Error,
    fmt, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use vscpl2drv_websocksrv::identity;

use super::{json, root::Root, xml};

/// The name of the library's file.
const LIBRARY: &str = "libvscpl2drv-websocksrv.so";

/// A daemon.
#[derive(Debug)]
pub(super) struct Daemon {
    /// Its configuration.
    pub(super) config: PathBuf,
    /// The text of it.
    pub(super) text: String,
    /// The user that it runs as, if that can be told.
    pub(super) user: Option<String>,
    /// The driver's configuration that it names already, `None` if it does not load the driver.
    pub(super) registered: Option<PathBuf>,
    format: Format,
}

/// How a daemon is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// Daemon 14: vscpd.conf.
    Xml,
    /// Daemons 15 and later: vscpd.json.
    Json,
}

impl Daemon {
    /// Finds the daemon by its configuration: the one that is named, that of the running daemon, or
    /// that of a usual place. Returns `None` if there is none.
    pub(super) fn find(root: &Root, named: Option<&Path>) -> Result<Option<Self>, Box<dyn Error>> {
        let running = root.is_whole_machine().then(Running::find).flatten();
        let places = ["/etc/vscp/vscpd.json", "/etc/vscp/vscpd.conf"].map(PathBuf::from);
        let config = match named {
            Some(path) => Some(path.to_owned()),
            None => running
                .as_ref()
                .and_then(|running| running.config.clone())
                .into_iter()
                .chain(places)
                .find(|path| root.at(path).is_file()),
        };
        let Some(config) = config else {
            return Ok(None);
        };
        let text = fs::read_to_string(root.at(&config))
            .map_err(|error| format!("{}: {error}", config.display()))?;
        let format = match text.trim_start().starts_with('<') {
            true => Format::Xml,
            false => Format::Json,
        };
        let user = running.and_then(|running| root.name_of(running.user));
        let (user, registered) = match format {
            Format::Xml => (user, xml::registered(&text, LIBRARY)),
            Format::Json => (
                user.or_else(|| json::user(&text)),
                json::registered(&text, LIBRARY),
            ),
        };
        Ok(Some(Self {
            config,
            text,
            user,
            registered,
            format,
        }))
    }

    /// Returns the block that makes the daemon load the driver.
    pub(super) fn block(&self, config: &Path) -> String {
        let guid = guid();
        match self.format {
            Format::Xml => xml::block(config, &guid),
            Format::Json => json::block(config, &guid),
        }
    }

    /// Returns its configuration with the block.
    ///
    /// # Errors
    /// The text is not understood; the block must be put in by hand.
    pub(super) fn with_block(&self, config: &Path) -> Result<String, String> {
        let block = self.block(config);
        match self.format {
            Format::Xml => xml::insert(&self.text, &block),
            Format::Json => json::insert(&self.text, &block),
        }
    }
}

impl fmt::Display for Daemon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.format {
            Format::Xml => "14",
            Format::Json => "15 or later",
        };
        write!(f, "version {version}, {}", self.config.display())?;
        match &self.user {
            Some(user) => write!(f, ", runs as {user}"),
            None => Ok(()),
        }
    }
}

/// Returns a GUID for the driver: that of this machine, with 1 as the last byte.
fn guid() -> String {
    let (mut guid, _) = identity::guid(None, None);
    guid.0[15] = 1;
    guid.to_string()
}

/// A daemon that runs.
struct Running {
    user: u32,
    /// The argument behind -c.
    config: Option<PathBuf>,
}

impl Running {
    fn find() -> Option<Self> {
        let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
        processes.map(|entry| entry.path()).find_map(|process| {
            let name = fs::read_to_string(process.join("comm")).ok()?;
            if name.trim_end() != "vscpd" {
                return None;
            }
            let line = fs::read_to_string(process.join("cmdline")).ok()?;
            let mut arguments = line.split('\0');
            let config = arguments
                .by_ref()
                .find(|argument| *argument == "-c")
                .and_then(|_| arguments.next());
            Some(Self {
                user: process.metadata().ok()?.uid(),
                config: config.map(PathBuf::from),
            })
        })
    }
}

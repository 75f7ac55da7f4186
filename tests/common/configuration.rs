//! Configurations, and drivers opened with them.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use vscpl2drv_websocksrv::{
    driver::{Driver, Host},
    event::Guid,
};

use super::user;

/// The GUID that the driver is opened with.
pub(crate) const GUID: &str = "FF:FF:FF:FF:FF:FF:FF:FE:02:00:00:00:00:01:00:00";

/// The key that logins are encrypted with (the well-known one).
pub(crate) const KEY: &str = "2DBB079A38985AF00EBEEFE22F9FFA0E";

/// How often a driver checks its files.
pub(crate) const FILE_CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Returns the configuration that [`Server::start`](super::Server::start) uses: a port of its
/// own, the users `admin` and `user`, and a log in `folder`. `keys` are added to it, those that
/// are null are removed from it.
pub(crate) fn configuration(folder: &TempDir, keys: Value) -> Value {
    let config = json!({
        "interface": "ws://127.0.0.1:0",
        "allow-default-key": true,
        "enable-static": false,
        "event-layout": "classic",
        "users": [
            user("admin", json!({"rights": "admin"})),
            user("user", json!({})),
        ],
        "logging": {
            "console-enable-log": false,
            "file-enable-log": true,
            "file-log-level": "trace",
            "file-pattern": "%l %v",
            "file-path": log_path(folder),
        },
    });
    merge(config, keys)
}

/// Opens a driver that soon notices files which have changed.
pub(crate) fn open(configuration: &str) -> Result<Driver, String> {
    let guid: Guid = GUID.parse().unwrap();
    let host = Host {
        file_check_interval: FILE_CHECK_INTERVAL,
        ..Host::default()
    };
    Driver::open(configuration, Some(guid), host).map_err(|error| error.to_string())
}

pub(crate) fn log_path(folder: &TempDir) -> PathBuf {
    folder.path().join("log")
}

/// Adds `keys` to an object, and removes those that are null.
pub(crate) fn merge(mut object: Value, keys: Value) -> Value {
    let entries = object.as_object_mut().unwrap();
    for (key, value) in keys.as_object().unwrap() {
        match value {
            Value::Null => _ = entries.remove(key),
            value => _ = entries.insert(key.clone(), value.clone()),
        }
    }
    object
}

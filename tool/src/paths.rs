//! Where things are on a machine that the package, or `setup`, has set up.

/// The configuration.
pub(crate) const CONFIG: &str = "/etc/vscp/websocksrv/websocksrv.json";

/// The library, as the daemon loads it.
pub(crate) const LIBRARY: &str = "/var/lib/vscp/drivers/level2/libvscpl2drv-websocksrv.so";

/// The log.
pub(crate) const LOG: &str = "/var/log/vscp/vscpl2drv-websocksrv.log";

//! A driver that serves on a port of its own.

use std::{fs, net::SocketAddr, path::PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use vscpl2drv_websocksrv::{driver::Driver, event::Event, ws::Protocol};

use super::{
    Client, DEADLINE, configuration, configuration::merge, event_of, log_path, open, wait_until,
};

/// For tests that hold for both protocols.
pub(crate) const BOTH: [Protocol; 2] = [Protocol::Ws1, Protocol::Ws2];

/// An open driver with its log.
pub(crate) struct Server {
    pub(crate) driver: Driver,
    folder: TempDir,
}

impl Server {
    /// Opens a driver with the users `admin` and `user`; `keys` are added to its configuration,
    /// those that are null are removed from it.
    pub(crate) fn start(keys: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = configuration(&folder, keys).to_string();
        let driver = open(&config).unwrap_or_else(|error| panic!("{error}"));
        Self { driver, folder }
    }

    /// Opens a driver whose one interface speaks TLS; `tls` is its key of that name.
    pub(crate) fn start_tls(tls: &Value, keys: Value) -> Self {
        let secure = json!({"interface": "wss://127.0.0.1:0", "tls": tls});
        Self::start(merge(secure, keys))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.driver.addresses()[0]
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        log_path(&self.folder)
    }

    /// Returns what is in the log by now.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Closes the driver, and returns the whole log.
    pub(crate) fn close_and_log(&self) -> String {
        self.driver.close();
        self.log()
    }

    /// Waits until the log holds `text`.
    pub(crate) fn wait_for_log(&self, text: &str) {
        wait_until(text, || self.log().contains(text));
    }

    /// Returns a client that has been greeted.
    pub(crate) fn connect(&self, protocol: Protocol) -> Client {
        Client::greeted(self.address(), protocol)
    }

    /// Returns a client that has logged in with the password `secret`.
    pub(crate) fn login(&self, protocol: Protocol, user: &str) -> Client {
        let mut client = self.connect(protocol);
        client.login(user);
        client
    }

    /// Returns a client that has logged in and opened.
    pub(crate) fn open(&self, protocol: Protocol, user: &str) -> Client {
        let mut client = self.login(protocol, user);
        client.command("OPEN");
        client
    }

    /// Has the host write event `number` (see [`Heard::Event`](super::messages::Heard::Event)).
    pub(crate) fn host_writes(&self, number: u32) {
        self.host_writes_text(&format!("0,20,3,0,,{number},-"));
    }

    pub(crate) fn host_writes_text(&self, event: &str) {
        self.driver.write(event_of(event), Some(DEADLINE)).unwrap();
    }

    /// Returns the next event that the host reads.
    pub(crate) fn host_reads(&self) -> Event {
        self.driver.read(Some(DEADLINE)).unwrap()
    }

    /// Returns the number of the next event that the host reads.
    pub(crate) fn host_reads_number(&self) -> u32 {
        self.host_reads().timestamp
    }
}

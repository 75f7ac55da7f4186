//! A driver that serves on a port of its own, and clients for it over real sockets.

// Each test program uses another part of it.
#![allow(dead_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub(crate) mod client;
pub(crate) mod speech;

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use md5::{Digest, Md5};
use serde_json::{Value, json};
use tempfile::TempDir;
use vscpl2drv_websocksrv::{
    driver::{Driver, Host},
    event::{Event, Guid, text},
    ws::Protocol,
};

pub(crate) use self::client::Client;

/// How long anything may take before a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// The GUID that the driver is opened with.
pub(crate) const GUID: &str = "FF:FF:FF:FF:FF:FF:FF:FE:02:00:00:00:00:01:00:00";

/// The key that logins are encrypted with (the well-known one).
pub(crate) const KEY: &str = "2DBB079A38985AF00EBEEFE22F9FFA0E";

/// For tests that hold for both protocols.
pub(crate) const BOTH: [Protocol; 2] = [Protocol::Ws1, Protocol::Ws2];

/// An open driver with its log.
pub(crate) struct Server {
    pub(crate) driver: Driver,
    pub(crate) folder: TempDir,
    /// Others that are to live as long.
    pub(crate) more_folders: Vec<TempDir>,
}

impl Server {
    /// Opens a driver with the users `admin` and `user`; `keys` are added to its configuration,
    /// those that are null are removed from it.
    pub(crate) fn start(keys: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = configuration(&folder, keys);
        let driver = open(&config.to_string()).unwrap_or_else(|error| panic!("{error}"));
        Self {
            driver,
            folder,
            more_folders: Vec::new(),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.driver.addresses()[0]
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(log_path(&self.folder)).unwrap_or_default()
    }

    /// Waits until the log holds `text`.
    pub(crate) fn wait_for_log(&self, text: &str) {
        wait_until(text, || self.log().contains(text));
    }

    /// A client that has been greeted.
    pub(crate) fn connect(&self, protocol: Protocol) -> Client {
        let path = match protocol {
            Protocol::Ws1 => "/ws1",
            Protocol::Ws2 => "/ws2",
        };
        let mut client = Client::connect(self.address(), path, protocol);
        client.take_greeting();
        client
    }

    /// A client that has logged in with the password `secret`.
    pub(crate) fn login(&self, protocol: Protocol, user: &str) -> Client {
        let mut client = self.connect(protocol);
        client.login(user);
        client
    }

    /// A client that has logged in and opened.
    pub(crate) fn open(&self, protocol: Protocol, user: &str) -> Client {
        let mut client = self.login(protocol, user);
        client.command("OPEN");
        client
    }

    /// Has the host write event `number` (see [`speech::Heard::Event`]).
    pub(crate) fn host_writes(&self, number: u32) {
        self.host_writes_text(&format!("0,20,3,0,,{number},-"));
    }

    pub(crate) fn host_writes_text(&self, event: &str) {
        self.driver.write(event_of(event), Some(DEADLINE)).unwrap();
    }

    /// The next event that the host reads.
    pub(crate) fn host_reads(&self) -> Event {
        self.driver.read(Some(DEADLINE)).unwrap()
    }

    /// The number of the next event that the host reads.
    pub(crate) fn host_reads_number(&self) -> u32 {
        self.host_reads().timestamp
    }

    /// Sends `request`; the status and the head of the response.
    pub(crate) fn http(&self, request: &str) -> (u16, String) {
        let mut stream = tcp(self.address());
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = Vec::new();
        while !response.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream
                .read_exact(&mut byte)
                .expect("the head of a response");
            response.extend_from_slice(&byte);
        }
        let response = String::from_utf8(response).unwrap();
        (response[9..12].parse().unwrap(), response)
    }
}

/// A user with the password `secret`; `keys` are added to the record.
pub(crate) fn user(name: &str, keys: Value) -> Value {
    let md5 = hex::encode(Md5::digest(format!("{name}:secret")));
    merge(json!({"name": name, "password": md5}), keys)
}

/// The configuration that [`Server::start`] uses.
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
            "file-log-level": "debug",
            "file-pattern": "%l %v",
            "file-path": log_path(folder),
        },
    });
    merge(config, keys)
}

pub(crate) fn open(configuration: &str) -> Result<Driver, String> {
    let guid: Guid = GUID.parse().unwrap();
    Driver::open(configuration, Some(guid), Host::default()).map_err(|error| error.to_string())
}

pub(crate) fn event_of(text: &str) -> Event {
    text::parse(text).unwrap()
}

pub(crate) fn text_of(event: &Event) -> String {
    let mut out = Vec::new();
    text::encode(event, &mut out);
    String::from_utf8(out).unwrap()
}

/// A connection on which no read takes longer than the deadline.
pub(crate) fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Waits until `done` holds, whatever that is; fails after the deadline.
pub(crate) fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < DEADLINE, "never came: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn log_path(folder: &TempDir) -> PathBuf {
    folder.path().join("log")
}

fn merge(mut object: Value, keys: Value) -> Value {
    let entries = object.as_object_mut().unwrap();
    for (key, value) in keys.as_object().unwrap() {
        match value {
            Value::Null => _ = entries.remove(key),
            value => _ = entries.insert(key.clone(), value.clone()),
        }
    }
    object
}

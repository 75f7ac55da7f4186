//! A driver that serves on a port of its own, and a small HTTP client for it.

// Each test program uses another part of it.
#![allow(dead_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use md5::{Digest, Md5};
use serde_json::{Value, json};
use tempfile::TempDir;
use vscpl2drv_websocksrv::{
    driver::{Driver, Host},
    event::{Event, text},
};

/// How long anything may take before a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// An open driver.
pub(crate) struct Server {
    pub(crate) driver: Driver,
    pub(crate) address: SocketAddr,
    folder: TempDir,
}

impl Server {
    /// Opens a driver whose configuration has these keys besides those that it needs. The users
    /// are `admin` with the password `secret`, unless `keys` has others.
    pub(crate) fn open(keys: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut configuration = json!({
            "interface": "ws://127.0.0.1:0",
            "allow-default-key": true,
            "event-layout": "classic",
            "users": [user("admin", json!({"rights": "admin"}))],
            "logging": {
                "file-enable-log": true,
                "file-log-level": "trace",
                "file-path": folder.path().join("log"),
                "file-pattern": "%l %v",
                "console-enable-log": false,
            },
        });
        for (key, value) in keys.as_object().unwrap() {
            configuration[key] = value.clone();
        }
        let driver = Driver::open(&configuration.to_string(), None, Host::default());
        let driver = driver.unwrap_or_else(|error| panic!("{error}"));
        Self {
            address: driver.addresses()[0],
            driver,
            folder,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.request("GET", path, &[], "")
    }

    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost:8884\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        request += &format!("Connection: close\r\n\r\n{body}");
        self.raw(request.as_bytes())
    }

    /// Sends bytes as they are.
    pub(crate) fn raw(&self, request: &[u8]) -> Response {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.write_all(request).unwrap();
        let mut answer = Vec::new();
        // A server that has not read a body to its end may reset the connection.
        let read = socket.read_to_end(&mut answer);
        assert!(read.is_ok() || !answer.is_empty(), "{read:?}");
        Response::parse(&answer)
    }

    /// Closes the driver; all lines of its log.
    pub(crate) fn log(self) -> String {
        self.driver.close();
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// An event that the host writes.
    pub(crate) fn write(&self, event: &str) {
        let event = text::parse(event).unwrap();
        self.driver.write(event, Some(DEADLINE)).unwrap();
    }

    /// The next event for the host.
    pub(crate) fn read(&self) -> Event {
        self.driver.read(Some(DEADLINE)).unwrap()
    }
}

/// The record of a user with the password `secret`.
pub(crate) fn user(name: &str, keys: Value) -> Value {
    let mut user = json!({
        "name": name,
        "password": hex::encode(Md5::digest(format!("{name}:secret"))),
    });
    for (key, value) in keys.as_object().unwrap() {
        user[key] = value.clone();
    }
    user
}

/// Waits until something is true.
pub(crate) fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < DEADLINE, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head: {}", bytes.escape_ascii()));
        let head = str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        });
        Self {
            status: status[..3].parse().unwrap(),
            headers: headers.collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    /// The value of a header, `None` where there is none.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} is there twice");
        value
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

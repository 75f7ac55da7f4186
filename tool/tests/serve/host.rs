//! A `serve` that runs, and websocket clients of its driver.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::{DEADLINE, wait_until};

const TOOL: &str = env!("CARGO_BIN_EXE_vscpl2drv-websocksrv");
const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/demo.json");

/// A login of the demo's user, encrypted with the well-known key: `iv;crypto`.
const LOGIN: &str = "55BCA4DC7C1FD9C3E6967F37C8747698;42273E9F3440DABA5B0CC05242F742B2";

/// The GUID of the driver.
pub(crate) const GUID: &str = "FF:FF:FF:FF:FF:FF:FF:FE:B8:27:EB:CF:3A:15:00:01";

/// A host that runs.
pub(crate) struct Host {
    child: Child,
    /// What it has told so far.
    pub(crate) lines: Arc<Mutex<Vec<String>>>,
    folder: TempDir,
}

/// Returns the driver's configuration: the demo on a free port, for ws1 logins with any iv.
pub(crate) fn driver_config() -> Value {
    let mut demo: Value = serde_json::from_str(&fs::read_to_string(DEMO).unwrap()).unwrap();
    demo["interface"] = json!("ws://127.0.0.1:0");
    demo["ws1-iv"] = json!("any");
    demo
}

/// Returns an entry of a driver with this mqtt object.
pub(crate) fn entry(mqtt: &Value) -> Value {
    json!({"name": "web", "guid": GUID, "path-config": driver_config(), "mqtt": mqtt})
}

impl Host {
    /// Starts a host with these settings of its broker, and waits until it is connected and has
    /// subscribed to what it shall.
    pub(crate) fn start(mqtt: &Value) -> Self {
        let host = Self::with(&entry(mqtt), &[]);
        let has_subscriptions = ["subscribe", "home-assistant"]
            .iter()
            .any(|key| mqtt.get(key).is_some());
        host.wait_for(match has_subscriptions {
            true => "subscribed to",
            false => "connected to",
        });
        host
    }

    /// Starts a host with a configuration, and waits until its driver listens.
    pub(crate) fn with(config: &Value, more: &[&str]) -> Self {
        let host = Self::spawn(config, more);
        host.wait_for("listening on ws");
        host
    }

    pub(crate) fn spawn(config: &Value, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host.json");
        fs::write(&path, config.to_string()).unwrap();
        let mut child = Command::new(TOOL)
            .arg("serve")
            .arg(&path)
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let err = child.stderr.take().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let told = lines.clone();
        thread::spawn(move || {
            for line in BufReader::new(err).lines().map_while(Result::ok) {
                told.lock().unwrap().push(line);
            }
        });
        Self {
            child,
            lines,
            folder,
        }
    }

    /// Replaces its configuration and has it read again.
    pub(crate) fn reload(&self, config: &Value) {
        fs::write(self.folder.path().join("host.json"), config.to_string()).unwrap();
        self.signal(Signal::SIGHUP);
    }

    pub(crate) fn told(&self, part: &str) -> usize {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|line| line.contains(part)).count()
    }

    /// Waits for a line and returns it.
    pub(crate) fn wait_for(&self, part: &str) -> String {
        self.wait_for_nth(part, 1)
    }

    pub(crate) fn wait_for_nth(&self, part: &str, nth: usize) -> String {
        wait_until(&format!("{part:?} {nth} times"), || self.told(part) >= nth);
        let lines = self.lines.lock().unwrap();
        let mut found = lines.iter().filter(|line| line.contains(part));
        found.nth(nth - 1).unwrap().clone()
    }

    /// A ws1 client that has logged in.
    pub(crate) fn client(&self) -> Client {
        let line = self.wait_for("listening on ws");
        let (_, rest) = line.split_once("://").unwrap();
        Client::connect(rest.split(';').next().unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        signal::kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Ends it with SIGTERM. Returns how, and its last line.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.signal(Signal::SIGTERM);
        let mut status = None;
        wait_until("it ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        (status.unwrap(), self.wait_for(": closed; "))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            println!("the host has told: {:#?}", self.lines);
        }
    }
}

/// A websocket client.
pub(crate) struct Client(WebSocket<TcpStream>);

impl Client {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let (socket, _) = client(format!("ws://{address}/ws1"), stream).unwrap();
        let mut client = Self(socket);
        client.send(&format!("C;AUTH;{LOGIN}"));
        client.send("C;OPEN");
        for reply in ["+;AUTH0;", "+;AUTH1;", "+;OPEN"] {
            client.reply(reply);
        }
        client
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    /// Sends an event, `head,class,type,obid,datetime,timestamp,GUID[,data...]`, and waits until it
    /// is taken.
    pub(crate) fn send_event(&mut self, event: &str) {
        self.send(&format!("E;{event}"));
        self.reply("+;EVENT");
    }

    /// Waits for a reply, passing events over.
    pub(crate) fn reply(&mut self, start: &str) {
        loop {
            let message = self.0.read().unwrap();
            if message.is_ping() {
                continue;
            }
            let text = message.to_text().unwrap();
            if text.starts_with(start) {
                return;
            }
            assert!(text.starts_with("E;"), "{text} instead of {start}");
        }
    }

    /// Returns the next event.
    pub(crate) fn event(&mut self) -> String {
        loop {
            let message = self.0.read().unwrap();
            if let Some(event) = message.to_text().unwrap().strip_prefix("E;") {
                return event.to_owned();
            }
        }
    }
}

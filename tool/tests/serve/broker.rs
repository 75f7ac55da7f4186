//! A mosquitto, and its clients.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{self, Child, Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
};

use tempfile::TempDir;

use crate::{DEADLINE, wait_until};

/// Debian installs it where only root looks for programs.
const MOSQUITTO: &str = "/usr/sbin/mosquitto";

/// Returns false, and says so, if there is no mosquitto and none is required.
pub(crate) fn is_there() -> bool {
    is_installed(MOSQUITTO)
}

/// Returns false, and says so, if a program is not there and not required.
pub(crate) fn is_installed(program: &str) -> bool {
    let is_there = Path::new(program).exists();
    let is_required = env::var("MQTT_TESTS").is_ok_and(|value| value == "required");
    assert!(is_there || !is_required, "{program} is not installed");
    if !is_there {
        eprintln!("not run: {program} is not installed");
    }
    is_there
}

/// A broker that runs.
pub(crate) struct Broker {
    child: Option<Child>,
    pub(crate) port: u16,
    pub(crate) folder: TempDir,
}

impl Broker {
    /// Starts a broker that lets everybody in and forgets everything when it ends.
    pub(crate) fn start() -> Self {
        Self::with("allow_anonymous true\n")
    }

    /// Starts a broker with these lines in its configuration; `FOLDER` is a folder of its own.
    pub(crate) fn with(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let lines = lines.replace("FOLDER", folder.path().to_str().unwrap());
        let text = format!(
            "listener {port} 127.0.0.1\nmax_queued_messages 0\nmax_inflight_messages 1000\n\
             user root\n{lines}"
        );
        fs::write(folder.path().join("conf"), text).unwrap();
        fs::write(folder.path().join("users"), "").unwrap();
        let mut broker = Self {
            child: None,
            port,
            folder,
        };
        broker.run();
        broker
    }

    /// Starts it again after `stop`.
    pub(crate) fn run(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let child = Command::new(MOSQUITTO)
            .arg("-v")
            .arg("-c")
            .arg(self.folder.path().join("conf"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        wait_until("the broker listens", || {
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
    }

    /// Ends it without a word to anybody.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Ends it as the system does.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let pid = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        child.wait().unwrap();
    }

    /// Lets its process stand still, or go on.
    pub(crate) fn freeze(&self, is_frozen: bool) {
        use nix::sys::signal::{Signal, kill};
        let child = self.child.as_ref().unwrap();
        let pid = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
        let signal = if is_frozen {
            Signal::SIGSTOP
        } else {
            Signal::SIGCONT
        };
        kill(pid, signal).unwrap();
    }

    /// Returns what it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Waits until its log has a text so many times since it was started.
    pub(crate) fn wait_for_nth(&self, part: &str, nth: usize) {
        wait_until(&format!("the broker tells {part:?} {nth} times"), || {
            self.log().matches(part).count() >= nth
        });
    }

    /// Publishes a message by mosquitto_pub.
    pub(crate) fn publish(&self, topic: &str, payload: &[u8], more: &[&str]) {
        publish(self.port, topic, payload, more);
    }

    /// Publishes each line as a message.
    pub(crate) fn publish_lines(&self, topic: &str, lines: &str, more: &[&str]) {
        publish_lines(self.port, topic, lines, more);
    }

    /// Subscribes by mosquitto_sub. Each message is a line: retained or not, topic, payload in hex.
    pub(crate) fn subscribe(&self, topic: &str) -> Subscriber {
        let subscribed = format!("\t{topic} (QoS 2)");
        let before = self.log().matches(&subscribed).count();
        let subscriber = Subscriber::start(self.port, topic, &["-q", "2"]);
        self.wait_for_nth(&subscribed, before + 1);
        subscriber
    }
}

/// Publishes a message by mosquitto_pub.
pub(crate) fn publish(port: u16, topic: &str, payload: &[u8], more: &[&str]) {
    let mut child = client("mosquitto_pub", port, topic)
        .arg(if payload.is_empty() { "-n" } else { "-s" })
        .args(more)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // It does not read an empty one.
    let _ = child.stdin.take().unwrap().write_all(payload);
    assert!(child.wait().unwrap().success());
}

/// Publishes each line as a message.
pub(crate) fn publish_lines(port: u16, topic: &str, lines: &str, more: &[&str]) {
    let mut child = client("mosquitto_pub", port, topic)
        .arg("-l")
        .args(more)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(lines.as_bytes()).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
}

fn client(program: &str, port: u16, topic: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-t", topic]);
    command
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            println!("the broker has told: {}", self.log());
        }
    }
}

/// A mosquitto_sub that runs.
pub(crate) struct Subscriber {
    child: Child,
    lines: Receiver<String>,
}

impl Subscriber {
    pub(crate) fn start(port: u16, topic: &str, more: &[&str]) -> Self {
        let mut child = client("mosquitto_sub", port, topic)
            .args(["-F", "%r %t %x"])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = child.stdout.take().unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                if sender.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Subscribes to a topic for a session that lasts, at any broker. It is in force when this
    /// returns.
    pub(crate) fn lasting(port: u16, topic: &str, client_id: &str) -> Self {
        let session = ["-q", "1", "-c", "-i", client_id];
        let status = client("mosquitto_sub", port, topic)
            .args(session)
            .arg("-E")
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success());
        Self::start(port, topic, &session)
    }

    /// Returns topic and payload of the next message.
    pub(crate) fn next(&self) -> (String, Vec<u8>) {
        let (_, topic, payload) = self.next_with_retain();
        (topic, payload)
    }

    pub(crate) fn next_with_retain(&self) -> (bool, String, Vec<u8>) {
        let line = self.lines.recv_timeout(DEADLINE).unwrap();
        let mut fields = line.splitn(3, ' ');
        let (retain, topic) = (fields.next().unwrap(), fields.next().unwrap());
        let payload = hex::decode(fields.next().unwrap_or_default()).unwrap();
        (retain == "1", topic.to_owned(), payload)
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a port that nobody listens on. It is none of those that the system gives to connections:
/// while a broker is stopped its port must stay free.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let offset = process::id() * 64 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = (20_000 + offset % 12_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

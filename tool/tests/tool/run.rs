//! `run`, with a client.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read},
    net::{TcpListener, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use super::{DEMO, TOOL, text, tool};

/// How long anything may take that should happen at once.
const DEADLINE: Duration = Duration::from_secs(20);

/// A login of the demo's user, encrypted with the well-known key: `iv;crypto`.
const LOGIN: &str = "55BCA4DC7C1FD9C3E6967F37C8747698;42273E9F3440DABA5B0CC05242F742B2";

#[test]
fn run_fails_where_there_is_no_library_or_it_does_not_open() {
    let output = tool(&["run", DEMO, "--driver", "/nonexistent.so"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).starts_with("error: /nonexistent.so cannot be reached: No such file")
    );

    let output = tool(&["run", DEMO, "--driver", DEMO], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error: "));

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let configuration = format!(r#"{{"allow-default-key":true,"interface":"ws://{address}"}}"#);
    let output = tool(&["run", &configuration], "");
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(stderr.contains(&address.to_string()), "{stderr}");
    assert!(
        stderr.contains("error: the driver did not open"),
        "{stderr}"
    );
    assert!(!stderr.contains('\x1b'), "{stderr}");
}

#[test]
fn run_shows_simulated_events_to_clients_and_prints_what_they_send() {
    let mut running = Running::start(&["--simulate", "20"]);
    let mut client = running.client();
    // The rooms and the porch.
    let mut guids = BTreeSet::new();
    while guids.len() < 4 {
        let event = message(&mut client, "E;96,10,6,");
        let fields: Vec<_> = event[2..].split(',').collect();
        assert_eq!(fields.len(), 7 + 5, "{event}");
        guids.insert(fields[6].to_owned());
    }

    let guid = "FF:FF:FF:FF:FF:FF:FF:FE:00:01:02:03:04:05:00:01";
    send(
        &mut client,
        &format!("E;224,20,3,0,2026-01-27T20:47:55Z,1,{guid},1,0xff"),
    );
    assert_eq!(message(&mut client, "+;EVENT"), "+;EVENT");
    wait_for(&running.stdout, "DATE AND TIME");
    assert_eq!(
        wait_for(&running.stdout, guid),
        format!("2026-01-27T20:47:55Z    20     3    7  {guid}  0x01,0xFF")
    );

    // The house answers on its own account. It tells now and then how the light is, perhaps once more
    // that it is off.
    send(&mut client, "E;96,30,5,0,,,-,0,1,2");
    assert_eq!(message(&mut client, "+;EVENT"), "+;EVENT");
    let start = Instant::now();
    loop {
        let event = message(&mut client, "E;");
        if event.starts_with("E;96,20,3,") && event.ends_with(",0x00,0x01,0x02") {
            break;
        }
        assert!(start.elapsed() < DEADLINE, "the light is not on");
    }

    // Were the tool taken for a daemon, this would be too large for it.
    send(
        &mut client,
        &format!("E;0,1031,1,0,,,-{}", ",7".repeat(300)),
    );
    assert_eq!(message(&mut client, "+;EVENT"), "+;EVENT");
    let line = wait_for(&running.stdout, " 1031 ");
    assert_eq!(line.matches("0x07").count(), 300);

    let start = Instant::now();
    running.signal(Signal::SIGTERM);
    assert!(running.wait().success());
    // Less than the driver waits for a thread that hangs.
    assert!(start.elapsed() < Duration::from_secs(4));
    wait_for(&running.stderr, "note: closed; 3 events read");
    let message = loop {
        match client.read() {
            Ok(Message::Close(frame)) => break frame,
            Ok(_) => {}
            Err(error) => panic!("no close frame: {error}"),
        }
    };
    assert_eq!(u16::from(message.unwrap().code), 1001);
}

#[test]
fn run_ends_with_ctrl_c_and_with_the_reader_of_its_output() {
    let mut running = Running::start(&[]);
    running.signal(Signal::SIGINT);
    assert!(running.wait().success());

    let mut running = Running::start(&[]);
    let mut client = running.client();
    // The thread that reads the lines ends with the first one that nobody takes.
    running.stdout = mpsc::channel().1;
    let start = Instant::now();
    while running.child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < DEADLINE, "it does not end");
        let _ = client.send(Message::text("E;0,10,6,0,,,-,1"));
        thread::sleep(Duration::from_millis(20));
    }
    assert!(running.wait().success());
    assert!(running.stderr.iter().all(|line| !line.starts_with("error")));
}

/// A running `run`.
pub(super) struct Running {
    child: Child,
    pub(super) stdout: Receiver<String>,
    stderr: Receiver<String>,
    pub(super) address: String,
    _folder: TempDir,
}

impl Running {
    /// Runs the demo on a free port; a ws1 login takes any iv.
    pub(super) fn start(more: &[&str]) -> Self {
        Self::start_with(r#""interface": "ws://127.0.0.1:0""#, more)
    }

    /// Runs the demo with other keys in place of its interface.
    pub(super) fn start_with(keys: &str, more: &[&str]) -> Self {
        let demo = fs::read_to_string(DEMO).unwrap();
        let configuration = demo.replace(
            r#""interface": "ws://localhost:8884","#,
            &format!(r#"{keys}, "ws1-iv": "any","#),
        );
        assert_ne!(configuration, demo);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.json");
        fs::write(&path, configuration).unwrap();
        let mut child = Command::new(TOOL)
            .arg("run")
            .arg(&path)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut running = Self {
            stdout: lines(child.stdout.take().unwrap()),
            stderr: lines(child.stderr.take().unwrap()),
            child,
            address: String::new(),
            _folder: folder,
        };
        let line = wait_for(&running.stderr, "listening on ws");
        let (_, rest) = line.split_once("://").unwrap();
        running.address = rest.split(';').next().unwrap().to_owned();
        running
    }

    /// A ws1 client that has logged in and opened.
    fn client(&self) -> WebSocket<TcpStream> {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let url = format!("ws://{}/ws1", self.address);
        let (mut socket, _) = client(url, stream).unwrap();
        send(&mut socket, &format!("C;AUTH;{LOGIN}"));
        send(&mut socket, "C;OPEN");
        for reply in ["+;AUTH0;", "+;AUTH1;", "+;OPEN"] {
            message(&mut socket, reply);
        }
        socket
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, signal).unwrap();
    }

    fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            if sender.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The next line that has `part` in it.
pub(super) fn wait_for(lines: &Receiver<String>, part: &str) -> String {
    let mut others = Vec::new();
    loop {
        match lines.recv_timeout(DEADLINE) {
            Ok(line) if line.contains(part) => return line,
            Ok(line) => others.push(line),
            Err(error) => panic!("no {part:?} ({error}) in {others:#?}"),
        }
    }
}

fn send(socket: &mut WebSocket<TcpStream>, text: &str) {
    socket.send(Message::text(text)).unwrap();
}

/// The next message that is no event (or the next event), which must start so.
fn message(socket: &mut WebSocket<TcpStream>, start: &str) -> String {
    loop {
        let message = socket.read().unwrap();
        let text = message.to_text().unwrap();
        if text.starts_with(start) {
            return text.to_owned();
        }
        assert!(text.starts_with("E;"), "{text} instead of {start}");
    }
}

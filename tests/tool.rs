//! The command line tool as people use it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
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
use vscpl2drv_websocksrv::auth::StoredPassword;

const TOOL: &str = env!("CARGO_BIN_EXE_vscpl2drv-websocksrv");
const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/demo.json");

/// How long anything may take that should happen at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// A login of the demo's user, encrypted with the well-known key: `iv;crypto`.
const LOGIN: &str = "55BCA4DC7C1FD9C3E6967F37C8747698;42273E9F3440DABA5B0CC05242F742B2";

fn tool(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(TOOL)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has read anything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// A running `run`.
struct Running {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    address: String,
    _folder: TempDir,
}

impl Running {
    /// Runs the demo on a free port; a ws1 login takes any iv.
    fn start(more: &[&str]) -> Self {
        let demo = fs::read_to_string(DEMO).unwrap();
        let configuration = demo.replace(
            r#""interface": "ws://localhost:8884","#,
            r#""interface": "ws://127.0.0.1:0", "ws1-iv": "any","#,
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
        let line = wait_for(&running.stderr, "listening on ws://");
        let (_, rest) = line.split_once("listening on ws://").unwrap();
        running.address = rest.split(';').next().unwrap().to_owned();
        running
    }

    /// A ws1 client that has logged in and opened.
    fn client(&self) -> WebSocket<TcpStream> {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
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
        while start.elapsed() < PATIENCE {
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
fn wait_for(lines: &Receiver<String>, part: &str) -> String {
    let mut others = Vec::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
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

#[test]
fn check_says_what_a_good_configuration_is() {
    let output = tool(&["check", DEMO], "");
    assert!(output.status.success());
    let stdout = text(&output.stdout);
    assert!(stdout.starts_with(&format!("OK {DEMO}\n")), "{stdout}");
    for part in [
        "ws://localhost:8884\n",
        "/ws1\n",
        "/ws2\n",
        "the one that everybody knows\n",
        "admin: may do everything; from only 127.0.0.0/8, ::1\n",
    ] {
        assert!(stdout.contains(part), "{stdout}");
    }
    let stderr = text(&output.stderr);
    assert!(stderr.contains("warning: no key-file"), "{stderr}");
    assert!(!stderr.contains("error"), "{stderr}");
}

#[test]
fn check_shows_warnings_and_notes_and_succeeds() {
    let output = tool(
        &[
            "check",
            r#"{"allow-default-key":true,"interface":"ws://127.0.0.1:0","thread":1,"encryption":0}"#,
        ],
        "",
    );
    assert!(output.status.success());
    let stderr = text(&output.stderr);
    for line in [
        "warning: inline configuration:1: thread: unknown key, did you mean \"threads\"?\n",
        "warning: no users are configured, so nobody can log in\n",
        "note: inline configuration:1: encryption: known, without effect\n",
    ] {
        assert!(stderr.contains(line), "{stderr}");
    }
}

#[test]
fn check_says_in_one_line_what_is_wrong_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("websocksrv.json");
    let name = path.to_str().unwrap();
    let key = r#""allow-default-key": true"#;
    for (configuration, expected) in [
        (
            format!("{{\n{key},\n\"threads\": 0}}"),
            ":3: threads: found 0, expected a whole number from 1 to 64",
        ),
        (format!("{{\n{key},\n"), "expected valid JSON"),
        ("{}".to_owned(), "key-file: found no such key"),
        (
            format!("{{{key}, \"interface\": \"wss://localhost\"}}"),
            ":1: interface: found \"wss://localhost\"",
        ),
        (
            format!("{{{key}, \"path-users\": \"/nonexistent\"}}"),
            ":1: path-users: found /nonexistent: No such file",
        ),
        (
            format!("{{{key}, \"users\": [{{\"name\": \"a\"}}]}}"),
            ":1: users[0]: found no \"password\"",
        ),
    ] {
        fs::write(&path, &configuration).unwrap();
        let output = tool(&["check", name], "");
        assert_eq!(output.status.code(), Some(1), "{configuration}");
        assert_eq!(text(&output.stdout), "");
        let stderr = text(&output.stderr);
        assert!(stderr.starts_with("error: "), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    let output = tool(&["check", "/nonexistent.json"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/nonexistent.json"));
}

#[test]
fn check_warns_of_an_address_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let configuration = format!(r#"{{"allow-default-key":true,"interface":"ws://{address}"}}"#);
    let output = tool(&["check", &configuration], "");
    assert!(output.status.success());
    let stderr = text(&output.stderr);
    let expected = format!("warning: cannot listen on ws://{address}");
    assert!(stderr.contains(&expected), "{stderr}");

    drop(taken);
    let output = tool(&["check", &configuration], "");
    assert!(!text(&output.stderr).contains("cannot listen"));
}

#[test]
fn passwd_prints_what_the_users_file_stores() {
    for input in ["sécret: 1\r\nmore", "sécret: 1"] {
        let output = tool(&["passwd", "anna"], input);
        assert!(output.status.success());
        let stored = text(&output.stdout).strip_suffix('\n').unwrap();
        let stored = StoredPassword::parse(stored).unwrap();
        assert_eq!(stored.rounds(), 600_000);
        assert!(stored.matches("anna", "sécret: 1"));
        let stderr = text(&output.stderr);
        assert!(stderr.contains("users file"), "{stderr}");
        assert!(!stderr.contains("sécret"), "{stderr}");
    }
}

#[test]
fn passwd_refuses_what_nobody_could_log_in_with() {
    let long = "x".repeat(511);
    for (user, password, expected) in [
        ("anna", "", "empty"),
        ("anna", "\n", "empty"),
        ("anna", "secret \n", "ends with a space"),
        ("anna", "sec\tret\n", "control character"),
        ("a", &*long, "over 512 bytes"),
        ("a:b", "secret", "user name"),
        ("a;b", "secret", "user name"),
        (" ", "secret", "user name"),
    ] {
        let output = tool(&["passwd", user], password);
        assert_eq!(output.status.code(), Some(1), "{user:?} {password:?}");
        assert_eq!(text(&output.stdout), "");
        let stderr = text(&output.stderr);
        assert!(stderr.contains(expected), "{stderr}");
    }
    assert!(tool(&["passwd", "a"], &long[1..]).status.success());
}

#[test]
fn key_prints_32_hex_digits_another_time_others() {
    let keys = [(), ()].map(|()| {
        let output = tool(&["key"], "");
        assert!(output.status.success());
        assert!(text(&output.stderr).contains("key-file"));
        let key = text(&output.stdout).strip_suffix('\n').unwrap().to_owned();
        assert_eq!(hex::decode(&key).unwrap().len(), 16);
        key
    });
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn help_shows_examples_without_colours() {
    for command in [&[][..], &["run"], &["check"], &["passwd"], &["key"]] {
        let output = tool(&[command, &["--help"]].concat(), "");
        assert!(output.status.success());
        let help = text(&output.stdout);
        let example = ["vscpl2drv-websocksrv", command.first().unwrap_or(&"run")].join(" ");
        let (_, examples) = help.split_once("Examples:\n").unwrap();
        assert!(examples.contains(&example), "{help}");
        assert!(!help.contains('\x1b'), "{help}");
    }
}

#[test]
fn a_wrong_command_line_is_refused_with_the_right_one() {
    for (arguments, expected) in [
        (&[][..], "Usage:"),
        (&["rum"], "'run'"),
        (&["run"], "<CONFIG>"),
        (&["run", DEMO, "--simulate", "0"], "from 0.001 to 100000"),
        (&["passwd"], "<USER>"),
    ] {
        let output = tool(arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let stderr = text(&output.stderr);
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn run_fails_where_there_is_no_library_or_it_does_not_open() {
    let output = tool(&["run", DEMO, "--driver", "/nonexistent.so"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error: /nonexistent.so: No such file"));

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
    let mut guids = Vec::new();
    for _ in 0..3 {
        let event = message(&mut client, "E;");
        let fields: Vec<_> = event[2..].split(',').collect();
        assert_eq!(fields[..3], ["96", "10", "6"], "{event}");
        assert_eq!(fields.len(), 7 + 4, "{event}");
        guids.push(fields[6].to_owned());
    }
    guids.sort();
    guids.dedup();
    assert_eq!(guids.len(), 3);

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
    assert!(start.elapsed() < Duration::from_secs(1));
    wait_for(&running.stderr, "note: closed; 2 events read");
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
        assert!(start.elapsed() < PATIENCE, "it does not end");
        let _ = client.send(Message::text("E;0,10,6,0,,,-,1"));
        thread::sleep(Duration::from_millis(20));
    }
    assert!(running.wait().success());
    assert!(running.stderr.iter().all(|line| !line.contains("error")));
}

#[test]
fn the_demo_needs_no_other_file() {
    let demo = fs::read_to_string(DEMO).unwrap();
    for key in ["key-file", "path-users", "file-path", "web-root"] {
        assert!(!demo.contains(key), "{key}");
    }
    assert!(Path::new(DEMO).is_file());
}

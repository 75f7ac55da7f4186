//! What a driver needs of the process, and what it leaves behind. One test at a time, in a process
//! without other drivers.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{
    env,
    fs::{self, File},
    io::{Read, Seek},
    net::TcpListener,
    os::unix::fs::symlink,
    process::{Command, Output, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{
    BOTH, Client, DEADLINE, Server,
    client::CLOSE,
    configuration, event_of, log_path,
    messages::Heard,
    open,
    process::{Activity, descriptors, driver_threads},
    tls::{Authority, Files, VALID},
    user,
    users::UsersFile,
    wait_until,
};

static ALONE: Mutex<()> = Mutex::new(());

/// The configuration that [`opens_in_a_child`] opens.
const CHILD: &str = "WEBSOCKSRV_TEST_CONFIGURATION";

/// How long drivers that have nothing to do are watched.
const IDLE_WINDOW: Duration = Duration::from_secs(2);

/// Expects that the driver's threads do next to nothing as long as nobody wants anything of them.
/// One that polls, be it every 100 ms, breaks the limits.
fn expect_idle() {
    // Waits until work under way has ended.
    wait_until("the driver has finished what it had to do", || {
        let activity = Activity::of_driver_during(Duration::from_millis(250));
        activity.processor_time <= Duration::from_millis(20)
    });
    let activity = Activity::of_driver_during(IDLE_WINDOW);
    assert!(
        activity.wake_ups <= 10 && activity.processor_time <= Duration::from_millis(20),
        "{activity:?} in {IDLE_WINDOW:?}"
    );
}

fn wait_until_nothing_is_left(descriptors_before: &[String]) {
    wait_until("no thread is left", || driver_threads().is_empty());
    wait_until("no descriptor is left", || {
        descriptors() == descriptors_before
    });
}

#[test]
fn a_driver_that_cannot_open_leaves_nothing_behind() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let before = descriptors();
    for (keys, reason) in [
        (
            json!({"interface": format!("ws://{address}")}),
            address.as_str(),
        ),
        (
            json!({"interface": ["ws://127.0.0.1:0", format!("ws://{address}")]}),
            &address,
        ),
        (json!({"threads": 0}), "threads"),
        (json!({"path-users": "/proc/self"}), "/proc/self"),
        (
            json!({"key-file": "/nonexistent/key", "allow-default-key": false}),
            "/nonexistent/key",
        ),
    ] {
        let error = open(&configuration(&folder, keys).to_string()).unwrap_err();
        assert!(error.contains(reason), "{error}");
        assert!(!error.contains('\n'), "{error}");
        wait_until_nothing_is_left(&before);
    }
}

#[test]
fn a_driver_can_be_opened_and_closed_again_and_again() {
    let _alone = ALONE.lock();
    let before = descriptors();
    for _ in 0..20 {
        let server = Server::start(json!({}));
        let mut clients = BOTH.map(|protocol| server.open(protocol, "admin"));
        server.host_writes(1);
        clients
            .iter_mut()
            .for_each(|client| client.expect_events([1]));
        server.driver.close();
        server.driver.close();
        assert!(clients.iter_mut().all(|client| client.close_code() == 1001));
    }
    wait_until_nothing_is_left(&before);
}

#[test]
fn two_drivers_in_one_process_know_nothing_of_each_other() {
    let _alone = ALONE.lock();
    let servers = [Server::start(json!({})), Server::start(json!({}))];
    let mut clients = servers
        .each_ref()
        .map(|server| server.open(Protocol::Ws1, "admin"));
    for (number, server) in (1..).zip(&servers) {
        server.host_writes(number);
    }
    for (number, client) in (1..).zip(&mut clients) {
        client.send_event(10 + number);
        let mut heard = [client.hear(), client.hear()];
        heard.sort_by_key(|heard| matches!(heard, Heard::Event(_)));
        assert_eq!(heard, [Heard::success("EVENT"), Heard::Event(number)]);
    }
    for (number, server) in (1..).zip(&servers) {
        assert_eq!(server.host_reads_number(), 10 + number);
    }
    let [first, second] = &servers;
    first.driver.close();
    second.host_writes(5);
    clients[1].expect_events([5]);
    assert_eq!(clients[0].close_code(), 1001);
}

#[test]
fn a_thousand_clients_get_an_event_and_leave_at_the_close() {
    const CLIENTS: usize = 1000;
    let _alone = ALONE.lock();
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let server = Server::start(json!({"max-clients": 0}));
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|index| server.open(BOTH[index % 2], "admin"))
        .collect();
    server.host_writes(1);
    clients[7].send_event(2);
    let heard = [clients[7].hear(), clients[7].hear()];
    assert!(
        heard.contains(&Heard::Event(1)) && heard.contains(&Heard::success("EVENT")),
        "{heard:?}"
    );
    server.host_writes(3);
    for (index, client) in clients.iter_mut().enumerate() {
        match index {
            7 => client.expect_events([3]),
            _ => client.expect_events([1, 2, 3]),
        }
    }
    let start = Instant::now();
    server.driver.close();
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    // One that a busy machine has not told within the time of a close is cut off.
    let mut told = 0;
    for client in &mut clients {
        while let Some(frame) = client.frame() {
            if frame.opcode == CLOSE {
                assert_eq!(frame.payload[..2], 1001_u16.to_be_bytes());
                told += 1;
            }
        }
    }
    assert!(told > clients.len() / 2, "{told}");
    server.wait_for_log("closed; ");
}

#[test]
fn a_limit_of_the_size_of_files_ends_nothing() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    let config = configuration(&folder, json!({}));
    let driver = open(&config.to_string()).unwrap();
    let log = || fs::read_to_string(log_path(&folder)).unwrap();
    let address = driver.addresses()[0];
    let (soft, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, log().len() as u64 + 100, hard).unwrap();
    for _ in 0..200 {
        Client::greeted(address, Protocol::Ws1).login("admin");
    }
    setrlimit(Resource::RLIMIT_FSIZE, soft, hard).unwrap();
    wait_until("the number of lost lines", || {
        Client::greeted(address, Protocol::Ws1).login("admin");
        log().contains("log lines lost")
    });
}

#[test]
fn files_that_cannot_be_read_at_the_moment_are_read_when_they_can_be() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("authority");
    let tls = Files::write(folder.path(), &authority.issue(VALID));
    let users = UsersFile::new(&[user("old", json!({}))]);
    let server = Server::start(json!({
        "users": null, "path-users": users.path(), "tls": tls.tls(),
        "interface": ["ws://127.0.0.1:0", "wss://127.0.0.1:0"],
    }));
    let client = || Client::greeted(server.address(), Protocol::Ws1);
    let expect_old = || {
        client().login("old");
        assert_eq!(
            client().try_login("new", "secret"),
            Heard::failed("AUTH", 5)
        );
    };

    // A file whose first bytes cannot be read (EIO), whoever asks.
    for path in [users.path(), tls.certificate.clone()] {
        fs::remove_file(&path).unwrap();
        symlink("/proc/self/mem", &path).unwrap();
        server.wait_for_log(&format!("{}: found Input/output error", path.display()));
    }
    expect_old();

    // No descriptor can be had.
    let new = authority.issue(VALID);
    let users_json = json!({"users": [user("new", json!({}))]}).to_string();
    let prepared = [
        (users.path(), users_json),
        (tls.certificate.clone(), new.certificate),
        (tls.key.clone(), new.key),
    ];
    for (path, text) in &prepared {
        fs::write(path.with_extension("new"), text).unwrap();
    }
    let mut connected = client();
    let mut log = File::open(server.log_path()).unwrap();
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 0, hard).unwrap();
    for (path, _) in &prepared {
        fs::rename(path.with_extension("new"), path).unwrap();
    }
    wait_until("two errors in the log", || {
        let mut text = String::new();
        log.rewind().unwrap();
        log.read_to_string(&mut text).unwrap();
        let lacks = text
            .lines()
            .filter(|line| line.contains("Too many open files"));
        let about = |part| lacks.clone().any(|line| line.contains(part));
        about("; the users stay as they were") && about("; new connections use the old ones")
    });
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
    server.wait_for_log(": has changed, 1 user read");
    server.wait_for_log("TLS files reloaded for new connections: ");
    connected.login("new");
}

#[test]
fn idle_clients_cost_nothing() {
    let _alone = ALONE.lock();
    let server = Server::start(json!({}));
    let mut clients: Vec<Client> = (0..50)
        .map(|index| server.open(BOTH[index % 2], "admin"))
        .collect();
    expect_idle();
    server.host_writes(1);
    clients
        .iter_mut()
        .for_each(|client| client.expect_events([1]));
}

#[test]
fn a_client_that_takes_nothing_costs_nothing() {
    let _alone = ALONE.lock();
    let server = Server::start(json!({
        "write-timeout": 60, "max-client-queue-size": 100, "history": false,
    }));
    let mut stalled = server.open(Protocol::Ws1, "admin");
    let event = event_of(&format!(
        "0,20,3,0,2020-01-01T00:00:00Z,1,-{}",
        ",255".repeat(512)
    ));
    for _ in 0..30_000 {
        server.driver.write(event.clone(), Some(DEADLINE)).unwrap();
    }
    expect_idle();
    for _ in 0..100 {
        stalled.hear();
    }
}

#[test]
fn a_driver_that_cannot_open_says_so_in_one_line_on_stderr() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let interface = format!("ws://{}", taken.local_addr().unwrap());
    let on = json!({"console-enable-log": true, "console-log-level": "error"});
    let off = json!({"console-enable-log": false});
    let with_file = |console: &Value| {
        let mut logging = console.clone();
        logging["file-path"] = json!(folder.path().join("other.log"));
        logging
    };
    for (keys, expected) in [
        (
            json!({"threads": "two", "logging": with_file(&on)}),
            "threads: found \"two\", expected",
        ),
        (
            json!({"threads": "two", "logging": with_file(&off)}),
            "threads: found \"two\", expected",
        ),
        (
            json!({"threads": "two", "logging": on}),
            "threads: found \"two\", expected",
        ),
        (
            json!({"threads": "two", "logging": off}),
            "threads: found \"two\", expected",
        ),
        (
            json!({"interface": interface, "logging": on}),
            interface.as_str(),
        ),
        (json!({"interface": interface, "logging": off}), &interface),
        (json!({"interface": interface, "logging": null}), &interface),
    ] {
        let output = run_child(&configuration(&folder, keys.clone()));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        let errors = stderr
            .lines()
            .filter(|line| line.contains(expected))
            .count();
        assert_eq!(errors, 1, "{keys}: {stderr}");
    }
}

/// Runs [`opens_in_a_child`] in a process of its own.
fn run_child(configuration: &Value) -> Output {
    Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "opens_in_a_child",
            "--include-ignored",
            "--nocapture",
        ])
        .env(CHILD, configuration.to_string())
        .stdout(Stdio::null())
        .output()
        .unwrap()
}

#[test]
#[ignore = "run by other tests, in a process of its own"]
fn opens_in_a_child() {
    if let Ok(configuration) = env::var(CHILD) {
        assert!(open(&configuration).is_err());
    }
}

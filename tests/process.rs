//! What a driver needs of the process, and what it leaves behind. One test at a time, in a process
//! without other drivers.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{
    env, fs,
    net::TcpListener,
    process::{Command, Output, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};
use vscpl2drv_websocksrv::ws::Protocol;

use common::{
    BOTH, DEADLINE, Server, client::Client, configuration, event_of, log_path, open, speech::Heard,
    wait_until,
};

static ALONE: Mutex<()> = Mutex::new(());

/// The configuration that [`opens_in_a_child`] opens.
const CHILD: &str = "WEBSOCKSRV_TEST_CONFIGURATION";

/// The ids of the driver's threads.
fn threads() -> Vec<String> {
    let mut threads = Vec::new();
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let folder = task.unwrap().path();
        // It may have ended by now.
        let name = fs::read_to_string(folder.join("comm")).unwrap_or_default();
        if name.starts_with("websocksrv") {
            threads.push(folder.to_string_lossy().into_owned());
        }
    }
    threads
}

/// The open files and sockets.
fn descriptors() -> Vec<String> {
    let mut targets = Vec::new();
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        if let Ok(target) = fs::read_link(entry.unwrap().path()) {
            targets.push(target.to_string_lossy().into_owned());
        }
    }
    targets.retain(|target| !target.ends_with("/fd"));
    targets.sort();
    targets
}

/// Hundredths of a second that the driver's threads have used.
fn processor_time() -> u64 {
    let mut ticks = 0;
    for folder in threads() {
        let stat = fs::read_to_string(format!("{folder}/stat")).unwrap_or_default();
        // Behind the name: state, and from there the 11th and 12th are user and system time.
        let fields = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace();
        ticks += fields
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().unwrap())
            .sum::<u64>();
    }
    ticks
}

/// Waits for a quarter of a second in which the driver's threads do next to nothing.
fn wait_until_idle() {
    wait_until("the driver is idle", || {
        let before = processor_time();
        thread::sleep(Duration::from_millis(250));
        processor_time() - before <= 2
    });
}

fn wait_until_nothing_is_left(descriptors_before: &[String]) {
    wait_until("no thread is left", || threads().is_empty());
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
        (
            json!({"interface": "ws://192.0.2.1:8884"}),
            "192.0.2.1:8884",
        ),
        (
            json!({"interface": "ws://no-such-host.invalid:1"}),
            "no-such-host.invalid",
        ),
        (json!({"threads": 0}), "threads"),
        (
            json!({"path-users": "/nonexistent/users.json"}),
            "/nonexistent/users.json",
        ),
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
fn a_port_that_is_taken_is_an_error_with_the_address_in_the_log() {
    let _alone = ALONE.lock();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let interface = format!("ws://{}", taken.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let config = configuration(&folder, json!({"interface": interface}));
    let error = open(&config.to_string()).unwrap_err();
    assert!(
        error.contains(&interface) && error.contains("in use"),
        "{error}"
    );
    let log = fs::read_to_string(log_path(&folder)).unwrap();
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.starts_with("error"))
        .collect();
    assert_eq!(lines, [format!("error cannot open: {error}")]);
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
        assert_eq!(heard, [Heard::done("EVENT"), Heard::Event(number)]);
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
        heard.contains(&Heard::Event(1)) && heard.contains(&Heard::done("EVENT")),
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
    assert!(clients.iter_mut().all(|client| client.close_code() == 1001));
    server.wait_for_log("closed; ");
}

#[test]
fn idle_clients_cost_nothing() {
    let _alone = ALONE.lock();
    let server = Server::start(json!({}));
    let mut clients: Vec<Client> = (0..50)
        .map(|index| server.open(BOTH[index % 2], "admin"))
        .collect();
    wait_until_idle();
    server.host_writes(1);
    clients
        .iter_mut()
        .for_each(|client| client.expect_events([1]));
}

#[test]
fn a_client_that_takes_nothing_costs_nothing() {
    let _alone = ALONE.lock();
    let server = Server::start(json!({"write-timeout": 60, "max-client-queue-size": 100}));
    let mut stalled = server.open(Protocol::Ws1, "admin");
    let event = event_of(&format!(
        "0,20,3,0,2020-01-01T00:00:00Z,1,-{}",
        ",255".repeat(512)
    ));
    for _ in 0..30_000 {
        server.driver.write(event.clone(), Some(DEADLINE)).unwrap();
    }
    wait_until_idle();
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

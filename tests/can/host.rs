//! A driver in a process of its own, which can be stopped.

use std::{
    cell::RefCell,
    env,
    io::{BufRead, BufReader, Write, stdin},
    process::{Child, ChildStdout, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;

use crate::{
    common::{DEADLINE, configuration, open},
    vcan::{Vcan, receivers},
};

/// Set to the configuration in the process of the driver.
const CONFIGURATION: &str = "VSCP_CAN_TESTS_DRIVER";

/// The driver, as the tests see it. Killed with its drop.
pub(crate) struct StoppableDriver {
    process: Child,
    answers: RefCell<BufReader<ChildStdout>>,
}

impl StoppableDriver {
    /// Starts a driver on a bus.
    pub(crate) fn start(vcan: &Vcan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = json!({"socketcan": {"interface": vcan.name}, "logging": null});
        let mut process = Command::new(env::current_exe().unwrap())
            .env(CONFIGURATION, configuration(&folder, keys).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let answers = RefCell::new(BufReader::new(process.stdout.take().unwrap()));
        let start = Instant::now();
        while receivers(&vcan.name) == 0 {
            assert!(
                start.elapsed() < DEADLINE,
                "the driver does not open the bus"
            );
            thread::sleep(Duration::from_millis(5));
        }
        Self { process, answers }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id() as i32), signal).unwrap();
        // It is not delivered at once.
        thread::sleep(Duration::from_millis(20));
    }

    /// Frames received, and lost in the kernel, as soon as `done` agrees.
    pub(crate) fn counters_when(&self, done: impl Fn([u32; 2]) -> bool) -> [u32; 2] {
        let start = Instant::now();
        loop {
            let mut input = self.process.stdin.as_ref().unwrap();
            input.write_all(b"\n").unwrap();
            let mut line = String::new();
            self.answers.borrow_mut().read_line(&mut line).unwrap();
            let (received, lost) = line.trim_end().split_once(' ').unwrap();
            let counters = [received.parse().unwrap(), lost.parse().unwrap()];
            if done(counters) {
                return counters;
            }
            assert!(start.elapsed() < DEADLINE, "{counters:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for StoppableDriver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the process of such a driver does: answers each line with its counters. `None` in other
/// processes.
pub(crate) fn run() -> Option<ExitCode> {
    let driver = open(&env::var(CONFIGURATION).ok()?).unwrap();
    for line in stdin().lines() {
        line.unwrap();
        let counters = driver.counters();
        let (received, lost) = (counters.can_received.get(), counters.can_lost.get());
        println!("{received} {lost}");
    }
    Some(ExitCode::SUCCESS)
}

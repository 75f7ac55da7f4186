//! A driver in a process of its own, which can be stopped.

use std::{
    cell::RefCell,
    env, fs,
    io::{BufRead, BufReader, Write, stdin},
    process::{Child, ChildStdout, Command, ExitCode, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;

use crate::{
    common::{configuration, open, wait_for, wait_until},
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
        wait_until("the driver opens the bus", || receivers(&vcan.name) > 0);
        Self { process, answers }
    }

    /// Stops all its threads.
    pub(crate) fn stop(&self) {
        self.signal(Signal::SIGSTOP);
        wait_until("all threads are stopped", || {
            self.states().iter().all(|state| state == "T")
        });
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id() as i32), signal).unwrap();
    }

    /// Returns the states of its threads, as `/proc` has them.
    fn states(&self) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        // One may end meanwhile.
        let stats =
            tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("stat")).ok());
        stats
            .map(|stat| {
                let (_, fields) = stat.rsplit_once(") ").unwrap();
                fields.split(' ').next().unwrap().to_owned()
            })
            .collect()
    }

    /// Waits until `done` returns true for the numbers of frames received and of those lost in the
    /// kernel, and returns them.
    pub(crate) fn counters_when(&self, done: impl Fn([u32; 2]) -> bool) -> [u32; 2] {
        wait_for("the counters", || {
            let counters = self.counters();
            done(counters).then_some(counters)
        })
    }

    fn counters(&self) -> [u32; 2] {
        let mut input = self.process.stdin.as_ref().unwrap();
        input.write_all(b"\n").unwrap();
        let mut line = String::new();
        self.answers.borrow_mut().read_line(&mut line).unwrap();
        let (received, lost) = line.trim_end().split_once(' ').unwrap();
        [received.parse().unwrap(), lost.parse().unwrap()]
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

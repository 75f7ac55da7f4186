//! The resources of this process: the driver's threads and their work, files and sockets.

use std::{collections::HashMap, fs, path::PathBuf, thread, time::Duration};

/// The start of the names of all threads of a driver.
const DRIVER: &str = "websocksrv";

/// Returns the folders in `/proc` of the threads whose names start with `name`.
pub(crate) fn threads(name: &str) -> Vec<PathBuf> {
    let mut threads = Vec::new();
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let folder = task.unwrap().path();
        // It may have ended by now.
        let comm = fs::read_to_string(folder.join("comm")).unwrap_or_default();
        if comm.starts_with(name) {
            threads.push(folder);
        }
    }
    threads
}

/// Returns the folders in `/proc` of the threads of drivers.
pub(crate) fn driver_threads() -> Vec<PathBuf> {
    threads(DRIVER)
}

/// Returns what the open descriptors stand for, sorted.
pub(crate) fn descriptors() -> Vec<String> {
    let mut targets = Vec::new();
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        // The one of this listing is closed by now, or is left out below.
        if let Ok(target) = fs::read_link(entry.unwrap().path()) {
            targets.push(target.to_string_lossy().into_owned());
        }
    }
    targets.retain(|target| !target.ends_with("/fd"));
    targets.sort();
    targets
}

/// Returns how many sockets are open.
pub(crate) fn sockets() -> usize {
    let descriptors = descriptors();
    let sockets = descriptors.iter().filter(|it| it.starts_with("socket:"));
    sockets.count()
}

/// The work of threads.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Activity {
    /// In steps of 10 ms.
    pub(crate) processor_time: Duration,
    /// How often a thread stopped running, which it has to in order to wake up again.
    pub(crate) wake_ups: u64,
}

impl Activity {
    /// Measures what the threads of the driver do while `window` passes.
    pub(crate) fn of_driver_during(window: Duration) -> Self {
        let before = Self::of_driver_threads();
        assert!(!before.is_empty(), "the driver has no threads");
        thread::sleep(window);
        let mut sum = Self::default();
        for (thread, now) in Self::of_driver_threads() {
            let before = before.get(&thread).copied().unwrap_or_default();
            sum.processor_time += now.processor_time - before.processor_time;
            sum.wake_ups += now.wake_ups - before.wake_ups;
        }
        sum
    }

    fn of_driver_threads() -> HashMap<PathBuf, Self> {
        let threads = driver_threads().into_iter();
        threads
            .filter_map(|folder| {
                // It may have ended by now.
                let stat = fs::read_to_string(folder.join("stat")).ok()?;
                let status = fs::read_to_string(folder.join("status")).ok()?;
                let activity = Self {
                    processor_time: processor_time_in(&stat),
                    wake_ups: context_switches_in(&status),
                };
                Some((folder, activity))
            })
            .collect()
    }
}

/// Returns the processor time of this process, in steps of 10 ms.
pub(crate) fn processor_time() -> Duration {
    processor_time_in(&fs::read_to_string("/proc/self/stat").unwrap())
}

/// Reads the user and system time from a file `stat` of `/proc`.
fn processor_time_in(stat: &str) -> Duration {
    // Behind the name, which may have blanks, they are the 12th and 13th field.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let times = fields.split(' ').skip(11).take(2);
    let ticks: u64 = times.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    // USER_HZ is 100 on all architectures that the driver runs on.
    Duration::from_millis(ticks * 10)
}

/// Reads the number of context switches from a file `status` of `/proc`.
fn context_switches_in(status: &str) -> u64 {
    let lines = status.lines();
    let counts = lines.filter_map(|line| line.split_once("_ctxt_switches:"));
    counts
        .map(|(_, count)| count.trim().parse::<u64>().unwrap())
        .sum()
}

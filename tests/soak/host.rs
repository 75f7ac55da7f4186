//! The process that the driver is loaded into, and the hand that leads it.
//!
//! It takes commands on its standard input and answers each with a line.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use vscp_driver_host::{Library, OpenDriver, find};
use vscpl2drv_websocksrv::event::Layout;

use crate::{
    common::{GUID, wait::settled},
    numbered,
};

/// How long the host waits in one call.
const TIMEOUT: Duration = Duration::from_millis(100);

/// The layout that the configuration names.
const LAYOUT: Layout = Layout::UnixNs;

/// A host process; ended with its drop.
pub(crate) struct Host {
    process: Child,
    answers: BufReader<ChildStdout>,
}

/// The resources of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Allocated bytes.
    pub(crate) heap: u64,
    /// Resident memory in KiB.
    pub(crate) memory: u64,
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
}

impl Host {
    pub(crate) fn start(configuration: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg("host")
            .arg(configuration)
            // Else each thread takes memory of its own, and how much depends on the scheduler.
            .env("MALLOC_ARENA_MAX", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, answers }
    }

    pub(crate) fn open(&mut self) {
        self.ask("open");
    }

    pub(crate) fn close(&mut self) {
        self.ask("close");
    }

    /// Writes `count` events with the numbers from `first` on, at most so many a second.
    pub(crate) fn write(&mut self, first: u32, count: u32, rate: u32) {
        let written = self.ask(&format!("write {first} {count} {rate}"));
        assert_eq!(
            written,
            u64::from(count),
            "events that the host has written"
        );
    }

    /// Returns how many events the host has read since it opened the driver.
    pub(crate) fn count_read(&mut self) -> u64 {
        self.ask("read")
    }

    pub(crate) fn usage(&mut self) -> Usage {
        let folder = format!("/proc/{}", self.process.id());
        let status = fs::read_to_string(format!("{folder}/status")).unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let entries = |name| fs::read_dir(format!("{folder}/{name}")).unwrap().count();
        Usage {
            heap: self.ask("heap"),
            memory: memory
                .unwrap()
                .trim_matches([' ', '\t', 'k', 'B'])
                .parse()
                .unwrap(),
            descriptors: entries("fd"),
            // The kernel lists a thread for a moment after it was joined.
            threads: settled(|| entries("task")),
        }
    }

    fn ask(&mut self, command: &str) -> u64 {
        let mut input = self.process.stdin.as_ref().unwrap();
        writeln!(input, "{command}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        let answer = answer.trim();
        answer
            .parse()
            .unwrap_or_else(|_| panic!("{command}: the host has answered {answer:?}"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The host process itself.
pub(crate) fn run(configuration: &str) {
    let library = Library::load(&find::built().unwrap()).unwrap();
    // It stays until the process ends, as a daemon's drivers do.
    let library: &'static Library = Box::leak(Box::new(library));
    let configuration = fs::canonicalize(configuration).unwrap();
    let configuration = configuration.to_str().unwrap();
    let mut open = None;
    for line in io::stdin().lines() {
        let line = line.unwrap();
        let words: Vec<_> = line.split(' ').collect();
        let answer = match words[..] {
            ["open"] => {
                open = Some(Open::new(library, configuration));
                0
            }
            ["heap"] => heap(),
            ["close"] => open.take().map_or(0, Open::close),
            ["read"] => open.as_ref().map_or(0, |open| open.read.load(Relaxed)),
            ["write", first, count, rate] => {
                let number = |word: &str| word.parse::<u32>().unwrap();
                let open = open.as_ref().unwrap();
                open.write(number(first), number(count), number(rate))
            }
            _ => panic!("{line}"),
        };
        println!("{answer}");
    }
}

/// Returns the bytes that are allocated in this process.
fn heap() -> u64 {
    // SAFETY: it only reads counters of the allocator.
    unsafe { libc::mallinfo2() }.uordblks as u64
}

/// A driver that is open, and the thread that reads its events.
struct Open {
    driver: Arc<OpenDriver<'static>>,
    read: Arc<AtomicU64>,
    ends: Arc<AtomicBool>,
    reader: JoinHandle<()>,
}

impl Open {
    fn new(library: &'static Library, configuration: &str) -> Self {
        let guid = GUID.parse().unwrap();
        let driver = library.open(configuration, Some(guid), Some(LAYOUT));
        let driver = Arc::new(driver.unwrap());
        let read = Arc::<AtomicU64>::default();
        let ends = Arc::<AtomicBool>::default();
        let reader = thread::spawn({
            let (driver, read, ends) = (driver.clone(), read.clone(), ends.clone());
            move || {
                while !ends.load(Relaxed) {
                    if driver.read(TIMEOUT).is_ok() {
                        read.fetch_add(1, Relaxed);
                    }
                }
            }
        });
        Self {
            driver,
            read,
            ends,
            reader,
        }
    }

    /// Returns how many events were written.
    fn write(&self, first: u32, count: u32, rate: u32) -> u64 {
        let start = Instant::now();
        let mut written = 0;
        for index in 0..count {
            let due = start + Duration::from_secs(1) * index / rate;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let event = numbered::of_host(first + index);
            // The driver may hold the host up; it never drops what it has not taken.
            while self.driver.write(&event, TIMEOUT).is_err() {}
            written += 1;
        }
        written
    }

    fn close(self) -> u64 {
        self.ends.store(true, Relaxed);
        self.reader.join().unwrap();
        Arc::into_inner(self.driver).unwrap().close().unwrap();
        0
    }
}

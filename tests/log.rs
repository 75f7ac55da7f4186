//! The log as other crates see it, in a process where no other test has a logger.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{fs, path::Path, sync::Mutex};

use tracing::{debug, dispatcher::with_default, error, info, warn};
use vscpl2drv_websocksrv::log::{FileSink, Level, Logger, Pattern, Settings};

use crate::common::{process::threads, wait_until};

/// One test at a time: they look at threads and at what `tracing` keeps for the process.
static ALONE: Mutex<()> = Mutex::new(());

fn start(path: &Path) -> Logger {
    Logger::start(Settings {
        console: None,
        file: Some(FileSink {
            level: Level::Trace,
            pattern: Pattern::parse("%l %v"),
            path: path.to_owned(),
            max_size: 1 << 20,
            max_files: 1,
        }),
        ..Settings::default()
    })
    .unwrap()
}

/// Waits until there are so many writer threads: a thread starts before it has its name, and the
/// kernel lists one for a moment after it was joined.
fn wait_for_writers(count: usize) {
    wait_until("so many writer threads", || writers() == count);
}

fn writers() -> usize {
    threads("websocksrv-log").len()
}

#[test]
fn no_thread_is_left_after_a_stop() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    // The kernel may still list that of the test before.
    wait_for_writers(0);
    let loggers = ["a", "b"].map(|name| start(&folder.path().join(name)));
    wait_for_writers(2);
    loggers.into_iter().for_each(Logger::stop);
    wait_for_writers(0);
    drop(start(&folder.path().join("c")));
    wait_for_writers(0);
}

#[test]
fn of_other_crates_only_warnings_and_errors_are_shown() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let logger = start(&path);
    with_default(logger.dispatch(), || {
        debug!("1");
        info!("2");
        warn!("3");
        error!("4");
    });
    logger.stop();
    assert_eq!(fs::read_to_string(path).unwrap(), "warning 3\nerror 4\n");
}

#[test]
fn a_place_that_logs_works_though_a_thread_without_logger_came_there_first() {
    let _alone = ALONE.lock();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let report_to_stderr = |text: &str| warn!("{text}");
    let logger = start(&path);
    report_to_stderr("to nobody");
    with_default(logger.dispatch(), || report_to_stderr("to the file"));
    logger.stop();
    assert_eq!(fs::read_to_string(path).unwrap(), "warning to the file\n");
}

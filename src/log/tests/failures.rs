//! Sinks that fail or block.

use std::{os::unix::net::UnixDatagram, sync::mpsc};

use super::*;

/// A stderr whose reader is gone.
struct Broken;

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

/// A stderr that refuses the given number of lines and then takes all.
struct Refuses(usize, Capture);

impl Write for Refuses {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 > 0 {
            self.0 -= 1;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A terminal that is stopped until something is received.
struct Stopped(mpsc::Receiver<()>, Capture);

impl Write for Stopped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // An error says that the sender is gone: it is not stopped any more.
        let _ = self.0.recv();
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_reported_once_and_the_console_works() {
    let error = "log file /dev/null/log\\n: File exists (os error 17); lines are lost";
    for (level, begin, end) in [
        (
            Some(Level::Info),
            "error|",
            "info|3\nwarning|4\nerror|5\ncritical|6\n",
        ),
        (Some(Level::Critical), "test: ", "critical|6\n"),
        (Some(Level::Off), "test: ", ""),
        (None, "test: ", ""),
    ] {
        let stderr = Capture::default();
        let logger = start(
            level.and_then(|level| console(level, "%l|%v")),
            file(Level::Trace, "%v", "/dev/null/log\n"),
            stderr.clone(),
        );
        with_default(logger.dispatch(), one_of_each_level);
        logger.stop();
        assert_eq!(stderr.text(), format!("{begin}{error}\n{end}"), "{level:?}");
    }
}

#[test]
fn a_file_that_can_be_opened_later_has_the_number_of_lost_lines() {
    let folder = tempfile::tempdir().unwrap();
    let sub = folder.path().join("sub");
    fs::write(&sub, "in the way").unwrap();
    let path = sub.join("log");
    let stderr = Capture::default();
    let logger = start(
        console(Level::Info, "line %v"),
        file(Level::Info, "%l %v", &path),
        stderr.clone(),
    );
    with_default(logger.dispatch(), || {
        info!("1");
        info!("2");
        // The console has a line after the file has had, or lost, the one before it.
        while !stderr.text().contains("line 2") {
            thread::yield_now();
        }
        fs::remove_file(&sub).unwrap();
        info!("3");
    });
    logger.stop();
    assert_eq!(stderr.text().matches("; lines are lost\n").count(), 1);
    // The second may have been under way.
    let (one, both) = (
        "warning 1 log line lost\ninfo 2\n",
        "warning 2 log lines lost\n",
    );
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        [one, both]
            .map(|start| format!("{start}info 3\n"))
            .contains(&text),
        "{text}"
    );
}

#[test]
fn a_file_that_cannot_be_written_is_reported_once() {
    let stderr = Capture::default();
    let logger = start(
        console(Level::Error, "%v"),
        file(Level::Info, "%v", "/dev/full"),
        stderr.clone(),
    );
    with_default(logger.dispatch(), || {
        for _ in 0..1000 {
            info!("{}", "x".repeat(100));
        }
        error!("end");
    });
    logger.stop();
    let text = stderr.text();
    let lost = "log file /dev/full: No space left on device (os error 28); lines are lost\n";
    assert_eq!(text.matches(lost).count(), 1, "{text}");
    assert_eq!(text.replace(lost, ""), "end\n");
}

#[test]
fn a_file_that_worked_in_between_is_reported_again() {
    let folder = tempfile::tempdir().unwrap();
    // A folder that is not empty cannot be replaced, so that every rotation fails.
    fs::create_dir_all(folder.path().join("log.1/sub")).unwrap();
    let path = folder.path().join("log");
    let mut sink = file(Level::Info, "%v", &path).unwrap();
    (sink.max_size, sink.max_files) = (4, 1);
    let stderr = Capture::default();
    let logger = start(console(Level::Error, "%v"), Some(sink), stderr.clone());
    for (line, told) in [("aaa", 0), ("bbb", 1), ("ccc", 2)] {
        with_default(logger.dispatch(), || info!("{line}"));
        wait_for(&path, &format!("{line}\n"));
        assert_eq!(stderr.text().matches("lines are lost\n").count(), told);
    }
}

#[test]
fn a_broken_stderr_does_not_stop_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let logger = start(
        console(Level::Trace, "%v"),
        file(Level::Info, "%v", &path),
        Broken,
    );
    with_default(logger.dispatch(), one_of_each_level);
    logger.stop();
    assert_eq!(fs::read_to_string(path).unwrap(), "3\n4\n5\n6\n");
}

#[test]
fn lines_that_stderr_refuses_are_counted_and_reported_when_it_takes_one() {
    let stderr = Capture::default();
    let logger = start(console(Level::Info, "%v"), None, Refuses(2, stderr.clone()));
    with_default(logger.dispatch(), one_of_each_level);
    logger.stop();
    assert_eq!(stderr.text(), "test: 2 lines dropped\n5\n6\n");
}

#[test]
fn a_stopped_terminal_blocks_no_thread_that_logs_and_dropped_lines_are_counted() {
    let (go_on, stopped) = mpsc::channel();
    let stderr = Capture::default();
    let logger = start(
        console(Level::Warn, "%l %v"),
        None,
        Stopped(stopped, stderr.clone()),
    );
    let logged = QUEUE_LENGTH + 1000;
    with_default(logger.dispatch(), || {
        for number in 0..logged {
            warn!("{number}");
        }
    });
    drop(go_on);
    logger.stop();
    let text = stderr.text();
    let (told, lines): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.contains("dropped"));
    let [told] = told[..] else {
        panic!("told {} times", told.len())
    };
    assert_eq!(
        told,
        format!("warning {} log lines dropped", logged - lines.len())
    );
    // One more than the queue holds, if the writer had taken one before the queue was full.
    assert!((QUEUE_LENGTH..=QUEUE_LENGTH + 1).contains(&lines.len()));
    let mut first = lines.iter().take(QUEUE_LENGTH).enumerate();
    assert!(first.all(|(n, line)| *line == format!("warning {n}")));
}

#[test]
fn what_the_journal_takes_does_not_go_to_stderr_and_what_it_does_not_take_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let journald = UnixDatagram::bind(&path).unwrap();
    let stderr = Capture::default();
    let settings = Settings {
        name: "test".to_owned(),
        console: console(Level::Info, "%l %v"),
        file: file(Level::Info, "%v", folder.path().join("log")),
    };
    let outputs = Outputs {
        journal: Some(Journal::open(&path).unwrap()),
        ..on_stderr(stderr.clone(), false)
    };
    let logger = Logger::start_on(settings, outputs).unwrap();
    with_default(logger.dispatch(), || debug!("not shown"));
    with_default(logger.dispatch(), || warn!("first"));
    let mut datagram = [0; 4096];
    let length = journald.recv(&mut datagram).unwrap();
    let text = datagram[..length].escape_ascii().to_string();
    for part in [
        r"MESSAGE\n\x05\x00\x00\x00\x00\x00\x00\x00first\n",
        r"PRIORITY\n\x01\x00\x00\x00\x00\x00\x00\x004\n",
        "src/log/tests/failures.rs",
        "::log::tests::failures",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    drop(journald);
    with_default(logger.dispatch(), || error!("second"));
    logger.stop();
    assert_eq!(stderr.text(), "error second\n");
    let written = fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(written, "first\nsecond\n");
}

mod failures;

use std::{fs, io, path::Path, thread, time::Instant};

use parking_lot::Mutex;
use tracing::{dispatcher::with_default, *};

use super::{Level, *};

/// A stderr that keeps what is written.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<u8>>>);

impl Capture {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn on_stderr(stderr: impl Write + Send + 'static, colours: bool) -> Outputs {
    Outputs {
        stderr: Box::new(stderr),
        colours,
        journal: None,
    }
}

fn console(level: Level, pattern: &str) -> Option<ConsoleSink> {
    let pattern = Pattern::parse(pattern);
    Some(ConsoleSink {
        level,
        pattern,
        journal: true,
    })
}

fn file(level: Level, pattern: &str, path: impl Into<PathBuf>) -> Option<FileSink> {
    Some(FileSink {
        level,
        pattern: Pattern::parse(pattern),
        path: path.into(),
        max_size: 5_242_880,
        max_files: 7,
    })
}

fn start(
    console: Option<ConsoleSink>,
    file: Option<FileSink>,
    stderr: impl Write + Send + 'static,
) -> Logger {
    let name = "test".to_owned();
    let settings = Settings {
        name,
        console,
        file,
    };
    Logger::start_on(settings, on_stderr(stderr, false)).unwrap()
}

fn wait_for(path: &Path, expected: &str) {
    let begin = Instant::now();
    while fs::read_to_string(path).unwrap() != expected {
        assert!(begin.elapsed().as_secs() < 20);
        thread::yield_now();
    }
}

fn one_of_each_level() {
    trace!("1");
    debug!("2");
    info!("3");
    warn!("4");
    error!("5");
    error!(target: CRITICAL, "6");
}

/// Returns what a console of this level shows.
fn shown(level: Level) -> String {
    let stderr = Capture::default();
    let logger = start(console(level, "%l %v"), None, stderr.clone());
    with_default(logger.dispatch(), one_of_each_level);
    logger.stop();
    stderr.text()
}

#[test]
fn a_sink_shows_its_level_and_those_above() {
    let all = [
        "trace 1\n",
        "debug 2\n",
        "info 3\n",
        "warning 4\n",
        "error 5\n",
        "critical 6\n",
    ];
    for (skipped, level) in [
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::Critical,
        Level::Off,
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(shown(level), all[skipped..].concat(), "{level}");
    }
}

#[test]
fn each_sink_has_its_level_and_pattern() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let stderr = Capture::default();
    let logger = start(
        console(Level::Error, "%n:%v"),
        file(Level::Info, "%L %v", &path),
        stderr.clone(),
    );
    with_default(logger.dispatch(), || {
        one_of_each_level();
        assert!(!enabled!(tracing::Level::DEBUG));
        assert!(enabled!(tracing::Level::INFO));
    });
    logger.stop();
    assert_eq!(stderr.text(), "test:5\ntest:6\n");
    let written = fs::read_to_string(path).unwrap();
    assert_eq!(written, "I 3\nW 4\nE 5\nC 6\n");
}

#[test]
fn warnings_go_to_the_console_by_default() {
    let stderr = Capture::default();
    let logger = Logger::start_on(Settings::default(), on_stderr(stderr.clone(), false)).unwrap();
    with_default(logger.dispatch(), one_of_each_level);
    logger.stop();
    let text = stderr.text();
    let lines: Vec<_> = text
        .lines()
        .map(|line| line.split_once("] ").unwrap().1)
        .collect();
    assert_eq!(
        lines,
        [
            "[vscpl2drv-websocksrv] [warning] 4",
            "[vscpl2drv-websocksrv] [error] 5",
            "[vscpl2drv-websocksrv] [critical] 6",
        ]
    );
}

#[test]
fn the_level_can_change_for_callsites_that_have_logged_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let stderr = Capture::default();
    let logger = start(
        console(Level::Warn, "%v"),
        file(Level::Error, "%v", &path),
        stderr.clone(),
    );
    let levels = [Level::Error, Level::Trace, Level::Off, Level::Debug];
    for level in levels {
        logger.level_control().set(level);
        assert_eq!(logger.level_control().get(), level);
        with_default(logger.dispatch(), one_of_each_level);
    }
    logger.stop();
    assert_eq!(stderr.text(), "4\n5\n6\n".repeat(levels.len()));
    let written = fs::read_to_string(path).unwrap().replace('\n', "");
    assert_eq!(written, "56".to_owned() + "123456" + "" + "23456");
}

#[test]
fn without_a_file_the_level_is_that_of_the_console() {
    let stderr = Capture::default();
    let logger = start(console(Level::Warn, "%v"), None, stderr.clone());
    assert_eq!(logger.level_control().get(), Level::Warn);
    logger.level_control().set(Level::Info);
    assert_eq!(logger.level_control().get(), Level::Info);
    with_default(logger.dispatch(), one_of_each_level);
    logger.stop();
    assert_eq!(stderr.text(), "3\n4\n5\n6\n");
}

#[test]
fn without_sinks_nothing_is_logged_at_any_level() {
    let stderr = Capture::default();
    let logger = start(None, None, stderr.clone());
    logger.level_control().set(Level::Trace);
    assert_eq!(logger.level_control().get(), Level::Off);
    with_default(logger.dispatch(), one_of_each_level);
    logger.stop();
    assert_eq!(stderr.text(), "");
}

#[test]
fn two_loggers_at_once_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["a", "b", "c"];
    let threads = names.map(|name| {
        let path = folder.path().join(name);
        let (quiet, loud) = (Capture::default(), Capture::default());
        let logger = start(None, file(Level::Debug, "%v", path), quiet);
        let other = start(console(Level::Info, "%v"), None, loud.clone());
        thread::spawn(move || {
            for number in 0..1000 {
                with_default(logger.dispatch(), || debug!("{name}{number}"));
                with_default(other.dispatch(), || debug!("never shown"));
            }
            with_default(other.dispatch(), || info!("{name}"));
            other.stop();
            assert_eq!(loud.text(), format!("{name}\n"));
            logger.stop();
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    for name in names {
        let expected: String = (0..1000)
            .map(|number| format!("{name}{number}\n"))
            .collect();
        assert_eq!(
            fs::read_to_string(folder.path().join(name)).unwrap(),
            expected
        );
    }
}

#[test]
fn stop_and_drop_write_all_that_was_logged() {
    for stop in [Logger::stop, drop] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let logger = start(None, file(Level::Info, "%v", &path), Capture::default());
        with_default(logger.dispatch(), || {
            for number in 0..QUEUE_LENGTH / 2 {
                info!("{number}");
            }
        });
        stop(logger);
        let written = fs::read_to_string(path).unwrap();
        assert!(
            written
                .lines()
                .eq((0..QUEUE_LENGTH / 2).map(|n| n.to_string()))
        );
    }
}

#[test]
fn a_stopped_logger_costs_and_writes_nothing() {
    let stderr = Capture::default();
    let logger = start(console(Level::Info, "%v"), None, stderr.clone());
    let dispatch = logger.dispatch().clone();
    logger.stop();
    with_default(&dispatch, || {
        one_of_each_level();
        assert!(!enabled!(tracing::Level::ERROR));
    });
    assert_eq!(stderr.text(), "");
}

#[test]
fn the_file_is_written_soon_without_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let logger = start(None, file(Level::Info, "%v", &path), Capture::default());
    with_default(logger.dispatch(), || info!("now"));
    wait_for(&path, "now\n");
}

#[test]
fn a_line_has_its_fields_its_callsite_and_its_thread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let pattern = "%t %s:%# %! %v";
    let logger = start(None, file(Level::Info, pattern, &path), Capture::default());
    let (thread, line) = thread::spawn({
        let dispatch = logger.dispatch().clone();
        move || {
            with_default(&dispatch, || {
                let error = io::Error::other("no");
                let line = line!() + 1;
                info!(client = 7, address = %"::1", name = "x y", cause = &error as &dyn std::error::Error, "hello {}\n[forged]", 1);
                info!(only = 1, fields = ?"a\tb");
                (nix::unistd::gettid(), line)
            })
        }
    })
    .join()
    .unwrap();
    logger.stop();
    let place = |line| format!("{thread} mod.rs:{line} {}", module_path!());
    let expected = [
        format!(
            "{} hello 1\\n[forged] client=7 address=::1 name=x y cause=no\n",
            place(line)
        ),
        format!("{} only=1 fields=\"a\\tb\"\n", place(line + 1)),
    ];
    assert_eq!(fs::read_to_string(path).unwrap(), expected.concat());
}

#[test]
fn colours_are_for_the_console_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let stderr = Capture::default();
    let settings = Settings {
        name: "test".to_owned(),
        console: console(Level::Info, "%^%l%$"),
        file: file(Level::Info, "%^%l%$", &path),
    };
    let logger = Logger::start_on(settings, on_stderr(stderr.clone(), true)).unwrap();
    with_default(logger.dispatch(), || info!(""));
    logger.stop();
    assert_eq!(stderr.text(), "\u{1b}[32minfo\u{1b}[m\n");
    assert_eq!(fs::read_to_string(path).unwrap(), "info\n");
}

#[test]
fn spans_are_not_shown() {
    let stderr = Capture::default();
    let logger = start(console(Level::Trace, "%v"), None, stderr.clone());
    with_default(logger.dispatch(), || {
        let span = error_span!("span", a = 1);
        assert!(span.is_disabled());
        span.in_scope(|| info!("event"));
    });
    logger.stop();
    assert_eq!(stderr.text(), "event\n");
}

#[test]
fn the_file_is_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.txt");
    let mut sink = file(Level::Info, "%v", &path).unwrap();
    (sink.max_size, sink.max_files) = (10, 1);
    let logger = start(None, Some(sink), Capture::default());
    with_default(logger.dispatch(), || {
        for number in 1..=4 {
            info!("line{number}");
        }
    });
    logger.stop();
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    assert_eq!(read(&path), "line3\nline4\n".get(6..).unwrap());
    assert_eq!(read(&folder.path().join("log.1.txt")), "line3\n");
    assert!(!folder.path().join("log.2.txt").exists());
}

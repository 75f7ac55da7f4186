//! The log: writes `tracing` events to stderr, or to the journal of systemd, and to a file.
//!
//! Each driver has a [`Logger`] of its own, whose [`Logger::dispatch`] is the default dispatcher of
//! each of its threads; there is no global one. A thread that logs puts a record into a bounded
//! queue, and one writer thread formats and writes it, so that no other thread waits for a disk or
//! a terminal.
//!
//! Of other crates only warnings and errors are logged. The target [`CRITICAL`] makes an error a
//! critical one, for which `tracing` has no level.

mod journal;
mod level;
mod line;
mod pattern;
mod recent;
mod record;
mod rotate;
mod stderr;
mod writer;

use std::{
    fmt,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64},
    thread::JoinHandle,
};

use crossbeam_channel::Sender;
use tracing::{Dispatch, callsite};

use self::{
    journal::Journal,
    record::{Levels, Message, Subscriber},
    stderr::Stderr,
    writer::{FileWriter, LineFormat, Writer},
};
pub use self::{
    level::{CRITICAL, Level, LevelError},
    line::Line,
    pattern::Pattern,
    recent::{RecentLine, RecentLines},
    stderr::{fill_closed_descriptors, report_to_stderr},
};
use crate::thread;

/// The largest number of records that wait for the writer. Further ones are dropped and counted.
const QUEUE_LENGTH: usize = 4096;

/// The sinks of a log.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the logger, which `%n` shows.
    pub name: String,
    /// Lines on stderr, `None` for none.
    pub console: Option<ConsoleSink>,
    /// Lines in a file, `None` for none.
    pub file: Option<FileSink>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").to_owned(),
            console: Some(ConsoleSink {
                level: Level::Warn,
                pattern: Pattern::default(),
                journal: true,
            }),
            file: None,
        }
    }
}

/// Lines on stderr, in colours if it is a terminal.
#[derive(Clone, Debug)]
pub struct ConsoleSink {
    /// The lowest level that is shown.
    pub level: Level,
    /// The format of a line.
    pub pattern: Pattern,
    /// True if lines go to the journal of systemd, by its own protocol, if stderr leads there.
    pub journal: bool,
}

/// Lines in a file of limited size; full ones are renamed to `name.1.ext`, `name.2.ext`.
#[derive(Clone, Debug)]
pub struct FileSink {
    /// The lowest level that is written.
    pub level: Level,
    /// The format of a line.
    pub pattern: Pattern,
    /// The file. It and its folders are created if they are missing.
    pub path: PathBuf,
    /// The largest size in bytes, 0 for no limit.
    pub max_size: u64,
    /// The number of renamed files that are kept.
    pub max_files: usize,
}

/// Where the lines of the console go.
struct Outputs {
    stderr: Box<dyn Write + Send>,
    colours: bool,
    /// Takes the lines in place of stderr.
    journal: Option<Journal>,
}

/// The log of one driver.
pub struct Logger {
    dispatch: Dispatch,
    /// As long as there is a single dispatcher, `tracing` asks only that of the thread which
    /// reaches a callsite first, and keeps the answer for all threads. If that thread has none, the
    /// callsite would never log. With a second dispatcher `tracing` asks all.
    _twin: Dispatch,
    level_control: LevelControl,
    recent: RecentLines,
    queue: Sender<Message>,
    /// `None` after it was stopped.
    writer: Option<JoinHandle<()>>,
}

impl Logger {
    /// Starts a log. If the file cannot be opened, reports that on stderr and tries again with each
    /// line. Fails if the system gives no thread.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let stderr = Stderr::open();
        let colours = stderr.is_terminal();
        let wants_journal = settings.console.as_ref().is_some_and(|sink| sink.journal);
        // Without it the lines go to stderr, which leads to the journal as well.
        let journal = (wants_journal && stderr.is_journal())
            .then(|| Journal::open(Path::new(journal::SOCKET)).ok())
            .flatten();
        let outputs = Outputs {
            stderr: Box::new(stderr),
            colours,
            journal,
        };
        Self::start_on(settings, outputs)
    }

    fn start_on(settings: Settings, outputs: Outputs) -> io::Result<Self> {
        let file_level = settings.file.as_ref().map(|sink| sink.level);
        let (file, failure) = settings.file.map(FileWriter::open).unzip();
        let levels = Arc::new(Levels::new(
            settings
                .console
                .as_ref()
                .map_or(Level::Off, |sink| sink.level),
            file_level.unwrap_or(Level::Off),
        ));
        let sink = match (&file, &settings.console) {
            (Some(_), _) => Some(Sink::File),
            (None, Some(_)) => Some(Sink::Console),
            (None, None) => None,
        };
        let (queue, records) = crossbeam_channel::bounded(QUEUE_LENGTH);
        let dropped = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            name: settings.name,
            queue: records,
            dropped: Arc::clone(&dropped),
            levels: Arc::clone(&levels),
            stderr: outputs.stderr,
            journal: outputs.journal,
            not_shown: 0,
            console: settings
                .console
                .map(|sink| LineFormat::new(sink.pattern, outputs.colours)),
            file,
        };
        let writer =
            thread::builder("websocksrv-log").spawn(move || writer.run(failure.flatten()))?;
        let recent = RecentLines::default();
        let subscriber = Arc::new(Subscriber {
            levels: Arc::clone(&levels),
            recent: recent.clone(),
            queue: queue.clone(),
            dropped,
        });
        Ok(Self {
            dispatch: Dispatch::new(Arc::clone(&subscriber)),
            _twin: Dispatch::new(subscriber),
            level_control: LevelControl { levels, sink },
            recent,
            queue,
            writer: Some(writer),
        })
    }

    /// Returns the dispatcher for the driver's threads, for [`tracing::dispatcher::with_default`]
    /// or [`tracing::dispatcher::set_default`].
    pub fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }

    /// Returns a handle that changes the level while the log is in use.
    pub fn level_control(&self) -> LevelControl {
        self.level_control.clone()
    }

    /// Returns the last warnings and errors, these and those to come.
    pub fn recent(&self) -> RecentLines {
        self.recent.clone()
    }

    /// Writes the records in the queue and ends the writer thread. What is logged later is lost.
    /// Dropping the logger does the same.
    pub fn stop(self) {}
}

impl Drop for Logger {
    fn drop(&mut self) {
        let Some(writer) = self.writer.take() else {
            return;
        };
        // Waits for room if the queue is full. Fails only if the writer has ended.
        let _ = self.queue.send(Message::Stop);
        let _ = writer.join();
        // Threads that still use the dispatcher do not build records any more.
        self.level_control.levels.set_console(Level::Off);
        self.level_control.levels.set_file(Level::Off);
        callsite::rebuild_interest_cache();
    }
}

/// Reads and changes the level of the file, or of the console if there is no file.
#[derive(Clone, Debug)]
pub struct LevelControl {
    levels: Arc<Levels>,
    /// `None` if nothing is logged.
    sink: Option<Sink>,
}

/// A destination of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// The file.
    File,
    /// Standard error.
    Console,
}

impl LevelControl {
    /// Returns the sink whose level it controls, `None` if nothing is logged.
    pub fn sink(&self) -> Option<Sink> {
        self.sink
    }

    /// Sets the level of lines that are logged from now on.
    pub fn set(&self, level: Level) {
        match self.sink {
            Some(Sink::File) => self.levels.set_file(level),
            Some(Sink::Console) => self.levels.set_console(level),
            None => {}
        }
        callsite::rebuild_interest_cache();
    }

    /// Returns the level, off if nothing is logged.
    pub fn get(&self) -> Level {
        match self.sink {
            Some(Sink::File) => self.levels.file(),
            Some(Sink::Console) => self.levels.console(),
            None => Level::Off,
        }
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger")
            .field("levels", &self.level_control.levels)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

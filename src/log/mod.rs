//! The log: `tracing` events to stderr and to a file.
//!
//! Each driver has a [`Logger`] of its own, and each of its threads makes the logger's
//! [`Logger::dispatch`] its default; nothing is global. The thread that logs only puts a record
//! into a bounded queue, and one writer thread does the rest, so that nobody ever waits for a
//! disk or a terminal.
//!
//! Of other crates only warnings and errors are shown. [`CRITICAL`] is the way to log something
//! critical, for which `tracing` has no level.

mod level;
mod line;
mod pattern;
mod record;
mod rotate;
mod stderr;
mod writer;

use std::{
    fmt,
    io::Write,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
    thread,
};

use crossbeam_channel::Sender;
use tracing::{Dispatch, callsite};

pub use self::{
    level::{CRITICAL, Level, LevelError},
    line::Line,
    pattern::Pattern,
    stderr::{fill_closed_descriptors, say},
};
use self::{
    record::{Levels, Message, Subscriber},
    stderr::Stderr,
    writer::{FileWriter, Layout, Writer},
};

/// Records that wait for the writer; what comes when there are so many is dropped and counted.
const QUEUE: usize = 4096;

/// Where the log goes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What `%n` shows.
    pub name: String,
    /// Lines on stderr.
    pub console: Option<ConsoleSink>,
    /// Lines in a file.
    pub file: Option<FileSink>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").to_owned(),
            console: Some(ConsoleSink {
                level: Level::Warn,
                pattern: Pattern::default(),
            }),
            file: None,
        }
    }
}

/// Lines on stderr, coloured where it is a terminal.
#[derive(Clone, Debug)]
pub struct ConsoleSink {
    /// The least important lines that are shown.
    pub level: Level,
    /// What they look like.
    pub pattern: Pattern,
}

/// Lines in a file of limited size; full ones are renamed to `name.1.ext`, `name.2.ext`.
#[derive(Clone, Debug)]
pub struct FileSink {
    /// The least important lines that are written.
    pub level: Level,
    /// What they look like.
    pub pattern: Pattern,
    /// The file; it and its folders are created where they are missing.
    pub path: PathBuf,
    /// Bytes; 0: no limit.
    pub max_size: u64,
    /// How many renamed files are kept.
    pub max_files: usize,
}

/// The log of one driver.
pub struct Logger {
    dispatch: Dispatch,
    /// While `tracing` knows of a single dispatcher, it asks the one of the thread that first
    /// comes to a place that logs, and remembers the answer for all threads: never, where that
    /// thread has none. A second one, to the same subscriber, makes it ask those there are.
    _twin: Dispatch,
    level_control: LevelControl,
    queue: Sender<Message>,
    /// `None` once it is stopped.
    writer: Option<thread::JoinHandle<()>>,
}

impl Logger {
    /// Starts to log.
    ///
    /// A file that cannot be opened is told on stderr, in the form of the console's lines where
    /// it shows errors, and the log goes on without the file.
    pub fn start(settings: Settings) -> Self {
        let stderr = Stderr::open();
        let colours = stderr.is_terminal();
        Self::start_on(settings, Box::new(stderr), colours)
    }

    fn start_on(settings: Settings, stderr: Box<dyn Write + Send>, colours: bool) -> Self {
        let file_level = settings.file.as_ref().map(|sink| sink.level);
        let (file, complaint) = match settings.file.map(FileWriter::open).transpose() {
            Ok(file) => (file, None),
            Err(complaint) => (None, Some(complaint)),
        };
        let levels = Arc::new(Levels::new(
            settings
                .console
                .as_ref()
                .map_or(Level::Off, |sink| sink.level),
            file_level.filter(|_| file.is_some()).unwrap_or(Level::Off),
        ));
        let sink = match (&file, &settings.console) {
            (Some(_), _) => Some(Sink::File),
            (None, Some(_)) => Some(Sink::Console),
            (None, None) => None,
        };
        let (queue, records) = crossbeam_channel::bounded(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            name: settings.name,
            queue: records,
            dropped: Arc::clone(&dropped),
            levels: Arc::clone(&levels),
            stderr,
            not_shown: 0,
            console: settings
                .console
                .map(|sink| Layout::new(sink.pattern, colours)),
            file,
        };
        // Without a thread there is no log; the driver fails for the same reason just after.
        let writer = thread::Builder::new()
            .name("websocksrv-log".to_owned())
            .spawn(move || writer.run(complaint))
            .ok();
        let subscriber = Arc::new(Subscriber {
            levels: Arc::clone(&levels),
            queue: queue.clone(),
            dropped,
        });
        Self {
            dispatch: Dispatch::new(Arc::clone(&subscriber)),
            _twin: Dispatch::new(subscriber),
            level_control: LevelControl { levels, sink },
            queue,
            writer,
        }
    }

    /// What the driver's threads log to, with [`tracing::dispatcher::with_default`] or
    /// [`tracing::dispatcher::set_default`].
    pub fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }

    /// What changes the level while the log is in use.
    pub fn level_control(&self) -> LevelControl {
        self.level_control.clone()
    }

    /// Writes what was logged until now, and ends the writer thread. What is logged later is
    /// lost. Dropping the logger does the same.
    pub fn stop(self) {}
}

impl Drop for Logger {
    fn drop(&mut self) {
        let Some(writer) = self.writer.take() else {
            return;
        };
        // It waits for room where the queue is full; there is no error while the writer lives.
        let _ = self.queue.send(Message::Stop);
        let _ = writer.join();
        // Threads that still have the dispatcher shall not pay for it.
        self.level_control.levels.set_console(Level::Off);
        self.level_control.levels.set_file(Level::Off);
        callsite::rebuild_interest_cache();
    }
}

/// Changes the level of the file, or of the console where there is no file.
#[derive(Clone, Debug)]
pub struct LevelControl {
    levels: Arc<Levels>,
    /// `None` where nothing is logged at all.
    sink: Option<Sink>,
}

/// Where lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// The file.
    File,
    /// Standard error.
    Console,
}

impl LevelControl {
    /// What it is for, `None` where nothing is logged at all.
    pub fn sink(&self) -> Option<Sink> {
        self.sink
    }

    /// Sets the level. What is in the queue already is not affected.
    pub fn set(&self, level: Level) {
        match self.sink {
            Some(Sink::File) => self.levels.set_file(level),
            Some(Sink::Console) => self.levels.set_console(level),
            None => {}
        }
        callsite::rebuild_interest_cache();
    }

    /// The level; off where nothing is logged at all.
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

//! The thread that lays lines out and writes them.

use std::{
    fmt,
    io::{self, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crossbeam_channel::Receiver;
use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::{
    FileSink, Level, Line, Pattern, QUEUE,
    record::{Levels, LineText, Message, Record},
    rotate::RotatingFile,
};
use crate::thread::block_signals;

/// What the writer thread owns.
pub(super) struct Writer {
    pub(super) name: String,
    pub(super) queue: Receiver<Message>,
    pub(super) dropped: Arc<AtomicU64>,
    pub(super) levels: Arc<Levels>,
    pub(super) stderr: Box<dyn Write + Send>,
    /// Lines that stderr did not take since it last took one.
    pub(super) not_shown: u64,
    /// How lines on stderr look; `None` where there are none.
    pub(super) console: Option<Layout>,
    pub(super) file: Option<FileWriter>,
}

impl Writer {
    /// Writes what comes until it is told to stop. `complaint` is the first line.
    pub(super) fn run(mut self, complaint: Option<String>) {
        block_signals();
        if let Some(complaint) = complaint {
            self.complain(complaint);
        }
        loop {
            let next = self.queue.try_recv().or_else(|_| {
                self.flush();
                self.queue.recv()
            });
            match next {
                Ok(Message::Record(record)) => self.write(&record),
                Ok(Message::Stop) | Err(_) => break,
            }
            if self.queue.len() <= QUEUE / 2 {
                self.tell_dropped();
            }
        }
        self.tell_dropped();
        self.flush();
    }

    fn write(&mut self, record: &Record) {
        let time = record.time.to_zoned(TimeZone::system());
        if let Some(console) = self.console.as_mut().filter(|_| record.sinks.console) {
            let line = console.lay_out(&self.name, record, &time);
            let shown = match self.not_shown {
                0 => self.stderr.write_all(line.as_bytes()),
                count => {
                    let line = format!("{}: {count} lines dropped\n{line}", self.name);
                    self.stderr.write_all(line.as_bytes())
                }
            };
            if shown.is_ok() {
                self.not_shown = 0;
            }
            self.not_shown += u64::from(shown.is_err());
        }
        let Some(file) = self.file.as_mut().filter(|_| record.sinks.file) else {
            return;
        };
        let line = file.layout.lay_out(&self.name, record, &time);
        let written = file.file.write(line.as_bytes());
        self.note_failure(written);
    }

    fn flush(&mut self) {
        let Some(file) = &mut self.file else { return };
        match file.file.flush() {
            Ok(()) => file.failing = false,
            failed => self.note_failure(failed),
        }
    }

    /// Tells the first error of the file, and the next only after it worked again.
    fn note_failure(&mut self, result: io::Result<()>) {
        let (Err(error), Some(file)) = (result, &mut self.file) else {
            return;
        };
        if !std::mem::replace(&mut file.failing, true) {
            let complaint = file_complaint(file.file.path(), &error, "lines are lost");
            self.complain(complaint);
        }
    }

    fn tell_dropped(&mut self) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let text = format!("{dropped} log lines dropped");
            let sinks = self.levels.sinks(Level::Warn);
            self.write(&Record::new(Level::Warn, sinks, text));
        }
    }

    /// Writes an error to stderr whatever is set, once.
    fn complain(&mut self, text: String) {
        let record = Record::new(Level::Error, self.levels.sinks(Level::Error), text);
        let line = match &mut self.console {
            Some(console) if record.sinks.console => {
                let time = record.time.to_zoned(TimeZone::system());
                console.lay_out(&self.name, &record, &time)
            }
            _ => &format!("{}: {}\n", self.name, record.message),
        };
        let _ = self.stderr.write_all(line.as_bytes());
    }
}

/// How the lines of a sink look.
pub(super) struct Layout {
    pattern: Pattern,
    colours: bool,
    /// When the line before was said.
    previous: Timestamp,
    /// The line, kept for its memory.
    line: String,
}

impl Layout {
    pub(super) fn new(pattern: Pattern, colours: bool) -> Self {
        Self {
            pattern,
            colours,
            previous: Timestamp::now(),
            line: String::new(),
        }
    }

    fn lay_out(&mut self, name: &str, record: &Record, time: &Zoned) -> &str {
        let since = record.time.duration_since(self.previous);
        self.previous = record.time;
        let line = Line {
            name,
            level: record.level,
            time,
            since_previous: Duration::try_from(since).unwrap_or_default(),
            thread: record.thread,
            source: record.metadata.and_then(|m| m.file().zip(m.line())),
            module: record.metadata.and_then(|m| m.module_path()),
            message: &record.message,
        };
        self.line.clear();
        self.pattern.format(&line, self.colours, &mut self.line);
        self.line.push('\n');
        &self.line
    }
}

/// The file, and how its lines look.
pub(super) struct FileWriter {
    layout: Layout,
    file: RotatingFile,
    /// The last write or flush did not work.
    failing: bool,
}

impl FileWriter {
    /// Opens the file, or says what to complain about.
    pub(super) fn open(sink: FileSink) -> Result<Self, String> {
        match RotatingFile::open(sink.path.clone(), sink.max_size, sink.max_files) {
            Ok(file) => Ok(Self {
                layout: Layout::new(sink.pattern, false),
                file,
                failing: false,
            }),
            Err(error) => Err(file_complaint(&sink.path, &error, "going on without it")),
        }
    }
}

fn file_complaint(path: &Path, error: &dyn fmt::Display, then: &str) -> String {
    LineText::new(format_args!("log file {}: {error}; {then}", path.display())).into_string()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::log::record::Sinks;

    #[test]
    fn each_line_knows_the_time_since_the_one_before() {
        let mut layout = Layout::new(Pattern::parse("%o"), false);
        let sinks = Sinks {
            console: true,
            file: true,
        };
        let mut record = Record::new(Level::Info, sinks, String::new());
        for (step, expected) in [
            (5.seconds(), ""),
            (1500.milliseconds(), "1500"),
            ((-9).seconds(), "0"),
        ] {
            record.time += step;
            let time = record.time.to_zoned(TimeZone::UTC);
            let line = layout.lay_out("", &record, &time).trim_end().to_owned();
            assert!(expected.is_empty() || line == expected, "{line}");
        }
    }
}

//! The thread that formats lines and writes them.

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
    FileSink, Level, Line, Pattern, QUEUE_LENGTH,
    journal::Journal,
    record::{Levels, LineText, Message, Record},
    rotate::{Failure, RotatingFile},
};
use crate::{thread::block_signals, wording::Counted};

/// The state of the writer thread.
pub(super) struct Writer {
    pub(super) name: String,
    pub(super) queue: Receiver<Message>,
    pub(super) dropped: Arc<AtomicU64>,
    pub(super) levels: Arc<Levels>,
    pub(super) stderr: Box<dyn Write + Send>,
    /// Takes the lines of the console in place of stderr.
    pub(super) journal: Option<Journal>,
    /// The number of lines that could not be written to stderr since one could.
    pub(super) not_shown: u64,
    /// The format of lines on stderr, `None` if there are none.
    pub(super) console: Option<LineFormat>,
    pub(super) file: Option<FileWriter>,
}

impl Writer {
    /// Writes records until it is told to stop. Reports `failure` on stderr first.
    pub(super) fn run(mut self, failure: Option<String>) {
        block_signals();
        if let Some(failure) = failure {
            self.report(failure);
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
            if self.queue.len() <= QUEUE_LENGTH / 2 {
                self.report_dropped();
            }
        }
        self.report_dropped();
        self.flush();
    }

    fn write(&mut self, record: &Record) {
        let time = record.time.to_zoned(TimeZone::system());
        if record.sinks.console && !self.write_to_journal(record) {
            self.write_to_stderr(record, &time);
        }
        if let Some(file) = self.file.as_mut().filter(|_| record.sinks.file) {
            let result = file.write(&self.name, record, &time);
            self.note_failure(result);
        }
    }

    fn write_to_stderr(&mut self, record: &Record, time: &Zoned) {
        let Some(console) = &mut self.console else {
            return;
        };
        let line = console.format(&self.name, record, time);
        let shown = match self.not_shown {
            0 => self.stderr.write_all(line.as_bytes()),
            count => {
                let count = Counted(count, "line");
                let line = format!("{}: {count} dropped\n{line}", self.name);
                self.stderr.write_all(line.as_bytes())
            }
        };
        if shown.is_ok() {
            self.not_shown = 0;
        }
        self.not_shown += u64::from(shown.is_err());
    }

    /// Returns true if journald has taken the line.
    fn write_to_journal(&mut self, record: &Record) -> bool {
        let journal = self.journal.as_mut();
        journal.is_some_and(|journal| journal.write(&self.name, record).is_ok())
    }

    fn flush(&mut self) {
        let Some(file) = &mut self.file else { return };
        match file.file.flush() {
            Ok(()) if file.lost == 0 && file.file.is_open() => file.failing = false,
            Ok(()) => {}
            Err(error) => self.note_failure(Err(error)),
        }
    }

    /// Reports an error of the file, unless the write before has failed, too.
    fn note_failure(&mut self, result: io::Result<()>) {
        let (Err(error), Some(file)) = (result, &mut self.file) else {
            return;
        };
        if !std::mem::replace(&mut file.failing, true) {
            let failure = file_failure(file.file.path(), &error, "lines are lost");
            self.report(failure);
        }
    }

    fn report_dropped(&mut self) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let text = format!("{} dropped", Counted(dropped, "log line"));
            let sinks = self.levels.sinks(Level::Warn);
            self.write(&Record::new(Level::Warn, sinks, text));
        }
    }

    /// Writes an error to stderr, even if the console is off: in the format of the console if that
    /// shows errors.
    fn report(&mut self, text: String) {
        let record = Record::new(Level::Error, self.levels.sinks(Level::Error), text);
        if self.write_to_journal(&record) {
            return;
        }
        let line = match &mut self.console {
            Some(console) if record.sinks.console => {
                let time = record.time.to_zoned(TimeZone::system());
                console.format(&self.name, &record, &time)
            }
            _ => &format!("{}: {}\n", self.name, record.message),
        };
        let _ = self.stderr.write_all(line.as_bytes());
    }
}

/// The format of the lines of a sink.
pub(super) struct LineFormat {
    pattern: Pattern,
    colours: bool,
    /// The time of the previous line.
    previous: Timestamp,
    /// The last line. Kept so that its memory is used again.
    line: String,
}

impl LineFormat {
    pub(super) fn new(pattern: Pattern, colours: bool) -> Self {
        Self {
            pattern,
            colours,
            previous: Timestamp::now(),
            line: String::new(),
        }
    }

    /// Formats a record as a line with its newline.
    fn format(&mut self, name: &str, record: &Record, time: &Zoned) -> &str {
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

/// The file and the format of its lines.
pub(super) struct FileWriter {
    layout: LineFormat,
    file: RotatingFile,
    /// True if the last write or flush failed.
    failing: bool,
    /// The number of lines that could not be written since one could.
    lost: u64,
}

impl FileWriter {
    /// Opens the file. If that fails, returns the text to report, too; each line tries again.
    pub(super) fn open(sink: FileSink) -> (Self, Option<String>) {
        let mut file = RotatingFile::new(sink.path, sink.max_size, sink.max_files);
        let error = file.open().err();
        let failure = |error| file_failure(file.path(), &error, "lines are lost");
        let failure = error.map(failure);
        let this = Self {
            layout: LineFormat::new(sink.pattern, false),
            failing: failure.is_some(),
            file,
            lost: 0,
        };
        (this, failure)
    }

    /// Writes a record as a line, behind one that tells how many are lost if some are.
    fn write(&mut self, name: &str, record: &Record, time: &Zoned) -> io::Result<()> {
        if self.lost > 0 {
            let text = format!("{} lost", Counted(self.lost, "log line"));
            let note = Record::new(Level::Warn, record.sinks, text);
            self.write_line(name, &note, time)?;
            self.lost = 0;
        }
        self.write_line(name, record, time)
    }

    fn write_line(&mut self, name: &str, record: &Record, time: &Zoned) -> io::Result<()> {
        let line = self.layout.format(name, record, time);
        self.file
            .write(line.as_bytes())
            .map_err(|failure| match failure {
                Failure::NotWritten(error) => {
                    self.lost += 1;
                    error
                }
                Failure::NotRotated(error) => error,
            })
    }
}

fn file_failure(path: &Path, error: &dyn fmt::Display, then: &str) -> String {
    LineText::new(format_args!("log file {}: {error}; {then}", path.display())).into_string()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::log::record::Sinks;

    #[test]
    fn each_line_has_the_time_since_the_previous_one() {
        let mut layout = LineFormat::new(Pattern::parse("%o"), false);
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
            let line = layout.format("", &record, &time).trim_end().to_owned();
            assert!(expected.is_empty() || line == expected, "{line}");
        }
    }
}

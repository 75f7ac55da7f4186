//! Turns `tracing` events into records in the writer's queue.

use std::{
    fmt::{self, Debug, Write},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

use crossbeam_channel::{Sender, TrySendError};
use jiff::Timestamp;
use tracing::{
    Event, Metadata,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
};

use super::{Level, RecentLine, RecentLines};

/// The largest number of bytes of a message. The rest is cut off.
const MAX_MESSAGE: usize = 8192;

/// The start of the driver's own module paths.
const OWN: &str = env!("CARGO_CRATE_NAME");

/// A message to the writer thread.
#[derive(Debug)]
pub(super) enum Message {
    Record(Record),
    /// The writer is to end, after it has written the records before this.
    Stop,
}

/// A line before it is formatted.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) level: Level,
    pub(super) sinks: Sinks,
    pub(super) time: Timestamp,
    pub(super) thread: i32,
    /// The callsite, `None` for lines of the writer itself.
    pub(super) metadata: Option<&'static Metadata<'static>>,
    pub(super) message: String,
}

impl Record {
    /// Makes a record with the present time and the calling thread.
    pub(super) fn new(level: Level, sinks: Sinks, message: String) -> Self {
        Self {
            level,
            sinks,
            time: Timestamp::now(),
            thread: nix::unistd::gettid().as_raw(),
            metadata: None,
            message,
        }
    }
}

/// The sinks that a record is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sinks {
    pub(super) console: bool,
    pub(super) file: bool,
}

/// The levels of the sinks, off for a sink that there is not. They may change at any time.
#[derive(Debug)]
pub(super) struct Levels {
    console: AtomicU8,
    file: AtomicU8,
}

impl Levels {
    pub(super) fn new(console: Level, file: Level) -> Self {
        Self {
            console: AtomicU8::new(console as u8),
            file: AtomicU8::new(file as u8),
        }
    }

    pub(super) fn console(&self) -> Level {
        Level::from_number(self.console.load(Ordering::Relaxed))
    }

    pub(super) fn file(&self) -> Level {
        Level::from_number(self.file.load(Ordering::Relaxed))
    }

    pub(super) fn set_console(&self, level: Level) {
        self.console.store(level as u8, Ordering::Relaxed);
    }

    pub(super) fn set_file(&self, level: Level) {
        self.file.store(level as u8, Ordering::Relaxed);
    }

    pub(super) fn sinks(&self, level: Level) -> Sinks {
        Sinks {
            console: level >= self.console(),
            file: level >= self.file(),
        }
    }

    fn most_verbose(&self) -> Level {
        self.console().min(self.file())
    }
}

/// Puts the events that a sink shows into the queue, without waiting.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) levels: Arc<Levels>,
    pub(super) queue: Sender<Message>,
    /// Keeps the last warnings and errors.
    pub(super) recent: RecentLines,
    /// Counts the records for which the queue was full.
    pub(super) dropped: Arc<AtomicU64>,
}

/// The provided `register_callsite` keeps what `enabled` returns with each callsite, so that a
/// level that no sink shows costs one load. `enabled` is called again when a level changes.
impl tracing::Subscriber for Subscriber {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let module = metadata.module_path().unwrap_or(metadata.target());
        !metadata.is_span()
            && Level::of(metadata) >= self.levels.most_verbose()
            && (*metadata.level() <= tracing::Level::WARN || module.starts_with(OWN))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.levels.most_verbose().into())
    }

    fn event(&self, event: &Event<'_>) {
        let level = Level::of(event.metadata());
        let sinks = self.levels.sinks(level);
        if !sinks.console && !sinks.file {
            return;
        }
        let mut visitor = MessageVisitor::default();
        event.record(&mut visitor);
        let record = Record {
            metadata: Some(event.metadata()),
            ..Record::new(level, sinks, visitor.finish())
        };
        if level >= Level::Warn {
            self.recent.add(RecentLine {
                time: record.time,
                level,
                message: record.message.clone(),
            });
        }
        if let Err(TrySendError::Full(_)) = self.queue.try_send(Message::Record(record)) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    // Spans are ignored: `enabled` returns false for them.

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// Text of limited length for one line. Escapes control characters and those that change the
/// direction of writing, so that text of a client cannot forge lines.
#[derive(Debug, Default)]
pub(super) struct LineText {
    text: String,
    cut: bool,
}

impl LineText {
    pub(super) fn new(text: fmt::Arguments<'_>) -> Self {
        let mut this = Self::default();
        this.add(text);
        this
    }

    pub(super) fn into_string(self) -> String {
        self.text
    }

    fn add(&mut self, text: fmt::Arguments<'_>) {
        // An error says that the text was cut.
        let _ = self.write_fmt(text);
    }

    fn push(&mut self, text: &str) -> fmt::Result {
        let room = MAX_MESSAGE.saturating_sub(self.text.len());
        if !self.cut && text.len() <= room {
            self.text.push_str(text);
            return Ok(());
        }
        if !self.cut {
            self.text.push_str(&text[..text.floor_char_boundary(room)]);
            self.text.push('…');
            self.cut = true;
        }
        Err(fmt::Error)
    }
}

impl Write for LineText {
    fn write_str(&mut self, mut text: &str) -> fmt::Result {
        let forbidden = |c: char| {
            c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        while let Some((index, c)) = text.char_indices().find(|&(_, c)| forbidden(c)) {
            self.push(&text[..index])?;
            for escaped in c.escape_default() {
                self.push(escaped.encode_utf8(&mut [0; 4]))?;
            }
            text = &text[index + c.len_utf8()..];
        }
        self.push(text)
    }
}

/// Collects the message, and the fields as ` key=value` to follow it.
#[derive(Default)]
struct MessageVisitor {
    message: LineText,
    fields: LineText,
}

impl MessageVisitor {
    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if field.name() == "message" {
            self.message.add(value);
        } else {
            self.fields.add(format_args!(" {}={value}", field.name()));
        }
    }

    fn finish(self) -> String {
        let (mut message, fields) = (self.message.text, self.fields.text);
        message.push_str(if message.is_empty() {
            fields.trim_start()
        } else {
            &fields
        });
        message
    }
}

impl Visit for MessageVisitor {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.add(field, format_args!("{value}"));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        for (text, expected) in [
            ("plain Grüße", "plain Grüße"),
            ("a\nb\r\nc\td", "a\\nb\\r\\nc\\td"),
            ("\u{1b}[31mred\u{7f}\0", "\\u{1b}[31mred\\u{7f}\\u{0}"),
            ("\u{85}\u{9b}x", "\\u{85}\\u{9b}x"),
            ("\u{2028}\u{202e}\u{2066}", "\\u{2028}\\u{202e}\\u{2066}"),
            ("C:\\new", "C:\\new"),
            ("", ""),
        ] {
            assert_eq!(
                LineText::new(format_args!("{text}")).into_string(),
                expected
            );
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let fits = "x".repeat(MAX_MESSAGE);
        assert_eq!(LineText::new(format_args!("{fits}")).into_string(), fits);
        let text = LineText::new(format_args!("x{}tail", "é".repeat(MAX_MESSAGE))).into_string();
        assert_eq!(text.len(), MAX_MESSAGE - 1 + '…'.len_utf8());
        assert!(text.starts_with("xé") && text.ends_with("é…"));
    }

    proptest! {
        #[test]
        fn any_text_is_one_line_of_limited_length(pieces in prop::collection::vec("(?s).{0,3000}", 0..6)) {
            let mut line = LineText::default();
            for piece in &pieces {
                line.add(format_args!("{piece}"));
            }
            let text = line.into_string();
            prop_assert!(!text.chars().any(char::is_control));
            prop_assert!(text.len() <= MAX_MESSAGE + '…'.len_utf8());
        }
    }
}

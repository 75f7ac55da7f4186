//! Captures log lines in tests.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Subscriber,
    dispatcher::{self, Dispatch},
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, SubscriberExt},
};

/// Captures the log of the calling thread while it lives. A line has the level and the message.
pub(crate) struct TestLog {
    lines: Arc<Mutex<Vec<String>>>,
    /// As long as there is a single dispatcher, `tracing` asks only that of the thread which comes
    /// to a line first. If that is the thread of a test without a log, nobody gets the line.
    _twin: Dispatch,
    _guard: dispatcher::DefaultGuard,
}

impl TestLog {
    pub(crate) fn start() -> Self {
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let subscriber = Registry::default().with(Lines(Arc::clone(&lines)));
        Self {
            lines,
            _twin: Dispatch::new(Registry::default()),
            _guard: dispatcher::set_default(&Dispatch::new(subscriber)),
        }
    }

    /// Returns the lines since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }
}

struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message(format!("{} ", event.metadata().level()));
        event.record(&mut message);
        self.0.lock().unwrap().push(message.0);
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 += &format!("{value:?}");
        }
    }
}

//! The results of operations.

use crate::event::Event;

/// The result of an operation that succeeded.
#[derive(Debug)]
pub(super) enum Reply {
    /// Success without a value.
    Success,
    /// A session.
    Session {
        /// Its id, 32 hex digits.
        sid: String,
        /// The number of events that are kept for it.
        events: usize,
    },
    /// Events that were kept.
    Events(Taken),
}

/// Events that were kept for a session.
#[derive(Debug)]
pub(super) struct Taken {
    /// The number that was asked for.
    pub(super) requested: usize,
    /// The number that were kept before.
    pub(super) available: usize,
    /// The oldest of them, which are not kept any more.
    pub(super) events: Vec<Event>,
}

impl Taken {
    /// Returns the sentence about it in the reply to readevent.
    pub(super) fn info(&self) -> String {
        format!(
            "{} events requested of {} available (unfiltered) {} will be retrieved",
            self.requested,
            self.available,
            self.events.len()
        )
    }
}

/// The error of an operation, with the codes of the VSCP REST interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RestError {
    InvalidSession = -2,
    UnsupportedFormat = -3,
    NoSession = -4,
    MissingData = -5,
    QueueEmpty = -6,
    NoVariable = -7,
    NoNewVariable = -8,
    NoRoom = -10,
    NoTable = -11,
    Range = -13,
    InvalidUser = -14,
    InvalidOrigin = -15,
    InvalidPassword = -16,
}

impl RestError {
    /// Returns its code.
    pub(super) fn code(self) -> i8 {
        self as i8
    }

    /// Returns its name.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::InvalidSession => "Invalid session",
            Self::UnsupportedFormat => "Unsupported format",
            Self::NoSession => "Unable to create session",
            Self::MissingData => "Missing data",
            Self::QueueEmpty => "Input queue empty",
            Self::NoVariable => "Variable not found",
            Self::NoNewVariable => "Variable could not be created",
            Self::NoRoom => "No room in queue",
            Self::NoTable => "Table does not exist",
            Self::Range => "Range error",
            Self::InvalidUser => "Invalid user",
            Self::InvalidOrigin => "Invalid origin",
            Self::InvalidPassword => "Invalid password",
        }
    }
}

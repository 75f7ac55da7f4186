//! What operations answer.

use crate::{auth::Refusal, event::Event};

/// What an operation that succeeded answers.
#[derive(Debug)]
pub(super) enum Reply {
    /// Nothing more.
    Done,
    /// About a session.
    Session {
        /// 32 hex digits.
        sid: String,
        /// How many events are kept for it.
        events: usize,
    },
    /// Events that were kept.
    Events(Taken),
}

/// Events that were kept for a session.
#[derive(Debug)]
pub(super) struct Taken {
    /// How many were asked for.
    pub(super) requested: usize,
    /// How many there were.
    pub(super) available: usize,
    /// The oldest of them.
    pub(super) events: Vec<Event>,
}

impl Taken {
    /// What readevent says about it.
    pub(super) fn info(&self) -> String {
        format!(
            "{} events requested of {} available (unfiltered) {} will be retrieved",
            self.requested,
            self.available,
            self.events.len()
        )
    }
}

/// Why an operation failed: the error codes of REST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
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

impl Failure {
    /// The number that stands for it.
    pub(super) fn code(self) -> i8 {
        self as i8
    }

    /// What it is called.
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

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::User => Self::InvalidUser,
            Refusal::Address => Self::InvalidOrigin,
            Refusal::Password => Self::InvalidPassword,
            Refusal::Busy => Self::NoSession,
        }
    }
}

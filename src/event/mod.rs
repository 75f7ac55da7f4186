//! The VSCP event and its forms.
//!
//! An [`Event`] is the value that everything else passes around. Its text form (ws1) is in
//! [`text`], its JSON form (ws2) in [`json`]; [`guid`], [`time`] and [`filter`] are its parts.
//! Nothing here knows of sockets, tasks or the host.

pub mod filter;
pub mod guid;
pub mod json;
pub mod text;
pub mod time;

use std::{num::NonZeroU64, ops::Deref};

use smallvec::SmallVec;

pub use self::{
    filter::Filter,
    guid::Guid,
    time::{Clock, Date},
};

/// The largest number of data bytes of an event.
pub const MAX_DATA: usize = 512;

/// Bits of [`Event::head`] that hold the frame version.
pub const HEAD_FRAME_VERSION: u16 = 0x0300;

/// Frame version 1: the time is nanoseconds since 1970.
pub const HEAD_UNIX_NS: u16 = 0x0100;

/// One VSCP event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Priority (0xE0), hard-coded nickname (0x10), no CRC (0x08), rolling index (0x07), GUID
    /// type (0x7000), dumb node (0x8000). The frame version bits of version 1 are never kept
    /// here: `unix_ns` says it.
    pub head: u16,
    /// VSCP class.
    pub class: u16,
    /// VSCP type.
    pub kind: u16,
    /// Id of the connection that the event came in on.
    pub obid: u32,
    /// Date and time in UTC, to the second; `None` where it is not set.
    pub date: Option<Date>,
    /// Time stamp in µs, 0 where it is not set.
    pub timestamp: u32,
    /// Nanoseconds since 1970, for events that came with frame version 1.
    pub unix_ns: Option<NonZeroU64>,
    /// Who sent it.
    pub guid: Guid,
    /// 0 to [`MAX_DATA`] bytes.
    pub data: Data,
}

impl Event {
    /// The priority, 0 (highest) to 7.
    pub fn priority(&self) -> u8 {
        (self.head >> 5) as u8 & 7
    }

    /// Sets the priority, 0 (highest) to 7.
    pub fn set_priority(&mut self, priority: u8) {
        self.head = self.head & !0xE0 | u16::from(priority & 7) << 5;
    }

    /// Fills what a client may leave out: GUID, date and time stamp.
    pub fn complete(&mut self, driver: Guid, clock: &Clock) {
        if self.guid.is_zero() {
            self.guid = driver;
        }
        if self.date.is_none() {
            self.date = Some(Date::now());
        }
        if self.timestamp == 0 {
            self.timestamp = clock.micros();
        }
    }
}

/// The data bytes of an event: never more than [`MAX_DATA`], few of them without an allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Data(SmallVec<[u8; 16]>);

impl Data {
    /// No data.
    pub const fn new() -> Self {
        Self(SmallVec::new_const())
    }

    /// Copies `bytes`; `None` where there are more than [`MAX_DATA`].
    pub fn copy_from(bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= MAX_DATA).then(|| Self(SmallVec::from_slice(bytes)))
    }

    /// Adds a byte; false (and nothing is added) where there are [`MAX_DATA`] already.
    #[must_use]
    pub fn push(&mut self, byte: u8) -> bool {
        let room = self.0.len() < MAX_DATA;
        if room {
            self.0.push(byte);
        }
        room
    }
}

impl Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Why an event's text or JSON was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{field}: found {found:?}, expected {expected}")]
pub struct EventError {
    /// The field that is wrong.
    pub field: &'static str,
    /// What was there, cut to a readable length.
    pub found: String,
    /// What should have been there.
    pub expected: &'static str,
}

impl EventError {
    /// An error whose `found` is cut to 40 characters.
    pub fn new(field: &'static str, found: &str, expected: &'static str) -> Self {
        Self {
            field,
            found: found.chars().take(40).collect(),
            expected,
        }
    }
}

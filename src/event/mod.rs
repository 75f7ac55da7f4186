//! VSCP events and their forms.
//!
//! An [`Event`] is the value that the other modules pass around. Its text form (ws1) is in
//! [`text`], its JSON form (ws2) in [`json`]. Nothing here knows sockets, tasks or the host.

mod date;
pub(crate) mod filter;
pub(crate) mod guid;
pub mod json;
mod layout;
pub mod measurement;
pub mod names;
pub mod text;
pub(crate) mod time;
mod value;

use std::{num::NonZeroU64, ops::Deref};

use smallvec::SmallVec;

pub use self::{
    date::{Date, DateError},
    filter::Filter,
    guid::Guid,
    layout::Layout,
    time::{BatchClock, Clock},
};

/// The largest number of data bytes of an event.
pub const MAX_DATA: usize = 512;

/// Bits of [`Event::head`] that hold the frame version.
pub const HEAD_FRAME_VERSION: u16 = 0x0300;

/// Frame version 1 in these bits: the time is nanoseconds since 1970.
pub const HEAD_UNIX_NS: u16 = 0x0100;

/// Returns a head as [`Event::head`] holds it: without the bits of frame version 1.
pub fn kept_head(head: u16) -> u16 {
    if head & HEAD_FRAME_VERSION == HEAD_UNIX_NS {
        head & !HEAD_FRAME_VERSION
    } else {
        head
    }
}

/// One VSCP event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Priority (0xE0), hard-coded nickname (0x10), no CRC (0x08), rolling index (0x07), frame
    /// version (0x0300), GUID type (0x7000), dumb node (0x8000). Frame version 1 is version 0 here,
    /// see [`kept_head`]: `unix_ns` has its time.
    pub head: u16,
    /// VSCP class.
    pub class: u16,
    /// VSCP type.
    pub kind: u16,
    /// Id of the connection that the event came from.
    pub obid: u32,
    /// Date and time in UTC, to the second; `None` if not set.
    pub date: Option<Date>,
    /// Time stamp in µs. 0 if not set, unless `unix_ns` is set.
    pub timestamp: u32,
    /// Nanoseconds since 1970, for events of frame version 1 and events that the driver dates.
    pub unix_ns: Option<NonZeroU64>,
    /// GUID of the sender.
    pub guid: Guid,
    /// 0 to [`MAX_DATA`] bytes.
    pub data: Data,
}

impl Event {
    /// Returns the priority, 0 (highest) to 7.
    pub fn priority(&self) -> u8 {
        (self.head >> 5) as u8 & 7
    }

    /// Sets the priority, 0 (highest) to 7.
    pub fn set_priority(&mut self, priority: u8) {
        self.head = self.head & !0xE0 | u16::from(priority & 7) << 5;
    }

    /// Sets the time to `ns` nanoseconds after 1970, and the time stamp to the low 32 bits of the
    /// microseconds. A date that is set stays.
    pub fn set_unix_ns(&mut self, ns: NonZeroU64) {
        self.unix_ns = Some(ns);
        self.timestamp = (ns.get() / 1000) as u32;
        self.date = self.date.or_else(|| Some(Date::from_unix_ns(ns.get())));
    }

    /// Sets the time stamp from a number of a client: microseconds, or nanoseconds since 1970 if it
    /// has more than 32 bits.
    fn set_timestamp(&mut self, number: u64) {
        match NonZeroU64::new(number) {
            Some(ns) if number > u64::from(u32::MAX) => self.set_unix_ns(ns),
            _ => self.timestamp = number as u32,
        }
    }

    /// Sets the time stamp to the microseconds of `clock` if it is not set. A time stamp of 0 that
    /// nanoseconds gave is set.
    pub fn complete_timestamp(&mut self, clock: impl FnOnce() -> u32) {
        if self.timestamp == 0 && self.unix_ns.is_none() {
            self.timestamp = clock();
        }
    }

    /// Returns true if an event in `layout` can hold the time of this event: nanoseconds since
    /// 1970 are 64 bits without a sign, so the unix-ns layout has the dates from 1970-01-01 to
    /// 2554-07-21 only.
    pub fn has_time_for(&self, layout: Layout) -> bool {
        layout == Layout::Classic
            || self.unix_ns.is_some()
            || self.date.is_none_or(|date| date.to_unix_ns().is_some())
    }

    /// Sets the fields that a client may leave out: GUID, date and time stamp.
    pub fn complete(&mut self, driver: Guid, clock: &BatchClock) {
        if self.guid.is_zero() {
            self.guid = driver;
        }
        self.complete_timestamp(|| clock.micros());
        if self.date.is_none() {
            let now = clock.unix_ns();
            self.date = Some(Date::from_unix_ns(now));
            self.unix_ns = self.unix_ns.or(NonZeroU64::new(now));
        }
    }
}

/// The data bytes of an event, at most [`MAX_DATA`]. A few need no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Data(SmallVec<[u8; 16]>);

impl Data {
    /// Makes empty data.
    pub const fn new() -> Self {
        Self(SmallVec::new_const())
    }

    /// Copies `bytes`. Returns `None` if there are more than [`MAX_DATA`].
    pub fn copy_from(bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= MAX_DATA).then(|| Self(SmallVec::from_slice(bytes)))
    }

    /// Appends a byte. Returns false, and appends nothing, if there are [`MAX_DATA`] already.
    #[must_use]
    pub fn push(&mut self, byte: u8) -> bool {
        let has_room = self.0.len() < MAX_DATA;
        if has_room {
            self.0.push(byte);
        }
        has_room
    }
}

impl Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// A field that is wrong in the text or JSON of an event.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{field}: found {found:?}, expected {expected}")]
pub struct EventError {
    /// The field that is wrong.
    pub field: &'static str,
    /// The text of the field, cut to a readable length.
    pub found: String,
    /// The values that the field may have.
    pub expected: &'static str,
}

impl EventError {
    /// Makes an error, with `found` cut to 40 characters.
    pub fn new(field: &'static str, found: &str, expected: &'static str) -> Self {
        Self {
            field,
            found: found.chars().take(40).collect(),
            expected,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    /// Generates events without nanoseconds.
    pub(crate) fn any_event() -> impl Strategy<Value = Event> {
        let date = (0..=u64::MAX).prop_map(Date::from_unix_ns);
        (
            any::<(u16, u16, u16, u32, u32)>(),
            option::of(date),
            any::<[u8; 16]>(),
            vec(any::<u8>(), 0..40),
        )
            .prop_map(
                |((head, class, kind, obid, timestamp), date, guid, data)| Event {
                    head: kept_head(head),
                    class,
                    kind,
                    obid,
                    date,
                    timestamp,
                    unix_ns: None,
                    guid: Guid(guid),
                    data: Data::copy_from(&data).unwrap(),
                },
            )
    }

    /// Changes `text`: characters are inserted or replaced, or up to 8 are cut off at the end.
    pub(crate) fn mutate(text: &str, changes: &[(usize, u8, char)]) -> String {
        let mut characters: Vec<char> = text.chars().collect();
        for (index, change, character) in changes {
            let index = index % (characters.len() + 1);
            match change % 3 {
                0 => characters.insert(index, *character),
                1 => characters.truncate(index.max(characters.len().saturating_sub(8))),
                _ if index < characters.len() => characters[index] = *character,
                _ => characters.push(*character),
            }
        }
        characters.into_iter().collect()
    }

    fn unset() -> Event {
        Event {
            head: 0,
            class: 10,
            kind: 6,
            obid: 0,
            date: None,
            timestamp: 0,
            unix_ns: None,
            guid: Guid::ZERO,
            data: Data::new(),
        }
    }

    #[test]
    fn the_priority_is_three_bits_of_the_head() {
        let mut event = unset();
        event.head = 0x909F;
        assert_eq!(event.priority(), 4);
        event.set_priority(7);
        assert_eq!((event.priority(), event.head), (7, 0x90FF));
        event.set_priority(0);
        assert_eq!((event.priority(), event.head), (0, 0x901F));
    }

    #[test]
    fn only_fields_that_are_not_set_are_completed() {
        let clock = Clock::start();
        let driver = Guid([7; 16]);
        let mut event = unset();
        event.complete(driver, &clock.batch_clock());
        assert_eq!(event.guid, driver);
        assert!(event.timestamp > 0);
        assert!(event.date.unwrap().year() >= 2025);

        let mut complete = Event {
            guid: Guid([1; 16]),
            date: Date::new(2020, 1, 2, 3, 4, 5),
            timestamp: 1,
            ..unset()
        };
        let before = complete.clone();
        complete.complete(driver, &clock.batch_clock());
        assert_eq!(complete, before);
    }

    #[test]
    fn nanoseconds_give_the_time_stamp_and_a_missing_date() {
        let ns = NonZeroU64::new(1_580_158_075_123_456_789).unwrap();
        let micros = 1_580_158_075_123_456_u64 as u32;
        let mut event = unset();
        event.set_unix_ns(ns);
        assert_eq!((event.unix_ns, event.timestamp), (Some(ns), micros));
        assert_eq!(event.date, Date::new(2020, 1, 27, 20, 47, 55));

        event.date = Date::new(2000, 1, 1, 0, 0, 0);
        event.set_unix_ns(ns);
        assert_eq!(event.date, Date::new(2000, 1, 1, 0, 0, 0));
    }

    #[test]
    fn a_time_stamp_of_0_that_nanoseconds_gave_stays() {
        let mut event = unset();
        event.set_unix_ns(NonZeroU64::new(1000 << 32).unwrap());
        event.complete(Guid::ZERO, &Clock::start().batch_clock());
        assert_eq!(event.timestamp, 0);
        event.complete_timestamp(|| 7);
        assert_eq!(event.timestamp, 0);
        let mut event = unset();
        event.complete_timestamp(|| 7);
        assert_eq!(event.timestamp, 7);
    }

    #[test]
    fn only_the_unix_ns_layout_limits_the_date() {
        for (date, fits) in [
            (None, true),
            (Date::new(1969, 12, 31, 23, 59, 59), false),
            (Date::new(1970, 1, 1, 0, 0, 0), true),
            (Date::new(2554, 7, 21, 23, 34, 33), true),
            (Date::new(2554, 7, 21, 23, 34, 34), false),
        ] {
            let mut event = unset();
            event.date = date;
            assert_eq!(event.has_time_for(Layout::UnixNs), fits, "{date:?}");
            assert!(event.has_time_for(Layout::Classic));
            event.unix_ns = NonZeroU64::new(1);
            assert!(event.has_time_for(Layout::UnixNs));
        }
    }

    #[test]
    fn only_the_bits_of_frame_version_1_leave_the_head() {
        for (head, kept) in [
            (0x0100, 0),
            (0xF1FF, 0xF0FF),
            (0x0200, 0x0200),
            (0x0300, 0x0300),
            (0xF0FF, 0xF0FF),
        ] {
            assert_eq!(kept_head(head), kept, "{head:#x}");
        }
    }

    #[test]
    fn data_has_at_most_512_bytes() {
        assert_eq!(Data::copy_from(&[1; 512]).unwrap().len(), 512);
        assert_eq!(Data::copy_from(&[1; 513]), None);
        let mut data = Data::copy_from(&[1; 511]).unwrap();
        assert!(data.push(2));
        assert!(!data.push(3));
        assert_eq!((data.len(), data.last()), (512, Some(&2)));
    }
}

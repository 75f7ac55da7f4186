//! The mapping between CAN frames and events (VSCP specification, VSCP over CAN).
//!
//! The 29 bits of an identifier, from the most significant: priority (3), hard-coded nickname (1),
//! class (9), type (8), nickname (8).

use std::num::NonZeroU64;

use super::frame::{Frame, MAX_CLASSIC_DATA, MAX_FD_DATA};
use crate::event::{Data, Event, Guid};

/// The lowest bits of the fields of an identifier.
pub(super) const PRIORITY: u32 = 26;
const HARD_CODED: u32 = 25;
pub(super) const CLASS: u32 = 16;
pub(super) const KIND: u32 = 8;

/// The bit of the head for a hard-coded nickname.
const HEAD_HARD_CODED: u16 = 0x10;

/// The first of the classes 512 to 1023, which are the classes 0 to 511 with the GUID of the
/// addressed bus in front of the data (VSCP specification, level I events over level II).
const FIRST_ADDRESSED: u16 = 512;

/// The first class that never goes on a CAN bus.
const FIRST_LEVEL_2: u16 = 1024;

/// The size of that GUID.
const ADDRESS_SIZE: usize = 16;

/// The bytes of a GUID that name the bus. The last is the nickname of a node.
pub(super) const BUS_GUID_SIZE: usize = 15;

/// The reason that an event does not go on a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMapped {
    /// The class is one of level II, which CAN does not have.
    #[error("class {0} is over 1023")]
    Level2(u16),
    /// The event addresses another bus.
    #[error("it is for another bus")]
    OtherBus,
    /// The type does not fit into an identifier.
    #[error("type {0} is over 255")]
    Type(u16),
    /// The data does not fit into a frame.
    #[error("{0} data bytes do not fit into a frame")]
    TooMuchData(usize),
    /// The class is one of 512 to 1023, and the data is too short for the GUID of a bus.
    #[error("{0} data bytes are too short for the GUID of a bus")]
    NoBusGuid(usize),
}

impl NotMapped {
    /// Returns true if the event was meant for a bus and cannot go there. Events of level II and
    /// for another bus are not meant for this bus.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Level2(_) | Self::OtherBus)
    }
}

/// Maps a frame, received `ns` nanoseconds after 1970 on the bus with this GUID, to an event.
/// Returns `None` for frames that are not VSCP.
pub fn to_event(frame: &Frame, bus_guid: Guid, ns: u64) -> Option<Event> {
    let id = frame.extended_id()?;
    let mut guid = bus_guid;
    guid.0[15] = id as u8;
    let hard_coded = if id >> HARD_CODED & 1 == 1 {
        HEAD_HARD_CODED
    } else {
        0
    };
    let mut event = Event {
        head: ((id >> PRIORITY) as u16) << 5 | hard_coded,
        class: (id >> CLASS) as u16 & 0x1FF,
        kind: (id >> KIND) as u16 & 0xFF,
        obid: 0,
        date: None,
        timestamp: 0,
        unix_ns: None,
        guid,
        data: Data::copy_from(frame.data())?,
    };
    if let Some(ns) = NonZeroU64::new(ns) {
        event.set_unix_ns(ns);
    }
    Some(event)
}

/// Maps an event to a frame for the bus with this GUID. `fd` is true if the bus has CAN FD frames.
///
/// # Errors
/// The reason that the event does not go on this bus.
pub fn to_frame(event: &Event, bus_guid: &Guid, fd: bool) -> Result<Frame, NotMapped> {
    let (class, data, fd) = match event.class {
        class @ ..FIRST_ADDRESSED => (class, &event.data[..], fd),
        FIRST_LEVEL_2.. => return Err(NotMapped::Level2(event.class)),
        class => {
            let Some((address, data)) = event.data.split_at_checked(ADDRESS_SIZE) else {
                return Err(NotMapped::NoBusGuid(event.data.len()));
            };
            if address[..BUS_GUID_SIZE] != bus_guid.0[..BUS_GUID_SIZE] {
                return Err(NotMapped::OtherBus);
            }
            (class - FIRST_ADDRESSED, data, false)
        }
    };
    if event.kind > 0xFF {
        return Err(NotMapped::Type(event.kind));
    }
    let id = u32::from(event.priority()) << PRIORITY
        | u32::from(event.head & HEAD_HARD_CODED != 0) << HARD_CODED
        | u32::from(class) << CLASS
        | u32::from(event.kind) << KIND
        | u32::from(event.guid.0[15]);
    match data.len() {
        ..=MAX_CLASSIC_DATA => Frame::classic(id, data),
        ..=MAX_FD_DATA if fd => Frame::fd(id, data),
        _ => None,
    }
    .ok_or(NotMapped::TooMuchData(data.len()))
}

#[cfg(test)]
mod tests {
    use libc::CAN_EFF_MASK;
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::event::{tests::any_event, text};

    const BUS_GUID: &str = "FF:FF:FF:FF:FF:FF:FF:F5:33:33:00:00:00:00:00:00";

    fn bus_guid() -> Guid {
        BUS_GUID.parse().unwrap()
    }

    fn hex(text: &str) -> u32 {
        u32::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
    }

    /// The lines of the vectors that start with `direction`, as fields.
    fn vectors(direction: &str) -> impl Iterator<Item = Vec<&'static str>> {
        include_str!("../../tests/vectors/can.tsv")
            .lines()
            .map(|line| line.split('\t').collect::<Vec<_>>())
            .filter(move |fields| fields[0] == direction)
    }

    #[test]
    fn received_frames_are_the_events_of_the_vectors() {
        let mut count = 0;
        for fields in vectors("rx") {
            let [_, id, priority, hard_coded, class, kind, nickname, head] =
                fields.clone().try_into().unwrap();
            let frame = Frame::classic(hex(id), &[1, 2]).unwrap();
            let event = to_event(&frame, bus_guid(), 1_580_158_075_123_456_789).unwrap();
            assert_eq!(event.priority().to_string(), priority, "{fields:?}");
            assert_eq!(u32::from(event.head), hex(head), "{fields:?}");
            assert_eq!((event.head >> 4 & 1).to_string(), hard_coded, "{fields:?}");
            assert_eq!(event.class.to_string(), class, "{fields:?}");
            assert_eq!(event.kind.to_string(), kind, "{fields:?}");
            let mut guid = bus_guid();
            guid.0[15] = hex(nickname) as u8;
            assert_eq!(event.guid, guid, "{fields:?}");
            assert_eq!(event.data[..], [1, 2]);
            assert_eq!(event.obid, 0);
            assert_eq!(event.timestamp, 1_580_158_075_123_456_u64 as u32);
            assert_eq!(event.date.unwrap().to_string(), "2020-01-27T20:47:55Z");
            assert_eq!(
                to_frame(&event, &bus_guid(), false),
                Ok(frame),
                "{fields:?}"
            );
            count += 1;
        }
        assert_eq!(count, 10);
    }

    #[test]
    fn events_are_the_frames_of_the_vectors_or_refused() {
        let mut count = 0;
        for fields in vectors("tx") {
            let [_, head, class, kind, nickname, length, id, data, result] =
                fields.clone().try_into().unwrap();
            let mut guid = Guid([0x77; 16]);
            guid.0[15] = hex(nickname) as u8;
            let length: u8 = length.parse().unwrap();
            let mut bytes: Vec<u8> = (0..length).collect();
            let class: u16 = class.parse().unwrap();
            if (512..1024).contains(&class) {
                bytes[..16].copy_from_slice(&bus_guid().0);
            }
            let event = Event {
                head: hex(head) as u16,
                class,
                kind: kind.parse().unwrap(),
                guid,
                data: Data::copy_from(&bytes).unwrap(),
                ..text::parse("0,0,0,,,,-").unwrap()
            };
            let frame = to_frame(&event, &bus_guid(), false);
            if result == "refuse" {
                assert!(frame.is_err(), "{fields:?}");
            } else {
                let data = data.replace([' ', '-'], "");
                assert_eq!(frame.unwrap().to_string(), format!("{id}#{data}"));
            }
            count += 1;
        }
        assert_eq!(count, 13);
    }

    #[test]
    fn events_that_do_not_go_on_a_bus_say_why() {
        let address: String = bus_guid().0.map(|byte| format!(",{byte}")).concat();
        let elsewhere = address.replacen(",51", ",52", 1);
        let bytes = |count: usize| ",1".repeat(count);
        for (event, fd, why) in [
            ("1024,1,,,,-".to_owned(), true, NotMapped::Level2(1024)),
            ("65535,999,,,,-".to_owned(), true, NotMapped::Level2(65_535)),
            ("10,256,,,,-".to_owned(), true, NotMapped::Type(256)),
            (
                format!("10,1,,,,-{}", bytes(9)),
                false,
                NotMapped::TooMuchData(9),
            ),
            (
                format!("10,1,,,,-{}", bytes(65)),
                true,
                NotMapped::TooMuchData(65),
            ),
            (
                format!("522,1,,,,-{}", bytes(15)),
                true,
                NotMapped::NoBusGuid(15),
            ),
            (
                format!("1023,300,,,,-{elsewhere}"),
                true,
                NotMapped::OtherBus,
            ),
            (format!("522,256,,,,-{address}"), true, NotMapped::Type(256)),
            (
                format!("522,1,,,,-{address}{}", bytes(9)),
                true,
                NotMapped::TooMuchData(9),
            ),
        ] {
            let event = text::parse(&format!("0,{event}")).unwrap();
            assert_eq!(to_frame(&event, &bus_guid(), fd), Err(why), "{event:?}");
            let meant_for_a_bus = !matches!(why, NotMapped::Level2(_) | NotMapped::OtherBus);
            assert_eq!(why.is_refusal(), meant_for_a_bus);
        }
    }

    #[test]
    fn the_node_that_is_addressed_may_be_any() {
        let mut node = bus_guid();
        node.0[15] = 0x42;
        let mut data = node.0.to_vec();
        data.push(9);
        let mut event = text::parse("0x60,512,9,,,,-").unwrap();
        event.data = Data::copy_from(&data).unwrap();
        event.guid.0[15] = 3;
        let frame = to_frame(&event, &bus_guid(), false).unwrap();
        assert_eq!(frame.to_string(), "0C000903#09");
    }

    #[test]
    fn only_more_than_8_bytes_make_an_fd_frame() {
        for (length, frame) in [
            (8, "000A0600#0101010101010101"),
            (9, "000A0600##0010101010101010101000000"),
            (12, "000A0600##0010101010101010101010101"),
        ] {
            let text = format!("0,10,6,,,,-{}", ",1".repeat(length));
            let event = text::parse(&text).unwrap();
            let mapped = to_frame(&event, &bus_guid(), true).unwrap();
            assert_eq!(mapped.to_string(), frame);
        }
    }

    proptest! {
        #[test]
        fn every_identifier_goes_there_and_back(
            id in 0..=CAN_EFF_MASK,
            data in vec(any::<u8>(), 0..=8),
            guid: [u8; 16],
            ns: u64,
        ) {
            let frame = Frame::classic(id, &data).unwrap();
            let event = to_event(&frame, Guid(guid), ns).unwrap();
            prop_assert_eq!(&event.data[..], &data[..]);
            prop_assert_eq!(&event.guid.0[..15], &guid[..15]);
            prop_assert_eq!(to_frame(&event, &Guid(guid), false), Ok(frame));
            prop_assert_eq!(to_frame(&event, &Guid(guid), true), Ok(frame));
        }

        #[test]
        fn fd_frames_go_there_and_back(id in 0..=CAN_EFF_MASK, data in vec(any::<u8>(), 9..=64)) {
            let frame = Frame::fd(id, &data).unwrap();
            let event = to_event(&frame, bus_guid(), 1).unwrap();
            prop_assert_eq!(&event.data[..data.len()], &data[..]);
            prop_assert_eq!(to_frame(&event, &bus_guid(), true), Ok(frame));
            prop_assert!(to_frame(&event, &bus_guid(), false).is_err());
        }

        #[test]
        fn an_event_s_frame_says_the_same(mut event in any_event(), fd: bool) {
            event.class %= 600;
            event.kind %= 300;
            let Ok(frame) = to_frame(&event, &bus_guid(), fd) else {
                return Ok(());
            };
            let back = to_event(&frame, bus_guid(), 0).unwrap();
            prop_assert_eq!(back.head, event.head & 0xF0);
            prop_assert_eq!(back.class, event.class & 0x1FF);
            prop_assert_eq!(back.kind, event.kind);
            prop_assert_eq!(back.guid.0[15], event.guid.0[15]);
            prop_assert_eq!(&back.data[..event.data.len()], &event.data[..]);
        }
    }
}

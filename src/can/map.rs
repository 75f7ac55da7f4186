//! Which CAN frame is which event. Knows nothing of sockets.
//!
//! The 29 bits of an identifier: priority (3), hard-coded nickname (1), class (9), type (8),
//! nickname (8).

use std::num::NonZeroU64;

use libc::{CAN_EFF_FLAG, CAN_RTR_FLAG};

use super::frame::{Frame, MAX_CLASSIC_DATA, MAX_FD_DATA};
use crate::event::{Data, Event, Filter, Guid};

/// Where the fields stand in an identifier.
const PRIORITY: u32 = 26;
const HARD_CODED: u32 = 25;
const CLASS: u32 = 16;
const KIND: u32 = 8;

/// The bit of a head that says that the nickname is hard-coded.
const HEAD_HARD_CODED: u16 = 0x10;

/// The first class that does not fit into an identifier: this and the next 511 stand for the
/// classes from 0, sent to one interface.
const FIRST_ADDRESSED: u16 = 512;

/// The first class that never goes on a CAN bus.
const FIRST_LEVEL_2: u16 = 1024;

/// Bytes of a GUID at the start of the data of an event for one interface.
const ADDRESS: usize = 16;

/// Of these, the bytes that name the interface. The last names the node.
const INTERFACE: usize = 15;

/// Why an event does not go on a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMapped {
    /// A class that CAN does not have.
    #[error("class {0} is over 1023")]
    Level2(u16),
    /// It is for another interface.
    #[error("it is for another interface")]
    OtherInterface,
    /// A type that CAN does not have.
    #[error("type {0} is over 255")]
    Type(u16),
    /// More data than a frame can have.
    #[error("{0} data bytes are too many")]
    TooMuchData(usize),
    /// A class from 512 to 1023 and no GUID of an interface in the data.
    #[error("{0} data bytes hold no GUID of an interface")]
    NoInterface(usize),
}

impl NotMapped {
    /// Whether somebody will miss the event: it was meant for a bus and cannot go there.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Level2(_) | Self::OtherInterface)
    }
}

/// The event that a frame carries, received `ns` nanoseconds after 1970 on the interface with
/// this GUID; `None` for frames that are not VSCP.
pub fn to_event(frame: &Frame, interface: Guid, ns: u64) -> Option<Event> {
    let id = frame.extended_id()?;
    let mut guid = interface;
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

/// The frame that carries an event on the bus of the interface with this GUID. `fd` says whether
/// CAN FD frames are spoken there.
///
/// # Errors
/// Why it does not go there.
pub fn to_frame(event: &Event, interface: &Guid, fd: bool) -> Result<Frame, NotMapped> {
    let (class, data, fd) = match event.class {
        class @ ..FIRST_ADDRESSED => (class, &event.data[..], fd),
        FIRST_LEVEL_2.. => return Err(NotMapped::Level2(event.class)),
        class => {
            let Some((address, data)) = event.data.split_at_checked(ADDRESS) else {
                return Err(NotMapped::NoInterface(event.data.len()));
            };
            if address[..INTERFACE] != interface.0[..INTERFACE] {
                return Err(NotMapped::OtherInterface);
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

/// A filter of the kernel: a frame passes where its identifier, with the flags of the kernel in
/// the upper bits, equals `id` in all bits of `mask`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelFilter {
    /// What an identifier must have.
    pub id: u32,
    /// Where it must have it.
    pub mask: u32,
}

impl KernelFilter {
    /// What lets the frames pass whose events pass `filter`, given the GUID of the interface; `None`
    /// where there are none.
    pub fn new(filter: &Filter, interface: &Guid) -> Option<Self> {
        let Filter { value, mask } = filter;
        // What frames cannot have is the same for all of them.
        let of_interface =
            |index: usize| (value.guid.0[index] ^ interface.0[index]) & mask.guid.0[index] == 0;
        let possible = value.priority & mask.priority & !7 == 0
            && value.class & mask.class & !0x1FF == 0
            && value.kind & mask.kind & !0xFF == 0
            && (0..INTERFACE).all(of_interface);
        let bits = |priority: u8, class: u16, kind: u16, guid: Guid| {
            u32::from(priority & 7) << PRIORITY
                | u32::from(class & 0x1FF) << CLASS
                | u32::from(kind & 0xFF) << KIND
                | u32::from(guid.0[15])
        };
        let mask = bits(mask.priority, mask.class, mask.kind, mask.guid);
        possible.then_some(Self {
            id: bits(value.priority, value.class, value.kind, value.guid) & mask | CAN_EFF_FLAG,
            // With the flag of error frames it would be a filter for these alone.
            mask: mask | CAN_EFF_FLAG | CAN_RTR_FLAG,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use libc::CAN_EFF_MASK;
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::event::{filter::Pattern, tests::any_event, text};

    const INTERFACE_GUID: &str = "FF:FF:FF:FF:FF:FF:FF:F5:33:33:00:00:00:00:00:00";

    fn interface() -> Guid {
        INTERFACE_GUID.parse().unwrap()
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
            let event = to_event(&frame, interface(), 1_580_158_075_123_456_789).unwrap();
            assert_eq!(event.priority().to_string(), priority, "{fields:?}");
            assert_eq!(u32::from(event.head), hex(head), "{fields:?}");
            assert_eq!((event.head >> 4 & 1).to_string(), hard_coded, "{fields:?}");
            assert_eq!(event.class.to_string(), class, "{fields:?}");
            assert_eq!(event.kind.to_string(), kind, "{fields:?}");
            let mut guid = interface();
            guid.0[15] = hex(nickname) as u8;
            assert_eq!(event.guid, guid, "{fields:?}");
            assert_eq!(event.data[..], [1, 2]);
            assert_eq!(event.obid, 0);
            assert_eq!(event.timestamp, 1_580_158_075_123_456_u64 as u32);
            assert_eq!(event.date.unwrap().to_string(), "2020-01-27T20:47:55Z");
            assert_eq!(
                to_frame(&event, &interface(), false),
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
                bytes[..16].copy_from_slice(&interface().0);
            }
            let event = Event {
                head: hex(head) as u16,
                class,
                kind: kind.parse().unwrap(),
                guid,
                data: Data::copy_from(&bytes).unwrap(),
                ..text::parse("0,0,0,,,,-").unwrap()
            };
            let frame = to_frame(&event, &interface(), false);
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
        let address: String = interface().0.map(|byte| format!(",{byte}")).concat();
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
                NotMapped::NoInterface(15),
            ),
            (
                format!("1023,300,,,,-{elsewhere}"),
                true,
                NotMapped::OtherInterface,
            ),
            (format!("522,256,,,,-{address}"), true, NotMapped::Type(256)),
            (
                format!("522,1,,,,-{address}{}", bytes(9)),
                true,
                NotMapped::TooMuchData(9),
            ),
        ] {
            let event = text::parse(&format!("0,{event}")).unwrap();
            assert_eq!(to_frame(&event, &interface(), fd), Err(why), "{event:?}");
            let meant_for_a_bus = !matches!(why, NotMapped::Level2(_) | NotMapped::OtherInterface);
            assert_eq!(why.is_refusal(), meant_for_a_bus);
        }
    }

    #[test]
    fn the_node_that_is_addressed_may_be_any() {
        let mut node = interface();
        node.0[15] = 0x42;
        let mut data = node.0.to_vec();
        data.push(9);
        let mut event = text::parse("0x60,512,9,,,,-").unwrap();
        event.data = Data::copy_from(&data).unwrap();
        event.guid.0[15] = 3;
        let frame = to_frame(&event, &interface(), false).unwrap();
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
            let mapped = to_frame(&event, &interface(), true).unwrap();
            assert_eq!(mapped.to_string(), frame);
        }
    }

    #[test]
    fn a_filter_that_no_frame_passes_has_no_kernel_filter() {
        for (filter, mask, possible) in [
            ("0,512", "0,0xFFFF", false),
            ("0,0x20A", "0,0x1FF", true),
            ("0,0,256", "0,0,0x100", false),
            ("8", "8", false),
            ("8", "7", true),
            ("0,0,0,-:01:00", "0,0,0,::FF", false),
        ] {
            let filter = Filter::parse_wire(filter, mask).unwrap();
            let kernel = KernelFilter::new(&filter, &interface());
            assert_eq!(kernel.is_some(), possible, "{filter:?}");
        }
    }

    #[test]
    fn the_kernel_filter_has_priority_class_type_and_nickname() {
        let filter = format!("3,10,6,{INTERFACE_GUID}");
        let filter = Filter::parse_wire(&filter, "7,0xFFFF,0xFFFF,::FF").unwrap();
        let kernel = KernelFilter::new(&filter, &interface()).unwrap();
        assert_eq!((kernel.id, kernel.mask), (0x8C0A_0600, 0xDDFF_FFFF));
    }

    /// Patterns of few bits, so that some frames pass.
    fn patterns() -> impl Strategy<Value = Pattern> {
        let few =
            |bits: u32| vec(0..bits, 0..4).prop_map(|set| set.iter().fold(0, |n, b| n | 1u32 << b));
        (few(8), few(16), few(16), few(8), vec(0..16_usize, 0..2)).prop_map(
            |(priority, class, kind, nickname, others)| {
                let mut guid = interface();
                for index in others {
                    guid.0[index] ^= 1;
                }
                guid.0[15] = nickname as u8;
                Pattern {
                    priority: priority as u8,
                    class: class as u16,
                    kind: kind as u16,
                    guid,
                }
            },
        )
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
            let event = to_event(&frame, interface(), 1).unwrap();
            prop_assert_eq!(&event.data[..data.len()], &data[..]);
            prop_assert_eq!(to_frame(&event, &interface(), true), Ok(frame));
            prop_assert!(to_frame(&event, &interface(), false).is_err());
        }

        #[test]
        fn an_event_s_frame_says_the_same(mut event in any_event(), fd: bool) {
            event.class %= 600;
            event.kind %= 300;
            let Ok(frame) = to_frame(&event, &interface(), fd) else {
                return Ok(());
            };
            let back = to_event(&frame, interface(), 0).unwrap();
            prop_assert_eq!(back.head, event.head & 0xF0);
            prop_assert_eq!(back.class, event.class & 0x1FF);
            prop_assert_eq!(back.kind, event.kind);
            prop_assert_eq!(back.guid.0[15], event.guid.0[15]);
            prop_assert_eq!(&back.data[..event.data.len()], &event.data[..]);
        }

        #[test]
        fn the_kernel_s_filter_passes_what_the_filter_passes(
            id in 0..=CAN_EFF_MASK,
            value in patterns(),
            mask in patterns(),
            flip in vec(0..29_u32, 0..3),
        ) {
            let filter = Filter { value, mask };
            let kernel = KernelFilter::new(&filter, &interface());
            // Most identifiers would not pass: this one nearly does.
            let near = kernel.map_or(id, |kernel| id & !kernel.mask | kernel.id & CAN_EFF_MASK);
            for id in [id, flip.iter().fold(near, |id, bit| id ^ 1 << bit)] {
                let event = to_event(&Frame::classic(id, &[]).unwrap(), interface(), 0).unwrap();
                let passes = kernel.is_some_and(|kernel| {
                    (id | CAN_EFF_FLAG) & kernel.mask == kernel.id & kernel.mask
                });
                prop_assert_eq!(passes, filter.passes_event(&event));
            }
        }
    }
}

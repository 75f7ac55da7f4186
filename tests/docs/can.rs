//! CAN frames and the events that they are: the mapping alone, without a bus.

use vscpl2drv_websocksrv::{
    can::{
        frame::Frame,
        map::{to_event, to_frame},
    },
    event::Guid,
};

use crate::{
    blocks::Block,
    common::{event_of, text_of},
    pattern::Values,
};

/// When the frames of the examples were received: 2020-01-27T20:47:55.123456789Z.
const RECEIVED_NS: u64 = 1_580_158_075_123_456_789;

const EXTENDED: u32 = 0x8000_0000;
const REMOTE: u32 = 0x4000_0000;

/// Maps the frames of a block to events (`->`) and events to frames (`<-`).
pub(crate) fn run(block: &Block) {
    let lines = block.lines();
    let (first, lines) = lines.split_first().unwrap();
    let first = first.strip_prefix("interface ").expect("the interface");
    let (guid, fd) = first.split_once(' ').unwrap_or((first, ""));
    let interface: Guid = guid.parse().unwrap();
    let mut values = Values::new();
    for line in lines {
        if let Some((frame, expected)) = line.split_once(" -> ") {
            let event = to_event(&parse(frame), interface, RECEIVED_NS);
            let found = event.map_or("nothing".to_owned(), |event| text_of(&event));
            values.expect(block, expected, &found);
        } else {
            let (expected, event) = line.split_once(" <- ").expect("an arrow");
            let event = with_guid(event);
            let found = match to_frame(&event_of(&event), &interface, fd == "fd") {
                Ok(frame) => frame.to_string(),
                Err(error) if error.is_refusal() => "refused".to_owned(),
                Err(_) => "not for this bus".to_owned(),
            };
            assert_eq!(found, expected, "{block}: {event}");
        }
    }
}

/// Returns the event with its GUID in full: the text form of the protocols has no `-:01`.
fn with_guid(event: &str) -> String {
    let mut fields: Vec<_> = event.split(',').map(str::to_owned).collect();
    let guid: Guid = fields[6].parse().unwrap();
    fields[6] = guid.to_string();
    fields.join(",")
}

/// Reads a frame in the notation of can-utils: `ID#DATA`, `ID#R`, or `ID##F` and data for CAN FD,
/// where F are the flags, one digit.
fn parse(text: &str) -> Frame {
    let (id, rest) = text.split_once('#').expect("ID#DATA");
    let extended = if id.len() == 8 { EXTENDED } else { 0 };
    let mut id = u32::from_str_radix(id, 16).unwrap() | extended;
    let (size, flags, data) = match rest.strip_prefix('#') {
        Some(rest) => (72, rest[..1].parse().unwrap(), &rest[1..]),
        None => (16, 0, rest),
    };
    let data = match data {
        "R" => {
            id |= REMOTE;
            Vec::new()
        }
        digits => hex::decode(digits).unwrap(),
    };
    // struct can_frame or struct canfd_frame of linux/can.h.
    let mut wire = vec![0; size];
    wire[..4].copy_from_slice(&id.to_ne_bytes());
    wire[4] = data.len() as u8;
    wire[5] = flags;
    wire[8..8 + data.len()].copy_from_slice(&data);
    Frame::from_wire(&wire).expect("a frame")
}

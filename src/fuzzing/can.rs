//! CAN frames.

use crate::{
    can::{
        frame::Frame,
        map::{to_event, to_frame},
    },
    event::{Guid, text},
};

const BUS_GUID: Guid = Guid([0xB5; 16]);

/// Maps a frame of the kernel to an event and back, or the text of an event to a frame and back.
pub fn can_frame(data: &[u8]) {
    if let Some(frame) = Frame::from_wire(data) {
        assert!(!frame.to_string().is_empty());
        assert!(frame.error_class().is_none() || frame.extended_id().is_none());
        if let Some(event) = to_event(&frame, BUS_GUID, 1) {
            let back = to_frame(&event, &BUS_GUID, true).expect("a frame");
            assert_eq!(back.extended_id(), frame.extended_id());
            assert_eq!(back.data()[..event.data.len()], *frame.data());
        }
    }
    if let Some(Ok(event)) = super::text(data).map(text::parse) {
        for fd in [false, true] {
            if let Ok(frame) = to_frame(&event, &BUS_GUID, fd) {
                let back = to_event(&frame, BUS_GUID, 1).expect("an event");
                assert_eq!(
                    (back.priority(), back.kind, back.class),
                    (event.priority(), event.kind, event.class % 512)
                );
                assert!(fd || !frame.is_fd());
            }
        }
    }
}

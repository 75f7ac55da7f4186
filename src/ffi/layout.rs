//! The two C layouts of an event.
//!
//! Sources: the public headers of the daemon (`vscp.h`), generations 14 and 15.0 (classic) and from
//! 2026 (unix-ns). The offsets are checked below at compile time and by the C tests against the
//! generated header. On 32-bit machines they follow from the same C declarations.
//!
//! The comments of the types are copied to the header, and so are written for C programmers.

#![allow(missing_docs, non_camel_case_types, non_snake_case)]

use std::mem::{offset_of, size_of};

/// The event of daemons 14 and 15.0: 56 bytes on 64-bit machines.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct vscpEventClassic {
    /// Not used: VSCPWrite does not read it, VSCPRead writes 0.
    pub crc: u16,
    /// Id of the connection that the event came from.
    pub obid: u32,
    /// Date and time in UTC; year 0 if they are not set.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    /// 0 to 59; VSCPWrite takes the leap second 60 as 59.
    pub second: u8,
    /// Microseconds; 0 if it is not set.
    pub timestamp: u32,
    /// Priority, flags and frame version.
    pub head: u16,
    pub vscp_class: u16,
    pub vscp_type: u16,
    /// Most significant byte first.
    pub GUID: [u8; 16],
    /// Number of data bytes, 0 to 512.
    pub sizeData: u16,
    /// The data; NULL if sizeData is 0.
    pub pdata: *mut u8,
}

/// Date, time and time stamp of a vscpEventUnixNs of frame version 0.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct vscpEventDate {
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    /// 0 to 59; VSCPWrite takes the leap second 60 as 59.
    pub second: u8,
    /// Microseconds; 0 if it is not set.
    pub timestamp: u32,
}

/// The time of a vscpEventUnixNs. The frame version in its head says which member holds it.
#[derive(Clone, Copy)]
#[repr(C)]
pub union vscpEventTime {
    /// Frame version 0, 2 or 3; year and month are beside it.
    pub date: vscpEventDate,
    /// Frame version 1, (head & 0x0300) == 0x0100: nanoseconds since 1970 in UTC. VSCPRead
    /// gives this form only.
    pub timestamp_ns: u64,
}

/// The event of daemons from 2026 (15.1, 16): 64 bytes on 64-bit machines.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct vscpEventUnixNs {
    /// Priority, flags and frame version.
    pub head: u16,
    /// Id of the connection that the event came from.
    pub obid: u32,
    /// 0xFFFF with frame version 1, 0 if the date is not set.
    pub year: u16,
    /// 0xFF with frame version 1.
    pub month: u8,
    pub time: vscpEventTime,
    pub vscp_class: u16,
    pub vscp_type: u16,
    /// Most significant byte first.
    pub GUID: [u8; 16],
    /// Number of data bytes, 0 to 512.
    pub sizeData: u16,
    /// The data; NULL if sizeData is 0.
    pub pdata: *mut u8,
    /// Not used: VSCPWrite does not read it, VSCPRead writes 0.
    pub crc: u16,
}

/// An event in the layout of the host: the header defines it as one of the two layouts.
#[derive(Debug)]
#[repr(C)]
pub struct vscpEvent {
    opaque: [u8; 0],
}

#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<vscpEventClassic>() == 56);
    assert!(offset_of!(vscpEventClassic, crc) == 0);
    assert!(offset_of!(vscpEventClassic, obid) == 4);
    assert!(offset_of!(vscpEventClassic, year) == 8);
    assert!(offset_of!(vscpEventClassic, month) == 10);
    assert!(offset_of!(vscpEventClassic, day) == 11);
    assert!(offset_of!(vscpEventClassic, second) == 14);
    assert!(offset_of!(vscpEventClassic, timestamp) == 16);
    assert!(offset_of!(vscpEventClassic, head) == 20);
    assert!(offset_of!(vscpEventClassic, vscp_class) == 22);
    assert!(offset_of!(vscpEventClassic, vscp_type) == 24);
    assert!(offset_of!(vscpEventClassic, GUID) == 26);
    assert!(offset_of!(vscpEventClassic, sizeData) == 42);
    assert!(offset_of!(vscpEventClassic, pdata) == 48);

    assert!(size_of::<vscpEventUnixNs>() == 64);
    assert!(offset_of!(vscpEventUnixNs, head) == 0);
    assert!(offset_of!(vscpEventUnixNs, obid) == 4);
    assert!(offset_of!(vscpEventUnixNs, year) == 8);
    assert!(offset_of!(vscpEventUnixNs, month) == 10);
    assert!(offset_of!(vscpEventUnixNs, time) == 16);
    assert!(offset_of!(vscpEventDate, timestamp) == 4);
    assert!(offset_of!(vscpEventUnixNs, vscp_class) == 24);
    assert!(offset_of!(vscpEventUnixNs, vscp_type) == 26);
    assert!(offset_of!(vscpEventUnixNs, GUID) == 28);
    assert!(offset_of!(vscpEventUnixNs, sizeData) == 44);
    assert!(offset_of!(vscpEventUnixNs, pdata) == 48);
    assert!(offset_of!(vscpEventUnixNs, crc) == 56);
};

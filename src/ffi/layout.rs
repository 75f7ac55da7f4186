//! The two C layouts of an event (x86-64 and aarch64 Linux).
//!
//! Sources: the public headers of the daemon, generations 14 and 15.0 (classic) and from 2026
//! (unix-ns). The offsets are checked below at compile time and by the C tests against the header.

#![allow(missing_docs, non_camel_case_types, non_snake_case)]

use std::mem::{offset_of, size_of};

/// The event of daemons 14 and 15.0, 56 bytes.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct vscpEventClassic {
    /// Not used: never read, written as 0.
    pub crc: u16,
    /// Id of the connection that the event came in on.
    pub obid: u32,
    /// Date and time in UTC; year 0 where it is not set.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    /// Microseconds; 0 where it is not set.
    pub timestamp: u32,
    /// Priority, flags, frame version.
    pub head: u16,
    pub vscp_class: u16,
    pub vscp_type: u16,
    /// Most significant byte first.
    pub GUID: [u8; 16],
    /// Number of data bytes, 0 to 512.
    pub sizeData: u16,
    /// The data; NULL where there is none.
    pub pdata: *mut u8,
}

/// Date, time and time stamp of a [`vscpEventUnixNs`] in the form of frame version 0.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct vscpEventDate {
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    /// Microseconds; 0 where it is not set.
    pub timestamp: u32,
}

/// The time of a [`vscpEventUnixNs`]: which form it has is in the frame version.
#[derive(Clone, Copy)]
#[repr(C)]
pub union vscpEventTime {
    /// Frame version 0.
    pub date: vscpEventDate,
    /// Frame version 1 (`head & 0x0300 == 0x0100`): nanoseconds since 1970.
    pub timestamp_ns: u64,
}

/// The event of daemons from 2026 (15.1, 16), 64 bytes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct vscpEventUnixNs {
    /// Priority, flags, frame version.
    pub head: u16,
    /// Id of the connection that the event came in on.
    pub obid: u32,
    /// 0xFFFF with frame version 1.
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
    /// The data; NULL where there is none.
    pub pdata: *mut u8,
    /// Not used: never read, written as 0.
    pub crc: u16,
}

/// An event in the layout of the host. The header makes it one of the two layouts.
#[derive(Debug)]
#[repr(C)]
pub struct vscpEvent {
    opaque: [u8; 0],
}

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

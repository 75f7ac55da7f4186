//! Events to and from both C layouts.

use std::{ffi::c_int, num::NonZeroU64, slice};

use super::{
    layout::{vscpEvent, vscpEventClassic, vscpEventTime, vscpEventUnixNs},
    status::{CANAL_ERROR_MEMORY, CANAL_ERROR_PARAMETER},
};
use crate::{
    config::Layout,
    event::{Data, Date, Event, Guid, HEAD_FRAME_VERSION, HEAD_UNIX_NS, MAX_DATA, kept_head},
};

/// What year and month are with frame version 1.
const NO_YEAR: u16 = 0xFFFF;
const NO_MONTH: u8 = 0xFF;

/// Copies an event of the host.
///
/// # Errors
/// CANAL_ERROR_PARAMETER where it has more data than an event can have, or none behind a size.
///
/// # Safety
/// `event` must be valid in the layout, its `pdata` for `sizeData` bytes.
pub(super) unsafe fn copy_in(event: *const vscpEvent, layout: Layout) -> Result<Event, c_int> {
    match layout {
        Layout::Classic => {
            // SAFETY: the caller says that it is valid; every bit pattern is a value.
            let raw = unsafe { event.cast::<vscpEventClassic>().read_unaligned() };
            // SAFETY: as above.
            let data = unsafe { copy_data(raw.pdata, raw.sizeData) }?;
            Ok(Event {
                head: kept_head(raw.head),
                class: raw.vscp_class,
                kind: raw.vscp_type,
                obid: raw.obid,
                date: Date::new(
                    raw.year, raw.month, raw.day, raw.hour, raw.minute, raw.second,
                ),
                timestamp: raw.timestamp,
                unix_ns: None,
                guid: Guid(raw.GUID),
                data,
            })
        }
        Layout::UnixNs => {
            // SAFETY: the caller says that it is valid; every bit pattern is a value.
            let raw = unsafe { event.cast::<vscpEventUnixNs>().read_unaligned() };
            // SAFETY: as above.
            let data = unsafe { copy_data(raw.pdata, raw.sizeData) }?;
            let mut event = Event {
                head: kept_head(raw.head),
                class: raw.vscp_class,
                kind: raw.vscp_type,
                obid: raw.obid,
                date: None,
                timestamp: 0,
                unix_ns: None,
                guid: Guid(raw.GUID),
                data,
            };
            if raw.head & HEAD_FRAME_VERSION == HEAD_UNIX_NS {
                // SAFETY: every bit pattern is a number.
                if let Some(ns) = NonZeroU64::new(unsafe { raw.time.timestamp_ns }) {
                    event.set_unix_ns(ns);
                }
            } else {
                // SAFETY: every bit pattern is a value of these numbers.
                let time = unsafe { raw.time.date };
                event.date = Date::new(
                    raw.year,
                    raw.month,
                    time.day,
                    time.hour,
                    time.minute,
                    time.second,
                );
                event.timestamp = time.timestamp;
            }
            Ok(event)
        }
    }
}

/// Writes an event for the host, every field of it. The data is made with malloc.
///
/// # Errors
/// CANAL_ERROR_MEMORY where there is none for the data; nothing is written then.
///
/// # Safety
/// `out` must have room for an event in the layout.
pub(super) unsafe fn copy_out(
    event: &Event,
    layout: Layout,
    out: *mut vscpEvent,
) -> Result<(), c_int> {
    let pdata = allocate(&event.data)?;
    // Never more than 512.
    let size = event.data.len() as u16;
    match layout {
        Layout::Classic => {
            let date = event.date;
            let raw = vscpEventClassic {
                crc: 0,
                obid: event.obid,
                year: date.map_or(0, |date| date.year()),
                month: date.map_or(0, |date| date.month()),
                day: date.map_or(0, |date| date.day()),
                hour: date.map_or(0, |date| date.hour()),
                minute: date.map_or(0, |date| date.minute()),
                second: date.map_or(0, |date| date.second()),
                timestamp: event.timestamp,
                head: event.head,
                vscp_class: event.class,
                vscp_type: event.kind,
                GUID: event.guid.0,
                sizeData: size,
                pdata,
            };
            // SAFETY: the caller says that there is room; nothing is read or dropped.
            unsafe { out.cast::<vscpEventClassic>().write_unaligned(raw) };
        }
        Layout::UnixNs => {
            let ns = event
                .unix_ns
                .map(NonZeroU64::get)
                .or_else(|| event.date?.to_unix_ns())
                .unwrap_or(0);
            let raw = vscpEventUnixNs {
                head: kept_head(event.head) | HEAD_UNIX_NS,
                obid: event.obid,
                year: NO_YEAR,
                month: NO_MONTH,
                time: vscpEventTime { timestamp_ns: ns },
                vscp_class: event.class,
                vscp_type: event.kind,
                GUID: event.guid.0,
                sizeData: size,
                pdata,
                crc: 0,
            };
            // SAFETY: the caller says that there is room; nothing is read or dropped.
            unsafe { out.cast::<vscpEventUnixNs>().write_unaligned(raw) };
        }
    }
    Ok(())
}

/// Copies the data of an event.
///
/// # Safety
/// `data` must be NULL or valid for `size` bytes.
unsafe fn copy_data(data: *const u8, size: u16) -> Result<Data, c_int> {
    if size == 0 {
        return Ok(Data::new());
    }
    if data.is_null() || usize::from(size) > MAX_DATA {
        return Err(CANAL_ERROR_PARAMETER);
    }
    // SAFETY: it is not NULL, and the caller says that it is valid.
    let bytes = unsafe { slice::from_raw_parts(data, size.into()) };
    Data::copy_from(bytes).ok_or(CANAL_ERROR_PARAMETER)
}

/// A copy of the data, made with malloc; NULL where there is none.
fn allocate(data: &[u8]) -> Result<*mut u8, c_int> {
    if data.is_empty() {
        return Ok(std::ptr::null_mut());
    }
    // SAFETY: malloc takes any size.
    let memory = unsafe { libc::malloc(data.len()) }.cast::<u8>();
    if memory.is_null() {
        return Err(CANAL_ERROR_MEMORY);
    }
    // SAFETY: it is new and has room for all of the data.
    unsafe { memory.copy_from_nonoverlapping(data.as_ptr(), data.len()) };
    Ok(memory)
}

/// Frees the data of an event that [`copy_out`] has written.
///
/// # Safety
/// `event` must be such an event in the layout, and its data not be used any more.
pub(super) unsafe fn free_data(event: *const vscpEvent, layout: Layout) {
    let pdata = match layout {
        // SAFETY: the caller says that it is valid in this layout.
        Layout::Classic => unsafe { event.cast::<vscpEventClassic>().read_unaligned() }.pdata,
        // SAFETY: as above.
        Layout::UnixNs => unsafe { event.cast::<vscpEventUnixNs>().read_unaligned() }.pdata,
    };
    // SAFETY: NULL or made with malloc.
    unsafe { libc::free(pdata.cast()) };
}

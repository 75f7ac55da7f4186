//! Copies events from and to the two C layouts.

use std::{ffi::c_int, num::NonZeroU64, slice};

use super::{
    layout::{vscpEvent, vscpEventClassic, vscpEventTime, vscpEventUnixNs},
    status::{CANAL_ERROR_MEMORY, CANAL_ERROR_PARAMETER},
};
use crate::{
    event::Layout,
    event::{Data, Date, Event, Guid, HEAD_FRAME_VERSION, HEAD_UNIX_NS, MAX_DATA, kept_head},
};

/// The values of year and month with frame version 1.
const NO_YEAR: u16 = 0xFFFF;
const NO_MONTH: u8 = 0xFF;

/// Copies an event of the host. The event is not used after the call.
///
/// # Errors
/// CANAL_ERROR_PARAMETER if it has more than [`MAX_DATA`] bytes of data, or a size and no data.
///
/// # Safety
/// `event` must point to an event in `layout`, its `pdata` to `sizeData` bytes unless NULL.
pub unsafe fn copy_in(event: *const vscpEvent, layout: Layout) -> Result<Event, c_int> {
    match layout {
        Layout::Classic => {
            // SAFETY: the caller guarantees an event in this layout; any bytes are valid values,
            // and its alignment does not matter.
            let raw = unsafe { event.cast::<vscpEventClassic>().read_unaligned() };
            // SAFETY: the caller guarantees that `pdata` is NULL or has `sizeData` bytes.
            let data = unsafe { copy_data(raw.pdata, raw.sizeData) }?;
            Ok(Event {
                head: kept_head(raw.head),
                class: raw.vscp_class,
                kind: raw.vscp_type,
                obid: raw.obid,
                date: host_date(
                    raw.year, raw.month, raw.day, raw.hour, raw.minute, raw.second,
                ),
                timestamp: raw.timestamp,
                unix_ns: None,
                guid: Guid(raw.GUID),
                data,
            })
        }
        Layout::UnixNs => {
            // SAFETY: the caller guarantees an event in this layout; any bytes are valid values,
            // and its alignment does not matter.
            let raw = unsafe { event.cast::<vscpEventUnixNs>().read_unaligned() };
            // SAFETY: the caller guarantees that `pdata` is NULL or has `sizeData` bytes.
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
                // SAFETY: both members of the union have 8 bytes, and any bytes are a number.
                if let Some(ns) = NonZeroU64::new(unsafe { raw.time.timestamp_ns }) {
                    event.set_unix_ns(ns);
                }
            } else {
                // SAFETY: both members of the union have 8 bytes, and any bytes are these numbers.
                let time = unsafe { raw.time.date };
                event.date = host_date(
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

/// Writes every field of an event for the host, and reads none. Its data is allocated with malloc
/// and belongs to the host.
///
/// # Errors
/// CANAL_ERROR_MEMORY if there is no memory for the data; nothing is written.
///
/// # Safety
/// `out` must have room for an event in `layout`.
pub unsafe fn copy_out(event: &Event, layout: Layout, out: *mut vscpEvent) -> Result<(), c_int> {
    let pdata = allocate(&event.data)?;
    // At most MAX_DATA, which is 512.
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
            // SAFETY: the caller guarantees the room; the old bytes are neither read nor dropped.
            unsafe { out.cast::<vscpEventClassic>().write_unaligned(raw) };
        }
        Layout::UnixNs => {
            let ns = event
                .unix_ns
                .map(NonZeroU64::get)
                .or_else(|| event.date?.to_unix_ns())
                .unwrap_or(0);
            let raw = vscpEventUnixNs {
                head: event.head & !HEAD_FRAME_VERSION | HEAD_UNIX_NS,
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
            // SAFETY: the caller guarantees the room; the old bytes are neither read nor dropped.
            unsafe { out.cast::<vscpEventUnixNs>().write_unaligned(raw) };
        }
    }
    Ok(())
}

/// Returns the date of a host's event, `None` if it is not set or does not exist.
///
/// The second 60 of a leap second (`tm_sec` in C11 7.27.1) becomes 59: neither clients nor
/// nanoseconds since 1970 have a leap second.
fn host_date(year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Option<Date> {
    let second = if second == 60 { 59 } else { second };
    Date::new(year, month, day, hour, minute, second)
}

/// Copies the data of an event.
///
/// # Errors
/// CANAL_ERROR_PARAMETER if there are more than [`MAX_DATA`] bytes, or `data` is NULL and `size` is
/// not 0.
///
/// # Safety
/// `data` must be NULL or point to `size` bytes.
unsafe fn copy_data(data: *const u8, size: u16) -> Result<Data, c_int> {
    if size == 0 {
        return Ok(Data::new());
    }
    if data.is_null() || usize::from(size) > MAX_DATA {
        return Err(CANAL_ERROR_PARAMETER);
    }
    // SAFETY: it is not NULL, and so the caller guarantees `size` bytes.
    let bytes = unsafe { slice::from_raw_parts(data, size.into()) };
    Data::copy_from(bytes).ok_or(CANAL_ERROR_PARAMETER)
}

/// Copies data into memory from malloc. Returns NULL for no data.
///
/// # Errors
/// CANAL_ERROR_MEMORY if there is no memory.
fn allocate(data: &[u8]) -> Result<*mut u8, c_int> {
    if data.is_empty() {
        return Ok(std::ptr::null_mut());
    }
    // SAFETY: malloc may be called with any size.
    let memory = unsafe { libc::malloc(data.len()) }.cast::<u8>();
    if memory.is_null() {
        return Err(CANAL_ERROR_MEMORY);
    }
    // SAFETY: the memory is new and has room for all of the data.
    unsafe { memory.copy_from_nonoverlapping(data.as_ptr(), data.len()) };
    Ok(memory)
}

/// Frees the data of an event that [`copy_out`] has written, as a host does.
///
/// # Safety
/// `event` must point to such an event in `layout`, and its data must not be used any more.
pub unsafe fn free_data(event: *const vscpEvent, layout: Layout) {
    let pdata = match layout {
        // SAFETY: the caller guarantees an event in this layout.
        Layout::Classic => unsafe { event.cast::<vscpEventClassic>().read_unaligned() }.pdata,
        // SAFETY: as above.
        Layout::UnixNs => unsafe { event.cast::<vscpEventUnixNs>().read_unaligned() }.pdata,
    };
    // SAFETY: `copy_out` has set it to NULL or to memory from malloc.
    unsafe { libc::free(pdata.cast()) };
}

/// Copies an event of a host in and out, in the layout that the first byte of the input chooses;
/// the bytes behind that are the event, and those behind the event its data.
#[cfg(any(fuzzing, test))]
pub fn fuzz(input: &[u8]) {
    let Some((choice, input)) = input.split_first() else {
        return;
    };
    let (layout, size) = match choice & 1 {
        0 => (Layout::Classic, size_of::<vscpEventClassic>()),
        _ => (Layout::UnixNs, size_of::<vscpEventUnixNs>()),
    };
    let Some((event, data)) = input.split_at_checked(size) else {
        return;
    };
    // Of just these sizes, so that a sanitizer sees if more is read or written.
    let (mut raw, data): (Box<[u8]>, Box<[u8]>) = (event.into(), data.into());
    let at = raw.as_mut_ptr().cast::<vscpEvent>();
    let claimed = data.len().min(MAX_DATA + 1) as u16;
    let pdata = if claimed == 0 {
        std::ptr::null()
    } else {
        data.as_ptr()
    };
    // SAFETY: the bytes are an event in this layout, and `data` has the size that is put into it.
    unsafe {
        match layout {
            Layout::Classic => {
                let event = at.cast::<vscpEventClassic>();
                (&raw mut (*event).sizeData).write_unaligned(claimed);
                (&raw mut (*event).pdata).write_unaligned(pdata.cast_mut());
            }
            Layout::UnixNs => {
                let event = at.cast::<vscpEventUnixNs>();
                (&raw mut (*event).sizeData).write_unaligned(claimed);
                (&raw mut (*event).pdata).write_unaligned(pdata.cast_mut());
            }
        }
    }
    // SAFETY: as above.
    match unsafe { copy_in(at, layout) } {
        Ok(event) => {
            assert_eq!(event.data[..], data[..]);
            // SAFETY: the bytes have room for an event in this layout, which copy_out writes and
            // copy_in reads; its data is freed once.
            unsafe {
                assert_eq!(copy_out(&event, layout, at), Ok(()));
                let again = copy_in(at, layout);
                free_data(at, layout);
                if layout == Layout::Classic {
                    assert_eq!(again, Ok(event));
                } else {
                    assert!(again.is_ok_and(|again| again.data == event.data));
                }
            }
        }
        Err(status) => {
            assert_eq!(status, CANAL_ERROR_PARAMETER);
            assert!(data.len() > MAX_DATA);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::mem::MaybeUninit;

    use super::*;
    use crate::{event::text, ffi::layout::vscpEventDate};

    fn read(event: &str) -> vscpEventUnixNs {
        let event = text::parse(event).unwrap();
        let mut raw = MaybeUninit::<vscpEventUnixNs>::uninit();
        // SAFETY: there is room for an event, and `copy_out` writes all fields of it.
        unsafe {
            copy_out(&event, Layout::UnixNs, raw.as_mut_ptr().cast()).unwrap();
            raw.assume_init()
        }
    }

    fn write_classic(date: [u16; 6]) -> Event {
        let [year, month, day, hour, minute, second] = date;
        let raw = vscpEventClassic {
            crc: 0,
            obid: 0,
            year,
            month: month as u8,
            day: day as u8,
            hour: hour as u8,
            minute: minute as u8,
            second: second as u8,
            timestamp: 1,
            head: 0,
            vscp_class: 10,
            vscp_type: 6,
            GUID: [0; 16],
            sizeData: 0,
            pdata: std::ptr::null_mut(),
        };
        // SAFETY: it is an event in this layout without data.
        unsafe { copy_in((&raw const raw).cast(), Layout::Classic) }.unwrap()
    }

    fn write_unix_ns(date: [u16; 6]) -> Event {
        let [year, month, day, hour, minute, second] = date;
        let raw = vscpEventUnixNs {
            head: 0,
            obid: 0,
            year,
            month: month as u8,
            time: vscpEventTime {
                date: vscpEventDate {
                    day: day as u8,
                    hour: hour as u8,
                    minute: minute as u8,
                    second: second as u8,
                    timestamp: 1,
                },
            },
            vscp_class: 10,
            vscp_type: 6,
            GUID: [0; 16],
            sizeData: 0,
            pdata: std::ptr::null_mut(),
            crc: 0,
        };
        // SAFETY: it is an event in this layout without data.
        unsafe { copy_in((&raw const raw).cast(), Layout::UnixNs) }.unwrap()
    }

    #[test]
    fn a_unix_ns_host_gets_frame_version_1_whatever_the_client_wrote() {
        for head in [0x0060, 0x0160, 0x0260, 0x0360] {
            let raw = read(&format!("{head},10,6,,2020-01-27T20:47:55Z,1,-"));
            assert_eq!(raw.head, 0x0160, "{head:#x}");
        }
    }

    #[test]
    fn a_leap_second_of_the_host_is_the_last_second_of_its_minute() {
        for write in [write_classic, write_unix_ns] {
            let date = |second| write([2016, 12, 31, 23, 59, second]).date;
            assert_eq!(date(59), Date::new(2016, 12, 31, 23, 59, 59));
            assert_eq!(date(60), Date::new(2016, 12, 31, 23, 59, 59));
            assert_eq!(date(61), None);
        }
    }
}

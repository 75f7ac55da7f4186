//! The C interface: the only place with `unsafe`, C types and C names.

#![allow(unsafe_code, non_snake_case)]

pub mod layout;
pub mod status;

use std::ffi::{c_char, c_int, c_long, c_uchar, c_ulong};

use self::{layout::vscpEvent, status::*};

/// Opens the driver.
///
/// `pPathConfig` is the path of a JSON configuration file, or the JSON text itself. `pguid` is
/// 16 bytes, most significant first, or NULL. Returns a handle, or 0 where the driver could not
/// be opened; the log and standard error say why.
///
/// # Safety
/// `pPathConfig` must be NULL or a string that ends with NUL, `pguid` NULL or 16 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VSCPOpen(pPathConfig: *const c_char, pguid: *const c_uchar) -> c_long {
    let _ = (pPathConfig, pguid);
    0
}

/// Closes the driver: wakes every waiting call, disconnects all clients, ends all threads.
///
/// Returns CANAL_ERROR_SUCCESS, or CANAL_ERROR_NOT_OPEN for a handle that is not open.
#[unsafe(no_mangle)]
pub extern "C" fn VSCPClose(handle: c_long) -> c_int {
    let _ = handle;
    CANAL_ERROR_NOT_OPEN
}

/// Gives an event to the driver, which copies it. Waits at most `timeout` milliseconds (0: as
/// long as it takes) for room in its queue.
///
/// # Safety
/// `pEvent` must be NULL or an event in the layout that the driver was opened for, its `pdata`
/// valid for `sizeData` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VSCPWrite(
    handle: c_long,
    pEvent: *const vscpEvent,
    timeout: c_ulong,
) -> c_int {
    let _ = (handle, pEvent, timeout);
    CANAL_ERROR_NOT_OPEN
}

/// Takes the next event from the driver. Waits at most `timeout` milliseconds (0: as long as it
/// takes). Every field of the event is written, none is read; the caller frees `pdata`, which
/// is made with malloc.
///
/// # Safety
/// `pEvent` must be NULL or have room for an event in the layout that the driver was opened for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VSCPRead(
    handle: c_long,
    pEvent: *mut vscpEvent,
    timeout: c_ulong,
) -> c_int {
    let _ = (handle, pEvent, timeout);
    CANAL_ERROR_NOT_OPEN
}

/// The version of the driver: major << 24 | minor << 16 | release << 8 | build.
#[unsafe(no_mangle)]
pub extern "C" fn VSCPGetVersion() -> c_ulong {
    0
}

/// Who made the driver. The string is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn VSCPGetVendorString() -> *const c_char {
    c"".as_ptr()
}

//! The C interface: the only place with `unsafe`, C types and C names.

#![allow(unsafe_code, non_snake_case)]

mod event;
mod guard;
mod handle;
pub mod host;
pub mod layout;
mod markers;
pub mod status;

use std::{
    ffi::{CStr, c_char, c_int, c_long, c_uchar, c_ulong},
    time::Duration,
};

use self::{
    guard::{guarded, on_own_thread},
    layout::vscpEvent,
    status::*,
};
use crate::{
    driver::{Driver, Host},
    event::Guid,
    hub::HostError,
    log,
};

/// How long VSCPRead waits on a handle that is not open: a daemon that calls it in a loop is not
/// to spin.
const BAD_HANDLE_WAIT: Duration = Duration::from_millis(50);

const NO_HANDLE: c_long = 0;

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
    guarded(NO_HANDLE, || {
        log::fill_closed_descriptors();
        let configuration = if pPathConfig.is_null() {
            c""
        } else {
            // SAFETY: the caller says that it is a string.
            unsafe { CStr::from_ptr(pPathConfig) }
        };
        let guid = if pguid.is_null() {
            None
        } else {
            // SAFETY: the caller says that these are 16 bytes, which need no alignment.
            Some(Guid(unsafe { pguid.cast::<[u8; 16]>().read() }))
        };
        let configuration = configuration.to_string_lossy();
        let host = Host {
            layout: markers::host_layout(),
        };
        let driver = on_own_thread(None, || Driver::open(&configuration, guid, host).ok());
        driver.map_or(NO_HANDLE, handle::insert)
    })
}

/// Closes the driver: wakes every waiting call, disconnects all clients, ends all threads.
///
/// Returns CANAL_ERROR_SUCCESS, or CANAL_ERROR_NOT_OPEN for a handle that is not open.
#[unsafe(no_mangle)]
pub extern "C" fn VSCPClose(handle: c_long) -> c_int {
    guarded(CANAL_ERROR_INTERNAL, || {
        let Some(driver) = handle::remove(handle) else {
            return CANAL_ERROR_NOT_OPEN;
        };
        on_own_thread(CANAL_ERROR_INTERNAL, || {
            driver.close();
            CANAL_ERROR_SUCCESS
        })
    })
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
    guarded(CANAL_ERROR_INTERNAL, || {
        let Some(driver) = handle::get(handle) else {
            return CANAL_ERROR_NOT_OPEN;
        };
        if pEvent.is_null() {
            return CANAL_ERROR_PARAMETER;
        }
        // SAFETY: it is not NULL, and the caller says that it is valid in this layout.
        let event = match unsafe { event::copy_in(pEvent, driver.layout()) } {
            Ok(event) => event,
            Err(status) => return status,
        };
        match driver.write(event, duration(timeout)) {
            Ok(()) => CANAL_ERROR_SUCCESS,
            Err(error) => status_of(error),
        }
    })
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
    guarded(CANAL_ERROR_INTERNAL, || {
        let Some(driver) = handle::get(handle) else {
            let wait = duration(timeout).unwrap_or(BAD_HANDLE_WAIT);
            std::thread::sleep(wait.min(BAD_HANDLE_WAIT));
            return CANAL_ERROR_NOT_OPEN;
        };
        if pEvent.is_null() {
            return CANAL_ERROR_PARAMETER;
        }
        let event = match driver.read(duration(timeout)) {
            Ok(event) => event,
            Err(error) => return status_of(error),
        };
        // SAFETY: it is not NULL, and the caller says that there is room in this layout.
        match unsafe { event::copy_out(&event, driver.layout(), pEvent) } {
            Ok(()) => CANAL_ERROR_SUCCESS,
            Err(status) => status,
        }
    })
}

/// The version of the driver: major << 24 | minor << 16 | release << 8 | build.
#[unsafe(no_mangle)]
pub extern "C" fn VSCPGetVersion() -> c_ulong {
    const fn number(text: &str) -> c_ulong {
        let mut number = 0;
        let mut index = 0;
        while index < text.len() {
            number = number * 10 + (text.as_bytes()[index] - b'0') as c_ulong;
            index += 1;
        }
        number
    }

    const VERSION: c_ulong = number(env!("CARGO_PKG_VERSION_MAJOR")) << 24
        | number(env!("CARGO_PKG_VERSION_MINOR")) << 16
        | number(env!("CARGO_PKG_VERSION_PATCH")) << 8;
    VERSION
}

/// Who made the driver. The string is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn VSCPGetVendorString() -> *const c_char {
    c"the vscpl2drv-websocksrv authors".as_ptr()
}

/// 0 stands for no limit.
fn duration(timeout: c_ulong) -> Option<Duration> {
    (timeout > 0).then(|| Duration::from_millis(timeout))
}

fn status_of(error: HostError) -> c_int {
    match error {
        HostError::Full => CANAL_ERROR_FIFO_FULL,
        HostError::Timeout => CANAL_ERROR_TIMEOUT,
        HostError::Closed => CANAL_ERROR_NOT_OPEN,
    }
}

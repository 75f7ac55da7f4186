//! The C interface of a level II driver: the only module with `unsafe`, C types and C names.
//!
//! The comments of the functions are copied to the header `include/vscpl2drv-websocksrv.h`, and so
//! are written for C programmers.

#![allow(unsafe_code, non_snake_case)]

pub mod detect_layout;
pub mod event;
mod guard;
mod handle;
pub mod layout;
pub mod status;

use std::{
    ffi::{CStr, c_char, c_int, c_long, c_uchar, c_ulong},
    time::Duration,
};

use self::{
    guard::{Failure, catch_panics, on_own_thread},
    layout::vscpEvent,
    status::*,
};
use crate::{
    driver::{Driver, Host},
    event::Guid,
    hub::HostError,
    log,
};

/// How long VSCPRead waits on a handle that is not open: some daemons call it in a loop.
const BAD_HANDLE_WAIT: Duration = Duration::from_millis(50);

const NO_HANDLE: c_long = 0;

/// Opens a driver: reads its configuration, starts its threads and listens for clients.
///
/// pPathConfig: the path of a configuration file in JSON, the JSON text itself, or a configuration
/// string of old drivers. NULL and an empty string fail.
/// pguid: the GUID of the driver, 16 bytes, most significant first. With NULL or 16 zeros the GUID
/// comes from the configuration, or else from the first Ethernet address; without one it is zeros.
///
/// Returns the handle of the driver, which is positive and never used again in this process, or
/// 0 if the driver could not be opened. The log or standard error says why. It waits for no address
/// that is not there yet, for names to listen on 2 s at most, and for remote variables no longer
/// than their timeout-ms.
///
/// Memory: both arguments are read during the call only, and stay with the caller.
/// Threads: any thread may call it, also while others do; each call opens a driver of its own. The
/// driver's threads take no signals meant for the host, whose handlers and masks stay as they are.
/// Descriptors: if standard input, output or error is closed, /dev/null is opened in its place.
#[expect(
    clippy::missing_safety_doc,
    reason = "the comment is for C programmers"
)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VSCPOpen(pPathConfig: *const c_char, pguid: *const c_uchar) -> c_long {
    catch_panics(NO_HANDLE, || {
        log::fill_closed_descriptors();
        let configuration = if pPathConfig.is_null() {
            c""
        } else {
            // SAFETY: it is not NULL, and so the caller guarantees a string that ends with NUL.
            unsafe { CStr::from_ptr(pPathConfig) }
        };
        let guid = if pguid.is_null() {
            None
        } else {
            // SAFETY: it is not NULL, and so the caller guarantees 16 bytes, which need no
            // alignment.
            Some(Guid(unsafe { pguid.cast::<[u8; 16]>().read() }))
        };
        let configuration = configuration.to_string_lossy();
        let host = Host {
            layout: detect_layout::host_layout(),
            ..Host::default()
        };
        let why = match on_own_thread(|| Driver::open(&configuration, guid, host)) {
            Ok(Ok(driver)) => return handle::insert(driver).unwrap_or(NO_HANDLE),
            // It is in the log.
            Ok(Err(_)) => return NO_HANDLE,
            Err(Failure::NoThread(error)) => format!("no thread: {error}"),
            Err(Failure::Panic) => "an error in the driver".to_owned(),
        };
        log::report_to_stderr(&format!("the driver cannot be opened: {why}"));
        NO_HANDLE
    })
}

/// Closes a driver: wakes the calls that wait, tells its clients, and ends its threads.
///
/// Returns
/// CANAL_ERROR_SUCCESS   the driver is closed.
/// CANAL_ERROR_NOT_OPEN  the handle is not open, or another thread is closing it.
/// CANAL_ERROR_INTERNAL  the driver has failed while closing; the handle is closed all the same.
///
/// Threads: any thread may call it, also while others are inside VSCPRead or VSCPWrite with the
/// handle, which then return CANAL_ERROR_NOT_OPEN. In a child process after fork no handle of the
/// parent is open.
#[unsafe(no_mangle)]
pub extern "C" fn VSCPClose(handle: c_long) -> c_int {
    catch_panics(CANAL_ERROR_INTERNAL, || {
        let Some(driver) = handle::remove(handle) else {
            return CANAL_ERROR_NOT_OPEN;
        };
        match on_own_thread(|| driver.close()) {
            Ok(()) => {}
            Err(Failure::NoThread(_)) => driver.close(),
            Err(Failure::Panic) => return CANAL_ERROR_INTERNAL,
        }
        CANAL_ERROR_SUCCESS
    })
}

/// Gives an event to the driver, for its clients and CAN buses. Waits for room in its queue.
///
/// pEvent: an event in the layout of the driver (see event-layout), with sizeData from 0 to 512
/// and as many bytes at pdata. crc is not read, and with sizeData 0 neither is pdata.
/// timeout: how long to wait, in milliseconds; 0 waits until there is room.
///
/// Returns
/// CANAL_ERROR_SUCCESS    the driver has the event, also if nobody wants it.
/// CANAL_ERROR_FIFO_FULL  there was no room within the timeout; the event was not taken.
/// CANAL_ERROR_NOT_OPEN   the handle is not open, or was closed during the call.
/// CANAL_ERROR_PARAMETER  pEvent is NULL, sizeData is over 512, or pdata is NULL and sizeData is
///                        not 0.
/// CANAL_ERROR_INTERNAL   the driver has failed; the event may be lost.
///
/// Memory: the event and its data are copied before the call returns, and stay with the caller.
/// Threads: any number of threads may call it at any time, also before VSCPOpen has returned and
/// after VSCPClose.
#[expect(
    clippy::missing_safety_doc,
    reason = "the comment is for C programmers"
)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VSCPWrite(
    handle: c_long,
    pEvent: *const vscpEvent,
    timeout: c_ulong,
) -> c_int {
    catch_panics(CANAL_ERROR_INTERNAL, || {
        let Some(driver) = handle::get(handle) else {
            return CANAL_ERROR_NOT_OPEN;
        };
        if pEvent.is_null() {
            return CANAL_ERROR_PARAMETER;
        }
        // SAFETY: it is not NULL, and so the caller guarantees an event in the layout of the
        // driver.
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

/// Takes the next event from the driver. Waits until there is one.
///
/// pEvent: room for an event in the layout of the driver (see event-layout), which may be
/// uninitialised: on success every field is written, otherwise none is written; fields are never read.
/// timeout: how long to wait, in milliseconds; 0 waits until there is an event.
///
/// Returns
/// CANAL_ERROR_SUCCESS    the event is in *pEvent.
/// CANAL_ERROR_TIMEOUT    no event came within the timeout.
/// CANAL_ERROR_NOT_OPEN   the handle is not open, or was closed during the call. With a handle that
///                        is not open the call waits for the timeout, but 50 ms at most.
/// CANAL_ERROR_PARAMETER  pEvent is NULL.
/// CANAL_ERROR_MEMORY     there is no memory for the data of the event; the event is lost.
/// CANAL_ERROR_INTERNAL   the driver has failed; the event may be lost.
///
/// Memory: pdata is allocated with malloc and belongs to the caller, who frees it with free. It is
/// NULL if sizeData is 0.
/// Threads: any number of threads may call it at any time; each event goes to one of them.
#[expect(
    clippy::missing_safety_doc,
    reason = "the comment is for C programmers"
)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VSCPRead(
    handle: c_long,
    pEvent: *mut vscpEvent,
    timeout: c_ulong,
) -> c_int {
    catch_panics(CANAL_ERROR_INTERNAL, || {
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
        // SAFETY: it is not NULL, and so the caller guarantees room for an event in the layout of
        // the driver.
        match unsafe { event::copy_out(&event, driver.layout(), pEvent) } {
            Ok(()) => CANAL_ERROR_SUCCESS,
            Err(status) => status,
        }
    })
}

/// Returns the version of the driver: major << 24 | minor << 16 | release << 8 | build.
///
/// Threads: any thread may call it at any time.
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

/// Returns the name of the vendor, a string that ends with NUL.
///
/// Memory: the string is constant and valid until the process ends. The caller must not free it.
/// Threads: any thread may call it at any time.
#[unsafe(no_mangle)]
pub extern "C" fn VSCPGetVendorString() -> *const c_char {
    c"the vscpl2drv-websocksrv authors".as_ptr()
}

/// Returns the time of a timeout in milliseconds, `None` for 0: no limit.
#[allow(
    clippy::useless_conversion,
    reason = "an unsigned long has 32 bits on some machines"
)]
fn duration(timeout: c_ulong) -> Option<Duration> {
    (timeout > 0).then(|| Duration::from_millis(timeout.into()))
}

fn status_of(error: HostError) -> c_int {
    match error {
        HostError::Full => CANAL_ERROR_FIFO_FULL,
        HostError::Timeout => CANAL_ERROR_TIMEOUT,
        HostError::Closed => CANAL_ERROR_NOT_OPEN,
    }
}

//! The CANAL status numbers that the functions of the C interface return.

use std::ffi::c_int;

/// Success.
pub const CANAL_ERROR_SUCCESS: c_int = 0;
/// The queue of the driver had no room within the timeout.
pub const CANAL_ERROR_FIFO_FULL: c_int = 9;
/// No event came within the timeout.
pub const CANAL_ERROR_TIMEOUT: c_int = 32;
/// The handle is not open, or was closed during the call.
pub const CANAL_ERROR_NOT_OPEN: c_int = 33;
/// A required pointer is NULL, or sizeData is over 512 or has no data.
pub const CANAL_ERROR_PARAMETER: c_int = 34;
/// There is no memory for the data of the event.
pub const CANAL_ERROR_MEMORY: c_int = 35;
/// The driver has failed during the call. Other calls are not affected.
pub const CANAL_ERROR_INTERNAL: c_int = 36;

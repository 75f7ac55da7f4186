//! The CANAL status numbers that the functions return.

use std::ffi::c_int;

/// Done.
pub const CANAL_ERROR_SUCCESS: c_int = 0;
/// The queue stayed full for the whole timeout.
pub const CANAL_ERROR_FIFO_FULL: c_int = 9;
/// Nothing came within the timeout.
pub const CANAL_ERROR_TIMEOUT: c_int = 32;
/// The handle is not open, or was closed while waiting.
pub const CANAL_ERROR_NOT_OPEN: c_int = 33;
/// NULL, or an event that cannot be.
pub const CANAL_ERROR_PARAMETER: c_int = 34;
/// There is no memory for the data of an event.
pub const CANAL_ERROR_MEMORY: c_int = 35;
/// The driver itself failed; it goes on.
pub const CANAL_ERROR_INTERNAL: c_int = 36;

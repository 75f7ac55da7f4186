//! What the main program shows of itself: which layout its events have.
//!
//! The version of a daemon does not tell. What does is a text that it writes events with, found
//! in the read-only segments of its executable.
//!
//! A program of this project that has this module in it must not find the texts that it looks
//! for, so they are kept as their complement.

use std::{
    ffi::{c_int, c_void},
    hint::black_box,
    slice,
};

use libc::{PF_R, PF_W, PT_LOAD, dl_iterate_phdr, dl_phdr_info, size_t};
use memchr::memmem;

use crate::config::Layout;

/// A key that only daemons with nanoseconds write.
static UNIX_NS: [u8; 12] = complement(*b"timestamp_ns");

/// How the others write their time stamp.
static CLASSIC: [u8; 20] = complement(*b"\"vscpTimeStamp\": %lu");

/// The layout that the main program shows, `None` where it shows none.
pub(crate) fn host_layout() -> Option<Layout> {
    let mut found = Found {
        unix_ns: false,
        classic: false,
    };
    // SAFETY: the callback gets the pointer to `found` only during the call.
    unsafe { dl_iterate_phdr(Some(look), (&raw mut found).cast()) };
    if found.unix_ns {
        Some(Layout::UnixNs)
    } else {
        found.classic.then_some(Layout::Classic)
    }
}

const fn complement<const N: usize>(mut text: [u8; N]) -> [u8; N] {
    let mut index = 0;
    while index < N {
        text[index] = !text[index];
        index += 1;
    }
    text
}

struct Found {
    unix_ns: bool,
    classic: bool,
}

/// Looks into the first object, which is the main program.
///
/// # Safety
/// Called by dl_iterate_phdr only, with a [`Found`].
unsafe extern "C" fn look(info: *mut dl_phdr_info, _: size_t, found: *mut c_void) -> c_int {
    const STOP: c_int = 1;
    // SAFETY: dl_iterate_phdr passes a valid object, and on what `host_layout` gave it.
    let (info, found) = unsafe { (&*info, &mut *found.cast::<Found>()) };
    if info.dlpi_phdr.is_null() {
        return STOP;
    }
    // SAFETY: that many program headers are there.
    let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    // Behind the black box the compiler cannot put the texts themselves into the program.
    let [unix_ns, classic] = [black_box(&UNIX_NS[..]), black_box(&CLASSIC[..])]
        .map(|kept| kept.iter().map(|byte| !byte).collect::<Vec<u8>>());
    for header in headers {
        if header.p_type != PT_LOAD || header.p_flags & (PF_R | PF_W) != PF_R {
            continue;
        }
        let start = info.dlpi_addr.wrapping_add(header.p_vaddr) as *const u8;
        // SAFETY: the segment is mapped, readable, never written to, for as long as the process
        // lives; what the file has of it is there.
        let segment = unsafe { slice::from_raw_parts(start, header.p_filesz as usize) };
        found.unix_ns |= memmem::find(segment, &unix_ns).is_some();
        found.classic |= memmem::find(segment, &classic).is_some();
    }
    STOP
}

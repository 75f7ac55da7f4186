//! Detects the layout of the host's events.
//!
//! The version of a daemon does not tell its layout: 15.0.4 exists with both. But the text with
//! which a daemon formats events tells it. The texts of both layouts are searched for in the
//! read-only segments of its executable.

use std::{
    ffi::{c_int, c_void},
    hint::black_box,
    slice,
};

use libc::{PF_R, PF_W, PT_LOAD, dl_iterate_phdr, dl_phdr_info, size_t};
use memchr::memmem;

use crate::event::Layout;

/// A JSON key of daemons with the unix-ns layout. Kept as its complement, as is [`CLASSIC`]: a
/// program that has this module in it must not match itself.
static UNIX_NS: [u8; 12] = complement(*b"timestamp_ns");

/// The format of the time stamp in daemons with the classic layout.
static CLASSIC: [u8; 20] = complement(*b"\"vscpTimeStamp\": %lu");

/// A text in programs that load the driver through the crate `host`. They are no daemons, even if
/// they have code of this crate in them that knows the JSON keys of the daemons.
static NO_DAEMON: [u8; 29] = complement(*b"vscp-driver-host is no daemon");

/// Searches the main program for the texts of the daemons. Returns the layout that they stand for,
/// `None` if it has neither, or is known to be no daemon.
pub fn host_layout() -> Option<Layout> {
    let mut found = Found::default();
    // SAFETY: the callback uses the pointer to `found` during this call only.
    unsafe { dl_iterate_phdr(Some(search_first_object), (&raw mut found).cast()) };
    if found.no_daemon {
        None
    } else if found.unix_ns {
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

/// The texts that were found.
#[derive(Default)]
struct Found {
    unix_ns: bool,
    classic: bool,
    no_daemon: bool,
}

/// Searches the first object, which is the main program (dl_iterate_phdr(3)), and stops there.
///
/// # Safety
/// Called by dl_iterate_phdr only, with a pointer to a [`Found`].
unsafe extern "C" fn search_first_object(
    info: *mut dl_phdr_info,
    _: size_t,
    found: *mut c_void,
) -> c_int {
    const STOP: c_int = 1;
    // SAFETY: dl_iterate_phdr passes a valid object, and the pointer that `host_layout` gave it.
    let (info, found) = unsafe { (&*info, &mut *found.cast::<Found>()) };
    if info.dlpi_phdr.is_null() {
        return STOP;
    }
    // SAFETY: the array of program headers has `dlpi_phnum` entries, and is not NULL.
    let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    // The black box keeps the compiler from computing the texts and storing them in the program.
    let texts = [&UNIX_NS[..], &CLASSIC[..], &NO_DAEMON[..]].map(black_box);
    let [unix_ns, classic, no_daemon] =
        texts.map(|text| text.iter().map(|byte| !byte).collect::<Vec<u8>>());
    for header in headers {
        if header.p_type != PT_LOAD || header.p_flags & (PF_R | PF_W) != PF_R {
            continue;
        }
        let start = info.dlpi_addr.wrapping_add(header.p_vaddr) as *const u8;
        // SAFETY: a PT_LOAD segment that is readable and not writable is mapped and constant while
        // the process lives; `p_filesz` bytes of it come from the file.
        let segment = unsafe { slice::from_raw_parts(start, header.p_filesz as usize) };
        found.unix_ns |= memmem::find(segment, &unix_ns).is_some();
        found.classic |= memmem::find(segment, &classic).is_some();
        found.no_daemon |= memmem::find(segment, &no_daemon).is_some();
    }
    STOP
}

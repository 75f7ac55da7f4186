//! The other side of the C interface: loads the library as a daemon does.
//!
//! For the command line tool, the benchmarks and the tests.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_long, c_uchar, c_ulong, c_void},
    mem::{self, MaybeUninit},
    path::Path,
    time::Duration,
};

use super::{
    event,
    layout::{vscpEvent, vscpEventUnixNs},
    markers,
    status::CANAL_ERROR_SUCCESS,
};
use crate::{
    config::Layout,
    event::{Event, Guid},
};

/// A driver library that was loaded with dlopen; unloaded with its drop.
#[derive(Debug)]
pub struct Library {
    library: *mut c_void,
    open: unsafe extern "C" fn(*const c_char, *const c_uchar) -> c_long,
    close: extern "C" fn(c_long) -> c_int,
    write: unsafe extern "C" fn(c_long, *const vscpEvent, c_ulong) -> c_int,
    read: unsafe extern "C" fn(c_long, *mut vscpEvent, c_ulong) -> c_int,
}

// SAFETY: a library may be used and unloaded by any thread; its functions may be called by
// several at once.
unsafe impl Send for Library {}
// SAFETY: as above.
unsafe impl Sync for Library {}

impl Library {
    /// Loads a library.
    ///
    /// # Errors
    /// What dlopen or dlsym says.
    pub fn load(path: &Path) -> Result<Self, String> {
        let name = CString::new(path.as_os_str().as_encoded_bytes()).map_err(|e| e.to_string())?;
        // SAFETY: `name` is a string; initialisers of the library may run.
        let library = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY) };
        if library.is_null() {
            return Err(dl_error());
        }
        let symbol = |name: &CStr| {
            // SAFETY: the library is loaded, `name` is a string.
            let symbol = unsafe { libc::dlsym(library, name.as_ptr()) };
            if symbol.is_null() {
                return Err(dl_error());
            }
            Ok(symbol)
        };
        // SAFETY: these are the types of the functions of a level II driver.
        unsafe {
            Ok(Self {
                library,
                open: mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(*const c_char, *const c_uchar) -> c_long,
                >(symbol(c"VSCPOpen")?),
                close: mem::transmute::<*mut c_void, extern "C" fn(c_long) -> c_int>(symbol(
                    c"VSCPClose",
                )?),
                write: mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(c_long, *const vscpEvent, c_ulong) -> c_int,
                >(symbol(c"VSCPWrite")?),
                read: mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(c_long, *mut vscpEvent, c_ulong) -> c_int,
                >(symbol(c"VSCPRead")?),
            })
        }
    }

    /// Opens the driver. `layout` is what its configuration says, `None` for `auto`. `None`
    /// where the driver refuses; it has said why.
    pub fn open(
        &self,
        configuration: &str,
        guid: Option<Guid>,
        layout: Option<Layout>,
    ) -> Option<OpenDriver<'_>> {
        let configuration = CString::new(configuration).ok()?;
        let guid = guid
            .as_ref()
            .map_or(std::ptr::null(), |guid| guid.0.as_ptr());
        // SAFETY: a string, and NULL or 16 bytes.
        let handle = unsafe { (self.open)(configuration.as_ptr(), guid) };
        (handle != 0).then(|| OpenDriver {
            library: self,
            handle,
            layout: layout
                .or_else(markers::host_layout)
                .unwrap_or(Layout::Classic),
        })
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: it is loaded, and nothing that borrows it is left.
        unsafe { libc::dlclose(self.library) };
    }
}

/// An open driver of a [`Library`]; closed with its drop.
#[derive(Debug)]
pub struct OpenDriver<'l> {
    library: &'l Library,
    handle: c_long,
    layout: Layout,
}

impl OpenDriver<'_> {
    /// Gives an event to the driver; waits at most `timeout` (0: as long as it takes).
    ///
    /// # Errors
    /// The status number of the driver.
    pub fn write(&self, event: &Event, timeout: Duration) -> Result<(), c_int> {
        let mut raw = MaybeUninit::<vscpEventUnixNs>::zeroed();
        // SAFETY: the larger of both layouts has room for either.
        unsafe { event::copy_out(event, self.layout, raw.as_mut_ptr().cast()) }?;
        let raw = raw.as_ptr().cast();
        // SAFETY: an event in the layout of the driver, made just now.
        let status = unsafe { (self.library.write)(self.handle, raw, milliseconds(timeout)) };
        // SAFETY: as above; its data was made with malloc and the driver has not kept it.
        unsafe { event::free_data(raw, self.layout) };
        check(status)
    }

    /// The next event of the driver; waits at most `timeout` (0: as long as it takes).
    ///
    /// # Errors
    /// The status number of the driver.
    pub fn read(&self, timeout: Duration) -> Result<Event, c_int> {
        let mut raw = MaybeUninit::<vscpEventUnixNs>::uninit();
        let out = raw.as_mut_ptr().cast();
        // SAFETY: the larger of both layouts has room for either.
        check(unsafe { (self.library.read)(self.handle, out, milliseconds(timeout)) })?;
        // SAFETY: the driver has written all fields, and memory for the data.
        let event = unsafe { event::copy_in(out, self.layout) };
        // SAFETY: as above.
        unsafe { event::free_data(out, self.layout) };
        event
    }

    /// Closes the driver.
    ///
    /// # Errors
    /// The status number of the driver.
    pub fn close(self) -> Result<(), c_int> {
        let status = (self.library.close)(self.handle);
        mem::forget(self);
        check(status)
    }
}

impl Drop for OpenDriver<'_> {
    fn drop(&mut self) {
        (self.library.close)(self.handle);
    }
}

fn check(status: c_int) -> Result<(), c_int> {
    match status {
        CANAL_ERROR_SUCCESS => Ok(()),
        status => Err(status),
    }
}

fn milliseconds(timeout: Duration) -> c_ulong {
    c_ulong::try_from(timeout.as_millis()).unwrap_or(c_ulong::MAX)
}

fn dl_error() -> String {
    // SAFETY: dlerror gives NULL or a string that is valid until the next call.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "unknown error".to_owned();
    }
    // SAFETY: as above.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

//! Loads a level II driver through its C interface, as the VSCP daemon does.
//!
//! A [`Library`] is a shared library that was loaded, an [`OpenDriver`] a driver that it has opened.
//! It takes [`Event`]s, or [`PreparedEvent`]s: these are converted to the C layout beforehand, so
//! that a benchmark measures the driver alone.
//! [`find`] looks for the library of this project.

#![warn(missing_docs)]

pub mod find;

use std::{
    ffi::{CString, NulError, c_char, c_int, c_long, c_uchar, c_ulong},
    mem::{self, MaybeUninit},
    path::{Path, PathBuf},
    time::Duration,
};

use libloading::Symbol;
use vscpl2drv_websocksrv::{
    event::{Event, Guid, Layout},
    ffi::{
        detect_layout, event,
        layout::{vscpEvent, vscpEventUnixNs},
        status::CANAL_ERROR_SUCCESS,
    },
};

/// The text by which the driver knows that this program is no daemon (`ffi/detect_layout.rs`).
static NO_DAEMON: [u8; 29] = *b"vscp-driver-host is no daemon";

type Open = unsafe extern "C" fn(*const c_char, *const c_uchar) -> c_long;
type Close = extern "C" fn(c_long) -> c_int;
type Write = unsafe extern "C" fn(c_long, *const vscpEvent, c_ulong) -> c_int;
type Read = unsafe extern "C" fn(c_long, *mut vscpEvent, c_ulong) -> c_int;

/// Why a library cannot be used as a driver.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be loaded: there is no such file, or it is no library for this machine.
    #[error("{} cannot be loaded", path.display())]
    Load {
        /// The library.
        path: PathBuf,
        /// The message of the dynamic linker.
        source: libloading::Error,
    },
    /// It lacks a function that each level II driver has.
    #[error("{} is no level II driver, it has no function {name}", path.display())]
    Symbol {
        /// The library.
        path: PathBuf,
        /// The function.
        name: &'static str,
        /// The message of the dynamic linker.
        source: libloading::Error,
    },
}

/// Why a driver was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configuration has a NUL in it, which ends a string in C.
    #[error("the configuration has a NUL in it")]
    Nul(#[from] NulError),
    /// The driver has refused. It has told why in its log and on standard error.
    #[error("the driver did not open, its log tells why")]
    Refused,
}

/// The status that a function of a driver has returned instead of success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("status {0}")]
pub struct Status(pub c_int);

/// A driver library that was loaded; unloaded when it is dropped.
#[derive(Debug)]
pub struct Library {
    open: Open,
    close: Close,
    write: Write,
    read: Read,
    /// Keeps the code of the functions where it is.
    _library: libloading::Library,
}

impl Library {
    /// Loads a library and looks its functions up.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        // SAFETY: initialisers of the library run; the caller has chosen a driver to run.
        let library =
            unsafe { libloading::Library::new(path) }.map_err(|source| LoadError::Load {
                path: path.to_owned(),
                source,
            })?;
        // SAFETY: these are the types of the functions of a level II driver.
        unsafe {
            Ok(Self {
                open: function(&library, path, "VSCPOpen")?,
                close: function(&library, path, "VSCPClose")?,
                write: function(&library, path, "VSCPWrite")?,
                read: function(&library, path, "VSCPRead")?,
                _library: library,
            })
        }
    }

    /// Opens the driver. `layout` is the layout of events that its configuration names, `None` for
    /// `auto`.
    pub fn open(
        &self,
        configuration: &str,
        guid: Option<Guid>,
        layout: Option<Layout>,
    ) -> Result<OpenDriver<'_>, OpenError> {
        std::hint::black_box(&NO_DAEMON);
        let configuration = CString::new(configuration)?;
        let guid = guid
            .as_ref()
            .map_or(std::ptr::null(), |guid| guid.0.as_ptr());
        // SAFETY: a string that ends with NUL, and NULL or 16 bytes.
        let handle = unsafe { (self.open)(configuration.as_ptr(), guid) };
        if handle == 0 {
            return Err(OpenError::Refused);
        }
        Ok(OpenDriver {
            library: self,
            handle,
            layout: layout
                .or_else(detect_layout::host_layout)
                .unwrap_or(Layout::Classic),
        })
    }
}

/// An open driver of a [`Library`]; closed when it is dropped.
#[derive(Debug)]
pub struct OpenDriver<'l> {
    library: &'l Library,
    handle: c_long,
    layout: Layout,
}

impl OpenDriver<'_> {
    /// Gives an event to the driver; waits at most `timeout` (0: as long as it takes).
    pub fn write(&self, event: &Event, timeout: Duration) -> Result<(), Status> {
        self.write_prepared(&self.prepare(event)?, timeout)
    }

    /// Makes an event that can be given to the driver again and again.
    pub fn prepare(&self, event: &Event) -> Result<PreparedEvent, Status> {
        let mut raw = MaybeUninit::<vscpEventUnixNs>::zeroed();
        // SAFETY: the larger of both layouts has room for either.
        unsafe { event::copy_out(event, self.layout, raw.as_mut_ptr().cast()) }.map_err(Status)?;
        let layout = self.layout;
        Ok(PreparedEvent { raw, layout })
    }

    /// Gives an event that was prepared for this driver to it, as [`write`](Self::write) does.
    pub fn write_prepared(&self, event: &PreparedEvent, timeout: Duration) -> Result<(), Status> {
        let raw = event.raw.as_ptr().cast();
        // SAFETY: an event in the layout that it names; the driver keeps nothing of it.
        let status = unsafe { (self.library.write)(self.handle, raw, milliseconds(timeout)) };
        check(status)
    }

    /// Takes the next event of the driver; waits at most `timeout` (0: as long as it takes).
    pub fn read(&self, timeout: Duration) -> Result<Event, Status> {
        let mut raw = MaybeUninit::<vscpEventUnixNs>::uninit();
        let out = raw.as_mut_ptr().cast();
        // SAFETY: the larger of both layouts has room for either.
        check(unsafe { (self.library.read)(self.handle, out, milliseconds(timeout)) })?;
        // SAFETY: the driver has written all fields, and memory for the data.
        let event = unsafe { event::copy_in(out, self.layout) };
        // SAFETY: as above.
        unsafe { event::free_data(out, self.layout) };
        event.map_err(Status)
    }

    /// Closes the driver.
    pub fn close(self) -> Result<(), Status> {
        let status = (self.library.close)(self.handle);
        mem::forget(self);
        check(status)
    }
}

/// An event as a driver reads it.
#[derive(Debug)]
pub struct PreparedEvent {
    raw: MaybeUninit<vscpEventUnixNs>,
    layout: Layout,
}

impl Drop for PreparedEvent {
    fn drop(&mut self) {
        // SAFETY: `copy_out` has made it, in this layout, and nobody has its data any more.
        unsafe { event::free_data(self.raw.as_ptr().cast(), self.layout) };
    }
}

impl Drop for OpenDriver<'_> {
    fn drop(&mut self) {
        (self.library.close)(self.handle);
    }
}

/// Looks a function of a library up.
///
/// # Safety
/// `F` must be the type of the function.
unsafe fn function<F: Copy>(
    library: &libloading::Library,
    path: &Path,
    name: &'static str,
) -> Result<F, LoadError> {
    // SAFETY: the caller says so.
    let symbol: Symbol<'_, F> =
        unsafe { library.get(name.as_bytes()) }.map_err(|source| LoadError::Symbol {
            path: path.to_owned(),
            name,
            source,
        })?;
    Ok(*symbol)
}

fn check(status: c_int) -> Result<(), Status> {
    match status {
        CANAL_ERROR_SUCCESS => Ok(()),
        status => Err(Status(status)),
    }
}

fn milliseconds(timeout: Duration) -> c_ulong {
    c_ulong::try_from(timeout.as_millis()).unwrap_or(c_ulong::MAX)
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn what_is_no_driver_is_an_error_that_names_it() {
        let missing = Library::load(Path::new("/nowhere/driver.so")).unwrap_err();
        assert_eq!(missing.to_string(), "/nowhere/driver.so cannot be loaded");
        assert!(missing.source().is_some());
        let other = Library::load(Path::new("libc.so.6")).unwrap_err();
        assert_eq!(
            other.to_string(),
            "libc.so.6 is no level II driver, it has no function VSCPOpen"
        );
    }

    #[test]
    fn the_driver_of_this_project_is_loaded_and_says_that_it_did_not_open() {
        let library = Library::load(&find::built().unwrap()).unwrap();
        let refused = library.open("{\"no-such\":", None, None).unwrap_err();
        assert!(matches!(refused, OpenError::Refused));
        let nul = library.open("a\0b", None, None).unwrap_err();
        assert!(matches!(nul, OpenError::Nul(_)));
    }
}

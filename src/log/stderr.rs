//! Standard input, output and error, which belong to the host.

use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Write},
    os::fd::{AsFd, AsRawFd, IntoRawFd},
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::journal::is_journal;

/// A pipe that is ready takes this many bytes without blocking (`PIPE_BUF`, pipe(7)).
const CHUNK: usize = 4096;

/// How long a write waits for the reader. After a timeout later writes do not wait, until one
/// succeeds.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// Opens `/dev/null` in place of standard streams that the host has closed. Otherwise a connection
/// could get the descriptor of one, and what is printed would be sent to a client.
pub fn fill_closed_descriptors() {
    // A new descriptor gets the lowest free number (open(2)).
    while let Ok(null) = OpenOptions::new().read(true).write(true).open("/dev/null")
        && null.as_raw_fd() <= 2
    {
        // It stays open.
        let _ = null.into_raw_fd();
    }
}

/// Writes a line to stderr, for errors while there is no log.
pub fn report_to_stderr(text: &str) {
    // An error cannot be reported anywhere.
    let _ = Stderr::open().write_all(format!("{}: {text}\n", env!("CARGO_PKG_NAME")).as_bytes());
}

/// A duplicate of stderr, which stays the same if the host replaces its own later. A write fails if
/// the reader takes nothing for too long.
#[derive(Debug)]
pub(super) struct Stderr {
    /// `None` if the host has closed stderr.
    file: Option<File>,
    /// True if the reader took nothing at the last write.
    stuck: bool,
}

impl Stderr {
    pub(super) fn open() -> Self {
        let copy = io::stderr().as_fd().try_clone_to_owned();
        Self {
            file: copy.ok().map(File::from),
            stuck: false,
        }
    }

    /// Returns true if it leads to the journal of systemd.
    pub(super) fn is_journal(&self) -> bool {
        self.file.as_ref().is_some_and(is_journal)
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.file.as_ref().is_some_and(File::is_terminal)
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(file) = &mut self.file else {
            return Ok(bytes.len());
        };
        let time = if self.stuck {
            Duration::ZERO
        } else {
            WRITE_TIMEOUT
        };
        let timeout = Timespec::try_from(time).map_err(io::Error::other)?;
        let ready = poll(&mut [PollFd::new(file, PollFlags::OUT)], Some(&timeout))?;
        self.stuck = ready == 0;
        if self.stuck {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        file.write(&bytes[..bytes.len().min(CHUNK)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read, time::Instant};

    use super::*;

    #[test]
    fn a_reader_that_takes_nothing_is_waited_for_once() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut stderr = Stderr {
            file: Some(File::from(std::os::fd::OwnedFd::from(writer))),
            stuck: false,
        };
        let line = [b'x'; CHUNK];
        while stderr.write_all(&line).is_ok() {}
        let start = Instant::now();
        for _ in 0..1000 {
            let refused = stderr.write_all(&line).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        }
        assert!(start.elapsed() < WRITE_TIMEOUT);
        reader.read_exact(&mut [0; CHUNK]).unwrap();
        stderr.write_all(&line).unwrap();
    }
}

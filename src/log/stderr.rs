//! Standard input, output and error, which belong to the host.

use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Write},
    os::fd::{AsFd, AsRawFd, IntoRawFd},
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What a pipe takes without making the writer wait, where it is ready for anything.
const CHUNK: usize = 4096;

/// How long a reader may take to make room. One that has not is waited for no more until it has.
const PATIENCE: Duration = Duration::from_secs(1);

/// Puts `/dev/null` where the host has closed one of the three: otherwise the next descriptors,
/// which are connections, would get their numbers, and whatever is printed would be sent there.
pub fn fill_closed_descriptors() {
    // New descriptors get the lowest number that is free.
    while let Ok(null) = OpenOptions::new().read(true).write(true).open("/dev/null")
        && null.as_raw_fd() <= 2
    {
        // Stays open.
        let _ = null.into_raw_fd();
    }
}

/// Says something to the people who start the host, whether there is a log or not.
pub fn say(text: &str) {
    // There is nowhere to tell it.
    let _ = Stderr::open().write_all(format!("{}: {text}\n", env!("CARGO_PKG_NAME")).as_bytes());
}

/// Standard error as it was when this was made, whatever the host does with its descriptor
/// later. A reader that takes nothing holds nobody up for long: writing fails then.
#[derive(Debug)]
pub(super) struct Stderr {
    /// `None` where the host has none.
    file: Option<File>,
    /// Whether the reader takes nothing.
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

    pub(super) fn is_terminal(&self) -> bool {
        self.file.as_ref().is_some_and(File::is_terminal)
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(file) = &mut self.file else {
            return Ok(bytes.len());
        };
        let time = if self.stuck { Duration::ZERO } else { PATIENCE };
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
    #![allow(clippy::unwrap_used)]

    use std::{io::Read, time::Instant};

    use super::*;

    #[test]
    fn a_reader_that_takes_nothing_is_waited_for_once_and_no_longer() {
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
        assert!(start.elapsed() < PATIENCE);
        reader.read_exact(&mut [0; CHUNK]).unwrap();
        stderr.write_all(&line).unwrap();
    }
}

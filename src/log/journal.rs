//! The journal of systemd, by its native protocol
//! (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>): a datagram for each line, with fields.

use std::{
    fs, io,
    os::{fd::AsFd, unix::net::UnixDatagram},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Level, record::Record};

/// Where journald listens.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";

/// How long a line waits for journald. After a timeout later ones do not wait, until one is taken.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// A socket to journald.
#[derive(Debug)]
pub(super) struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
    /// The last datagram. Kept so that its memory is used again.
    datagram: Vec<u8>,
}

impl Journal {
    /// Makes a socket for the journald that listens at a path. Fails if there is none.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(WRITE_TIMEOUT))?;
        // Fails if no journald listens there. Nothing is sent yet.
        socket.connect(path)?;
        Ok(Self {
            socket,
            path: path.to_owned(),
            datagram: Vec::new(),
        })
    }

    /// Sends a line of the logger with this name. Fails if journald does not take it.
    pub(super) fn write(&mut self, name: &str, record: &Record) -> io::Result<()> {
        self.datagram.clear();
        self.field("MESSAGE", &record.message);
        self.field("PRIORITY", priority(record.level));
        self.field("SYSLOG_IDENTIFIER", name);
        self.field("TID", &record.thread.to_string());
        if let Some(metadata) = record.metadata {
            if let Some((file, line)) = metadata.file().zip(metadata.line()) {
                self.field("CODE_FILE", file);
                self.field("CODE_LINE", &line.to_string());
            }
            self.field("CODE_MODULE", metadata.module_path().unwrap_or_default());
        }
        self.send()
    }

    /// Adds a field in the form that takes any value: its length stands before it.
    fn field(&mut self, name: &str, value: &str) {
        self.datagram.extend_from_slice(name.as_bytes());
        self.datagram.push(b'\n');
        let length = value.len() as u64;
        self.datagram.extend_from_slice(&length.to_le_bytes());
        self.datagram.extend_from_slice(value.as_bytes());
        self.datagram.push(b'\n');
    }

    fn send(&mut self) -> io::Result<()> {
        let sent = match self.socket.send(&self.datagram) {
            // journald was started anew, with another socket.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                self.socket.connect(&self.path)?;
                self.socket.send(&self.datagram)
            }
            sent => sent,
        };
        let is_stuck = sent
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        self.socket.set_nonblocking(is_stuck)?;
        sent.map(|_| ())
    }
}

/// Returns true if a stream leads to the journal, as the environment tells that systemd starts a
/// service with: JOURNAL_STREAM has the device and the inode of the stream (systemd.exec(5)).
pub(super) fn is_journal(stream: impl AsFd) -> bool {
    // The environment that the process was started with: that of C may change while it is read.
    let environment = fs::read("/proc/self/environ").unwrap_or_default();
    journal_stream(&environment).is_some_and(|name| leads_to(stream, name))
}

fn journal_stream(environment: &[u8]) -> Option<&[u8]> {
    let mut variables = environment.split(|byte| *byte == 0);
    variables.find_map(|variable| variable.strip_prefix(b"JOURNAL_STREAM="))
}

/// Returns true if a stream has the device and the inode of a name.
fn leads_to(stream: impl AsFd, name: &[u8]) -> bool {
    rustix::fs::fstat(stream).is_ok_and(|stat| {
        let own = format!("{}:{}", stat.st_dev, stat.st_ino);
        own.as_bytes() == name
    })
}

/// Returns the number of a level in syslog(3).
fn priority(level: Level) -> &'static str {
    match level {
        Level::Critical | Level::Off => "2",
        Level::Error => "3",
        Level::Warn => "4",
        Level::Info => "6",
        Level::Debug | Level::Trace => "7",
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::unix::fs::MetadataExt, time::Instant};

    use super::*;
    use crate::log::record::Sinks;

    const SINKS: Sinks = Sinks {
        console: true,
        file: false,
    };

    fn record(level: Level, text: &str) -> Record {
        Record::new(level, SINKS, text.to_owned())
    }

    /// Reads the fields of a datagram.
    fn fields(mut datagram: &[u8]) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        while let Some(end) = datagram.iter().position(|byte| *byte == b'\n') {
            let (name, rest) = (&datagram[..end], &datagram[end + 1..]);
            let (length, rest) = rest.split_first_chunk().unwrap();
            let (value, rest) = rest.split_at(u64::from_le_bytes(*length) as usize);
            datagram = rest.strip_prefix(b"\n").unwrap();
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            fields.push((text(name), text(value)));
        }
        fields
    }

    #[test]
    fn a_line_is_a_datagram_with_fields() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        assert!(Journal::open(&path).is_err());
        let journald = UnixDatagram::bind(&path).unwrap();
        let mut journal = Journal::open(&path).unwrap();
        let mut buffer = [0; 4096];
        for (level, number) in [
            (Level::Critical, "2"),
            (Level::Error, "3"),
            (Level::Warn, "4"),
            (Level::Info, "6"),
            (Level::Debug, "7"),
            (Level::Trace, "7"),
        ] {
            let record = record(level, "what=happened\nPRIORITY=0");
            journal.write("driver", &record).unwrap();
            let length = journald.recv(&mut buffer).unwrap();
            let thread = nix::unistd::gettid().to_string();
            let expected = [
                ("MESSAGE", "what=happened\nPRIORITY=0"),
                ("PRIORITY", number),
                ("SYSLOG_IDENTIFIER", "driver"),
                ("TID", &thread),
            ];
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(fields(&buffer[..length]), expected);
        }
    }

    #[test]
    fn a_journald_that_is_started_anew_gets_the_next_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let journald = UnixDatagram::bind(&path).unwrap();
        let mut journal = Journal::open(&path).unwrap();
        drop(journald);
        fs::remove_file(&path).unwrap();
        assert!(
            journal
                .write("driver", &record(Level::Info, "lost"))
                .is_err()
        );
        let journald = UnixDatagram::bind(&path).unwrap();
        journal
            .write("driver", &record(Level::Info, "next"))
            .unwrap();
        let mut buffer = [0; 4096];
        let length = journald.recv(&mut buffer).unwrap();
        assert_eq!(fields(&buffer[..length])[0].1, "next");
    }

    #[test]
    fn a_journald_that_takes_nothing_is_waited_for_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let journald = UnixDatagram::bind(&path).unwrap();
        let mut journal = Journal::open(&path).unwrap();
        let line = record(Level::Info, "x");
        while journal.write("driver", &line).is_ok() {}
        let start = Instant::now();
        for _ in 0..1000 {
            let refused = journal.write("driver", &line).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        }
        assert!(start.elapsed() < WRITE_TIMEOUT);
        journald.recv(&mut [0; 4096]).unwrap();
        journal.write("driver", &line).unwrap();
    }

    #[test]
    fn a_stream_is_the_journal_if_the_environment_says_so() {
        let file = tempfile::tempfile().unwrap();
        let metadata = file.metadata().unwrap();
        let name = format!("{}:{}", metadata.dev(), metadata.ino());
        let environment = format!("A=1\0JOURNAL_STREAM={name}\0B=2\0");
        let found = journal_stream(environment.as_bytes()).unwrap();
        assert!(leads_to(&file, found));
        assert!(!leads_to(File::open("/").unwrap(), found));
        assert_eq!(journal_stream(b"A=JOURNAL_STREAM=1:2\0"), None);
    }
}

//! Asking a VSCP TCP/IP server for the values of variables.
//!
//! Lines end with CR LF. The server greets with lines of which the last one starts with `+OK`. The
//! last line of an answer starts with `+OK` as well, or with `-OK` if the server refuses.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::RemoteVariables;
use crate::{resolver, tls};

/// Bytes that a server may send in all.
const MAX_BYTES: u64 = 1 << 20;

/// The shortest wait: a timeout of zero would mean no timeout.
const MIN_WAIT: Duration = Duration::from_millis(1);

/// Asks the server for the values of variables, and returns `None` for one that is not defined or
/// empty. Takes no longer than the timeout for all of it. Fails with what went wrong, for the log.
pub(super) fn fetch<const N: usize>(
    remote: &RemoteVariables,
    names: &[String; N],
) -> Result<[Option<String>; N], String> {
    ask(open(remote)?, &remote.user, &remote.password, names)
}

/// Asks the server at the other end of a stream for the values of variables, as [`fetch`] does.
pub(crate) fn ask<S: Read + Write, const N: usize>(
    stream: S,
    user: &str,
    password: &str,
    names: &[String; N],
) -> Result<[Option<String>; N], String> {
    let mut client = Client {
        stream: BufReader::new(stream),
        allowed: MAX_BYTES,
    };
    client.expect_ok("the greeting")?;
    client.send(&format!("USER {user}"))?;
    client.expect_ok("USER")?;
    client.send(&format!("PASS {password}"))?;
    client.expect_ok("PASS")?;
    let mut values = [const { None }; N];
    for (value, name) in values.iter_mut().zip(names) {
        *value = client.variable(name)?;
    }
    // All values have been received: an error does not matter any more.
    let _ = client.send("QUIT");
    Ok(values)
}

fn open(remote: &RemoteVariables) -> Result<Box<dyn Stream>, String> {
    let stream = connect(remote)?;
    if !remote.tls {
        return Ok(Box::new(stream));
    }
    Ok(Box::new(tls::connect(stream, &remote.host, &remote.ca)?))
}

/// A connection with or without TLS.
trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

fn connect(remote: &RemoteVariables) -> Result<Timed, String> {
    let deadline = Instant::now() + remote.timeout;
    let addresses = resolver::look_up_within(remote.timeout, &remote.host, remote.port)
        .map_err(|error| format!("{}: {error}", remote.host))?;
    let mut last_error = "the name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, time_left(deadline)) {
            Ok(stream) => return Ok(Timed { stream, deadline }),
            Err(error) => last_error = format!("{address}: {error}"),
        }
    }
    Err(last_error)
}

fn time_left(deadline: Instant) -> Duration {
    deadline
        .saturating_duration_since(Instant::now())
        .max(MIN_WAIT)
}

/// A connection whose reads and writes fail after a deadline.
struct Timed {
    stream: TcpStream,
    deadline: Instant,
}

impl Timed {
    fn time_left(&self) -> io::Result<Duration> {
        if Instant::now() >= self.deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(time_left(self.deadline))
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.time_left()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.time_left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

struct Client<S> {
    stream: BufReader<S>,
    /// Bytes that the server may still send.
    allowed: u64,
}

impl<S: Read + Write> Client<S> {
    fn send(&mut self, line: &str) -> Result<(), String> {
        let stream = self.stream.get_mut();
        stream
            .write_all(format!("{line}\r\n").as_bytes())
            .and_then(|()| stream.flush())
            .map_err(describe)
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = Vec::new();
        let mut limited = self.stream.by_ref().take(self.allowed);
        let count = limited.read_until(b'\n', &mut line).map_err(describe)?;
        // Cannot underflow: `take` limits the count.
        self.allowed -= count as u64;
        if line.ends_with(b"\n") {
            Ok(String::from_utf8_lossy(&line).trim().to_owned())
        } else if self.allowed == 0 {
            Err(format!("the server has sent more than {MAX_BYTES} bytes"))
        } else {
            Err("the server has closed the connection".into())
        }
    }

    /// Skips lines up to `+OK`. Fails if the server refuses.
    fn expect_ok(&mut self, what: &str) -> Result<(), String> {
        loop {
            let line = self.line()?;
            if line.starts_with("+OK") {
                return Ok(());
            }
            if line.starts_with("-OK") {
                return Err(format!("{what}: {line:?} instead of +OK"));
            }
        }
    }

    fn variable(&mut self, name: &str) -> Result<Option<String>, String> {
        self.send(&format!("VAR READVALUE {name}"))?;
        let line = self.line()?;
        if line.starts_with("+OK") {
            return Ok(None);
        }
        if line.starts_with("-OK") {
            let undefined = line.to_ascii_lowercase().contains("not defined");
            return match undefined {
                true => Ok(None),
                false => Err(format!("{name}: {line:?} instead of its value")),
            };
        }
        self.expect_ok(name)?;
        let value = decode(&line);
        Ok((!value.trim().is_empty()).then_some(value))
    }
}

/// Decodes a value: strings are Base64 on the wire, but a text that is not is taken as it is.
fn decode(value: &str) -> String {
    let bytes = BASE64_STANDARD.decode(value).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_else(|| value.to_owned())
}

fn describe(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            "no answer in time (timeout-ms)".into()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Cursor, net::TcpListener, path::PathBuf, thread};

    use super::*;

    /// A stream that answers with a fixed text and remembers what it was sent.
    struct Script {
        answers: Cursor<Vec<u8>>,
        sent: Vec<u8>,
    }

    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            // A byte at a time: a line may be split at any byte.
            let end = buffer.len().min(1);
            self.answers.read(&mut buffer[..end])
        }
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.sent.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn variable(answers: &str) -> Result<Option<String>, String> {
        let mut client = Client {
            stream: BufReader::new(Script {
                answers: Cursor::new(answers.into()),
                sent: Vec::new(),
            }),
            allowed: MAX_BYTES,
        };
        let value = client.variable("a_interface");
        assert_eq!(
            client.stream.get_ref().sent,
            b"VAR READVALUE a_interface\r\n"
        );
        value
    }

    fn remote(port: u16, timeout: u64) -> RemoteVariables {
        RemoteVariables {
            host: "127.0.0.1".into(),
            port,
            user: "admin".into(),
            password: "secret".into(),
            prefix: "a".into(),
            timeout: Duration::from_millis(timeout),
            required: false,
            tls: false,
            ca: PathBuf::new(),
        }
    }

    #[test]
    fn a_value_is_base64_or_stands_for_itself() {
        for (answers, value) in [
            ("dmNhbjE=\r\n+OK\r\n", Some("vcan1")),
            ("vcan1\r\n+OK\r\n", Some("vcan1")),
            ("can0\r\n+OK\r\n", Some("can0")),
            ("0,10,0,-\n+OK - fine\n", Some("0,10,0,-")),
            ("\r\n+OK\r\n", None),
            ("IA==\r\n+OK\r\n", None),
            ("+OK\r\n", None),
            ("-OK - Variable is not defined.\r\n", None),
        ] {
            assert_eq!(variable(answers).unwrap().as_deref(), value, "{answers:?}");
        }
    }

    #[test]
    fn a_server_that_refuses_a_variable_is_an_error_that_says_so() {
        let refused = "-OK - You need higher privilege level.";
        let error = variable(&format!("{refused}\r\n")).unwrap_err();
        assert_eq!(
            error,
            format!("a_interface: {refused:?} instead of its value")
        );
    }

    #[test]
    fn a_server_that_stops_or_never_ends_is_an_error() {
        assert!(variable("vcan1\r\n").is_err());
        assert!(variable("vcan1").is_err());
        assert!(
            variable(&"x".repeat(MAX_BYTES as usize + 1))
                .unwrap_err()
                .contains("more than")
        );
        assert!(
            variable(&"x\n".repeat(MAX_BYTES as usize))
                .unwrap_err()
                .contains("more than")
        );
    }

    #[test]
    fn a_wrong_password_is_an_error_that_says_so() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream
                .write_all(b"Welcome\r\n+OK\r\n+OK - more\r\n-OK - no\r\n")
                .unwrap();
            let mut sent = String::new();
            stream.read_to_string(&mut sent).unwrap();
            sent
        });
        let error = fetch(&remote(port, 5000), &["a_x".to_owned()]).unwrap_err();
        assert_eq!(error, "PASS: \"-OK - no\" instead of +OK");
        assert_eq!(server.join().unwrap(), "USER admin\r\nPASS secret\r\n");
    }

    #[test]
    fn a_server_that_says_nothing_is_given_up_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = fetch(&remote(port, 50), &["a_x".to_owned()]).unwrap_err();
        assert_eq!(error, "no answer in time (timeout-ms)");
    }

    #[test]
    fn nobody_there_is_an_error_with_the_address() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = fetch(&remote(address.port(), 5000), &["a_x".to_owned()]).unwrap_err();
        assert!(error.starts_with(&address.to_string()), "{error}");
    }
}

//! A connection that has logged in.

use std::{
    collections::VecDeque,
    fmt, io,
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::{Duration, Instant},
};

use tokio_tungstenite::tungstenite::{
    self, HandshakeError, Message as Frame, WebSocket, client, error::UrlError,
};
use vscpl2drv_websocksrv::{
    auth::{
        Key,
        login::{BLOCK, encrypt},
    },
    event::{Event, EventError},
    tls,
};

use super::{
    codec::{Command, Message},
    options::Settings,
};

/// How long the server may take for what it should do at once.
const PATIENCE: Duration = Duration::from_secs(15);

/// The system takes a timeout of zero as none.
const MIN_WAIT: Duration = Duration::from_millis(1);

/// A connection that has logged in and receives events.
pub(crate) struct Connection {
    socket: WebSocket<Box<dyn Stream>>,
    /// The same socket, to set its timeout.
    tcp: TcpStream,
    settings: Settings,
    /// Events that came while a reply was waited for.
    events: VecDeque<Event>,
}

/// A connection with or without TLS.
trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

/// Why a client cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The server refuses a login or an event.
    #[error("{what} is refused: {text} (error {code})")]
    Refused {
        what: &'static str,
        code: u8,
        text: String,
    },
    /// The time is over.
    #[error("{0}")]
    TimeOver(String),
    /// The server cannot be reached, or the connection has ended.
    #[error("{url}: {reason}")]
    Lost { url: String, reason: String },
    /// An event of the server cannot be understood.
    #[error("an event cannot be understood")]
    Event(#[from] EventError),
    /// The credentials are too long for a login.
    #[error("user name and password are too long")]
    TooLong,
}

impl Connection {
    /// Connects, logs in, and opens the flow of events.
    pub(crate) fn open(settings: Settings) -> Result<Self, ClientError> {
        let lost = |reason: String| ClientError::Lost {
            url: settings.url.clone(),
            reason,
        };
        let tcp = connect(&settings).map_err(|error| lost(error.to_string()))?;
        let prepared = tcp
            .set_read_timeout(Some(PATIENCE))
            .and_then(|()| tcp.set_nodelay(true))
            .and_then(|()| tcp.try_clone());
        let clone = prepared.map_err(|error| lost(error.to_string()))?;
        let stream: Box<dyn Stream> = match settings.is_secure {
            false => Box::new(clone),
            true => Box::new(tls::connect(clone, &settings.host, &settings.ca).map_err(lost)?),
        };
        let (socket, _) = client(&settings.url, stream).map_err(|error| lost(handshake(error)))?;
        let mut connection = Self {
            socket,
            tcp,
            settings,
            events: VecDeque::new(),
        };
        connection.log_in()?;
        connection.command(&Command::Open, "receiving events")?;
        Ok(connection)
    }

    /// Sends an event and waits for the reply.
    pub(crate) fn send(&mut self, event: &Event) -> Result<(), ClientError> {
        let message = self.settings.protocol.event(event);
        self.write(message)?;
        self.expect_done("the event")
    }

    /// Waits for an event until `deadline`. Returns `None` if none comes until then.
    pub(crate) fn next(&mut self, deadline: Instant) -> Result<Option<Event>, ClientError> {
        if let Some(event) = self.events.pop_front() {
            return Ok(Some(event));
        }
        loop {
            match self.read(deadline)? {
                Some(Message::Event(event)) => return Ok(Some(*event)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    fn log_in(&mut self) -> Result<(), ClientError> {
        let sid = loop {
            match self.read_now()? {
                Message::Greeting(sid) => break sid,
                Message::Refused(..) | Message::Event(_) | Message::Done | Message::Other => {}
            }
        };
        let mut iv = [0; BLOCK];
        hex::decode_to_slice(&sid, &mut iv)
            .map_err(|error| self.lost(format!("no session id: {error}")))?;
        let Settings {
            key, credentials, ..
        } = &self.settings;
        let crypto = encrypt(key, iv, credentials).ok_or(ClientError::TooLong)?;
        let login = Command::Login {
            iv: &sid,
            crypto: &hex::encode(crypto),
        };
        let what = match *key == Key::WELL_KNOWN {
            true => "the login with the well-known key (--key-file names that of the server)",
            false => "the login",
        };
        self.command(&login, what)
    }

    fn command(&mut self, command: &Command<'_>, what: &'static str) -> Result<(), ClientError> {
        let message = self.settings.protocol.command(command);
        self.write(message)?;
        self.expect_done(what)
    }

    fn expect_done(&mut self, what: &'static str) -> Result<(), ClientError> {
        loop {
            match self.read_now()? {
                Message::Done => return Ok(()),
                Message::Refused(code, text) => {
                    return Err(ClientError::Refused { what, code, text });
                }
                Message::Event(event) => self.events.push_back(*event),
                Message::Greeting(_) | Message::Other => {}
            }
        }
    }

    fn write(&mut self, message: String) -> Result<(), ClientError> {
        let sent = self.socket.send(Frame::text(message));
        sent.map_err(|error| self.lost(error.to_string()))
    }

    fn read_now(&mut self) -> Result<Message, ClientError> {
        let message = self.read(Instant::now() + PATIENCE)?;
        message.ok_or_else(|| self.lost("no reply".to_owned()))
    }

    /// Reads a message. Returns `None` if none comes until `deadline`.
    fn read(&mut self, deadline: Instant) -> Result<Option<Message>, ClientError> {
        loop {
            let wait = deadline.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                return Ok(None);
            }
            self.tcp
                .set_read_timeout(Some(wait.max(MIN_WAIT)))
                .map_err(|error| self.lost(error.to_string()))?;
            match self.socket.read() {
                Ok(Frame::Text(text)) => {
                    return Ok(Some(self.settings.protocol.read(&text)?));
                }
                Ok(Frame::Close(frame)) => {
                    let reason = frame.map_or(String::new(), |frame| frame.to_string());
                    return Err(self.lost(format!("closed by the server {reason}")));
                }
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if is_timeout(&error) => {}
                Err(error) => return Err(self.lost(error.to_string())),
            }
        }
    }

    fn lost(&self, reason: String) -> ClientError {
        ClientError::Lost {
            url: self.settings.url.clone(),
            reason,
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.settings.url)
    }
}

fn connect(settings: &Settings) -> io::Result<TcpStream> {
    let mut last = None;
    for address in (settings.host.as_str(), settings.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::other("the name has no address")))
}

fn handshake<R: tungstenite::handshake::HandshakeRole>(error: HandshakeError<R>) -> String {
    match error {
        HandshakeError::Failure(tungstenite::Error::Url(UrlError::EmptyHostName)) => {
            "the URL has no host".to_owned()
        }
        HandshakeError::Failure(error) => error.to_string(),
        HandshakeError::Interrupted(_) => "no answer".to_owned(),
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

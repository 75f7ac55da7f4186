//! The state of one client, without IO: messages in, replies and actions out.

use std::{borrow::Cow, sync::Arc};

use super::{Protocol, settings::Dialect, ws1, ws2};
use crate::{
    auth::{Credentials, Key, Rights, User, login},
    client::{NotAllowed, SessionId, authorize},
    event::{Event, EventError, Filter},
    hub::NotAccepted,
};

/// The version of the driver, as the protocols show it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The answer to COPYRIGHT.
pub(crate) const COPYRIGHT: &str =
    "Copyright (c) 2026 the vscpl2drv-websocksrv authors, MIT license";

/// The settings of sessions.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The dialect of ws1 and ws2.
    pub dialect: Dialect,
    /// The key of the login blobs.
    pub key: Key,
    /// Failed logins after which the client is disconnected.
    pub max_attempts: u32,
}

/// The state of one client.
#[derive(Debug)]
pub(crate) struct Session {
    settings: Arc<Settings>,
    codec: &'static dyn Codec,
    sid: SessionId,
    user: Option<Arc<User>>,
    open: bool,
    filter: Filter,
    failed_logins: u32,
}

/// The action that a message asks of the connection.
#[derive(Debug)]
pub(crate) enum Action {
    /// Nothing.
    Ignore,
    /// Send this.
    Reply(String),
    /// Send this; the event cannot be understood.
    Refuse(String, EventError),
    /// Drop all events kept for the client, then send this.
    Clear(String),
    /// Check these (`None`: they could not be decrypted), then call [`Session::logged_in`]. Until
    /// then the session takes no message.
    Login(Option<Credentials>),
    /// Submit the event to the hub, then call [`Session::submitted`].
    Submit(Event),
}

impl Session {
    /// Makes the session of a new client. Fails if the system has no randomness for its session
    /// id.
    pub(crate) fn new(
        protocol: Protocol,
        settings: Arc<Settings>,
    ) -> Result<Self, getrandom::Error> {
        Ok(Self {
            settings,
            codec: match protocol {
                Protocol::Ws1 => &ws1::Ws1,
                Protocol::Ws2 => &ws2::Ws2,
            },
            sid: SessionId::random()?,
            user: None,
            open: false,
            filter: Filter::default(),
            failed_logins: 0,
        })
    }

    /// Returns the first message to the client.
    pub(crate) fn greeting(&self) -> String {
        self.codec.greeting(self.sid)
    }

    /// Handles a message, and returns what the connection is to do.
    pub(crate) fn message(&mut self, message: &str) -> Action {
        match self.codec.read(message) {
            Ok(Request::Event(event)) => self.event(event),
            Ok(Request::Command(command)) => self.command(&command),
            Ok(Request::Reply) => Action::Ignore,
            Err(code) => Action::Reply(self.codec.not_understood(code)),
        }
    }

    /// Takes the result of [`Action::Login`], and returns the reply.
    pub(crate) fn logged_in(&mut self, user: Option<Arc<User>>) -> String {
        let Some(user) = user else {
            return self.login_failed(ErrorCode::NotAuthorised);
        };
        self.set_user(user.clone());
        let success = Success::LoggedIn {
            user: &user,
            word: self.settings.dialect.ws1_auth_reply,
        };
        self.codec
            .encode_success(&Command::new("AUTH", ""), success)
    }

    /// Logs a user in.
    pub(crate) fn set_user(&mut self, user: Arc<User>) {
        self.filter = user.filter;
        self.user = Some(user);
    }

    /// Takes the result of [`Action::Submit`], and returns the reply.
    pub(crate) fn submitted(&self, result: Result<(), NotAccepted>) -> Cow<'static, str> {
        match result {
            Ok(()) => Cow::Borrowed(self.codec.event_accepted()),
            Err(NotAccepted::Full | NotAccepted::Closed) => {
                Cow::Owned(self.event_refused(ErrorCode::Full))
            }
            Err(NotAccepted::TooLarge { bytes, max }) => {
                let text = format!("Event has {bytes} data bytes, the host takes at most {max}.");
                let command = Command::new("EVENT", "");
                Cow::Owned(self.codec.encode_failure(&command, ErrorCode::Parse, &text))
            }
            Err(NotAccepted::Date) => {
                let text = "Event has a date that the host cannot take, only 1970 to 2554.";
                let command = Command::new("EVENT", "");
                Cow::Owned(self.codec.encode_failure(&command, ErrorCode::Parse, text))
            }
        }
    }

    /// Returns the user who is logged in.
    pub(crate) fn user(&self) -> Option<&Arc<User>> {
        self.user.as_ref()
    }

    /// Returns whether events are delivered now; if not, they are kept.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Returns whether the user may receive events.
    pub(crate) fn receives(&self) -> bool {
        self.user
            .as_ref()
            .is_some_and(|user| user.rights.contains(Rights::RCV_EVENT))
    }

    /// Returns whether the user receives every event.
    pub(crate) fn receives_all(&self) -> bool {
        self.filter.is_pass_all()
            && self
                .user
                .as_ref()
                .is_some_and(|user| !user.events.limits_receiving())
    }

    /// Returns whether the user receives this event.
    pub(crate) fn receives_event(&self, event: &Event) -> bool {
        self.filter.passes_event(event)
            && self
                .user
                .as_ref()
                .is_some_and(|user| user.may_receive(event.class, event.kind))
    }

    /// Returns whether the client has failed to log in too often.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.failed_logins >= self.settings.max_attempts
    }

    fn event(&self, text: &str) -> Action {
        let refused = |code| Action::Reply(self.event_refused(code));
        let Some(user) = &self.user else {
            return refused(ErrorCode::NotAuthorised);
        };
        match self.codec.event(text) {
            Ok(mut event) => match authorize(user, &mut event) {
                Ok(()) => Action::Submit(event),
                Err(NotAllowed) => refused(ErrorCode::NotAllowed),
            },
            Err(error) => Action::Refuse(self.event_refused(ErrorCode::Parse), error),
        }
    }

    fn event_refused(&self, code: ErrorCode) -> String {
        self.codec
            .encode_failure(&Command::new("EVENT", ""), code, code.text())
    }

    fn command(&mut self, command: &Command<'_>) -> Action {
        let success = match (command.kind, &self.user) {
            (Some(CommandKind::Noop), _) => Success::Plain,
            (Some(CommandKind::Challenge), _) => Success::Sid(self.sid),
            (Some(CommandKind::Version), _) => Success::Version,
            (Some(CommandKind::Copyright), _) => Success::Copyright,
            (Some(CommandKind::Auth), _) => return self.login(command),
            (_, None) => return self.failed(command, ErrorCode::NotAuthorised),
            (None, _) => return self.failed(command, ErrorCode::UnknownCommand),
            (Some(CommandKind::Open), _) => {
                self.open = true;
                Success::Plain
            }
            (Some(CommandKind::Close), _) => {
                self.open = false;
                Success::Plain
            }
            (Some(CommandKind::ClearQueue), _) => {
                return Action::Clear(self.codec.encode_success(command, Success::Plain));
            }
            (Some(CommandKind::SetFilter), Some(user)) => {
                if !user.rights.contains(Rights::SETFILTER) {
                    return self.failed(command, ErrorCode::Privileges);
                }
                match self.codec.filter(command.args, self.filter) {
                    Some(filter) => self.filter = filter,
                    None => return self.failed(command, ErrorCode::Syntax),
                }
                Success::Plain
            }
        };
        Action::Reply(self.codec.encode_success(command, success))
    }

    fn login(&mut self, command: &Command<'_>) -> Action {
        let Some((iv, crypto)) = self.codec.login(command.args) else {
            return Action::Reply(self.login_failed(ErrorCode::Syntax));
        };
        let must_be_sid = self.codec.iv_is_sid(&self.settings.dialect);
        if must_be_sid && iv != self.sid.bytes() {
            return Action::Reply(self.login_failed(ErrorCode::Syntax));
        }
        Action::Login(login::decrypt(&self.settings.key, iv, &crypto))
    }

    fn login_failed(&mut self, code: ErrorCode) -> String {
        self.user = None;
        self.open = false;
        self.failed_logins += 1;
        match SessionId::random() {
            Ok(sid) => self.sid = sid,
            Err(error) => {
                // The old id must not be used again: with it a recorded login could be replayed.
                tracing::error!("a client is disconnected: no random session id: {error}");
                self.failed_logins = self.settings.max_attempts;
            }
        }
        self.codec
            .encode_failure(&Command::new("AUTH", ""), code, code.text())
    }

    fn failed(&self, command: &Command<'_>, code: ErrorCode) -> Action {
        Action::Reply(self.codec.encode_failure(command, code, code.text()))
    }
}

/// The encoding of a protocol.
pub(super) trait Codec: std::fmt::Debug + Send + Sync {
    fn greeting(&self, sid: SessionId) -> String;

    fn read<'m>(&self, message: &'m str) -> Result<Request<'m>, ErrorCode>;

    /// Reads `iv` and `crypto` of AUTH. Returns `None` if one is wrong.
    fn login(&self, args: &str) -> Option<([u8; 16], Vec<u8>)>;

    fn iv_is_sid(&self, dialect: &Dialect) -> bool;

    /// Applies the arguments of SETFILTER to a filter. Returns `None` if they are wrong.
    fn filter(&self, args: &str, present: Filter) -> Option<Filter>;

    fn event(&self, text: &str) -> Result<Event, EventError>;

    fn encode_success(&self, command: &Command<'_>, success: Success<'_>) -> String;

    /// Encodes a negative reply with a code and a text that says why.
    fn encode_failure(&self, command: &Command<'_>, code: ErrorCode, text: &str) -> String;

    fn event_accepted(&self) -> &'static str;

    fn not_understood(&self, code: ErrorCode) -> String;
}

/// A message of a client.
#[derive(Debug)]
pub(super) enum Request<'m> {
    Command(Command<'m>),
    /// The text or JSON of an event.
    Event(&'m str),
    Reply,
}

/// A command.
#[derive(Debug)]
pub(super) struct Command<'m> {
    /// `None` where it is not known.
    pub(super) kind: Option<CommandKind>,
    /// The word that the client used, in upper case.
    pub(super) word: String,
    /// The text behind it.
    pub(super) args: &'m str,
}

impl<'m> Command<'m> {
    pub(super) fn new(word: &str, args: &'m str) -> Self {
        // The reply echoes an unknown word: its length is limited.
        let word: String = word.trim().chars().take(64).collect();
        Self {
            // ASCII alone, unlike the word that is echoed: `to_uppercase` turns a long s (U+017F)
            // into an S, and so would make commands of other words.
            kind: CommandKind::from_word(&word.to_ascii_uppercase()),
            word: word.to_uppercase(),
            args,
        }
    }
}

/// The commands of both protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommandKind {
    Noop,
    Challenge,
    Auth,
    Open,
    Close,
    SetFilter,
    ClearQueue,
    Version,
    Copyright,
}

impl CommandKind {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "NOOP" => Self::Noop,
            "CHALLENGE" => Self::Challenge,
            "AUTH" => Self::Auth,
            "OPEN" => Self::Open,
            "CLOSE" => Self::Close,
            "SF" | "SETFILTER" => Self::SetFilter,
            "CLRQ" | "CLRQUEUE" | "CLRQUE" => Self::ClearQueue,
            "VERSION" | "VER" => Self::Version,
            "COPYRIGHT" => Self::Copyright,
            _ => return None,
        })
    }
}

/// The content of a positive reply.
#[derive(Debug)]
pub(super) enum Success<'a> {
    Plain,
    Sid(SessionId),
    LoggedIn { user: &'a User, word: &'static str },
    Version,
    Copyright,
}

/// The error codes of negative replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorCode {
    Syntax = 1,
    UnknownCommand = 2,
    Full = 3,
    NotAuthorised = 5,
    NotAllowed = 6,
    Privileges = 7,
    Parse = 8,
    UnknownType = 9,
}

impl ErrorCode {
    pub(super) fn code(self) -> u8 {
        self as u8
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Syntax => "Syntax error.",
            Self::UnknownCommand => "Unknown command.",
            Self::Full => "Transmit buffer full.",
            Self::NotAuthorised => "Not authorised.",
            Self::NotAllowed => "Not allowed to send event.",
            Self::Privileges => "Not allowed to do that (check privileges)",
            Self::Parse => "Parse error, invalid format.",
            Self::UnknownType => "Unknown type, only know 'COMMAND' and 'EVENT'.",
        }
    }
}

#[cfg(test)]
pub(in crate::ws) mod tests;

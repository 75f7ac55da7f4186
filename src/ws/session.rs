//! The state of one client, without IO: messages in, replies and actions out.

use std::{borrow::Cow, sync::Arc};

use super::{Protocol, ws1, ws2};
use crate::{
    auth::{Credentials, Key, Rights, User, login},
    config::Dialect,
    event::{Event, EventError, Filter},
    hub::NotAccepted,
};

/// The version of the driver, as the protocols show it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What COPYRIGHT answers.
pub const COPYRIGHT: &str = "Copyright (c) 2026 the vscpl2drv-websocksrv authors, MIT license";

/// What a session needs to know of the driver.
#[derive(Debug)]
pub struct Settings {
    /// How the protocols are spoken.
    pub dialect: Dialect,
    /// The key of the login blobs.
    pub key: Key,
    /// Failed logins after which the client is disconnected.
    pub max_attempts: u32,
}

/// The state of one client.
#[derive(Debug)]
pub struct Session {
    settings: Arc<Settings>,
    codec: &'static dyn Codec,
    sid: Sid,
    user: Option<Arc<User>>,
    open: bool,
    filter: Filter,
    failed_logins: u32,
}

/// What is to be done with a message.
#[derive(Debug)]
pub enum Action {
    /// Nothing.
    Ignore,
    /// Send this.
    Reply(String),
    /// Drop all events kept for the client, then send this.
    Clear(String),
    /// Check these (`None`: wrong already), then call [`Session::logged_in`]. Until then the
    /// session takes no message.
    Login(Option<Credentials>),
    /// Offer the event to the hub, then call [`Session::offered`].
    Offer(Event),
}

impl Session {
    /// A client that has just connected.
    pub fn new(protocol: Protocol, settings: Arc<Settings>) -> Self {
        Self {
            settings,
            codec: match protocol {
                Protocol::Ws1 => &ws1::Ws1,
                Protocol::Ws2 => &ws2::Ws2,
            },
            sid: Sid::new(),
            user: None,
            open: false,
            filter: Filter::default(),
            failed_logins: 0,
        }
    }

    /// What the client is sent first.
    pub fn greeting(&self) -> String {
        self.codec.greeting(&self.sid)
    }

    /// Takes a message.
    pub fn message(&mut self, message: &str) -> Action {
        match self.codec.read(message) {
            Ok(Request::Event(event)) => self.event(event),
            Ok(Request::Command(command)) => self.command(&command),
            Ok(Request::Reply) => Action::Ignore,
            Err(failure) => Action::Reply(self.codec.not_understood(failure)),
        }
    }

    /// Takes the result of [`Action::Login`]; the reply to send.
    pub fn logged_in(&mut self, user: Option<Arc<User>>) -> String {
        let Some(user) = user else {
            return self.login_failed(Failure::NotAuthorised);
        };
        self.filter = user.filter;
        let user = self.user.insert(user);
        let done = Done::LoggedIn {
            user,
            word: self.settings.dialect.ws1_auth_reply,
        };
        self.codec.done(&Command::new("AUTH", ""), done)
    }

    /// Takes the result of [`Action::Offer`]; the reply to send.
    pub fn offered(&self, result: Result<(), NotAccepted>) -> Cow<'static, str> {
        match result {
            Ok(()) => Cow::Borrowed(self.codec.event_accepted()),
            Err(NotAccepted::Full) => Cow::Owned(self.event_refused(Failure::Full)),
            Err(NotAccepted::TooLarge) => Cow::Owned(self.event_refused(Failure::Parse)),
        }
    }

    /// Who is logged in.
    pub fn user(&self) -> Option<&Arc<User>> {
        self.user.as_ref()
    }

    /// Whether events are delivered now (else they are kept).
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether events are delivered or kept at all.
    pub fn receives(&self) -> bool {
        self.user
            .as_ref()
            .is_some_and(|user| user.rights.contains(Rights::RCV_EVENT))
    }

    /// Whether every event is delivered.
    pub fn receives_all(&self) -> bool {
        self.filter.is_pass_all()
            && self
                .user
                .as_ref()
                .is_some_and(|user| !user.events.limits_receiving())
    }

    /// Whether this event is delivered.
    pub fn receives_event(&self, event: &Event) -> bool {
        self.filter.passes_event(event)
            && self
                .user
                .as_ref()
                .is_some_and(|user| user.may_receive(event.class, event.kind))
    }

    /// Whether the client has failed to log in too often.
    pub fn is_exhausted(&self) -> bool {
        self.failed_logins >= self.settings.max_attempts
    }

    fn event(&self, text: &str) -> Action {
        let refused = |failure| Action::Reply(self.event_refused(failure));
        let Some(user) = &self.user else {
            return refused(Failure::NotAuthorised);
        };
        match self.codec.event(text) {
            Ok(event) if !user.may_send(event.class, event.kind) => refused(Failure::NotAllowed),
            Ok(mut event) => {
                let priority = event.priority();
                event.set_priority(user.lowered_priority(event.class, event.kind, priority));
                Action::Offer(event)
            }
            Err(error) => {
                tracing::debug!(user = user.name, "event refused: {error}");
                refused(Failure::Parse)
            }
        }
    }

    fn event_refused(&self, failure: Failure) -> String {
        self.codec.failed(&Command::new("EVENT", ""), failure)
    }

    fn command(&mut self, command: &Command<'_>) -> Action {
        let done = match (command.verb, &self.user) {
            (Some(Verb::Noop), _) => Done::Plain,
            (Some(Verb::Challenge), _) => Done::Sid(&self.sid),
            (Some(Verb::Version), _) => Done::Version,
            (Some(Verb::Copyright), _) => Done::Copyright,
            (Some(Verb::Auth), _) => return self.login(command),
            (_, None) => return self.failed(command, Failure::NotAuthorised),
            (None, _) => return self.failed(command, Failure::UnknownCommand),
            (Some(Verb::Open), _) => {
                self.open = true;
                Done::Plain
            }
            (Some(Verb::Close), _) => {
                self.open = false;
                Done::Plain
            }
            (Some(Verb::ClearQueue), _) => {
                return Action::Clear(self.codec.done(command, Done::Plain));
            }
            (Some(Verb::SetFilter), Some(user)) => {
                if !user.rights.contains(Rights::SETFILTER) {
                    return self.failed(command, Failure::Privileges);
                }
                match self.codec.filter(command.args, self.filter) {
                    Some(filter) => self.filter = filter,
                    None => return self.failed(command, Failure::Syntax),
                }
                Done::Plain
            }
        };
        Action::Reply(self.codec.done(command, done))
    }

    fn login(&mut self, command: &Command<'_>) -> Action {
        let Some((iv, crypto)) = self.codec.login(command.args) else {
            return Action::Reply(self.login_failed(Failure::Syntax));
        };
        let must_be_sid = self.codec.iv_is_sid(&self.settings.dialect);
        if must_be_sid && iv != self.sid.0 {
            return Action::Reply(self.login_failed(Failure::Syntax));
        }
        Action::Login(login::decrypt(&self.settings.key, iv, &crypto))
    }

    fn login_failed(&mut self, failure: Failure) -> String {
        self.user = None;
        self.open = false;
        self.sid = Sid::new();
        self.failed_logins += 1;
        self.codec.failed(&Command::new("AUTH", ""), failure)
    }

    fn failed(&self, command: &Command<'_>, failure: Failure) -> Action {
        Action::Reply(self.codec.failed(command, failure))
    }
}

/// The session id: random, the `iv` of the login. Shown as 32 upper-case hex digits.
#[derive(Debug)]
pub(super) struct Sid([u8; 16]);

impl Sid {
    fn new() -> Self {
        let mut bytes = [0; 16];
        // Without randomness the ids are alike, which only lets a recorded login be replayed;
        // the kernel's source does not fail once it is up.
        if let Err(error) = getrandom::fill(&mut bytes) {
            tracing::error!("no random session id: {error}");
        }
        Self(bytes)
    }

    pub(super) fn hex(&self) -> String {
        hex::encode_upper(self.0)
    }
}

/// How a protocol is written.
pub(super) trait Codec: std::fmt::Debug + Send + Sync {
    fn greeting(&self, sid: &Sid) -> String;

    fn read<'m>(&self, message: &'m str) -> Result<Request<'m>, Failure>;

    /// `iv` and `crypto` of AUTH.
    fn login(&self, args: &str) -> Option<([u8; 16], Vec<u8>)>;

    fn iv_is_sid(&self, dialect: &Dialect) -> bool;

    /// The filter that SETFILTER makes of the present one.
    fn filter(&self, args: &str, present: Filter) -> Option<Filter>;

    fn event(&self, text: &str) -> Result<Event, EventError>;

    fn done(&self, command: &Command<'_>, done: Done<'_>) -> String;

    fn failed(&self, command: &Command<'_>, failure: Failure) -> String;

    fn event_accepted(&self) -> &'static str;

    fn not_understood(&self, failure: Failure) -> String;
}

/// What a client asks.
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
    pub(super) verb: Option<Verb>,
    /// The word that the client used, in upper case.
    pub(super) word: String,
    /// What stands behind it.
    pub(super) args: &'m str,
}

impl<'m> Command<'m> {
    pub(super) fn new(word: &str, args: &'m str) -> Self {
        // What is echoed of an unknown word is limited.
        let word: String = word.trim().chars().take(64).collect();
        Self {
            // Not as it is echoed: that makes an S of a long s, too.
            verb: Verb::from_word(&word.to_ascii_uppercase()),
            word: word.to_uppercase(),
            args,
        }
    }
}

/// The commands of both protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
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

impl Verb {
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

/// What a positive reply says.
#[derive(Debug)]
pub(super) enum Done<'a> {
    Plain,
    Sid(&'a Sid),
    LoggedIn { user: &'a User, word: &'static str },
    Version,
    Copyright,
}

/// What a negative reply says: the error codes of the protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Syntax = 1,
    UnknownCommand = 2,
    Full = 3,
    NotAuthorised = 5,
    NotAllowed = 6,
    Privileges = 7,
    Parse = 8,
    UnknownType = 9,
}

impl Failure {
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
mod tests;

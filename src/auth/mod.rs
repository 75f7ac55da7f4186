//! Users: their passwords, their rights, the addresses that they may log in from, and the events
//! that they may send and receive.
//!
//! [`Users`] is the table of users; a [`User`] has a [`StoredPassword`], [`Rights`],
//! [`AddressRules`] and [`EventRules`]. [`login`] decrypts what a client sends, and the
//! [`Authenticator`] decides about the login. It is the only part that needs a runtime.

mod address_rules;
mod authenticator;
pub(crate) mod event_rules;
mod known_logins;
pub mod login;
pub mod password;
pub mod rights;
mod throttle;
mod user;
mod users;

use std::fmt;

pub use self::{
    address_rules::AddressRules,
    event_rules::EventRules,
    login::{Credentials, Key},
    password::StoredPassword,
    rights::Rights,
    user::User,
    users::Users,
};
pub(crate) use self::{
    authenticator::{Authenticator, AuthenticatorSettings, LoginError},
    users::log_summary,
};

/// The part of a text that cannot be read, for error messages. Shown in quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable<'t>(pub &'t str);

impl fmt::Display for Unreadable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

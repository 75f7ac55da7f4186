//! Who may log in, from where, and what they may do then.
//!
//! [`Users`] is the table of users as their file or the configuration gives it; a [`User`] is made
//! of [`StoredPassword`], [`Rights`], [`AccessList`] and [`EventList`]. [`login`] decrypts what a
//! client sends. [`Gate`] decides about a login; it is the only part that knows of tasks.

pub mod access;
pub mod events;
pub mod file;
pub mod gate;
pub mod login;
pub mod password;
pub mod rights;
mod throttle;
pub mod user;
pub mod users;

pub use self::{
    access::AccessList,
    events::EventList,
    file::UsersFile,
    gate::{Gate, GateSettings, Refusal},
    login::{Credentials, Key},
    password::StoredPassword,
    rights::Rights,
    user::User,
    users::{Users, log_summary},
};

/// A whole number as users write it: decimal, or hex after `0x`.
fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    if digits.starts_with('+') {
        return None; // which from_str_radix would take
    }
    u64::from_str_radix(digits, radix).ok()
}

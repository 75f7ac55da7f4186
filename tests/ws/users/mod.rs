//! Who may log in, and what a user may do.

mod file;
mod login;
mod rights;

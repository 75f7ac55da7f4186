//! The HTTP side: listening, and what each path leads to.

mod handshake;
pub mod listen;
pub mod route;

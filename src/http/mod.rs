//! The HTTP side: listening, and what each path leads to.

pub mod listen;
pub mod route;

//! The HTTP side: [`listen`] for connections, [`route`] what each path leads to: websockets,
//! [`rest`], the metrics page, or [`files`].

pub mod files;
mod handshake;
pub mod listen;
mod patience;
pub mod rest;
pub mod route;

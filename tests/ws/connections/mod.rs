//! How connections are made, limited and ended.

mod closing;
mod frames;
mod handshakes;
mod timeouts;

const FIN: u8 = 0x80;

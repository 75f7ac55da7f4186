//! SocketCAN: events to and from CAN buses.
//!
//! Each bus is one task, a [`bridge`] between the hub and a socket. What frame is which event is
//! in [`map`], which knows nothing of sockets, as does [`frame`]. A `life` keeps a `port`, the
//! socket, open for as long as its network interface is there, and opens another when it comes
//! back; [`interface_state`] tells how an interface is.
//!
//! What comes from a bus goes to the host and to all clients. What these send goes to all buses
//! that it maps onto. Nothing goes from one bus to another, and what a socket sends it does not
//! receive.

pub mod bridge;
pub mod frame;
mod interface;
mod life;
pub mod map;
mod port;
mod report;

pub use self::interface::{InterfaceState, interface_state};

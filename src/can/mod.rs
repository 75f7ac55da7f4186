//! SocketCAN: events to and from CAN buses.
//!
//! Each bus is one task, a [`bridge`] between the hub and a socket. A `link` keeps the socket open
//! while its network interface exists, and opens another when the interface comes back;
//! [`interface_state`] reads the state of an interface. [`map`] translates between frames and
//! events, and like [`frame`] knows nothing of sockets; `kernel_filter` does the same for filters.
//! `report` reads error frames.
//!
//! Events from a bus go to the host and to all clients. Events from these go to every bus that
//! they can be mapped to. No event goes from one bus to another, and a socket does not receive
//! the frames that it sends.

pub(crate) mod bridge;
pub(crate) mod bus;
pub mod frame;
mod interface;
mod kernel_filter;
mod link;
pub mod map;
mod report;
mod socket;

pub use self::{
    bus::Bus,
    interface::{InterfaceState, interface_state},
};

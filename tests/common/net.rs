//! Sockets and ports.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::atomic::{AtomicU8, Ordering},
};

use socket2::{Domain, Socket, Type};

use super::DEADLINE;

/// Connects; no read or write takes longer than the deadline.
pub(crate) fn tcp(address: SocketAddr) -> TcpStream {
    with_deadlines(TcpStream::connect(address).unwrap())
}

/// Connects in the same way from 127.0.0.`host`.
pub(crate) fn tcp_from(host: u8, address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let from = SocketAddr::from(([127, 0, 0, host], 0));
    socket.bind(&from.into()).unwrap();
    socket.connect(&address.into()).unwrap();
    with_deadlines(socket.into())
}

/// Returns true if a peer has closed its connection, of which all that came before has been read.
pub(crate) fn is_closed(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let next = stream.peek(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    match next {
        Ok(count) => count == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

fn with_deadlines(stream: TcpStream) -> TcpStream {
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Returns an address of this machine at which nobody listens. Its IP address is one that no other
/// test uses, so that none gets the port by chance.
pub(crate) fn free_address() -> SocketAddr {
    static LAST: AtomicU8 = AtomicU8::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 77, number), 0)).unwrap();
    listener.local_addr().unwrap()
}

/// Returns an address at which connections are refused while the socket lives: it does not listen,
/// and nobody else gets its port.
pub(crate) fn refusing_address() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    socket.bind(&any_port.into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

//! Many peers at once: what they may take, and what is left for others. Alone in its process, of which
//! the open files are limited and counted.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;
mod connections;
mod downloads;
mod log;
mod logins;
mod tls;

use std::{
    io::Write,
    net::{SocketAddr, TcpStream},
    ops::Deref,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::Value;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{Client, Response, Server, client::path_of, tcp_from};

/// The open files that a driver finds: as many as a process has by default.
const OPEN_FILES: u64 = 1024;

/// The HTTP connections of them.
const CONNECTIONS: usize = 256;

/// The open files that are left to the host.
const HOST: usize = 256;

/// The clients without login.
const PENDING: usize = 64;

/// The part of these that one address gets.
const SHARE: usize = 4;

/// One test at a time: limits hold for the process.
static ALONE: Mutex<()> = Mutex::new(());

/// The driver of a test, which is alone. It is closed before the next test begins: the fields are
/// dropped in this order.
struct Alone {
    server: Server,
    _alone: MutexGuard<'static, ()>,
}

impl Deref for Alone {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// Opens a driver that finds [`OPEN_FILES`]. The clients, which are in the same process, may have more.
fn start(keys: Value) -> Alone {
    start_with(|| Server::start(keys))
}

fn start_with(open: impl FnOnce() -> Server) -> Alone {
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, OPEN_FILES, hard).unwrap();
    let server = open();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    Alone {
        server,
        _alone: alone,
    }
}

/// Requests a page that there is not, on a connection that stays open.
fn ask(stream: &mut TcpStream) -> Option<u16> {
    const REQUEST: &[u8] = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(REQUEST).ok()?;
    let response = Response::read_head_or_end(stream)?;
    let text = "There is nothing here.\n";
    Some(match response.status {
        404 => {
            let mut body = vec![0; text.len()];
            std::io::Read::read_exact(stream, &mut body).ok()?;
            404
        }
        status => status,
    })
}

/// Opens a connection from 127.0.0.`host`, and requests a page on it. Returns the connection and the
/// status.
fn visit(server: &Server, host: u8) -> (TcpStream, Option<u16>) {
    let mut stream = tcp_from(host, server.address());
    let status = ask(&mut stream);
    (stream, status)
}

/// Asks for a websocket from 127.0.0.`host`. Returns the connection and the status.
fn ask_for_websocket(address: SocketAddr, host: u8) -> (TcpStream, Option<u16>) {
    let mut stream = tcp_from(host, address);
    let request = Client::request(path_of(Protocol::Ws1), "");
    let status = match stream.write_all(request.as_bytes()) {
        Ok(()) => Response::read_head_or_end(&mut stream).map(|response| response.status),
        Err(_) => None,
    };
    (stream, status)
}

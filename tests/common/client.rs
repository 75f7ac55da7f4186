//! A websocket client that can also break the rules.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
};

use vscpl2drv_websocksrv::ws::Protocol;

use super::tcp;

/// Example key and answer of RFC 6455.
const HANDSHAKE_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const HANDSHAKE_ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A client, over TCP or something on top of it. No read takes longer than the deadline.
pub(crate) struct Client<S = TcpStream> {
    pub(crate) protocol: Protocol,
    /// The session id that the server gave last.
    pub(crate) sid: String,
    pub(crate) stream: S,
    received: Vec<u8>,
    /// Bytes of `received` that were taken.
    taken: usize,
}

/// A frame of the server.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl Client {
    /// A request for a websocket; `headers` are added to it, each with its line end.
    pub(crate) fn request(path: &str, headers: &str) -> String {
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {HANDSHAKE_KEY}\r\n{headers}\r\n"
        )
    }

    /// Connects to the usual path of a protocol and takes the greeting.
    pub(crate) fn greeted(address: SocketAddr, protocol: Protocol) -> Self {
        let mut client = Self::connect(address, path_of(protocol), protocol);
        client.take_greeting();
        client
    }

    /// Connects and checks the server's handshake.
    pub(crate) fn connect(address: SocketAddr, path: &str, protocol: Protocol) -> Self {
        Self::connect_and_send(address, path, protocol, &[])
    }

    /// The same; `early` is sent together with the request.
    pub(crate) fn connect_and_send(
        address: SocketAddr,
        path: &str,
        protocol: Protocol,
        early: &[u8],
    ) -> Self {
        Self::over(tcp(address), path, protocol, early)
    }

    /// Connects with more headers, each with its line end, and takes the greeting.
    pub(crate) fn greeted_with(
        stream: TcpStream,
        path: &str,
        protocol: Protocol,
        headers: &str,
    ) -> Self {
        let mut client = Self::shake_hands(stream, Client::request(path, headers), protocol);
        client.take_greeting();
        client
    }
}

impl<S: Read + Write> Client<S> {
    /// The same over a connection that is there.
    pub(crate) fn over(stream: S, path: &str, protocol: Protocol, early: &[u8]) -> Self {
        let mut request = Client::request(path, "").into_bytes();
        request.extend_from_slice(early);
        Self::shake_hands(stream, request, protocol)
    }

    /// Sends a request for a websocket, and checks the handshake of the server.
    fn shake_hands(stream: S, request: impl AsRef<[u8]>, protocol: Protocol) -> Self {
        let mut client = Self {
            protocol,
            sid: String::new(),
            stream,
            received: Vec::new(),
            taken: 0,
        };
        client.send_bytes(request.as_ref());
        let head = client.take_head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let accept = format!("sec-websocket-accept: {HANDSHAKE_ACCEPT}\r\n");
        assert!(
            head.to_ascii_lowercase()
                .contains(&accept.to_ascii_lowercase()),
            "{head}"
        );
        client
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.send_frame(0x80 | TEXT, text.as_bytes());
    }

    /// Sends a masked frame; `first` is its first byte (0x80 for the last one of a message, and
    /// the opcode).
    pub(crate) fn send_frame(&mut self, first: u8, payload: &[u8]) {
        self.send_bytes(&frame(first, payload));
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next text message. Pings are answered.
    pub(crate) fn text(&mut self) -> String {
        loop {
            let frame = self.frame().expect("the connection ended");
            match frame.opcode {
                TEXT => return String::from_utf8(frame.payload).unwrap(),
                PING => self.send_frame(0x80 | PONG, &frame.payload),
                PONG => {}
                _ => panic!("instead of a text: {frame:?}"),
            }
        }
    }

    /// Sends a message and takes the next one.
    pub(crate) fn ask(&mut self, message: &str) -> String {
        self.send(message);
        self.text()
    }

    /// Skips everything up to the server's close frame, answers that, and waits for the end of
    /// the connection. The code.
    pub(crate) fn close_code(&mut self) -> u16 {
        let payload = loop {
            match self.frame() {
                Some(frame) if frame.opcode == CLOSE => break frame.payload,
                Some(_) => {}
                None => panic!("the connection ended without a close frame"),
            }
        };
        let code = payload.first_chunk().expect("a code");
        // The server may be gone already.
        let _ = self.stream.write_all(&frame(0x80 | CLOSE, code));
        assert!(self.frame().is_none(), "something behind a close frame");
        u16::from_be_bytes(*code)
    }

    /// The next frame, `None` where the connection has ended.
    pub(crate) fn frame(&mut self) -> Option<Frame> {
        let [first, second] = self.take::<2>()?;
        assert_eq!(
            first & 0xF0,
            0x80,
            "fragmented, or reserved bits: {first:#x}"
        );
        assert_eq!(second & 0x80, 0, "the frame of a server has a mask");
        let length = match second {
            126 => u16::from_be_bytes(self.take()?).into(),
            127 => u64::from_be_bytes(self.take()?) as usize,
            length => usize::from(length),
        };
        self.fill(length)?;
        let payload = self.received[self.taken..][..length].to_vec();
        self.taken += length;
        Some(Frame {
            opcode: first & 0x0F,
            payload,
        })
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.fill(N)?;
        let bytes = *self.received[self.taken..].first_chunk()?;
        self.taken += N;
        Some(bytes)
    }

    fn take_head(&mut self) -> String {
        loop {
            let end = self.received.windows(4).position(|end| end == b"\r\n\r\n");
            if let Some(end) = end {
                self.taken = end + 4;
                return String::from_utf8(self.received[..self.taken].to_vec()).unwrap();
            }
            self.fill(self.received.len() + 1)
                .expect("the head of a response");
        }
    }

    /// Reads until there are `count` bytes; `None` where the connection ends before.
    fn fill(&mut self, count: usize) -> Option<()> {
        while self.received.len() - self.taken < count {
            self.received.drain(..self.taken);
            self.taken = 0;
            let mut chunk = [0; 16 * 1024];
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(count) => self.received.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came: {error}"),
            }
        }
        Some(())
    }
}

/// The path that a protocol has if the configuration names none.
pub(crate) fn path_of(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Ws1 => "/ws1",
        Protocol::Ws2 => "/ws2",
    }
}

/// A masked frame.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ ..126 => bytes.push(0x80 | length as u8),
        length @ ..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&MASK);
    bytes.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    bytes
}

//! One ws1 client: connects, logs in, speaks frames.

use std::{
    error::Error,
    io::{Read, Write},
};

use aes::{
    Aes128,
    cipher::{BlockModeEncrypt, KeyIvInit, block_padding::NoPadding},
};

use vscpl2drv_websocksrv::ws::Protocol;

use super::{server::PASSWORD, stream::Stream};

/// The key that drivers without a key file use.
const KEY: [u8; 16] = [
    0x2D, 0xBB, 0x07, 0x9A, 0x38, 0x98, 0x5A, 0xF0, 0x0E, 0xBE, 0xEF, 0xE2, 0x2F, 0x9F, 0xFA, 0x0E,
];

const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// A client.
pub(crate) struct Socket {
    pub(crate) stream: Stream,
    protocol: Protocol,
    received: Vec<u8>,
    buffer: Vec<u8>,
}

impl Socket {
    /// A client that has logged in, with ws1.
    pub(crate) fn login(address: &str, user: &str) -> Result<Self, Box<dyn Error>> {
        Self::login_over(Stream::connect(address)?, Protocol::Ws1, user)
    }

    /// A client that has logged in over a connection that is there.
    pub(crate) fn login_over(
        stream: Stream,
        protocol: Protocol,
        user: &str,
    ) -> Result<Self, Box<dyn Error>> {
        let mut socket = Self {
            stream,
            protocol,
            received: Vec::new(),
            buffer: vec![0; 128 * 1024],
        };
        socket.stream.write_all(request(protocol).as_bytes())?;
        while !socket.received.windows(4).any(|four| four == b"\r\n\r\n") {
            socket.read()?;
        }
        let head = socket.received.windows(4).position(|f| f == b"\r\n\r\n");
        let head: Vec<u8> = socket.received.drain(..head.unwrap_or(0) + 4).collect();
        if !head.starts_with(b"HTTP/1.1 101") {
            return Err(String::from_utf8_lossy(&head).into());
        }
        let greeting = socket.receive()?;
        let message = login_message(protocol, &greeting, user)?;
        socket.ask(&message, "+;AUTH1;")?;
        Ok(socket)
    }

    /// Starts to receive events.
    pub(crate) fn open(&mut self) -> Result<(), Box<dyn Error>> {
        self.ask(open_message(self.protocol), "+;OPEN")
    }

    /// Sends a message and expects a reply that starts with `expected`, with ws2 any good one.
    pub(crate) fn ask(&mut self, message: &str, expected: &str) -> Result<(), Box<dyn Error>> {
        let mut frame = Vec::new();
        masked(message.as_bytes(), &mut frame);
        self.stream.write_all(&frame)?;
        let reply = self.receive()?;
        let expected = match self.protocol {
            Protocol::Ws1 => expected,
            Protocol::Ws2 => "{\"type\":\"+\"",
        };
        if !reply.starts_with(expected) {
            return Err(format!("{message} was answered with {reply}").into());
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<String, Box<dyn Error>> {
        loop {
            if let Some((head, end)) = frame(&self.received) {
                let text = String::from_utf8(self.received[head..end].to_vec())?;
                self.received.drain(..end);
                return Ok(text);
            }
            self.read()?;
        }
    }

    fn read(&mut self) -> Result<(), Box<dyn Error>> {
        let count = self.stream.read(&mut self.buffer)?;
        if count == 0 {
            return Err("the server closed the connection".into());
        }
        self.received.extend_from_slice(&self.buffer[..count]);
        Ok(())
    }
}

/// The request for a websocket.
pub(crate) fn request(protocol: Protocol) -> String {
    let path = match protocol {
        Protocol::Ws1 => "ws1",
        Protocol::Ws2 => "ws2",
    };
    format!(
        "GET /{path} HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// The message that logs in as `user`, the answer to `greeting`.
pub(crate) fn login_message(
    protocol: Protocol,
    greeting: &str,
    user: &str,
) -> Result<String, Box<dyn Error>> {
    let sid = match protocol {
        Protocol::Ws1 => greeting.strip_prefix("+;AUTH0;").ok_or("no greeting")?,
        Protocol::Ws2 => greeting
            .split('"')
            .find(|word| word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .ok_or("no greeting")?,
    };
    let mut iv = [0; 16];
    hex::decode_to_slice(sid, &mut iv)?;
    let mut crypto = format!("{user}:{PASSWORD}").into_bytes();
    crypto.resize(crypto.len().next_multiple_of(16), 0);
    let length = crypto.len();
    cbc::Encryptor::<Aes128>::new(&KEY.into(), &iv.into())
        .encrypt_padded::<NoPadding>(&mut crypto, length)?;
    let crypto = hex::encode_upper(crypto);
    Ok(match protocol {
        Protocol::Ws1 => format!("C;AUTH;{sid};{crypto}"),
        Protocol::Ws2 => format!(
            r#"{{"type": "CMD", "command": "AUTH", "args": {{"iv": "{sid}", "crypto": "{crypto}"}}}}"#
        ),
    })
}

/// The message with which a client starts to receive events.
pub(crate) fn open_message(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Ws1 => "C;OPEN",
        Protocol::Ws2 => r#"{"type": "CMD", "command": "OPEN"}"#,
    }
}

/// Where the payload of the first frame starts and ends; `None` where it is not complete.
pub(crate) fn frame(bytes: &[u8]) -> Option<(usize, usize)> {
    let (head, length) = match *bytes.get(1)? {
        127 => return None,
        126 => (
            4,
            usize::from(*bytes.get(2)?) << 8 | usize::from(*bytes.get(3)?),
        ),
        length => (2, usize::from(length)),
    };
    (bytes.len() >= head + length).then_some((head, head + length))
}

/// Appends a text frame as a client sends it. The payload must be below 64 KiB.
pub(crate) fn masked(payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x81);
    match payload.len() {
        length @ ..126 => out.push(0x80 | length as u8),
        length => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    let mask = MASK.iter().cycle();
    out.extend(payload.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
}

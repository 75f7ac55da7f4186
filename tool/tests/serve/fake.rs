//! A broker that does what a test says, packet by packet (MQTT 3.1.1).

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

use crate::DEADLINE;

/// Kinds of packets, the upper half of their first byte.
const CONNECT: u8 = 1;
const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;
const SUBSCRIBE: u8 = 8;
const DISCONNECT: u8 = 14;

/// A port that hosts connect to.
pub(crate) struct FakeBroker {
    listener: TcpListener,
    pub(crate) port: u16,
}

/// A connection of a host that has subscribed.
pub(crate) struct Connection(TcpStream);

impl FakeBroker {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { listener, port }
    }

    /// Waits for a host and its subscriptions.
    pub(crate) fn accept(&self, keeps_session: bool) -> Connection {
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut connection = Connection(stream);
        connection.read(CONNECT);
        connection.write(0x20, &[keeps_session.into(), 0]);
        let subscribe = connection.read(SUBSCRIBE);
        connection.write(0x90, &[subscribe[0], subscribe[1], 1]);
        connection
    }
}

impl Connection {
    /// Sends a message of QoS 1 and waits until it is confirmed.
    pub(crate) fn publish(&mut self, payload: &str, id: u16, is_dup: bool) {
        let topic = b"in";
        let mut body = vec![0, topic.len() as u8];
        body.extend(topic);
        body.extend(id.to_be_bytes());
        body.extend(payload.bytes());
        self.write(0x32 | u8::from(is_dup) << 3, &body);
        assert_eq!(self.read(PUBACK), id.to_be_bytes());
    }

    /// Waits until the host says that it ends.
    pub(crate) fn wait_for_end(&mut self) {
        self.read(DISCONNECT);
    }

    fn write(&mut self, first: u8, body: &[u8]) {
        let mut packet = vec![first, u8::try_from(body.len()).unwrap()];
        assert!(packet[1] < 0x80, "a longer length has two bytes");
        packet.extend(body);
        self.0.write_all(&packet).unwrap();
    }

    /// Returns the rest of the next packet of a kind. Confirms messages before it.
    fn read(&mut self, kind: u8) -> Vec<u8> {
        loop {
            let first = self.byte();
            let (mut length, mut shift) = (0, 0);
            loop {
                let byte = self.byte();
                length |= usize::from(byte & 0x7F) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let mut body = vec![0; length];
            self.0.read_exact(&mut body).unwrap();
            if first >> 4 == kind {
                return body;
            }
            assert_eq!(first >> 4, PUBLISH, "instead of {kind}");
            let id = 2 + usize::from(body[1]);
            self.write(0x40, &[body[id], body[id + 1]]);
        }
    }

    fn byte(&mut self) -> u8 {
        let mut byte = [0];
        self.0.read_exact(&mut byte).unwrap();
        byte[0]
    }
}

//! A small HTTP client.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
};

use serde_json::Value;

use super::{Server, tcp};

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head: {}", bytes.escape_ascii()));
        let head = str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        });
        Self {
            status: status[..3].parse().unwrap(),
            headers: headers.collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    /// Reads a head from a connection that stays open, and nothing behind it.
    pub(crate) fn read_head(stream: &mut impl Read) -> Self {
        Self::read_head_or_end(stream).expect("the head of a response")
    }

    /// The same; returns `None` if the connection ends before.
    pub(crate) fn read_head_or_end(stream: &mut impl Read) -> Option<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).ok()?;
            head.extend_from_slice(&byte);
        }
        Some(Self::parse(&head))
    }

    /// Returns the value of a header, `None` if there is none. `name` is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} is there twice");
        value
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Sends bytes as they are, and reads the response until the server closes the connection.
pub(crate) fn exchange(address: SocketAddr, request: &[u8]) -> Response {
    let mut socket = tcp(address);
    // A server that refuses a large request closes before all of it is sent. Its answer can
    // be read all the same.
    let _ = socket.write_all(request);
    Response::parse(&read_to_end(&mut socket))
}

/// Reads until the server closes the connection.
pub(crate) fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        // The server's kernel resets a connection of which the server has not read everything.
        Err(error) if error.kind() == ErrorKind::ConnectionReset && !bytes.is_empty() => {}
        Err(error) => panic!("{error} after {}", bytes.escape_ascii()),
    }
    bytes
}

/// Returns a request that asks for the connection to be closed behind the response.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost:8884\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        request += &format!("Content-Length: {}\r\n", body.len());
    }
    request + &format!("Connection: close\r\n\r\n{body}")
}

impl Server {
    pub(crate) fn get(&self, path: &str) -> Response {
        self.request("GET", path, &[], "")
    }

    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        self.raw(request(method, path, headers, body).as_bytes())
    }

    /// Sends bytes as they are.
    pub(crate) fn raw(&self, request: &[u8]) -> Response {
        exchange(self.address(), request)
    }

    /// Sends a request whose connection may stay open; the response is without its body.
    pub(crate) fn head_of(&self, request: &str) -> Response {
        let mut stream = tcp(self.address());
        stream.write_all(request.as_bytes()).unwrap();
        Response::read_head(&mut stream)
    }
}

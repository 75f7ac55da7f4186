//! A user of REST.

use std::{
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use crate::server::PASSWORD;

/// A connection that is kept, with a session.
pub(crate) struct Rest {
    stream: BufReader<TcpStream>,
    request: String,
}

impl Rest {
    pub(crate) fn open(address: &str) -> Result<Self, Box<dyn Error>> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut rest = Self {
            stream: BufReader::new(stream),
            request: request(&format!(
                "vscpuser=admin&vscpsecret={PASSWORD}&format=plain&op=open"
            )),
        };
        let reply = rest.ask()?;
        let sid = reply.split(['=', ' ']).nth(4).ok_or("no session")?;
        rest.request = request(&format!(
            "vscpsession={sid}&format=plain&op=3&vscpevent=0,10,6,,,,-,1,2,3"
        ));
        Ok(rest)
    }

    /// Sends an event. Returns whether it was accepted.
    pub(crate) fn send_event(&mut self) -> Result<bool, Box<dyn Error>> {
        Ok(self.ask()?.starts_with("1 1 "))
    }

    /// Sends the request. The body of the response.
    fn ask(&mut self) -> Result<String, Box<dyn Error>> {
        self.stream.get_mut().write_all(self.request.as_bytes())?;
        let mut line = String::new();
        let mut length = 0;
        while line != "\r\n" {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err("the server closed the connection of REST".into());
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(String::from_utf8(body)?)
    }
}

fn request(query: &str) -> String {
    format!("GET /rest?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// The page of metrics.
pub(crate) fn metrics(address: &str) -> Result<String, Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}

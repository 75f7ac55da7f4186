//! The API of pages: logins with a cookie, and what they open.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod answers;
#[path = "../common/mod.rs"]
mod common;
mod logins;
mod senders;
mod transports;
mod websockets;

use std::{io::Write, net::TcpStream};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{
    Client, Response, Server,
    client::path_of,
    http::{read_to_end, request},
    tcp, tcp_from,
};

/// The headers that a page of the server sends with each change.
const OWN: (&str, &str) = ("Origin", "http://localhost:8884");
const JSON: (&str, &str) = ("Content-Type", "application/json");

impl Server {
    /// Logs in as a page of the server does.
    fn log_in(&self, user: &str, password: &str) -> Response {
        self.log_in_with(user, password, &[])
    }

    /// The same with more headers.
    fn log_in_with(&self, user: &str, password: &str, headers: &[(&str, &str)]) -> Response {
        let body = json!({"user": user, "password": password}).to_string();
        let headers = [&[OWN, JSON], headers].concat();
        self.request("POST", "/api/login", &headers, &body)
    }

    /// Logs in, and returns the header Cookie of the requests after that.
    fn cookie(&self, user: &str) -> String {
        cookie_of(&self.log_in(user, "secret"))
    }

    fn log_out(&self, cookie: &str) -> Response {
        self.request("POST", "/api/logout", &[OWN, ("Cookie", cookie)], "")
    }

    /// The name of the user that a request with a cookie is of.
    fn user_of(&self, cookie: &str) -> Option<String> {
        let reply = self.request("GET", "/api/login", &[("Cookie", cookie)], "");
        user_in(&reply)
    }

    /// The same for a request from 127.0.0.`host`.
    fn user_of_from(&self, host: u8, cookie: &str) -> Option<String> {
        let socket = tcp_from(host, self.address());
        user_in(&ask(
            socket,
            &request("GET", "/api/login", &[("Cookie", cookie)], ""),
        ))
    }

    /// Opens a websocket as a page does whose origin is `origin`.
    fn page_socket(&self, protocol: Protocol, cookie: &str, origin: &str) -> Client {
        let headers = format!("Origin: {origin}\r\nCookie: {cookie}\r\n");
        let socket = tcp(self.address());
        Client::greeted_with(socket, path_of(protocol), protocol, &headers)
    }
}

fn ask(mut socket: TcpStream, request: &str) -> Response {
    socket.write_all(request.as_bytes()).unwrap();
    Response::parse(&read_to_end(&mut socket))
}

fn cookie_of(reply: &Response) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    let cookie = reply.header("set-cookie").expect("a cookie");
    cookie.split_once(';').unwrap().0.to_owned()
}

fn user_in(reply: &Response) -> Option<String> {
    assert_eq!(reply.status, 200, "{reply:?}");
    let reply = reply.json();
    reply["user"]["name"].as_str().map(str::to_owned)
}

//! Websockets that a cookie opens.

use std::net::TcpStream;

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{
    BOTH, Client, Server,
    client::path_of,
    messages::Heard,
    tcp, tcp_from, user,
    users::{UsersFile, md5},
    wait_until,
};

const OWN_ORIGIN: &str = "http://localhost";

impl Client {
    /// Checks that nobody is logged in.
    pub(crate) fn is_stranger(&mut self) {
        assert!(!self.opens(), "somebody is logged in");
    }

    /// Opens the session. Returns false if nobody is logged in.
    fn opens(&mut self) -> bool {
        self.send_command("OPEN");
        match self.hear() {
            Heard::Success(_) => true,
            heard => {
                assert_eq!(heard, Heard::failed("OPEN", 5));
                false
            }
        }
    }
}

/// Connects as a client that sends a cookie, perhaps with more headers.
fn connect(socket: TcpStream, protocol: Protocol, cookie: &str, headers: &str) -> Client {
    let headers = format!("{headers}Cookie: {cookie}\r\n");
    Client::greeted_with(socket, path_of(protocol), protocol, &headers)
}

#[test]
fn a_cookie_opens_websockets_of_pages_of_the_server() {
    let server = Server::start(json!({}));
    let cookie = server.cookie("admin");
    for protocol in BOTH {
        let mut client = server.page_socket(protocol, &cookie, OWN_ORIGIN);
        assert!(client.opens());
        server.host_writes(7);
        client.expect_events([7]);
    }
    server.wait_for_log("admin logged in by cookie");
}

#[test]
fn a_cookie_opens_no_websocket_of_another_page_or_of_none() {
    let server = Server::start(json!({}));
    let cookie = server.cookie("admin");
    for protocol in BOTH {
        for headers in [
            "",
            "Origin: http://evil.example\r\n",
            "Origin: http://localhost:8885\r\n",
            "Origin: null\r\n",
            "Origin: http://localhost\r\nOrigin: http://evil.example\r\n",
            "Sec-Fetch-Site: same-origin\r\n",
        ] {
            let socket = tcp(server.address());
            connect(socket, protocol, &cookie, headers).is_stranger();
        }
        for other in [
            "vscplogin=0",
            "a=b",
            &format!("vscplogin={}", "0".repeat(32)),
        ] {
            server
                .page_socket(protocol, other, OWN_ORIGIN)
                .is_stranger();
        }
    }
}

#[test]
fn a_page_whose_origin_is_not_listed_opens_no_websocket_at_all() {
    let server = Server::start(json!({"origins": ["http://panel.example"]}));
    let cookie = server.cookie("admin");
    let headers = format!("Origin: {OWN_ORIGIN}\r\nCookie: {cookie}\r\n");
    let reply = server.head_of(&Client::request("/ws2", &headers));
    assert_eq!(reply.status, 403);
}

#[test]
fn a_websocket_has_the_filter_and_the_rights_of_the_user() {
    let server = Server::start(json!({"users": [
        user("tens", json!({"rights": "websockets", "filter": "0,10,0,-;0,0xFFFF,0,-"})),
        user("mute", json!({"rights": ["ws", "receive-events"]})),
    ]}));
    let mut client = server.page_socket(Protocol::Ws1, &server.cookie("tens"), OWN_ORIGIN);
    assert!(client.opens());
    server.host_writes_text("0,20,3,0,,1,-");
    server.host_writes_text("0,10,6,0,,2,-");
    client.expect_events([2]);
    let mut client = server.page_socket(Protocol::Ws1, &server.cookie("mute"), OWN_ORIGIN);
    client.send_event(1);
    assert_eq!(client.hear(), Heard::failed("EVENT", 6));
}

#[test]
fn another_user_can_log_in_later_with_the_key() {
    let server = Server::start(json!({}));
    let mut client = server.page_socket(Protocol::Ws2, &server.cookie("admin"), OWN_ORIGIN);
    client.login("user");
    assert!(client.opens());
    server.wait_for_log("user logged in");
}

#[test]
fn a_log_out_closes_the_websockets_of_the_login_alone() {
    let server = Server::start(json!({}));
    let (first, second) = (server.cookie("admin"), server.cookie("admin"));
    let mut ended: Vec<_> = BOTH
        .into_iter()
        .map(|protocol| server.page_socket(protocol, &first, OWN_ORIGIN))
        .collect();
    let mut other = server.page_socket(Protocol::Ws1, &second, OWN_ORIGIN);
    let mut by_key = server.login(Protocol::Ws1, "admin");
    server.log_out(&first);
    for client in &mut ended {
        assert_eq!(client.close_code(), 1000);
    }
    assert!(other.opens() && by_key.opens());
    server
        .page_socket(Protocol::Ws1, &first, OWN_ORIGIN)
        .is_stranger();
}

#[test]
fn a_removed_user_and_a_changed_password_close_the_websockets() {
    let admin = user("admin", json!({}));
    let mut changed = admin.clone();
    changed["password"] = md5("admin:other").into();
    for users in [vec![], vec![changed]] {
        let file = UsersFile::new(&[admin.clone(), user("user", json!({}))]);
        let server = Server::start(json!({"users": null, "path-users": file.path()}));
        let cookie = server.cookie("admin");
        let mut client = server.page_socket(Protocol::Ws2, &cookie, OWN_ORIGIN);
        assert!(client.opens());
        file.replace(&users);
        assert_eq!(client.close_code(), 1008);
        assert_eq!(server.user_of(&cookie), None);
        server
            .page_socket(Protocol::Ws2, &cookie, OWN_ORIGIN)
            .is_stranger();
    }
}

#[test]
fn a_login_whose_place_is_needed_closes_its_websockets() {
    let server = Server::start(json!({}));
    let cookie = server.cookie("admin");
    let mut client = server.page_socket(Protocol::Ws2, &cookie, OWN_ORIGIN);
    for _ in 0..32 {
        server.cookie("admin");
    }
    assert_eq!(client.close_code(), 1000);
    assert_eq!(server.user_of(&cookie), None);
}

#[test]
fn a_stolen_cookie_opens_nothing_from_where_its_user_may_not_come() {
    let server = Server::start(json!({"users": [
        user("admin", json!({"rights": "admin", "remotes": "-127.0.0.2"})),
    ]}));
    let cookie = server.cookie("admin");
    let origin = format!("Origin: {OWN_ORIGIN}\r\n");
    let socket = tcp_from(2, server.address());
    connect(socket, Protocol::Ws2, &cookie, &origin).is_stranger();
    let socket = tcp_from(3, server.address());
    assert!(connect(socket, Protocol::Ws2, &cookie, &origin).opens());
}

#[test]
fn a_websocket_of_a_page_counts_for_the_limits_of_clients() {
    let server = Server::start(json!({"max-clients": 1}));
    let cookie = server.cookie("admin");
    let client = server.page_socket(Protocol::Ws2, &cookie, OWN_ORIGIN);
    let headers = format!("Origin: {OWN_ORIGIN}\r\nCookie: {cookie}\r\n");
    let request = Client::request("/ws2", &headers);
    assert_eq!(server.head_of(&request).status, 503);
    drop(client);
    wait_until("a place", || server.head_of(&request).status == 101);
}

#[test]
fn a_websocket_of_a_page_need_not_log_in_in_time() {
    let server = Server::start(json!({"auth-timeout": 1}));
    let mut client = server.page_socket(Protocol::Ws2, &server.cookie("admin"), OWN_ORIGIN);
    let mut late = server.connect(Protocol::Ws2);
    assert_eq!(late.close_code(), 1008);
    assert!(client.opens());
}

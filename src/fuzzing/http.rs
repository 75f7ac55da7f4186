//! A connection from its first byte: requests, and what they lead to.

use std::{
    io::{Read, Write},
    net::TcpStream,
    os::{fd::OwnedFd, unix::net::UnixStream},
    sync::Arc,
};

use super::server::{block_on, end, in_folder, peer, router};
use crate::http::{StaticFiles, files::Files, listen};

/// Sends a connection all of the bytes and then its end. What comes back is responses of HTTP.
pub fn http(data: &[u8]) {
    in_folder(super::files::fill, |folder| {
        let output = block_on(async {
            let mut router = router();
            router.files = Files::new(StaticFiles::Folder(folder.to_owned()));
            let shared = router.server.shared.clone();
            let output = respond(Arc::new(router), data).await;
            end(&shared).await;
            output
        });
        assert!(output.is_empty() || output.starts_with(b"HTTP/1."));
    });
}

async fn respond(router: Arc<crate::http::route::Router>, data: &[u8]) -> Vec<u8> {
    // To the driver it looks like a connection over TCP, but takes no port.
    let (socket, mut client) = UnixStream::pair().expect("sockets");
    for end in [&socket, &client] {
        end.set_nonblocking(true).expect("a socket");
    }
    // It takes at least what a fuzzer sends.
    let _ = client.write(data);
    let _ = client.shutdown(std::net::Shutdown::Write);
    let socket = TcpStream::from(OwnedFd::from(socket));
    let socket = tokio::net::TcpStream::from_std(socket).expect("a socket");
    // Else the clock would leap before the runtime has looked at the socket.
    let _ = socket.readable().await;
    listen::serve(socket, peer().await, None, router).await;
    let mut output = Vec::new();
    // Ends with an error if the driver has a part of the socket still.
    let _ = client.read_to_end(&mut output);
    output
}

//! Files that are requested and not read.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::json;

use crate::{
    CONNECTIONS, HOST, OPEN_FILES, SHARE,
    common::{Server, process::descriptors, tcp_from, wait_until},
    start, visit,
};

/// More than the sockets hold.
const SIZE: usize = 32 << 20;

/// Requests the file, and takes the start of it.
fn begin_download(server: &Server, host: u8) -> TcpStream {
    let mut stream = tcp_from(host, server.address());
    let request = "GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // There may be no place for it.
    let _ = stream.write_all(request.as_bytes());
    let _ = stream.read(&mut [0; 16]);
    stream
}

#[test]
fn downloads_that_are_not_read_leave_open_files_to_the_host_and_places_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join("large.bin")).unwrap();
    file.set_len(SIZE as u64).unwrap();
    drop(file);
    let root = fs::canonicalize(folder.path()).unwrap();
    let server = start(json!({"enable-static": true, "web-root": root}));
    let before = descriptors().len();
    let hosts = 2..2 + 2 * SHARE as u8;
    let downloads: Vec<_> = hosts
        .flat_map(|host| (0..CONNECTIONS / SHARE).map(move |_| host))
        .map(|host| begin_download(&server, host))
        .collect();
    let used = descriptors().len() - before - downloads.len();
    assert!(used > CONNECTIONS, "{used} files and sockets");
    assert!(
        used <= OPEN_FILES as usize - HOST,
        "{used} files and sockets"
    );
    wait_until("a visitor is served", || visit(&server, 1).1 == Some(404));
    let mut taken = begin_download(&server, 1);
    // It goes on for as long as it is read, whoever comes.
    let others: Vec<_> = (100..150)
        .map(|host| begin_download(&server, host))
        .collect();
    let mut rest = vec![0; SIZE - 1024];
    taken.read_exact(&mut rest).unwrap();
    drop(others);
}

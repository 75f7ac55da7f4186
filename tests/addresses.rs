//! Addresses to listen on: those that come later, and those that can never be bound.
//!
//! Tests that change the network have one of their own.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{
    fs,
    net::{SocketAddr, SocketAddrV6},
};

use nix::net::if_::if_nametoindex;
use serde_json::{Value, json};
use tempfile::TempDir;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{
    Client, Server, configuration, log_path,
    namespace::{run, unshared},
    open,
};

/// A user and a network of its own; the user is root there.
const AS_ROOT: [&str; 3] = ["--user", "--map-root-user", "--net"];

/// The same for a user without rights.
const AS_NOBODY: [&str; 2] = ["--user", "--net"];

fn listening_on(interface: impl Into<Value>) -> Server {
    Server::start(json!({"interface": interface.into()}))
}

/// Connects, and logs in.
fn use_address(address: SocketAddr) {
    Client::greeted(address, Protocol::Ws1).login("admin");
}

fn local(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn an_address_that_is_not_there_is_named_and_the_others_are_served() {
    let server = listening_on([
        "ws://127.0.0.1:0",
        "ws://192.0.2.1:8884",
        "ws://no-such-host.invalid:1",
        "ws://[fe80::1%nosuch0]:8884",
    ]);
    server.wait_for_log(" open: listening on ");
    for (address, why) in [
        ("ws://192.0.2.1:8884: 192.0.2.1:8884", "Cannot assign"),
        ("ws://no-such-host.invalid:1", ""),
        ("ws://[fe80::1%nosuch0]:8884", "No such device"),
    ] {
        let start = format!("warning {address}: {why}");
        let log = server.log();
        let line = log.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("{start}\n{log}"));
        assert!(line.ends_with("; waiting for it"), "{line}");
    }
    use_address(server.address());
}

#[test]
fn a_driver_opens_without_any_address_yet() {
    let server = listening_on("ws://192.0.2.1:8884");
    server.wait_for_log(" open: listening on no address yet; ");
    server.host_writes(1);
}

#[test]
fn an_address_that_comes_later_is_served_then() {
    unshared(&AS_ROOT, || {
        run("ip link set lo up");
        let server = listening_on(["ws://192.0.2.1:8884", "ws://[fe80::1%v0]:8884"]);
        run("ip addr add 192.0.2.1/32 dev lo");
        server.wait_for_log("info listening on ws://192.0.2.1:8884 now");
        use_address(local("192.0.2.1:8884"));

        // Of an interface that was not there either.
        run("ip link add v0 type veth peer name v1");
        run("ip link set v1 up");
        run("ip link set v0 up");
        run("ip addr add fe80::1/64 dev v0 nodad");
        server.wait_for_log("info listening on ws://[fe80::1%");
        let scope = if_nametoindex("v0").unwrap();
        use_address(SocketAddrV6::new("fe80::1".parse().unwrap(), 8884, 0, scope).into());
        let by_number = listening_on(format!("ws://[fe80::1%{scope}]:8885"));
        use_address(by_number.address());
    });
}

#[test]
fn all_addresses_are_those_of_ipv4_too_whatever_is_the_default() {
    unshared(&AS_ROOT, || {
        run("ip link set lo up");
        for default in ["0", "1"] {
            fs::write("/proc/sys/net/ipv6/bindv6only", default).unwrap();
            let _server = listening_on("ws://*:8884");
            use_address(local("127.0.0.1:8884"));
            use_address(local("[::1]:8884"));
        }
    });
}

/// Opens a driver that must not open, with `interface` on the third line of its file. Returns what
/// the log says.
fn error_with(folder: &TempDir, interface: &str) -> String {
    let mut config = configuration(folder, json!({"interface": null})).to_string();
    config.replace_range(0..1, &format!("{{\n\n\"interface\": \"{interface}\",\n"));
    let path = folder.path().join("driver.json");
    fs::write(&path, config).unwrap();
    let error = open(path.to_str().unwrap()).unwrap_err();
    let start = format!("{}:3: interface: found {interface}: ", path.display());
    assert!(error.starts_with(&start), "{error}");
    let log = fs::read_to_string(log_path(folder)).unwrap();
    let line = format!("error the driver cannot be opened: {error}\n");
    assert!(log.ends_with(&line), "{log}");
    error
}

#[test]
fn a_port_that_is_taken_is_an_error_with_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = error_with(&folder, &format!("ws://{address}"));
    let rest = format!(
        "{address}: Address already in use (os error 98), expected an address and port that nobody \
         listens on"
    );
    assert!(error.ends_with(&rest), "{error}");
}

#[test]
fn a_port_that_is_forbidden_is_an_error_with_file_line_and_key() {
    unshared(&AS_NOBODY, || {
        let folder = tempfile::tempdir().unwrap();
        let error = error_with(&folder, "ws://*:80");
        let rest = "Permission denied (os error 13), expected a port that this user may listen on";
        assert!(error.ends_with(rest), "{error}");
    });
}

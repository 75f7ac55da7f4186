//! How deep the stacks of the driver's threads get, on the deepest ways through it. Alone in its
//! process, whose threads it looks at.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "tls/client.rs"]
#[allow(dead_code)]
mod client;
mod common;

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    thread,
};

use serde_json::json;
use vscpl2drv_websocksrv::driver::Driver;

use crate::{
    client::{Peer, V1_2, V1_3},
    common::{
        BOTH, DEADLINE, GUID, Response, Server, commands, configuration, http, open,
        process::driver_threads,
        tls::{Authority, VALID},
        user,
        users::UsersFile,
        wait_for,
    },
};

/// What is stored of the password `secret` of `admin`.
const PBKDF2: &str = "487636FDE3637C7C853AAC9EAF6FA062;\
                      357C71CA59F760C08C4125C444A22A91FD1FE1FB0E5628771A572BAF6F61B71F";

/// The size of each stack: see `thread::STACK_SIZE`.
const STACK_SIZE: usize = match cfg!(debug_assertions) {
    true => 768 * 1024,
    false => 256 * 1024,
};

/// The name of the thread that writes the history, whose stack has half that size.
const HISTORY: &str = "websocksrv-hist";

/// JSON of `depth` arrays, one in the other: serde_json reads up to 127.
fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

/// JSON of `depth` objects, one in the other.
fn nested_objects(depth: usize) -> String {
    "{\"a\":".repeat(depth) + "0" + &"}".repeat(depth)
}

#[derive(Clone, Copy, Debug)]
struct Stack {
    size: usize,
    used: usize,
}

/// Measures the stack of a thread; `None` if it runs at the moment, or has ended.
fn stack_of(thread: &Path) -> Option<Stack> {
    let number = |text: &str, radix| usize::from_str_radix(text, radix).ok();
    let call = fs::read_to_string(thread.join("syscall")).ok()?;
    // The last but one is the stack pointer (proc_pid_syscall(5)).
    let pointer = call.split_whitespace().rev().nth(1)?;
    let pointer = number(pointer.strip_prefix("0x")?, 16)?;
    let mut stack = None;
    for line in fs::read_to_string("/proc/self/smaps").ok()?.lines() {
        let (key, value) = line.split_once(' ')?;
        if let Some((from, to)) = key.split_once('-') {
            let (from, to) = (number(from, 16)?, number(to, 16)?);
            let found = (from..to).contains(&pointer);
            stack = found.then_some(Stack {
                size: to - from,
                used: 0,
            });
        } else if let Some(stack) = stack.filter(|_| key == "Rss:") {
            let kib = number(value.trim().strip_suffix(" kB")?, 10)?;
            return Some(Stack {
                used: kib * 1024,
                ..stack
            });
        }
    }
    None
}

/// Sends what leads deep into a driver, by REST and websockets.
fn go_deep(server: &Server, peer: &Peer) {
    let deep = [nested(127), nested_objects(120), nested(4000)];
    for protocol in BOTH {
        let mut client = peer.open(server, protocol);
        for json in &deep {
            client.send(json);
            client.send(&format!(
                r#"{{"type":"CMD","command":"NOOP","args":{json}}}"#
            ));
            client.send(&format!(r#"{{"type":"EVENT","event":{{"class":{json}}}}}"#));
            client.send(&format!("E;0,20,3,,,,-,{json}"));
        }
        client.send_command("VERSION");
        while !client.text().contains("VERSION") {}
    }
    for json in &deep {
        let login = "vscpuser=admin&vscpsecret=secret";
        for body in [format!("{login}&x={json}"), json.clone()] {
            let request = http::request("POST", "/rest?format=json", &[], &body);
            let mut stream = peer.connect(server.address()).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            assert_eq!(Response::parse(&answer).status, 200);
        }
    }
    assert_eq!(peer.get(server.address()).unwrap().status, 404);
}

/// Sends commands that lead deep into a driver.
fn command_deep(driver: &Driver) {
    let guid = GUID.parse().unwrap();
    for json in [nested(127), nested_objects(60)] {
        let op = format!(r#"{{"op":"writevar","name":"debug","arg":{json}}}"#);
        let command = commands::command(guid, guid, &op);
        driver.write(command, Some(DEADLINE)).unwrap();
    }
    for op in [
        json!({"op": "readvar", "name": "config"}),
        json!({"op": "readvar", "name": "statistics"}),
        json!({"op": "writevar", "name": "log-level", "arg": "trace"}),
        json!({"op": "save"}),
    ] {
        commands::ask(driver, guid, guid, &op);
    }
}

#[test]
fn the_deepest_ways_leave_a_quarter_of_a_stack() {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let web_root = folder.path().join("www");
    fs::create_dir(&web_root).unwrap();
    let mut tls = authority.tls(folder.path());
    tls["ca"] = json!(folder.path().join("ca.pem"));
    fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
    let users = UsersFile::new(&[user(
        "admin",
        json!({"rights": "admin", "password": PBKDF2}),
    )]);
    let server = Server::start_tls(
        &tls,
        json!({
            "users": null, "path-users": users.path(), "write": true, "enable-static": true,
            "web-root": web_root,
        }),
    );
    let identity = authority.issue(VALID);
    for version in [V1_2, V1_3] {
        go_deep(&server, &Peer::new(&authority, version, Some(&identity)));
    }
    command_deep(&server.driver);
    users.replace_text(&format!(r#"{{"zzz":{},"users":[]}}"#, nested(127)));
    server.wait_for_log("has changed, 0 users read");

    let threads = driver_threads();
    assert!(threads.len() >= 4, "{threads:?}");
    for thread in threads {
        let name = fs::read_to_string(thread.join("comm")).unwrap();
        let stack = wait_for("a thread that waits", || stack_of(&thread));
        eprintln!("{}: {stack:?}", name.trim());
        // The guard page is another mapping.
        let size = match name.trim() {
            HISTORY => STACK_SIZE / 2,
            _ => STACK_SIZE,
        };
        assert_eq!(stack.size, size, "{name}");
        assert!(stack.used <= size / 4 * 3, "{name}: {stack:?}");
    }
}

#[test]
fn three_quarters_of_a_stack_are_enough_to_open_and_close() {
    let authority = Authority::new("authority");
    let folder = tempfile::tempdir().unwrap();
    let tls = authority.tls(folder.path());
    let config = configuration(
        &folder,
        json!({"tls": tls, "interface": "wss://localhost:0"}),
    );
    let mut config = config.to_string();
    let deep = format!(
        r#"{{"a":{},"b":{},"socketcan":{{"enable":false,"c":{}}},"#,
        nested(126),
        nested_objects(126),
        nested(100_000)
    );
    config.replace_range(0..1, &deep);
    // Beyond it the process would end with SIGSEGV.
    thread::Builder::new()
        .stack_size(STACK_SIZE / 4 * 3)
        .spawn(move || {
            open(&config).unwrap().close();
            open(&config.replace("\"tls\"", "\"tsl\"")).unwrap_err();
        })
        .unwrap()
        .join()
        .unwrap();
}

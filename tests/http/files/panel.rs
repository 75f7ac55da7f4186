//! The panel that is in the library.

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;

use super::{assert_not_found, folder};
use crate::common::{Response, Server};

const GZIP: (&str, &str) = ("Accept-Encoding", "gzip, deflate, br");

/// A driver that serves the panel.
fn open() -> Server {
    Server::start(json!({"enable-static": null}))
}

/// The files of the panel: their names and contents.
fn files() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/www");
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    paths
        .map(|path| (name(&path), fs::read(&path).unwrap()))
        .collect()
}

fn unzip(compressed: &[u8]) -> Vec<u8> {
    let mut gzip = Command::new("gzip")
        .arg("-dc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = gzip.stdin.take().unwrap();
    let compressed = compressed.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&compressed).unwrap());
    let mut plain = Vec::new();
    gzip.stdout.take().unwrap().read_to_end(&mut plain).unwrap();
    writer.join().unwrap();
    assert!(gzip.wait().unwrap().success());
    plain
}

#[test]
fn without_a_folder_the_panel_is_served() {
    let server = open();
    let start = server.get("/");
    assert_eq!(start.status, 200);
    assert!(start.text().contains("<title>VSCP panel</title>"));
    assert_eq!(start.body, server.get("/index.html").body);
    let files = files();
    assert!(files.len() > 10);
    for (name, content) in files {
        let path = format!("/{name}");
        let plain = server.get(&path);
        assert_eq!(plain.status, 200, "{name}");
        assert_eq!(plain.body, content, "{name}");
        assert_eq!(plain.header("content-encoding"), None, "{name}");
        let small = server.request("GET", &path, &[GZIP], "");
        assert_eq!(small.header("content-encoding"), Some("gzip"), "{name}");
        assert_eq!(unzip(&small.body), content, "{name}");
        for reply in [&plain, &small] {
            assert_eq!(reply.header("vary"), Some("accept-encoding"), "{name}");
            let expected = match Path::new(&name).extension().unwrap().to_str().unwrap() {
                "html" => "text/html; charset=utf-8",
                "js" => "text/javascript; charset=utf-8",
                "css" => "text/css; charset=utf-8",
                "txt" => "text/plain; charset=utf-8",
                "png" => "image/png",
                "svg" => "image/svg+xml",
                "webmanifest" => "application/manifest+json",
                other => panic!("{other}"),
            };
            assert_eq!(reply.header("content-type"), Some(expected), "{name}");
            assert_headers(reply, &name);
        }
    }
    let log = server.close_and_log();
    assert!(log.contains("files the panel"), "{log}");
}

/// Checks the headers for browsers, which are those of a folder's files.
fn assert_headers(reply: &Response, what: &str) {
    for (name, value) in [
        ("cache-control", "no-cache"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{what} {name}");
    }
    let policy = reply.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; "),
        "{what} {policy}"
    );
    assert!(
        policy.contains("connect-src 'self' ws://localhost:*"),
        "{policy}"
    );
}

#[test]
fn a_browser_that_has_a_file_is_not_sent_it_again() {
    let server = open();
    let mut tags = Vec::new();
    for encoding in [GZIP, ("Accept-Encoding", "identity")] {
        let reply = server.request("GET", "/app.js", &[encoding], "");
        let tag = reply.header("etag").unwrap().to_owned();
        for (condition, status) in [
            (tag.clone(), 304),
            (format!("W/{tag}"), 304),
            (format!("\"x\", {tag}"), 304),
            ("*".to_owned(), 304),
            ("\"x\"".to_owned(), 200),
        ] {
            let headers = [encoding, ("If-None-Match", condition.as_str())];
            let reply = server.request("GET", "/app.js", &headers, "");
            assert_eq!(reply.status, status, "{condition}");
            assert_eq!(reply.header("etag"), Some(tag.as_str()));
            assert_eq!(reply.body.is_empty(), status == 304);
            assert_headers(&reply, &condition);
        }
        tags.push(tag);
    }
    assert_ne!(tags[0], tags[1], "two forms have one tag");
}

#[test]
fn the_panel_can_only_be_read() {
    let server = open();
    let request = "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let head = server.head_of(request);
    let length = server.get("/").body.len().to_string();
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some(&*length))
    );
    for method in ["POST", "PUT", "DELETE"] {
        let reply = server.request(method, "/", &[], "");
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.header("allow"), Some("GET, HEAD"), "{method}");
    }
    let reply = server.request("GET", "/app.js", &[("Range", "bytes=0-3")], "");
    assert_eq!(reply.status, 200);
}

#[test]
fn there_is_nothing_but_the_panel() {
    let server = open();
    for path in [
        "//",
        "//index.html",
        "/./index.html",
        "/../index.html",
        "/%2e%2e/Cargo.toml",
        "/..%2fCargo.toml",
        "/../../../etc/passwd",
        "/index.html/",
        "/index.html%00",
        "/INDEX.HTML",
        "/app.js.gz",
        "/app",
        "/panel.rs",
        "/nothing",
    ] {
        assert_not_found(&server.get(path), path);
    }
    assert_eq!(server.get("/?query").status, 200);
}

#[test]
fn a_folder_goes_before_the_panel_and_false_before_both() {
    let folder = folder();
    let root = folder.path().join("www");
    let server = Server::start(json!({"enable-static": null, "web-root": root}));
    assert_eq!(server.get("/").text(), "<p>start</p>");
    assert_not_found(&server.get("/index.css"), "a file of the panel alone");
    let server = Server::start(json!({"enable-static": false}));
    assert_not_found(&server.get("/"), "switched off");
}

#[test]
fn pages_of_a_folder_have_the_modules_for_them_unless_they_have_their_own() {
    let folder = folder();
    let root = folder.path().join("www");
    fs::write(root.join("format.js"), "// their own").unwrap();
    let server = Server::start(json!({"enable-static": null, "web-root": root}));
    let all = files();
    let content = |name: &str| &all.iter().find(|(known, _)| known == name).unwrap().1;
    for name in ["vscp.js", "vscp-widgets.js", "widget-source.js", "aes.js"] {
        let path = format!("/{name}");
        let reply = server.get(&path);
        assert_eq!(reply.status, 200, "{name}");
        assert_eq!(&reply.body, content(name), "{name}");
        assert_headers(&reply, name);
        assert_eq!(server.request("PUT", &path, &[], "").status, 405, "{name}");
    }
    assert_eq!(server.get("/format.js").text(), "// their own");
    for path in ["/log.js", "/sensors.js", "/widgets.html"] {
        assert_not_found(&server.get(path), path);
    }
}

#[test]
fn the_endpoints_go_before_the_panel() {
    for keys in [
        json!({"url-ws1": "/app.js"}),
        json!({"url-rest": "/app.js"}),
        json!({"metrics": "/app.js"}),
        json!({"url-health": "/app.js"}),
    ] {
        let mut all = json!({"enable-static": null});
        let entries = keys.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(entries);
        let reply = Server::start(all).get("/app.js");
        let kind = reply.header("content-type").unwrap();
        assert!(!kind.contains("javascript"), "{keys}: {kind}");
    }
    let server = open();
    assert_eq!(server.get("/ws2").status, 426);
    assert_eq!(server.get("/api/health").status, 200);
}

//! Which file a path stands for, and which files are never served.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    process::Command,
};

use serde_json::json;

use super::{SECRET, assert_not_found, folder, open};
use crate::common::Server;

#[test]
fn folders_have_an_index_but_no_listing() {
    let folder = folder();
    let server = open(&folder);
    for (path, body) in [
        ("/", "<p>start</p>"),
        ("/?a=b", "<p>start</p>"),
        ("/index.html", "<p>start</p>"),
        ("/sub/", "<p>sub</p>"),
        ("/sub/deep/page.html", "<p>deep</p>"),
        ("/./sub/./index.html", "<p>sub</p>"),
        ("/with%20space%20&%20%C3%BC.txt", "odd"),
        ("/..data", "dots"),
        ("/empty.txt", ""),
    ] {
        let reply = server.get(path);
        assert_eq!((reply.status, reply.text()), (200, body), "{path}");
    }
    let reply = server.get("/sub?a=b");
    assert_eq!(reply.status, 307);
    assert_eq!(reply.header("location"), Some("/sub/?a=b"));
    for path in [
        "/empty/",
        "/sub/deep/",
        "/nothing",
        "/index.html/",
        "/index.html/x",
        "/Index.html",
    ] {
        assert_not_found(&server.get(path), path);
    }
}

#[test]
fn nothing_outside_of_the_folder_is_served() {
    let folder = folder();
    let root = folder.path().join("www");
    let outside = folder.path().join("secret.txt");
    symlink(&outside, root.join("absolute.txt")).unwrap();
    symlink("../secret.txt", root.join("relative.txt")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("/", root.join("slash")).unwrap();
    symlink("../www-other", root.join("other")).unwrap();
    symlink("/proc/self", root.join("proc")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    symlink(&outside, root.join("hidden.txt.gz")).unwrap();
    fs::write(root.join("hidden.txt"), "plain").unwrap();
    let server = open(&folder);
    let absolute = outside.to_str().unwrap();
    for path in [
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E%2Fsecret.txt",
        "/..%2fsecret.txt",
        "/sub/..%2f..%2fsecret.txt",
        "/sub/%2e%2e/%2e%2e/secret.txt",
        "/.%2e/secret.txt",
        "/..;/secret.txt",
        "/..\\secret.txt",
        "/..%5csecret.txt",
        "/%c0%ae%c0%ae/secret.txt",
        "/%252e%252e/secret.txt",
        "/../www-other/secret.txt",
        "/..%00/secret.txt",
        "/index.html%00",
        "/index.html%00.txt",
        "/%00",
        &format!("/{absolute}"),
        &format!("//{absolute}"),
        &format!("/%2f{absolute}"),
        &absolute.replace('/', "%2f"),
        "//index.html",
        "//sub",
        "/absolute.txt",
        "/relative.txt",
        "/up/secret.txt",
        "/slash/etc/passwd",
        "/slash/",
        "/other/secret.txt",
        "/proc/environ",
        "/proc/root/etc/passwd",
        "/loop",
        "/dangling",
        "/%ff%fe",
        &format!("/{}", "x".repeat(300)),
        &format!("/{}", "x/".repeat(3000)),
    ] {
        // Once where the kernel has to look, once where it knows.
        for method in ["GET", "GET", "HEAD"] {
            let path = if path.starts_with('/') {
                path
            } else {
                &format!("/{path}")
            };
            let reply = server.request(method, path, &[], "");
            // hyper refuses these before.
            assert!([400, 404].contains(&reply.status), "{path}: {reply:?}");
            assert!(!reply.text().contains(SECRET), "{path}");
        }
    }
    let encodings = [("Accept-Encoding", "gzip")];
    for _ in 0..2 {
        let reply = server.request("GET", "/hidden.txt", &encodings, "");
        assert_eq!(reply.text(), "plain");
    }
}

#[test]
fn links_that_stay_in_the_folder_are_followed() {
    let folder = folder();
    let root = folder.path().join("www");
    symlink("0123.txt", root.join("relative.txt")).unwrap();
    symlink("../0123.txt", root.join("sub/back.txt")).unwrap();
    symlink(root.join("0123.txt"), root.join("absolute.txt")).unwrap();
    symlink("sub", root.join("latest")).unwrap();
    symlink(&root, folder.path().join("link")).unwrap();
    for web_root in ["www", "link", "./link/../www/", "www/sub/.."] {
        let server = Server::start(json!({
            "enable-static": null, "web-root": folder.path().join(web_root),
        }));
        for _ in 0..2 {
            for path in ["/relative.txt", "/absolute.txt", "/sub/back.txt"] {
                assert_eq!(server.get(path).text(), "0123456789", "{web_root} {path}");
            }
            assert_eq!(server.get("/latest/").text(), "<p>sub</p>");
        }
    }
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = folder();
    let root = folder.path().join("www");
    let made = Command::new("mkfifo")
        .arg(root.join("pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    symlink("/dev/zero", root.join("device")).unwrap();
    let closed = root.join("closed.txt");
    fs::write(&closed, "closed").unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let server = open(&folder);
    for path in ["/pipe", "/socket", "/device"] {
        for _ in 0..2 {
            assert_not_found(&server.get(path), path);
        }
    }
    // Root may read everything.
    let reply = server.get("/closed.txt");
    match fs::read(&closed) {
        Ok(_) => assert_eq!(reply.text(), "closed"),
        Err(_) => assert_not_found(&reply, "a file that cannot be read"),
    }
}

#[test]
fn no_folder_is_served_if_it_is_switched_off_or_not_there() {
    let folder = folder();
    let root = folder.path().join("www");
    let keys = json!({"web-root": root, "enable-static": false});
    let server = Server::start(keys);
    assert_not_found(&server.get("/index.html"), "switched off");
    let missing = folder.path().join("later");
    let server = Server::start(json!({"enable-static": null, "web-root": missing}));
    assert_not_found(&server.get("/index.html"), "no folder");
    fs::rename(&root, &missing).unwrap();
    assert_eq!(server.get("/").text(), "<p>start</p>");
    let log = server.close_and_log();
    assert!(log.contains("later is not a folder"), "{log}");
}

#[test]
fn the_endpoints_go_before_files_of_the_same_name() {
    let folder = folder();
    for name in ["ws1", "rest", "metrics"] {
        fs::write(folder.path().join("www").join(name), "file").unwrap();
    }
    let server = open(&folder);
    assert_eq!(server.get("/ws1").status, 426);
    assert!(server.get("/rest?op=0").text().starts_with("0 -2 "));
    assert_eq!(server.get("/metrics").text(), "file");
}

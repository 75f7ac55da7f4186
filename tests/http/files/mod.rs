//! Static files over real connections.

mod panel;
mod paths;
mod responses;

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use crate::common::{Response, Server};

const SECRET: &str = "not for everybody";

/// A folder `www` with files, beside files that are not to be served.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("www");
    fs::create_dir_all(root.join("sub/deep")).unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    for (name, text) in [
        ("www/index.html", "<p>start</p>"),
        ("www/0123.txt", "0123456789"),
        ("www/empty.txt", ""),
        ("www/with space & ü.txt", "odd"),
        ("www/..data", "dots"),
        ("www/sub/index.html", "<p>sub</p>"),
        ("www/sub/deep/page.html", "<p>deep</p>"),
        ("www/app.js", "let plain;"),
        ("www/app.js.gz", "gzip"),
        ("www/app.js.br", "brotli"),
        ("www/style.css", "p {}"),
        ("www/style.css.gz", "gzip"),
        ("secret.txt", SECRET),
        ("www-other/secret.txt", SECRET),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn open(folder: &TempDir) -> Server {
    Server::start(json!({"enable-static": null, "web-root": folder.path().join("www")}))
}

fn assert_not_found(reply: &Response, what: &str) {
    assert_eq!(reply.status, 404, "{what}: {reply:?}");
    assert_eq!(reply.text(), "There is nothing here.\n", "{what}");
}

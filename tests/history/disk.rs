//! The disk of the history is full, read-only or broken: events go on, and so does the history when it
//! can. In mounts of their own.

use std::{fs, path::PathBuf};

use serde_json::json;
use tempfile::TempDir;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::{
    common::{
        Server,
        namespace::{OWN_MOUNTS, run, small_disk, unshared},
    },
    page::Page,
};

/// A driver whose history is on a small disk.
struct Bench {
    server: Server,
    disk: PathBuf,
    _folder: TempDir,
}

impl Bench {
    /// Mounts the disk with these options and opens the driver.
    fn start(options: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let disk = small_disk(folder.path(), "1m", options);
        let server = Server::start(json!({"history": {"path": disk.join("history.db")}}));
        Self {
            server,
            disk,
            _folder: folder,
        }
    }

    /// Writes an event, which a client must get whatever the disk does.
    fn pass_event(&self, number: u32) {
        let mut client = self.server.open(Protocol::Ws1, "admin");
        self.server.host_writes(number);
        client.expect_events([number]);
    }

    /// Waits until the store has this event.
    fn wait_until_stored(&self, number: u32) {
        let page = Page::login(&self.server, "admin");
        page.wait_for("/api/events", |events| {
            let events = events["events"].as_array().unwrap();
            events
                .iter()
                .any(|found| found["event"]["vscpTimeStamp"] == number)
        });
    }
}

#[test]
fn a_full_disk_is_logged_and_what_waits_is_stored_when_there_is_room() {
    unshared(&OWN_MOUNTS, || {
        let bench = Bench::start("");
        bench.pass_event(1);
        bench.wait_until_stored(1);
        let filler = bench.disk.join("filler");
        // As much as there is.
        fs::write(&filler, [0; 1 << 20]).unwrap_err();
        // More than the pages that the log of changes has already.
        for _ in 0..2000 {
            let data = ["255"; 100].join(",");
            bench
                .server
                .host_writes_text(&format!("0,20,3,,,,-,{data}"));
        }
        bench.server.wait_for_log("history.db failed: ");
        bench.pass_event(2);
        fs::remove_file(filler).unwrap();
        bench.server.wait_for_log("history.db is written again");
        bench.wait_until_stored(2);
    });
}

#[test]
fn a_disk_that_is_read_only_at_the_start_is_used_when_it_is_not_any_more() {
    unshared(&OWN_MOUNTS, || {
        let bench = Bench::start(",ro");
        bench.server.wait_for_log("history.db failed: ");
        bench.pass_event(1);
        let page = Page::login(&bench.server, "admin");
        assert_eq!(page.get("/api/events").status, 503);
        assert_eq!(page.get("/api/nodes").status, 200);
        run(&format!("mount -o remount,rw {}", bench.disk.display()));
        bench.server.wait_for_log("history.db is written again");
        bench.wait_until_stored(1);
    });
}

#[test]
fn a_broken_file_is_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    fs::write(&path, "no database, but text; ".repeat(1000)).unwrap();
    let server = Server::start(json!({"history": {"path": path}}));
    server.wait_for_log("history.db is broken: moved to ");
    server.wait_for_log("history.db is written again");
    server.host_writes(1);
    let page = Page::login(&server, "admin");
    page.wait_for("/api/events", |events| events["events"][0].is_object());
    let names = fs::read_dir(folder.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.contains(".broken-20")).count(), 1);
}

#[test]
fn a_file_that_a_query_finds_broken_is_moved_aside() {
    const PAGE: usize = 4096;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let start = || Server::start(json!({"history": {"path": path}}));
    let server = start();
    for number in 1..=800 {
        let data = vec!["255"; 100].join(",");
        server.host_writes_text(&format!("0,20,3,,,{number},-,{data}"));
    }
    let page = Page::login(&server, "admin");
    page.wait_for("/api/events?limit=1000", |events| {
        events["events"].as_array().unwrap().len() == 800
    });
    drop(server);
    // In the middle of what is stored of events.
    let mut file = fs::read(&path).unwrap();
    let pages = file.len() / PAGE;
    assert!(pages > 30, "{pages}");
    file[PAGE * (pages / 2)..PAGE * (pages / 2 + 8)].fill(0xFF);
    fs::write(&path, file).unwrap();

    let server = start();
    let page = Page::login(&server, "admin");
    assert_eq!(page.get("/api/events?limit=1000").status, 503);
    server.wait_for_log("history.db is broken: moved to ");
    server.wait_for_log("history.db is written again");
    assert_eq!(page.json("/api/events")["events"], json!([]));
    server.host_writes(1);
    page.wait_for("/api/events", |events| events["events"][0].is_object());
}

#[test]
fn a_store_that_does_not_answer_delays_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let server = Server::start(json!({"history": {"path": path}}));
    let mut client = server.open(Protocol::Ws2, "user");
    let page = Page::login(&server, "user");
    let is_stored = |number: u32| {
        move |events: &serde_json::Value| {
            let events = events["events"].as_array().unwrap();
            events
                .iter()
                .any(|found| found["event"]["vscpTimeStamp"] == number)
        }
    };
    server.host_writes(1);
    page.wait_for("/api/events", is_stored(1));
    // As long as another process writes, nobody else can.
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for number in 2..100 {
        server.host_writes(number);
    }
    client.expect_events(1..100);
    server.wait_for_log("history.db failed: database is locked");
    assert!(!is_stored(2)(&page.json("/api/events")));
    other.execute_batch("ROLLBACK").unwrap();
    page.wait_for("/api/events", is_stored(99));
}

//! The disk of the log is full, read-only, or gone and back: the driver goes on, and so does the log
//! when it can. In mounts of their own.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{fs, path::PathBuf};

use serde_json::json;
use tempfile::TempDir;
use vscpl2drv_websocksrv::{driver::Driver, ws::Protocol};

use crate::common::{
    Client, configuration,
    namespace::{OWN_MOUNTS, run, small_disk, unshared},
    open, wait_until,
};

/// A driver whose log is on a disk of 64 KiB.
struct Bench {
    driver: Driver,
    disk: PathBuf,
    _folder: TempDir,
}

impl Bench {
    /// Mounts the disk with these options and opens the driver.
    fn start(options: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let disk = small_disk(folder.path(), "64k", options);
        let mut config = configuration(&folder, json!({}));
        config["logging"]["file-path"] = json!(disk.join("logs/driver.log"));
        Self {
            driver: open(&config.to_string()).unwrap(),
            disk,
            _folder: folder,
        }
    }

    /// Has a client log in and leave, which is some lines of the log.
    fn use_driver(&self) {
        Client::greeted(self.driver.addresses()[0], Protocol::Ws1).login("admin");
    }

    /// Uses the driver until the log holds `text`.
    fn use_until_logged(&self, text: &str) {
        wait_until(text, || {
            self.use_driver();
            let log = fs::read_to_string(self.disk.join("logs/driver.log"));
            log.is_ok_and(|log| log.contains(text))
        });
    }
}

#[test]
fn a_full_disk_loses_lines_until_there_is_room() {
    unshared(&OWN_MOUNTS, || {
        let bench = Bench::start("");
        bench.use_until_logged(" logged in");
        let filler = bench.disk.join("filler");
        // As much as there is.
        fs::write(&filler, [0; 1 << 16]).unwrap_err();
        // More than the writer keeps in its buffer and the last page of the file takes.
        for _ in 0..200 {
            bench.use_driver();
        }
        fs::remove_file(filler).unwrap();
        bench.use_until_logged("log lines lost");
        bench.use_until_logged(" logged in");
    });
}

#[test]
fn a_disk_that_is_read_only_at_the_start_is_used_when_it_is_not_any_more() {
    unshared(&OWN_MOUNTS, || {
        let bench = Bench::start(",ro");
        bench.use_driver();
        run(&format!("mount -o remount,rw {}", bench.disk.display()));
        bench.use_until_logged("log lines lost");
    });
}

#[test]
fn a_folder_that_is_removed_is_made_again() {
    unshared(&OWN_MOUNTS, || {
        let bench = Bench::start("");
        bench.use_until_logged(" logged in");
        // The log may make a new file there meanwhile.
        wait_until("the folder is gone", || {
            fs::remove_dir_all(bench.disk.join("logs")).is_ok()
        });
        bench.use_until_logged(" logged in");
    });
}

//! Tests that change what the whole machine shares: they get a copy of it (user_namespaces(7)), and
//! are skipped on a machine that gives none.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Set in the process that has a copy.
const INSIDE: &str = "WEBSOCKSRV_TEST_NAMESPACE";

/// The arguments of [`unshared`] for a test that mounts something.
pub(crate) const OWN_MOUNTS: [&str; 3] = ["--user", "--map-root-user", "--mount"];

/// Runs `body` in a process for which `unshare` was called with these arguments, and in which this
/// test is started again.
pub(crate) fn unshared(arguments: &[&str], body: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        return body();
    }
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(arguments);
        command
    };
    let possible = unshare().arg("true").status();
    if !possible.is_ok_and(|status| status.success()) {
        eprintln!("skipped: this machine gives no namespaces");
        return;
    }
    let thread = std::thread::current();
    let output = unshare()
        .arg(env::current_exe().unwrap())
        .args(["--exact", thread.name().unwrap(), "--nocapture"])
        .env(INSIDE, "")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}

/// Runs a command, which must succeed.
pub(crate) fn run(line: &str) {
    let words: Vec<_> = line.split(' ').collect();
    let status = Command::new(words[0]).args(&words[1..]).status();
    assert!(status.unwrap().success(), "{line}");
}

/// Mounts a disk of this size, with more options, in a folder. Returns where it is.
pub(crate) fn small_disk(folder: &Path, size: &str, options: &str) -> PathBuf {
    let disk = folder.join("disk");
    fs::create_dir(&disk).unwrap();
    run(&format!(
        "mount -t tmpfs -o size={size}{options} tmpfs {}",
        disk.display()
    ));
    disk
}

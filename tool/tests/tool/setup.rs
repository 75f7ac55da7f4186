//! `setup`, in a folder that stands for a machine.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use nix::unistd::{getgid, getuid};
use serde_json::{Value, json};
use tempfile::TempDir;
use vscpl2drv_websocksrv::auth::StoredPassword;

use super::{text, tool};

const FOLDER: &str = "etc/vscp/websocksrv";

/// A machine with a user vscp.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        let passwd = format!("root:x:0:0::/:\nvscp:x:{}:{}::/:\n", getuid(), getgid());
        machine.write("etc/passwd", &passwd);
        machine
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.read(path)).unwrap()
    }

    /// Runs `setup` and returns exit status, output, messages.
    fn setup(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let root = self.0.path().to_str().unwrap();
        let output = tool(
            &[&["setup", "--root", root], arguments].concat(),
            "s3cret\n",
        );
        (
            output.status.code(),
            text(&output.stdout).to_owned(),
            text(&output.stderr).to_owned(),
        )
    }

    /// All files with their contents.
    fn files(&self) -> Vec<(PathBuf, String)> {
        let mut files = Vec::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => files.push((path.clone(), fs::read_to_string(path).unwrap())),
                }
            }
        }
        files.sort();
        files
    }
}

#[test]
fn a_machine_is_set_up_with_everything_that_the_driver_needs() {
    let machine = Machine::new();
    machine.write("etc/vscp/vscpd.json", "{\"drivers\":{\"level2\":[]}}\n");
    let (code, out, err) = machine.setup(&["--interface", "example.org:8884", "--tls", "--change"]);
    assert_eq!(code, Some(0), "{err}");
    let config = machine.json(&format!("{FOLDER}/websocksrv.json"));
    assert_eq!(config["interface"], "wss://example.org:8884");
    assert_eq!(config["key-file"], format!("/{FOLDER}/vscp.key"));
    assert_eq!(config["tls"]["cert"], format!("/{FOLDER}/cert.pem"));
    let key = machine.read(&format!("{FOLDER}/vscp.key"));
    assert_eq!(hex::decode(key.trim()).unwrap().len(), 16);
    let users = machine.json(&format!("{FOLDER}/users.json"));
    assert_eq!(users["users"][0]["name"], "admin");
    assert_eq!(users["users"][0]["rights"], "admin");
    let stored = users["users"][0]["password"].as_str().unwrap();
    assert!(
        StoredPassword::parse(stored)
            .unwrap()
            .matches("admin", "s3cret")
    );
    for name in [
        "websocksrv.json",
        "vscp.key",
        "users.json",
        "cert.pem",
        "key.pem",
    ] {
        let metadata = fs::metadata(machine.at(FOLDER).join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o640, "{name}");
        assert_eq!(metadata.gid(), getgid().as_raw());
    }
    assert!(machine.at("var/log/vscp").is_dir());

    let driver = &machine.json("etc/vscp/vscpd.json")["drivers"]["level2"][0];
    assert_eq!(driver["path-config"], format!("/{FOLDER}/websocksrv.json"));
    assert_eq!(
        machine.read("etc/vscp/vscpd.json.bak"),
        "{\"drivers\":{\"level2\":[]}}\n"
    );
    assert!(out.starts_with("https://example.org:8884/\n"), "{out}");
    assert!(out.contains('█'), "{out}");
    assert!(!err.contains("s3cret"), "{err}");

    let before = machine.files();
    let (code, _, err) = machine.setup(&["--interface", "example.org:8884", "--tls", "--change"]);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(machine.files(), before, "{err}");
}

#[test]
fn a_dry_run_shows_files_and_differences_and_writes_nothing() {
    let machine = Machine::new();
    machine.write("etc/vscp/vscpd.conf", "<vscpconfig>\n</vscpconfig>\n");
    machine.write("etc/group", &format!("daemons:x:{}:\n", getgid()));
    let before = machine.files();
    let (code, out, err) = machine.setup(&["--dry-run", "--user", "anna"]);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(machine.files(), before);
    for part in [
        "new folder /etc/vscp/websocksrv (mode 750, owner root, group daemons)\n",
        "new folder /var/log/vscp (mode 750, owner vscp, group daemons)\n",
        "new file /etc/vscp/websocksrv/vscp.key (mode 640, owner root, group daemons): a random key\n",
        "new user anna in /etc/vscp/websocksrv/users.json (mode 640, owner root, group daemons), ",
        "/etc/vscp/vscpd.conf stays as it is; with --change, or if you agree, it is changed so:\n",
        "  \"interface\": \"ws://*:8884\",\n",
        "--- /etc/vscp/vscpd.conf\n",
        "+    <driver enable=\"true\"\n",
        "\n<driver enable=\"true\"\n",
        ":8884/\n",
        "█",
    ] {
        assert!(out.contains(part), "{out}");
    }
    assert!(err.contains("put this into /etc/vscp/vscpd.conf"), "{err}");
    let (_, out, err) = machine.setup(&["--dry-run", "--change"]);
    assert_eq!(machine.files(), before);
    let change =
        "changed file /etc/vscp/vscpd.conf, the old one beside it as /etc/vscp/vscpd.conf.bak:\n";
    assert!(out.contains(change), "{out}");
    assert!(!err.contains("put this"), "{err}");
}

#[test]
fn where_there_is_no_user_for_the_daemon_the_group_vscp_reads_the_files() {
    let machine = Machine::new();
    machine.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    machine.write("etc/group", "root:x:0:\nvscp:x:4711:\n");
    let (code, out, err) = machine.setup(&["--dry-run", "--user", "anna"]);
    assert_eq!(code, Some(0), "{err}");
    let key = "/etc/vscp/websocksrv/vscp.key (mode 640, owner root, group vscp)";
    assert!(out.contains(key), "{out}");
}

const LIBRARY: &str = "/var/lib/vscp/drivers/level2/libvscpl2drv-websocksrv.so";

/// A machine whose daemon names a configuration, /etc/vscp/old.json.
fn registered(config: &Value) -> Machine {
    let machine = Machine::new();
    let driver = json!({"path-driver": LIBRARY, "path-config": "/etc/vscp/old.json"});
    let daemon = json!({"drivers": {"level2": [driver]}});
    machine.write("etc/vscp/vscpd.json", &daemon.to_string());
    machine.write("etc/vscp/old.json", &config.to_string());
    machine
}

const MD5: &str = "2d1e4f91dae49cd08eaba2293e422273";

#[test]
fn what_nobody_asks_to_change_stays() {
    let tls = json!({"cert": "/c.pem", "key": "/k.pem"});
    let users = json!([{"name": "a", "password": MD5}]);
    for (config, url) in [
        (
            json!({"interface": "wss://localhost:9443", "tls": tls, "key-file": "/k",
                "path-users": "/etc/vscp/u.json"}),
            "https://localhost:9443/",
        ),
        (
            json!({"interface": ["ws://localhost:1", "wss://*:2"], "tls": tls,
                "allow-default-key": true, "users": users}),
            "http://localhost:1/",
        ),
        (
            json!({"key-file": "/k", "users": users}),
            "http://localhost:8884/",
        ),
    ] {
        let machine = registered(&config);
        let (code, out, err) = machine.setup(&["--change"]);
        assert_eq!(code, Some(0), "{err}");
        assert_eq!(machine.json("etc/vscp/old.json"), config);
        assert!(!machine.at("etc/vscp/old.json.bak").exists());
        assert!(out.starts_with(&format!("{url}\n")), "{out}");
    }
}

#[test]
fn a_part_of_what_exists_is_changed_and_the_url_is_the_one_that_holds() {
    let config = json!({"interface": "wss://localhost:9443", "key-file": "/k",
        "tls": {"cert": "/c.pem", "key": "/k.pem"}, "path-users": "/etc/vscp/u.json"});
    let machine = registered(&config);
    for (arguments, url, interface) in [
        (
            &["--interface", "*:2"][..],
            "https://localhost:9443/",
            "wss://localhost:9443",
        ),
        (
            &["--dry-run", "--no-tls"],
            "https://localhost:9443/",
            "wss://localhost:9443",
        ),
        (
            &["--dry-run", "--no-tls", "--change"],
            "http://localhost:9443/",
            "wss://localhost:9443",
        ),
        (
            &["--interface", "localhost:2", "--change"],
            "https://localhost:2/",
            "wss://localhost:2",
        ),
        (
            &["--no-tls", "--change"],
            "http://localhost:2/",
            "ws://localhost:2",
        ),
    ] {
        let (code, out, err) = machine.setup(arguments);
        assert_eq!(code, Some(0), "{err}");
        assert!(out.lines().any(|line| line == url), "{arguments:?}: {out}");
        assert_eq!(machine.json("etc/vscp/old.json")["interface"], interface);
    }
}

#[test]
fn a_user_is_added_to_those_that_exist_and_none_is_changed() {
    let config = json!({"key-file": "/etc/vscp/k", "path-users": "/etc/vscp/u.json"});
    let machine = registered(&config);
    let users = json!({"users": [{"name": "anna", "password": MD5}]});
    machine.write("etc/vscp/u.json", &users.to_string());
    let (_, out, _) = machine.setup(&["--user", "bert", "--dry-run"]);
    assert!(out.contains("new user bert in /etc/vscp/u.json"), "{out}");
    for run in [
        &["--user", "anna", "--dry-run"][..],
        &["--user", "anna"],
        &[],
    ] {
        let (code, _, err) = machine.setup(run);
        assert_eq!(code, Some(0), "{err}");
        let told = err.contains("there is a user anna already, who stays as before");
        assert_eq!(told, !run.is_empty(), "{err}");
        assert_eq!(machine.json("etc/vscp/u.json"), users);
    }
    let (code, _, err) = machine.setup(&["--user", "bert"]);
    assert_eq!(code, Some(0), "{err}");
    let changed = machine.json("etc/vscp/u.json");
    assert_eq!(changed["users"][0], users["users"][0]);
    assert_eq!(changed["users"][1]["name"], "bert");
    let stored = changed["users"][1]["password"].as_str().unwrap();
    assert!(
        StoredPassword::parse(stored)
            .unwrap()
            .matches("bert", "s3cret")
    );

    let config = json!({"key-file": "/etc/vscp/k", "users": users["users"]});
    let machine = registered(&config);
    let (code, _, err) = machine.setup(&["--user", "bert", "--change"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.contains("the user bert is not added: the users stand in"),
        "{err}"
    );
    assert_eq!(machine.json("etc/vscp/old.json"), config);
}

#[test]
fn what_exists_is_changed_only_if_that_is_agreed_to() {
    let machine = Machine::new();
    let daemon = "{\n  \"drivers\": {}\n}\n";
    let config = json!({"interface": "ws://localhost:1", "threads": 3, "path-users": "/u.json"});
    machine.write("etc/vscp/vscpd.json", daemon);
    machine.write(&format!("{FOLDER}/websocksrv.json"), &config.to_string());
    let (code, out, err) = machine.setup(&["--interface", "*:2"]);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(machine.read("etc/vscp/vscpd.json"), daemon);
    assert_eq!(machine.json(&format!("{FOLDER}/websocksrv.json")), config);
    assert!(
        err.contains("websocksrv.json is not changed (--change does it)"),
        "{err}"
    );
    assert!(err.contains("put this into /etc/vscp/vscpd.json"), "{err}");
    assert!(
        out.contains("\"path-config\": \"/etc/vscp/websocksrv/websocksrv.json\""),
        "{out}"
    );
    assert!(machine.at("u.json").is_file());

    let (code, _, err) = machine.setup(&["--interface", "*:2", "--change"]);
    assert_eq!(code, Some(0), "{err}");
    let changed = machine.json(&format!("{FOLDER}/websocksrv.json"));
    assert_eq!(changed["interface"], "ws://*:2");
    assert_eq!(changed["threads"], 3);
    assert_eq!(changed["key-file"], "/etc/vscp/websocksrv/vscp.key");
    let backup = machine.json(&format!("{FOLDER}/websocksrv.json.bak"));
    assert_eq!(backup, config);
}

#[test]
fn the_configuration_that_the_daemon_names_is_taken_over() {
    let machine = Machine::new();
    machine.write(
        "etc/vscp/vscpd.conf",
        &format!(
            "<vscpconfig><level2driver enable=\"true\"><driver enable=\"true\" \
             path-driver=\"{LIBRARY}\" parameter=\"/etc/vscp/old.json\"/></level2driver></vscpconfig>"
        ),
    );
    let config = json!({
        "interface": "ws://*:8884", "key-file": "/etc/vscp/vscp.key",
        "users": [{"name": "a", "password": "2d1e4f91dae49cd08eaba2293e422273"}],
    });
    machine.write("etc/vscp/old.json", &config.to_string());
    machine.write("etc/vscp/vscp.key", "00");
    let before = machine.files();
    let (code, out, err) = machine.setup(&[]);
    assert_eq!(code, Some(0), "{err}");
    let users_file = Path::new("etc/vscp/users.json");
    assert!(!machine.0.path().join(users_file).exists());
    assert_eq!(machine.json("etc/vscp/old.json"), config);
    assert_eq!(machine.files(), before);
    assert!(!out.contains("<driver"), "{out}");
}

#[test]
fn what_cannot_be_set_up_is_an_error() {
    let machine = Machine::new();
    for (arguments, expected) in [
        (&["--interface", "a b"][..], "--interface: found \"a b\""),
        (&["--owner", "nobody1"], "there is no user \"nobody1\""),
        (&["--daemon-config", "/none"], "/none: No such file"),
        (&["--user", "a:b"], "a user name"),
    ] {
        let (code, _, err) = machine.setup(arguments);
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains(expected), "{err}");
    }
    assert_eq!(machine.files().len(), 1);
}

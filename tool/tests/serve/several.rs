//! Several drivers in one host, one of others, and ones that do not open.

use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    broker::{self, Broker},
    host::{Host, entry},
};

/// A driver of others: it gives back what it is given, as type + 1; one that crashes, and one that
/// refuses, by its configuration.
const DRIVER: &str = r#"
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "vscpl2drv-websocksrv.h"

static vscpEvent kept;
static int is_full;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

long VSCPOpen(const char *config, const unsigned char *guid) {
    (void)guid;
    if (strcmp(config, "crash") == 0) abort();
    return strcmp(config, "refuse") == 0 ? 0 : 1;
}
int VSCPClose(long handle) { (void)handle; return 0; }
int VSCPWrite(long handle, const vscpEvent *event, unsigned long timeout) {
    (void)handle; (void)timeout;
    pthread_mutex_lock(&lock);
    kept = *event;
    kept.pdata = malloc(event->sizeData);
    memcpy(kept.pdata, event->pdata, event->sizeData);
    kept.vscp_type++;
    is_full = 1;
    pthread_mutex_unlock(&lock);
    return 0;
}
int VSCPRead(long handle, vscpEvent *event, unsigned long timeout) {
    (void)handle;
    usleep(timeout < 10 ? timeout * 1000 : 10000);
    pthread_mutex_lock(&lock);
    int had = is_full;
    if (had) *event = kept;
    is_full = 0;
    pthread_mutex_unlock(&lock);
    return had ? 0 : 32;
}
unsigned long VSCPGetVersion(void) { return 1; }
const char *VSCPGetVendorString(void) { return "test"; }
"#;

fn other_driver() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("d.c"), folder.path().join("d.so"));
    fs::write(&source, DRIVER).unwrap();
    let include = concat!(env!("CARGO_MANIFEST_DIR"), "/../include");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wall", "-Werror", "-I", include, "-o"])
        .arg(&library)
        .arg(&source)
        .status();
    assert!(status.unwrap().success());
    (folder, library)
}

fn other(library: &std::path::Path, name: &str, config: &str, port: u16) -> Value {
    json!({
        "name": name, "path-driver": library, "path-config": config, "event-layout": "classic",
        "mqtt": {"port": port, "publish": {"topic": "from/{{driver-name}}", "format": "string"},
            "subscribe": {"topic": "to/other"}},
    })
}

#[test]
fn drivers_of_others_stand_beside_this_one_and_one_that_crashes_ends_no_other() {
    if !broker::is_there() {
        return;
    }
    let (_folder, library) = other_driver();
    let broker = Broker::start();
    let messages = broker.subscribe("from/#");
    let web = entry(&json!({
        "port": broker.port,
        "publish": {"topic": "to/other", "format": "string"},
        "subscribe": {"topic": "from/other"},
    }));
    let list = json!({"drivers": [
        web,
        other(&library, "other", "", broker.port),
        other(&library, "crashing", "crash", broker.port),
        other(&library, "refusing", "refuse", broker.port),
    ]});
    let host = Host::with(&list, &[]);
    host.wait_for("crashing: the driver has ended before it was open: it has crashed with SIGABRT");
    host.wait_for("the driver did not open, its log tells why");
    host.wait_for("refusing: the driver has ended before it was open: exit status: 1");
    host.wait_for_nth("subscribed to 1 topic", 2);
    let mut client = host.client();
    client.send_event("96,20,3,0,2026-11-20T12:30:15Z,1234,-,1,2,3");
    let (topic, payload) = messages.next();
    assert_eq!(topic, "from/other");
    let text = String::from_utf8(payload).unwrap();
    assert!(
        text.starts_with("96,20,4,") && text.ends_with("0x01,0x02,0x03"),
        "{text}"
    );
    let event = client.event();
    assert!(event.starts_with("96,20,4,"), "{event}");
    let (status, _) = host.stop();
    assert!(status.success());
}

#[test]
fn an_entry_is_taken_out_of_a_vscpd_json_by_its_name() {
    if !broker::is_there() {
        return;
    }
    let broker = Broker::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vscpd.json");
    let mut web = entry(&json!({"port": broker.port, "bjsonmeasurementblock": true}));
    web["enable"] = json!(true);
    let vscpd = json!({
        "guid": "FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:00:00:01",
        "mqtt": {"host": "other"},
        "drivers": {"level1": [], "level2": [{"enable": false, "name": "off"}, web]},
    });
    fs::write(&path, vscpd.to_string()).unwrap();
    let tool = |name: &str| {
        Command::new(env!("CARGO_BIN_EXE_vscpl2drv-websocksrv"))
            .args([
                "serve",
                "--check",
                "--vscpd",
                path.to_str().unwrap(),
                "--driver-name",
                name,
            ])
            .output()
            .unwrap()
    };
    let output = tool("web");
    let expected = format!("OK web: mqtt://localhost:{}\n", broker.port);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    let output = tool("wob");
    let error = String::from_utf8(output.stderr).unwrap();
    let expected = "drivers.level2: found no driver \"wob\", expected \"off\" or \"web\"";
    assert!(error.contains(expected), "{error}");
}

//! Commands to the driver in high level objects.

mod recipients;
mod saving;
mod variables;

use serde_json::{Value, json};
use vscpl2drv_websocksrv::{
    driver::{Driver, Host},
    event::Guid,
};

use crate::common::commands;

const DRIVER: Guid = Guid([0xD1; 16]);

const SENDER: Guid = Guid([0x5E; 16]);

/// A configuration with comments on what a test is about in its place.
fn configuration(more: &str) -> String {
    format!(
        r#"{{"interface":"ws://127.0.0.1:0","allow-default-key":true,"enable-static":false,
            "logging":{{"console-enable-log":true,"console-level":"warn"}},
            "zzz":"a key that the driver does not know",{more}}}"#
    )
}

fn open(configuration: &str) -> Driver {
    Driver::open(configuration, Some(DRIVER), Host::default()).unwrap()
}

fn ask(driver: &Driver, command_json: &Value) -> Value {
    commands::ask(driver, SENDER, DRIVER, command_json)
}

/// Writes a variable, which must be allowed.
fn write(driver: &Driver, name: &str, new: &Value) -> Value {
    let reply = ask(driver, &json!({"op": "writevar", "name": name, "arg": new}));
    assert_eq!(reply["rv"], "OK", "{reply}");
    reply
}

fn value(driver: &Driver, name: &str) -> Value {
    let reply = ask(driver, &json!({"op": "readvar", "name": name}));
    assert_eq!(reply["rv"], "OK", "{reply}");
    assert_eq!(reply["arg"]["name"], name);
    reply["arg"]["value"].clone()
}

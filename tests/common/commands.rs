//! Commands of the host to the driver, which are events with a high level object.

use serde_json::Value;
use vscpl2drv_websocksrv::{
    driver::Driver,
    event::{Data, Event, Guid},
    hlo,
};

use super::{DEADLINE, event_of};

/// Returns a command of `sender` to the driver with the GUID `driver`.
pub(crate) fn command(sender: Guid, driver: Guid, json: &str) -> Event {
    let data = [&driver.0[..], &[0x20], json.as_bytes()].concat();
    Event {
        class: hlo::CLASS,
        kind: hlo::COMMAND,
        guid: sender,
        data: Data::copy_from(&data).unwrap(),
        ..event_of("0,0,0,,,,-")
    }
}

/// Has the host send a command, and returns the reply. Skips other events for the host.
pub(crate) fn ask(driver: &Driver, sender: Guid, guid: Guid, command_json: &Value) -> Value {
    let command = command(sender, guid, &command_json.to_string());
    driver.write(command, Some(DEADLINE)).unwrap();
    let reply = loop {
        let event = driver.read(Some(DEADLINE)).unwrap();
        if event.class == hlo::CLASS {
            break event;
        }
    };
    assert_eq!(reply.kind, hlo::REPLY);
    assert_eq!((reply.guid, &reply.data[..16]), (guid, &sender.0[..]));
    serde_json::from_slice(&reply.data[17..]).unwrap()
}

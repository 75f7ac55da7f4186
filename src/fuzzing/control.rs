//! Commands in events.

use std::{sync::OnceLock, time::Duration};

use serde_json::Value;
use tokio::sync::watch;

use super::server::{GUID, configuration, router};
use crate::{
    driver::control::{Control, Settings},
    event::{Data, Event, text},
    hlo,
    hub::batch::{Endpoint, Routed},
    log::{self, LevelControl, Logger},
};

/// Carries out a command for each line, whose first character is its kind. Each gets one reply, of
/// no more than the host takes.
pub fn command(data: &[u8]) {
    let router = router();
    let shared = &router.server.shared;
    let bus = configuration().buses[0].clone();
    let (bus, _settings) = watch::channel(bus);
    let control = Control::new(Settings {
        configuration: serde_json::json!({"socketcan": {"interface": "vcan0"}}),
        file: None,
        writable: true,
        debug: false,
        level: level().clone(),
        hub: shared.hub.clone(),
        buses: vec![bus],
        clients: shared.registry.clone(),
        counters: shared.counters.clone(),
    });
    for line in data.split(|byte| *byte == b'\n') {
        let Some(data) = Data::copy_from(&[&GUID.0[..], line].concat()) else {
            continue;
        };
        let event = Event {
            data,
            ..text::parse("0,1028,1,,,,-").expect("an event")
        };
        let answered = hlo::is_command(&event, GUID);
        assert_eq!(answered, !line.is_empty());
        if answered {
            control.answer(&Routed {
                event,
                origin: Endpoint::Host,
            });
            let reply = shared.hub.read(Some(Duration::ZERO)).expect("a reply");
            check(&reply);
        }
    }
}

/// Returns the level of a log that writes nothing.
fn level() -> &'static LevelControl {
    static LEVEL: OnceLock<LevelControl> = OnceLock::new();
    LEVEL.get_or_init(|| {
        let settings = log::Settings {
            name: String::new(),
            console: None,
            file: None,
        };
        Logger::start(settings).expect("a log").level_control()
    })
}

fn check(reply: &Event) {
    assert!(reply.data.len() <= 512);
    let (head, json) = reply.data.split_at(17);
    assert_eq!(head[16], 0x20);
    let json: Value = serde_json::from_slice(json).expect("JSON");
    assert!(json["rv"] == "OK" || json["rv"] == "ERROR");
}

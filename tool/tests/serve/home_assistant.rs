//! What Home Assistant finds at the broker, read as it reads it.

use serde_json::{Value, json};

use crate::{
    broker::{self, Broker, Subscriber},
    host::{GUID, Host},
};

const NODE: &str = "FF:FF:FF:FF:FF:FF:FF:FE:00:01:02:03:04:05:00:07";
const NODE_ID: &str = "vscp_fffffffffffffffe0001020304050007";

#[test]
fn home_assistant_finds_sensors_and_switches_and_can_use_them() {
    if !broker::is_there() {
        return;
    }
    let broker = Broker::start();
    let host = Host::start(&json!({
        "port": broker.port,
        "publish": {"topic": "vscp/{{guid}}/{{class}}/{{type}}/{{index}}", "qos": 1},
        "subscribe": {"topic": "to/#"},
        "home-assistant": true,
    }));
    let (mut sender, mut panel) = (host.client(), host.client());
    sender.send_event(&format!("96,10,6,0,,1,{NODE},0x48,0x32,0x31"));
    panel.event();
    sender.send_event(&format!("96,20,4,0,,1,{NODE},1,2,3"));
    panel.event();

    // Both come in one configuration. Home Assistant subscribes later: it is retained.
    let device = last(
        &broker,
        &format!("homeassistant/device/{NODE_ID}/config"),
        2,
    );
    assert_eq!(device["device"]["identifiers"], json!([NODE_ID]));
    assert_eq!(device["origin"]["name"], "vscpl2drv-websocksrv");
    assert_eq!(
        device["availability_topic"],
        format!("vscp-host/{GUID}/status")
    );
    let components = device["components"].as_object().unwrap();
    assert_eq!(components.len(), 2);
    for component in components.values() {
        // What the schema of Home Assistant requires of each.
        for key in ["platform", "unique_id", "state_topic"] {
            assert!(component[key].is_string(), "{component}");
        }
    }
    let sensor = &components[&format!("{NODE_ID}_10_6_0")];
    assert_eq!(sensor["device_class"], "temperature");
    assert_eq!(sensor["unit_of_measurement"], "°C");
    let switch = &components[&format!("{NODE_ID}_30_1_2_3")];
    assert_eq!(switch["command_topic"], "to/home-assistant");
    let driver = last(
        &broker,
        &format!("homeassistant/device/{}/config", id(GUID)),
        1,
    );
    assert_eq!(driver["components"]["status"]["payload_on"], "online");

    let states = broker.subscribe(sensor["state_topic"].as_str().unwrap());
    sender.send_event(&format!("96,10,6,0,,1,{NODE},0x48,0x32,0x32"));
    panel.event();
    wait_for_value(&states, 22.0);

    let command = switch["payload_on"].as_str().unwrap();
    broker.publish("to/home-assistant", command.as_bytes(), &[]);
    let event = panel.event();
    assert!(
        event.starts_with("96,30,5,") && event.ends_with("0x01,0x02,0x03"),
        "{event}"
    );

    // It starts again: configurations and states come again.
    let states = broker.subscribe(sensor["state_topic"].as_str().unwrap());
    broker.publish("homeassistant/status", b"online", &[]);
    wait_for_value(&states, 22.0);
    // Nothing of this is an event for the driver.
    broker.publish("to/x", b"0,20,9,0,,1,-,1", &[]);
    assert!(panel.event().starts_with("0,20,9,"));
}

#[test]
fn what_was_announced_before_a_restart_of_the_host_stays_announced() {
    if !broker::is_there() {
        return;
    }
    let broker = Broker::start();
    let mqtt = json!({
        "port": broker.port,
        "publish": {"topic": "vscp/{{guid}}/{{class}}/{{type}}"},
        "home-assistant": true,
    });
    for (kind, components) in [(6, 1), (35, 2)] {
        let host = Host::start(&mqtt);
        let event = format!("96,10,{kind},0,,1,{NODE},0x48,0x32,0x31");
        host.client().send_event(&event);
        let topic = format!("homeassistant/device/{NODE_ID}/config");
        last(&broker, &topic, components);
        host.stop();
    }
}

fn id(guid: &str) -> String {
    format!("vscp_{}", guid.replace(':', "").to_lowercase())
}

/// Waits for a measurement. The one before may come again, since the sensor was new.
fn wait_for_value(states: &Subscriber, value: f64) {
    loop {
        let state: Value = serde_json::from_slice(&states.next().1).unwrap();
        assert_eq!(state["measurement"]["sensorindex"], 0);
        if state["measurement"]["value"] == value {
            return;
        }
    }
}

/// Returns the configuration at a topic when it has so many components.
fn last(broker: &Broker, topic: &str, components: usize) -> Value {
    let messages = broker.subscribe(topic);
    loop {
        let (_, payload) = messages.next();
        let config: Value = serde_json::from_slice(&payload).unwrap();
        if config["components"].as_object().unwrap().len() == components {
            return config;
        }
    }
}

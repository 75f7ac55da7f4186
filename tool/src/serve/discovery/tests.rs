use vscpl2drv_websocksrv::{event::text, located_json::Source};

use super::*;

const NODE: &str = "FF:FF:FF:FF:FF:FF:FF:FE:B8:27:EB:CF:3A:15:00:01";
const HEX: &str = "fffffffffffffffeb827ebcf3a150001";

fn discovery() -> Discovery {
    let names = format!(
        r#"{{"names": {{"{NODE}": {{"name": "Cellar", "room": "Below"}},
            "{NODE}/0/6": {{"name": "Air", "decimals": 1}}}}}}"#
    );
    Discovery::new(Settings {
        prefix: "homeassistant".to_owned(),
        driver: Guid([0xA1; 16]),
        driver_name: "web".to_owned(),
        status_topic: Some("host/status".to_owned()),
        command_topic: Some(topic_of_filter("vscp/+/30/#")),
        dialect: Dialect::Legacy,
        names: Document::parse(&Source::new("names", names)).unwrap(),
    })
}

fn observe(discovery: &mut Discovery, event: &str, topic: &str) -> Option<(String, Value)> {
    let event = text::parse(&event.replace('G', NODE)).unwrap();
    let message = Message {
        topic: topic.to_owned(),
        payload: b"state".to_vec(),
        qos: 0,
        retain: false,
    };
    let announced = discovery.observe(&event, &message, || {
        topic_of_both("vscp/20/3/1", "vscp/20/4/1")
    })?;
    assert!(announced.retain);
    let config = serde_json::from_slice(&announced.payload).unwrap();
    Some((announced.topic, config))
}

#[test]
fn a_measurement_is_a_sensor_of_its_node() {
    let mut discovery = discovery();
    let event = "96,10,6,0,,1,G,0x48,0x38,0x35,0x2E,0x32,0x36";
    let (topic, config) = observe(&mut discovery, event, "vscp/10/6/1/0").unwrap();
    assert_eq!(topic, format!("homeassistant/device/vscp_{HEX}/config"));
    let id = format!("vscp_{HEX}_10_6_0");
    let expected = json!({
        "device": {
            "identifiers": [format!("vscp_{HEX}")],
            "name": "Cellar",
            "manufacturer": "VSCP",
            "serial_number": NODE,
            "suggested_area": "Below",
            "via_device": format!("vscp_{}", "a1".repeat(16)),
        },
        "origin": {"name": "vscpl2drv-websocksrv", "sw_version": env!("CARGO_PKG_VERSION")},
        "availability_topic": "host/status",
        "components": {id.clone(): {
            "platform": "sensor",
            "unique_id": id,
            "name": "Air",
            "state_topic": "vscp/10/6/1/0",
            "value_template": "{{ value_json.measurement.value if value_json.measurement.sensorindex == 0 \
                and value_json.measurement.zone == 0 and value_json.measurement.subzone == 0 else this.state }}",
            "unit_of_measurement": "°C",
            "device_class": "temperature",
            "state_class": "measurement",
            "suggested_display_precision": 1,
        }},
    });
    assert_eq!(config, expected);
    assert_eq!(observe(&mut discovery, event, "vscp/10/6/1/0"), None);
    // Another unit, and another sensor.
    let (_, config) = observe(&mut discovery, "96,10,6,0,,1,G,0x50,0x38", "vscp/10/6/1/0").unwrap();
    assert_eq!(config["components"][&id]["unit_of_measurement"], "°F");
    let (_, config) = observe(
        &mut discovery,
        "96,10,35,0,,1,G,0x41,0x38",
        "vscp/10/35/1/1",
    )
    .unwrap();
    assert_eq!(config["components"].as_object().unwrap().len(), 2);
}

#[test]
fn what_says_on_or_off_is_a_switch() {
    let mut discovery = discovery();
    let (_, config) = observe(&mut discovery, "96,20,3,0,,1,G,1,2,3", "vscp/20/3/1").unwrap();
    let id = format!("vscp_{HEX}_30_1_2_3");
    let switch = &config["components"][&id];
    assert_eq!(switch["platform"], "switch");
    assert_eq!(switch["state_topic"], "vscp/20/+/1");
    assert_eq!(
        switch["command_topic"],
        "vscp/home-assistant/30/home-assistant"
    );
    let command: Value = serde_json::from_str(switch["payload_off"].as_str().unwrap()).unwrap();
    assert_eq!(command["vscpClass"], 30);
    assert_eq!(command["vscpType"], 6);
    assert_eq!(command["vscpData"], json!([1, 2, 3]));
    assert_eq!(
        observe(&mut discovery, "96,20,4,0,,1,G,1,2,3", "vscp/20/4/1"),
        None
    );
    for event in [
        "96,20,9,0,,1,G,1,2,3",
        "96,20,3,0,,1,G,1",
        "96,0,1,0,,1,G,1,2,3",
    ] {
        assert_eq!(observe(&mut discovery, event, "t"), None);
    }
}

#[test]
fn all_is_told_again_with_the_last_states() {
    let mut discovery = discovery();
    observe(&mut discovery, "96,10,6,0,,1,G,0x48,0x38", "a").unwrap();
    observe(&mut discovery, "96,10,6,0,,1,G,0x49,0x38", "b").unwrap();
    let topics: Vec<_> = discovery
        .all()
        .into_iter()
        .map(|message| message.topic)
        .collect();
    let config = format!("homeassistant/device/vscp_{HEX}/config");
    assert_eq!(topics, [&*config, "a", "b"]);
    let driver = discovery.driver().unwrap();
    assert!(
        String::from_utf8(driver.payload)
            .unwrap()
            .contains("host/status")
    );
    assert_eq!(discovery.status_topic(), "homeassistant/status");
}

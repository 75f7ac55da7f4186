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

/// Has an event observed, whose message is "state". Returns topic and content of the announcement that
/// is due when it has settled.
fn observe(discovery: &mut Discovery, event: &str, topic: &str) -> Option<(String, Value)> {
    let announced = discovery.nodes.values().filter_map(|node| node.announced);
    let now = announced.max().map(|at| at + MIN_INTERVAL);
    let now = now.unwrap_or_else(Instant::now);
    observe_at(discovery, event, topic, now);
    let due = discovery.due(now + SETTLING_TIME);
    let announced = due.iter().find(|message| message.retain)?;
    let config = serde_json::from_slice(&announced.payload).unwrap();
    Some((announced.topic.clone(), config))
}

fn observe_at(discovery: &mut Discovery, event: &str, topic: &str, now: Instant) {
    let event = text::parse(&event.replace('G', NODE)).unwrap();
    let message = Message {
        topic: topic.to_owned(),
        payload: b"state".to_vec(),
        qos: 0,
        retain: false,
    };
    let switch_topic = || topic_of_both("vscp/20/3/1", "vscp/20/4/1");
    discovery.observe(&event, &message, switch_topic, now);
}

fn topics_due(discovery: &mut Discovery, now: Instant) -> Vec<String> {
    let messages = discovery.due(now).into_iter();
    messages.map(|message| message.topic).collect()
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
            "value_template": format!("{{% set m = value_json.measurement | default({{}}) %}}\
                {{% if [value_json.vscpGuid, value_json.vscpClass, value_json.vscpType, m.sensorindex, m.zone, m.subzone] \
                == ['{NODE}', 10, 6, 0, 0, 0] %}}{{{{ m.value }}}}{{% endif %}}"),
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
fn new_things_are_announced_together_and_their_states_told_when_they_are_known() {
    let mut discovery = discovery();
    let config = format!("homeassistant/device/vscp_{HEX}/config");
    let start = Instant::now();
    let after = |seconds| start + Duration::from_millis((seconds * 1000.0) as u64);
    observe_at(&mut discovery, "96,10,6,0,,1,G,0x48,0x38", "a", start);
    observe_at(&mut discovery, "96,10,6,0,,1,G,0x49,0x38", "b", after(0.9));
    assert_eq!(topics_due(&mut discovery, after(0.9)), [""; 0]);
    let announcement = discovery.due(after(1.0)).pop().unwrap();
    assert_eq!(
        (&*announcement.topic, announcement.retain),
        (&*config, true)
    );
    let announced: Value = serde_json::from_slice(&announcement.payload).unwrap();
    assert_eq!(announced["components"].as_object().unwrap().len(), 2);
    // A third one waits until Home Assistant has the others. Each state is told once.
    observe_at(&mut discovery, "96,10,6,0,,1,G,0x4A,0x38", "c", after(1.1));
    observe_at(&mut discovery, "96,10,6,0,,1,G,0x48,0x38", "a", after(2.9));
    assert_eq!(topics_due(&mut discovery, after(2.9)), [""; 0]);
    assert_eq!(topics_due(&mut discovery, after(3.0)), ["a", "b"]);
    assert_eq!(topics_due(&mut discovery, after(5.9)), [""; 0]);
    assert_eq!(topics_due(&mut discovery, after(6.0)), [&*config]);
    assert_eq!(topics_due(&mut discovery, after(8.0)), ["c"]);
    assert_eq!(discovery.next, None);
}

#[test]
fn all_is_told_again_with_the_last_states() {
    let mut discovery = discovery();
    observe(&mut discovery, "96,10,6,0,,1,G,0x48,0x38", "a").unwrap();
    observe(&mut discovery, "96,10,6,0,,1,G,0x49,0x38", "b").unwrap();
    let now = Instant::now() + Duration::from_secs(60);
    discovery.due(now);
    assert!(discovery.take("homeassistant/status", b"online", now));
    let config = format!("homeassistant/device/vscp_{HEX}/config");
    let driver = discovery.driver().unwrap();
    assert_eq!(topics_due(&mut discovery, now), [&*driver.topic, &config]);
    assert_eq!(topics_due(&mut discovery, now + STATES_DELAY), ["a", "b"]);
    assert_eq!(topics_due(&mut discovery, now + STATES_DELAY), [""; 0]);
    assert!(
        String::from_utf8(driver.payload)
            .unwrap()
            .contains("host/status")
    );
    assert_eq!(
        discovery.topics(),
        ["homeassistant/status", "homeassistant/device/+/config"]
    );
    assert!(!discovery.take("homeassistant/else", b"online", now));
}

#[test]
fn what_an_earlier_run_has_announced_stays_announced() {
    let topic = format!("homeassistant/device/vscp_{HEX}/config");
    let (mut first, mut second) = (discovery(), discovery());
    let (_, config) = observe(&mut first, "96,20,3,0,,1,G,1,2,3", "t").unwrap();
    let mut foreign = config.clone();
    foreign["availability_topic"] = json!("another/status");
    foreign["components"] = json!({"foreign": {"platform": "sensor"}});
    let now = Instant::now();
    for payload in [&config, &foreign] {
        assert!(second.take(&topic, payload.to_string().as_bytes(), now));
    }
    let other = topic.replace("150001", "150002");
    second.take(&other, foreign.to_string().as_bytes(), now);
    assert_eq!(second.nodes.len(), 1);
    // There is nothing to tell until something new appears.
    assert_eq!(second.next, None);
    let sensor = "96,10,6,0,,1,G,0x48,0x38";
    let (_, config) = observe(&mut second, sensor, "a").unwrap();
    assert_eq!(config["components"].as_object().unwrap().len(), 2);
    // A broker that comes late has the first announcement behind the one of this run.
    let mut third = discovery();
    observe(&mut third, "96,10,6,0,,1,G,0x49,0x38", "a").unwrap();
    third.take(&topic, config.to_string().as_bytes(), now);
    let due = third.due(now + MIN_INTERVAL * 2);
    let announced: Value = serde_json::from_slice(&due.last().unwrap().payload).unwrap();
    assert_eq!(announced["components"].as_object().unwrap().len(), 3);
    // It is deleted in Home Assistant.
    third.take(&topic, b"", now);
    let (_, config) = observe(&mut third, sensor, "a").unwrap();
    assert_eq!(config["components"].as_object().unwrap().len(), 1);
}

//! Tells Home Assistant what there is, by its device based discovery: a device for each node, with a
//! sensor for each measurement and a switch for each thing that says that it is on or off.

mod quantities;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use vscpl2drv_websocksrv::{
    event::{Event, Guid, measurement::Measurement, names},
    names::Document,
};

use self::quantities::quantity;
use super::{outbox::Message, payload::Dialect};

/// Nodes that are announced, and things of each.
const MAX_NODES: usize = 1000;
const MAX_COMPONENTS: usize = 200;

const CLASS_INFORMATION: u16 = 20;
const CLASS_CONTROL: u16 = 30;
const TYPE_ON: u16 = 3;
const TYPE_OFF: u16 = 4;
const TYPE_TURN_ON: u16 = 5;
const TYPE_TURN_OFF: u16 = 6;

/// What is the same for all announcements.
#[derive(Debug)]
pub(super) struct Settings {
    /// The first levels of the topics, `homeassistant`.
    pub(super) prefix: String,
    /// The GUID and the name of the driver.
    pub(super) driver: Guid,
    pub(super) driver_name: String,
    /// The topic that tells whether the driver is there.
    pub(super) status_topic: Option<String>,
    /// Where commands reach the driver, `None` if it subscribes to nothing.
    pub(super) command_topic: Option<String>,
    /// The names of the fields in the payloads.
    pub(super) dialect: Dialect,
    /// The names of nodes and sensors.
    pub(super) names: Document,
}

/// What was announced, and the last message of each.
#[derive(Debug)]
pub(super) struct Discovery {
    settings: Settings,
    nodes: BTreeMap<Guid, Node>,
}

#[derive(Debug, Default)]
struct Node {
    components: BTreeMap<String, Component>,
}

#[derive(Debug)]
struct Component {
    config: Value,
    /// The last message that tells its state.
    state: Message,
}

impl Discovery {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            nodes: BTreeMap::new(),
        }
    }

    /// Returns the topic on which Home Assistant says that it has started.
    pub(super) fn status_topic(&self) -> String {
        format!("{}/status", self.settings.prefix)
    }

    /// Looks at an event that is published as `message`, JSON. Returns the announcement that goes
    /// before it, if it tells of something new. `switch_topic` is the topic, perhaps with wildcards,
    /// of all states of a switch.
    pub(super) fn observe(
        &mut self,
        event: &Event,
        message: &Message,
        switch_topic: impl FnOnce() -> Option<String>,
    ) -> Option<Message> {
        let (id, config) = match Measurement::of(event) {
            Some(measurement) => self.sensor(event, &measurement, &message.topic),
            None if is_state(event) => self.switch(event, &switch_topic()?)?,
            None => return None,
        };
        let is_new_node = !self.nodes.contains_key(&event.guid);
        if is_new_node && self.nodes.len() >= MAX_NODES {
            return None;
        }
        let node = self.nodes.entry(event.guid).or_default();
        let state = message.clone();
        let has_room = node.components.len() < MAX_COMPONENTS;
        match node.components.get_mut(&id) {
            Some(known) if known.config == config => {
                known.state = state;
                return None;
            }
            None if !has_room => return None,
            _ => node.components.insert(id, Component { config, state }),
        };
        self.announcement(event.guid)
    }

    /// Returns all announcements, and behind them the states that no broker keeps.
    pub(super) fn all(&self) -> Vec<Message> {
        let announcements = self
            .nodes
            .keys()
            .filter_map(|guid| self.announcement(*guid));
        let components = self
            .nodes
            .values()
            .flat_map(|node| node.components.values());
        let states = components
            .map(|component| component.state.clone())
            .filter(|state| !state.retain);
        announcements.chain(states).collect()
    }

    /// Returns the announcement of the driver itself, which says whether it is there.
    pub(super) fn driver(&self) -> Option<Message> {
        let Settings {
            driver,
            driver_name,
            status_topic,
            ..
        } = &self.settings;
        let id = device_id(driver);
        let connectivity = json!({
            "platform": "binary_sensor",
            "unique_id": format!("{id}_status"),
            "name": "Status",
            "device_class": "connectivity",
            "entity_category": "diagnostic",
            "state_topic": status_topic.as_ref()?,
            "payload_on": "online",
            "payload_off": "offline",
        });
        let device = json!({"identifiers": [id], "name": driver_name, "manufacturer": "VSCP"});
        let config = json!({
            "device": device,
            "origin": origin(),
            "components": {"status": connectivity},
        });
        Some(self.message(&id, &config))
    }

    fn announcement(&self, guid: Guid) -> Option<Message> {
        let node = self.nodes.get(&guid)?;
        let id = device_id(&guid);
        let settings = &self.settings;
        let entry = settings.names.of_node(guid);
        let name = entry.and_then(|entry| entry.name.clone());
        let mut device = json!({
            "identifiers": [id],
            "name": name.unwrap_or_else(|| format!("VSCP {guid}")),
            "manufacturer": "VSCP",
            "serial_number": guid.to_string(),
        });
        if let Some(room) = entry.and_then(|entry| entry.room.clone()) {
            device["suggested_area"] = json!(room);
        }
        if guid != settings.driver && settings.status_topic.is_some() {
            device["via_device"] = json!(device_id(&settings.driver));
        }
        let components: Map<String, Value> = node
            .components
            .iter()
            .map(|(id, component)| (id.clone(), component.config.clone()))
            .collect();
        let mut config = json!({"device": device, "origin": origin(), "components": components});
        if let Some(topic) = &settings.status_topic {
            config["availability_topic"] = json!(topic);
        }
        // The device of the driver has its status at a topic of its own.
        let object = if guid == settings.driver {
            format!("{id}_node")
        } else {
            id
        };
        Some(self.message(&object, &config))
    }

    fn message(&self, object: &str, config: &Value) -> Message {
        Message {
            topic: format!("{}/device/{object}/config", self.settings.prefix),
            payload: config.to_string().into_bytes(),
            qos: 1,
            retain: true,
        }
    }

    fn sensor(&self, event: &Event, measurement: &Measurement, topic: &str) -> (String, Value) {
        let Measurement {
            kind,
            unit,
            sensor,
            zone,
            subzone,
            ..
        } = *measurement;
        let mut id = format!(
            "{}_{}_{}_{sensor}",
            device_id(&event.guid),
            event.class,
            event.kind
        );
        if (zone, subzone) != (0, 0) {
            id = format!("{id}_{zone}_{subzone}");
        }
        let entry = self.settings.names.of_measurement(event.guid, sensor, kind);
        let quantity = quantity(kind, unit);
        let value = match quantity.factor {
            1.0 => "value_json.measurement.value".to_owned(),
            factor => format!("(value_json.measurement.value * {factor}) | round(6)"),
        };
        // Several sensors may have one topic.
        let template = format!(
            "{{{{ {value} if value_json.measurement.sensorindex == {sensor} \
             and value_json.measurement.zone == {zone} \
             and value_json.measurement.subzone == {subzone} else this.state }}}}"
        );
        let name = entry.name.unwrap_or_else(|| {
            let quantity = names::kind(event.class, event.kind).unwrap_or("Measurement");
            match sensor {
                0 => quantity.to_owned(),
                sensor => format!("{quantity} {sensor}"),
            }
        });
        let mut config = json!({
            "platform": "sensor",
            "unique_id": id,
            "name": name,
            "state_topic": topic,
            "value_template": template,
        });
        for (key, value) in [
            ("unit_of_measurement", quantity.unit),
            ("device_class", quantity.device_class),
            ("state_class", quantity.state_class),
        ] {
            if let Some(value) = value {
                config[key] = json!(value);
            }
        }
        if let Some(decimals) = entry.decimals {
            config["suggested_display_precision"] = json!(decimals);
        }
        (id, config)
    }

    /// Returns the switch whose state an event tells, `None` if no command would reach it.
    fn switch(&self, event: &Event, topic: &str) -> Option<(String, Value)> {
        let command_topic = self.settings.command_topic.as_ref()?;
        let [index, zone, subzone] = *event.data.first_chunk()?;
        let id = format!(
            "{}_{CLASS_CONTROL}_{index}_{zone}_{subzone}",
            device_id(&event.guid)
        );
        let (kind, data) = match self.settings.dialect {
            Dialect::Ns => ("type", "data"),
            Dialect::Legacy | Dialect::Both => ("vscpType", "vscpData"),
        };
        let command = |kind: u16| {
            let command = json!({
                "vscpHead": 96,
                "vscpClass": CLASS_CONTROL,
                "vscpType": kind,
                "vscpGuid": self.settings.driver.to_string(),
                "vscpData": [index, zone, subzone],
            });
            command.to_string()
        };
        let template = format!(
            "{{% if value_json.{data}[0] != {index} or value_json.{data}[1] != {zone} \
             or value_json.{data}[2] != {subzone} %}}{{{{ this.state }}}}\
             {{% elif value_json.{kind} == {TYPE_ON} %}}ON\
             {{% elif value_json.{kind} == {TYPE_OFF} %}}OFF\
             {{% else %}}{{{{ this.state }}}}{{% endif %}}"
        );
        let config = json!({
            "platform": "switch",
            "unique_id": id,
            "name": format!("Switch {index} {zone}/{subzone}"),
            "state_topic": topic,
            "value_template": template,
            "state_on": "ON",
            "state_off": "OFF",
            "command_topic": command_topic,
            "payload_on": command(TYPE_TURN_ON),
            "payload_off": command(TYPE_TURN_OFF),
        });
        Some((id, config))
    }
}

/// Returns true if an event says that something is on or off.
pub(super) fn is_state(event: &Event) -> bool {
    event.class == CLASS_INFORMATION && matches!(event.kind, TYPE_ON | TYPE_OFF)
}

/// Returns the topic that has the topics of both states, with a `+` for each level that differs.
pub(super) fn topic_of_both(on: &str, off: &str) -> Option<String> {
    if on.matches('/').count() != off.matches('/').count() {
        return None;
    }
    let levels = on.split('/').zip(off.split('/'));
    let levels = levels.map(|(on, off)| if on == off { on } else { "+" });
    Some(levels.collect::<Vec<_>>().join("/"))
}

/// Returns the events of both states of a switch.
pub(super) fn states(event: &Event) -> [Event; 2] {
    [TYPE_ON, TYPE_OFF].map(|kind| Event {
        kind,
        ..event.clone()
    })
}

/// Returns a topic that a filter has, for commands.
pub(super) fn topic_of_filter(filter: &str) -> String {
    let filter = match filter.strip_prefix("$share/") {
        Some(shared) => shared.split_once('/').map_or("", |(_, filter)| filter),
        None => filter,
    };
    let level = |level| match level {
        "+" | "#" => "home-assistant",
        level => level,
    };
    filter.split('/').map(level).collect::<Vec<_>>().join("/")
}

fn device_id(guid: &Guid) -> String {
    format!("vscp_{}", hex::encode(guid.0))
}

fn origin() -> Value {
    json!({"name": "vscpl2drv-websocksrv", "sw_version": env!("CARGO_PKG_VERSION")})
}

#[cfg(test)]
mod tests;

//! Tells Home Assistant what there is, by its device based discovery: a device for each node, with a
//! sensor for each measurement and a switch for each thing that says that it is on or off.

mod quantities;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

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

/// How long the first new thing of a node waits for others, so that one announcement has all.
const SETTLING_TIME: Duration = Duration::from_secs(1);

/// The least time between two announcements of a node. While Home Assistant sets up a thing, it takes
/// no new ones from another announcement of the same device.
const MIN_INTERVAL: Duration = Duration::from_secs(5);

/// The time between an announcement and the states: Home Assistant subscribes to them meanwhile.
const STATES_DELAY: Duration = Duration::from_secs(2);

/// The settings of all announcements.
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

/// The things to announce, the time of each, and its last message. Whoever calls `observe` must also
/// call `due` regularly and publish the messages that it returns.
#[derive(Debug)]
pub(super) struct Discovery {
    settings: Settings,
    nodes: BTreeMap<Guid, Node>,
    /// Home Assistant has started and does not know the driver.
    is_driver_due: bool,
    /// When something of a node is due.
    next: Option<Instant>,
}

#[derive(Debug, Default)]
struct Node {
    components: BTreeMap<String, Component>,
    announced: Option<Instant>,
    /// When it is to be announced.
    announce_at: Option<Instant>,
    /// When the states of what was announced are to be sent.
    states_at: Option<Instant>,
}

/// The names of the fields of an event in JSON.
struct Fields {
    guid: &'static str,
    class: &'static str,
    kind: &'static str,
    data: &'static str,
}

#[derive(Debug)]
struct Component {
    config: Value,
    /// The last message that tells its state, `None` if there was none since this host runs.
    state: Option<Message>,
    progress: Progress,
}

/// How far the announcement of a component is. The states that were published before it was
/// announced have been missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    New,
    Announced,
    /// Its state was sent after its announcement.
    Told,
}

impl Node {
    /// Adds or replaces a component. Returns false if there is no room for it.
    fn insert(&mut self, id: String, component: Component) -> bool {
        let has_room = self.components.len() < MAX_COMPONENTS || self.components.contains_key(&id);
        if has_room {
            self.components.insert(id, component);
        }
        has_room
    }

    /// Plans an announcement.
    fn announce_soon(&mut self, now: Instant) {
        let earliest = self.announced.map(|at| at + MIN_INTERVAL);
        let soon = earliest.max(Some(now + SETTLING_TIME));
        self.announce_at = self.announce_at.or(soon);
    }

    fn next(&self) -> Option<Instant> {
        self.announce_at.into_iter().chain(self.states_at).min()
    }

    /// Returns true once if it is to be announced.
    fn take_announcement(&mut self, now: Instant) -> bool {
        let is_due = self.announce_at.take_if(|at| *at <= now).is_some();
        if is_due {
            self.announced = Some(now);
            self.states_at = Some(now + STATES_DELAY);
            for component in self.components.values_mut() {
                if component.progress == Progress::New {
                    component.progress = Progress::Announced;
                }
            }
        }
        is_due
    }

    /// Returns the states that were missed and that no broker keeps, if it is time to send them.
    fn take_states(&mut self, now: Instant) -> Vec<Message> {
        if self.states_at.take_if(|at| *at <= now).is_none() {
            return Vec::new();
        }
        let announced = self
            .components
            .values_mut()
            .filter(|component| component.progress == Progress::Announced);
        announced
            .filter_map(|component| {
                component.progress = Progress::Told;
                component.state.clone().filter(|state| !state.retain)
            })
            .collect()
    }
}

impl Discovery {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            nodes: BTreeMap::new(),
            is_driver_due: false,
            next: None,
        }
    }

    /// Returns the topics that `take` is for: Home Assistant has started, and announcements.
    pub(super) fn topics(&self) -> [String; 2] {
        let prefix = &self.settings.prefix;
        [self.status_topic(), format!("{prefix}/device/+/config")]
    }

    fn status_topic(&self) -> String {
        format!("{}/status", self.settings.prefix)
    }

    /// Looks at an event that is published as `message`, JSON. If it tells of something new, its node
    /// is announced soon. `switch_topic` is the topic, perhaps with wildcards, of all states of a
    /// switch.
    pub(super) fn observe(
        &mut self,
        event: &Event,
        message: &Message,
        switch_topic: impl FnOnce() -> Option<String>,
        now: Instant,
    ) {
        if let Some((id, config)) = self.component(event, message, switch_topic) {
            self.notice(event.guid, id, config, message.clone(), now);
        }
    }

    fn component(
        &self,
        event: &Event,
        message: &Message,
        switch_topic: impl FnOnce() -> Option<String>,
    ) -> Option<(String, Value)> {
        match Measurement::of(event) {
            Some(measurement) => Some(self.sensor(event, &measurement, &message.topic)),
            None if is_state(event) => self.switch(event, &switch_topic()?),
            None => None,
        }
    }

    fn notice(&mut self, guid: Guid, id: String, config: Value, state: Message, now: Instant) {
        let Some(node) = self.node(guid) else { return };
        if let Some(known) = node.components.get_mut(&id)
            && known.config == config
        {
            known.state = Some(state);
            return;
        }
        let component = Component {
            config,
            state: Some(state),
            progress: Progress::New,
        };
        if node.insert(id, component) {
            node.announce_soon(now);
            self.next = self.nodes.values().filter_map(Node::next).min();
        }
    }

    /// Returns a node, a new one if there is room.
    fn node(&mut self, guid: Guid) -> Option<&mut Node> {
        let has_room = self.nodes.len() < MAX_NODES || self.nodes.contains_key(&guid);
        has_room.then(|| self.nodes.entry(guid).or_default())
    }

    /// Takes a message of the topics of Home Assistant: it has started, or an announcement that the
    /// broker has kept. Returns false if it is another message.
    pub(super) fn take(&mut self, topic: &str, payload: &[u8], now: Instant) -> bool {
        if topic == self.status_topic() {
            if payload == b"online" {
                self.repeat(now);
            }
            return true;
        }
        let Some(object) = self.object_of_topic(topic) else {
            return false;
        };
        if let Some(guid) = self.guid_of_object(object) {
            self.recall(guid, payload, now);
        }
        true
    }

    /// Takes over what an earlier run has announced. Home Assistant forgets at its next start what is
    /// not in the last announcement, and some things tell their state once a year.
    fn recall(&mut self, guid: Guid, payload: &[u8], now: Instant) {
        if payload.is_empty() {
            // Somebody has deleted the device in Home Assistant.
            self.nodes.remove(&guid);
            return;
        }
        let Ok(Value::Object(mut announced)) = serde_json::from_slice(payload) else {
            return;
        };
        let status = announced.get("availability_topic").and_then(Value::as_str);
        if status != self.settings.status_topic.as_deref() {
            return;
        }
        let Some(Value::Object(components)) = announced.remove("components") else {
            return;
        };
        let Some(node) = self.node(guid) else { return };
        for (id, config) in components {
            let component = Component {
                config,
                state: None,
                progress: Progress::Told,
            };
            let is_new = !node.components.contains_key(&id) && node.insert(id, component);
            // The announcement of this run has replaced it already.
            if is_new && node.announced.is_some() {
                node.announce_soon(now);
            }
        }
        self.next = self.nodes.values().filter_map(Node::next).min();
    }

    fn object_of_topic<'a>(&self, topic: &'a str) -> Option<&'a str> {
        let rest = topic.strip_prefix(&self.settings.prefix)?;
        rest.strip_prefix("/device/")?.strip_suffix("/config")
    }

    /// Returns the node whose announcement has this name.
    fn guid_of_object(&self, object: &str) -> Option<Guid> {
        let is_object = |guid: &Guid| self.object_of_guid(*guid) == object;
        let digits = object.strip_prefix("vscp_")?.get(..32)?;
        let guid = Guid(hex::decode(digits).ok()?.try_into().ok()?);
        Some(guid).filter(is_object)
    }

    /// Returns the name in the topic of a node's announcement. The node with the GUID of the driver
    /// gets a suffix, because the plain name is taken by the announcement of the driver's status.
    fn object_of_guid(&self, guid: Guid) -> String {
        let id = device_id(&guid);
        if guid == self.settings.driver {
            format!("{id}_node")
        } else {
            id
        }
    }

    /// Has all announced again, with the last states, since Home Assistant has started.
    fn repeat(&mut self, now: Instant) {
        self.is_driver_due = true;
        self.next = Some(now);
        for node in self.nodes.values_mut() {
            node.announce_at = Some(now);
            for component in node.components.values_mut() {
                component.progress = Progress::New;
            }
        }
    }

    /// Returns the messages that are due: announcements, and the states of what was announced a moment
    /// ago.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Message> {
        if self.next.is_none_or(|next| next > now) {
            return Vec::new();
        }
        let mut messages = Vec::new();
        if std::mem::take(&mut self.is_driver_due) {
            messages.extend(self.driver());
        }
        let mut announced = Vec::new();
        for (guid, node) in &mut self.nodes {
            messages.append(&mut node.take_states(now));
            if node.take_announcement(now) {
                announced.push(*guid);
            }
        }
        messages.extend(announced.iter().filter_map(|guid| self.announcement(*guid)));
        self.next = self.nodes.values().filter_map(Node::next).min();
        messages
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
        Some(self.message(&self.object_of_guid(guid), &config))
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
            1.0 => "m.value".to_owned(),
            factor => format!("(m.value * {factor}) | round(6)"),
        };
        // All events may share one topic, so the template compares the sender and the sensor. For
        // any other event it renders an empty text, which leaves the sensor as it is.
        let Fields {
            guid,
            class,
            kind: key,
            ..
        } = self.fields();
        let template = format!(
            "{{% set m = value_json.measurement | default({{}}) %}}\
             {{% if [value_json.{guid}, value_json.{class}, value_json.{key}, m.sensorindex, m.zone, m.subzone] \
             == ['{}', {}, {}, {sensor}, {zone}, {subzone}] %}}{{{{ {value} }}}}{{% endif %}}",
            event.guid, event.class, event.kind,
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

    /// Returns the names of the fields in JSON.
    fn fields(&self) -> Fields {
        let [guid, class, kind, data] = match self.settings.dialect {
            Dialect::Ns => ["guid", "class", "type", "data"],
            Dialect::Legacy | Dialect::Both => ["vscpGuid", "vscpClass", "vscpType", "vscpData"],
        };
        Fields {
            guid,
            class,
            kind,
            data,
        }
    }

    /// Returns the switch whose state an event tells, `None` if no command would reach it.
    fn switch(&self, event: &Event, topic: &str) -> Option<(String, Value)> {
        let command_topic = self.settings.command_topic.as_ref()?;
        let [index, zone, subzone] = *event.data.first_chunk()?;
        let id = format!(
            "{}_{CLASS_CONTROL}_{index}_{zone}_{subzone}",
            device_id(&event.guid)
        );
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
        // All events may have one topic. An empty text leaves the switch as it is.
        let Fields {
            guid,
            class,
            kind,
            data,
        } = self.fields();
        let template = format!(
            "{{% if [value_json.{guid}, value_json.{class}] == ['{}', {CLASS_INFORMATION}] \
             and value_json.{data}[:3] == [{index}, {zone}, {subzone}] %}}\
             {{{{ {{{TYPE_ON}: 'ON', {TYPE_OFF}: 'OFF'}}.get(value_json.{kind}, '') }}}}{{% endif %}}",
            event.guid,
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

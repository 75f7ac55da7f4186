//! Events of a driver into messages, and messages into events.

use std::{
    fmt::Write,
    num::NonZeroU64,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use vscpl2drv_websocksrv::{
    event::{Event, Guid},
    located_json::Source,
    names::Document,
};

use super::{
    discovery::{self, Discovery},
    outbox::Message,
    payload::{self, Decoded, Encoding, PayloadError},
    settings::{Mqtt, Publication, Subscription, Version},
    topic::{Names, Template, Values, is_topic, matches},
};

/// The bit of an option of a subscription (MQTT 5 section 3.8.3.1).
const RETAIN_AS_PUBLISHED: u8 = 0x08;

/// Translates between a driver and its broker. Knows neither sockets nor threads.
#[derive(Debug)]
pub(super) struct Bridge {
    /// The settings.
    pub(super) mqtt: Mqtt,
    names: Names,
    /// The topics of the subscriptions, rendered.
    filters: Vec<String>,
    will_topic: Option<String>,
    status_topic: Option<String>,
    /// The announcements to Home Assistant, `None` if there are none.
    discovery: Option<Mutex<Discovery>>,
}

/// Why an event is not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its topic is {0:?}, which nothing can be published to")]
pub(super) struct TopicError(String);

/// Why a message is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MessageError {
    #[error("{0}")]
    Payload(#[from] PayloadError),
    #[error("no class or no type")]
    NoKind,
}

impl Bridge {
    /// Makes the bridge of a driver. Fails if a topic is none when it is rendered.
    pub(super) fn new(
        mqtt: Mqtt,
        driver: Guid,
        host_guid: Guid,
        driver_name: &str,
    ) -> Result<Self, String> {
        let names = Names {
            driver,
            host_guid,
            driver_name: driver_name.to_owned(),
            client_id: mqtt.client_id.clone(),
            user: mqtt.user.clone(),
            host: mqtt.address.host.clone(),
            user_escapes: mqtt.user_escapes.clone(),
        };
        let mut bridge = Self {
            names,
            filters: Vec::new(),
            will_topic: None,
            status_topic: None,
            discovery: None,
            mqtt,
        };
        let fixed = |template: &Template| {
            let topic = bridge.render(template, None, "", false);
            match is_topic(&topic) {
                true => Ok(topic),
                false => Err(format!("a topic is {topic:?} when it is rendered")),
            }
        };
        let mqtt = &bridge.mqtt;
        let will_topic = mqtt
            .will
            .as_ref()
            .map(|will| fixed(&will.topic))
            .transpose()?;
        let status_topic = mqtt.status_topic.as_ref().map(fixed).transpose()?;
        let subscriptions = mqtt.subscriptions.iter();
        let filters = subscriptions.map(|subscription| bridge.filter(&subscription.topic));
        let filters: Vec<_> = filters.collect();
        if let Some(filter) = filters
            .iter()
            .find(|filter| !super::topic::is_filter(filter))
        {
            return Err(format!("a subscription is {filter:?} when it is rendered"));
        }
        bridge.will_topic = will_topic;
        bridge.status_topic = status_topic;
        bridge.filters = filters;
        bridge.discovery = bridge.start_discovery()?.map(Mutex::new);
        Ok(bridge)
    }

    /// Returns the subscriptions with their topics.
    pub(super) fn subscriptions(&self) -> impl Iterator<Item = (&str, &Subscription)> {
        let filters = self.filters.iter().map(|filter| &**filter);
        filters.zip(&self.mqtt.subscriptions)
    }

    /// Returns the message that the broker sends when the connection is lost.
    pub(super) fn will(&self) -> Option<Message> {
        match (&self.mqtt.will, &self.will_topic) {
            (Some(will), Some(topic)) => Some(Message {
                topic: topic.clone(),
                payload: will.payload.clone().into_bytes(),
                qos: will.qos,
                retain: will.retain,
            }),
            _ => self.status("offline"),
        }
    }

    /// Returns the message that clears what an old will has left.
    pub(super) fn cleared_will(&self) -> Option<Message> {
        let will = self.mqtt.will.as_ref().filter(|will| will.retain)?;
        Some(Message {
            topic: self.will_topic.clone()?,
            payload: Vec::new(),
            qos: will.qos.min(1),
            retain: true,
        })
    }

    /// Returns the message that tells the state of the driver.
    pub(super) fn status(&self, state: &str) -> Option<Message> {
        Some(Message {
            topic: self.status_topic.clone()?,
            payload: state.as_bytes().to_vec(),
            qos: 1,
            retain: true,
        })
    }

    /// Returns the messages of an event, one for each publication.
    pub(super) fn outgoing(
        &self,
        event: &Event,
    ) -> impl Iterator<Item = Result<Message, TopicError>> {
        self.mqtt.publications.iter().map(|publication| {
            let encoding = Encoding {
                format: publication.format,
                dialect: publication.dialect,
                has_measurement: self.mqtt.has_measurement,
            };
            let has_measurement =
                encoding.has_measurement && encoding.format == payload::Format::Json;
            let format = encoding.format.word();
            let topic = self.render(&publication.topic, Some(event), format, has_measurement);
            match is_topic(&topic) {
                true => Ok(Message {
                    topic,
                    payload: encoding.encode(event),
                    qos: publication.qos,
                    retain: publication.retain,
                }),
                false => Err(TopicError(topic)),
            }
        })
    }

    /// Looks at an event for Home Assistant. `message` is the one of publication number `index`.
    pub(super) fn observe(&self, event: &Event, index: usize, message: &Message) {
        // One of the topics tells the states.
        if self.discovery.is_none() || Some(index) != self.state_publication() {
            return;
        }
        let topic_of_state = || {
            let template = &self.mqtt.publications[index].topic;
            let [on, off] = discovery::states(event)
                .map(|event| self.render(template, Some(&event), "json", true));
            discovery::topic_of_both(&on, &off)
        };
        if let Some(mut discovery) = self.lock_discovery() {
            discovery.observe(event, message, topic_of_state, Instant::now());
        }
    }

    /// Returns what Home Assistant is to be told now.
    pub(super) fn announcements(&self) -> Vec<Message> {
        let discovery = self.lock_discovery();
        discovery.map_or_else(Vec::new, |mut discovery| discovery.due(Instant::now()))
    }

    /// Returns what Home Assistant is told at each connection.
    pub(super) fn first_announcement(&self) -> Option<Message> {
        self.lock_discovery()?.driver()
    }

    /// Returns the topics on which Home Assistant tells of itself, and those of announcements.
    pub(super) fn discovery_topics(&self) -> Vec<String> {
        let discovery = self.lock_discovery();
        discovery.map_or_else(Vec::new, |discovery| discovery.topics().into())
    }

    /// Gives a message to the discovery. Returns true if its topic is one of
    /// [`discovery_topics`](Self::discovery_topics), so that it is no event.
    pub(super) fn take_discovery(&self, topic: &str, payload: &[u8]) -> bool {
        let discovery = self.lock_discovery();
        discovery.is_some_and(|mut discovery| discovery.take(topic, payload, Instant::now()))
    }

    fn lock_discovery(&self) -> Option<MutexGuard<'_, Discovery>> {
        let discovery = self.discovery.as_ref()?;
        Some(discovery.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the number of the publication whose payloads Home Assistant can read.
    fn state_publication(&self) -> Option<usize> {
        let is_json = |publication: &Publication| publication.format == payload::Format::Json;
        self.mqtt.publications.iter().position(is_json)
    }

    fn start_discovery(&self) -> Result<Option<Discovery>, String> {
        let Some(settings) = &self.mqtt.home_assistant else {
            return Ok(None);
        };
        let Some(index) = self
            .state_publication()
            .filter(|_| self.mqtt.has_measurement)
        else {
            return Err(
                "home-assistant needs an entry of publish with the format json, and \
                        bjsonmeasurementblock"
                    .to_owned(),
            );
        };
        let names = match &settings.names {
            Some(path) => {
                let source = Source::read(path).map_err(|error| error.to_string())?;
                Document::parse(&source).map_err(|error| error.to_string())?
            }
            None => Document::default(),
        };
        let command_topic = self.filters.first();
        Ok(Some(Discovery::new(discovery::Settings {
            prefix: settings.prefix.clone(),
            driver: self.names.driver,
            driver_name: self.names.driver_name.clone(),
            status_topic: self.status_topic.clone(),
            command_topic: command_topic.map(|filter| discovery::topic_of_filter(filter)),
            dialect: self.mqtt.publications[index].dialect,
            names,
        })))
    }

    /// Returns true if a message that is published to this topic may come back.
    pub(super) fn may_come_back(&self, topic: &str) -> bool {
        self.filters.iter().any(|filter| matches(filter, topic))
    }

    /// Returns true if the flag of retained messages of a topic is as they were published, so that new
    /// ones have it, too (MQTT 5).
    pub(super) fn retains_as_published(&self, topic: &str) -> bool {
        let is_as_published = |options: u8| options & RETAIN_AS_PUBLISHED != 0;
        self.mqtt.version == Version::V5
            && self.subscriptions().any(|(filter, subscription)| {
                subscription.options.is_some_and(is_as_published) && matches(filter, topic)
            })
    }

    /// Returns true if this is a topic on which the host tells its own state.
    pub(super) fn tells_state(&self, topic: &str) -> bool {
        let own = [&self.will_topic, &self.status_topic];
        own.into_iter().flatten().any(|own| own == topic)
    }

    /// Returns the event of a message, `None` if the driver is not to have it.
    pub(super) fn incoming(
        &self,
        topic: &str,
        payload: &[u8],
    ) -> Result<Option<Event>, MessageError> {
        if self.tells_state(topic) {
            return Ok(None);
        }
        let mut subscriptions = self.subscriptions();
        let subscription = subscriptions.find(|(filter, _)| matches(filter, topic));
        let format = subscription.and_then(|(_, subscription)| subscription.format);
        let Decoded {
            mut event,
            mut has_kind,
        } = payload::decode(payload, format)?;
        if self.mqtt.topic_defaults {
            has_kind |= fill_from_topic(&mut event, topic);
        }
        if !has_kind {
            return Err(MessageError::NoKind);
        }
        let ignores_own = subscription.is_some_and(|(_, subscription)| subscription.ignore_own);
        let is_own = ignores_own && event.guid == self.names.driver;
        Ok((!is_own && self.mqtt.filter.passes(&event)).then_some(event))
    }

    /// Fills in the time that an event of the driver lacks: the time stamp with `micros`, and date
    /// and nanoseconds since 1970 with `now`.
    pub(super) fn complete(&self, event: &mut Event, micros: u32, now: u64) {
        event.complete_timestamp(|| micros);
        if event.date.is_none() && event.unix_ns.is_none() {
            let micros = event.timestamp;
            if let Some(now) = NonZeroU64::new(now) {
                event.set_unix_ns(now);
            }
            event.timestamp = micros;
        }
    }

    fn filter(&self, template: &Template) -> String {
        let mut topic = String::new();
        let values = self.values(None, "", false);
        template.render(self.mqtt.style, &mut topic, |name, out| {
            // The daemon knows no names here.
            match self.mqtt.style {
                super::topic::Style::Clean => values.append(name, out),
                super::topic::Style::Daemon => false,
            }
        });
        topic
    }

    fn render(
        &self,
        template: &Template,
        event: Option<&Event>,
        format: &'static str,
        has_measurement: bool,
    ) -> String {
        let mut topic = String::with_capacity(100);
        let values = self.values(event, format, has_measurement);
        template.render(self.mqtt.style, &mut topic, |name, out| {
            values.append(name, out)
        });
        topic
    }

    fn values<'a>(
        &'a self,
        event: Option<&'a Event>,
        format: &'static str,
        has_measurement: bool,
    ) -> Values<'a> {
        Values {
            names: &self.names,
            event,
            format,
            has_measurement,
            style: self.mqtt.style,
        }
    }
}

/// Sets GUID, class and type from levels 1, 2 and 3 of a topic where the event has zeros. Returns
/// true if the topic has class and type.
fn fill_from_topic(event: &mut Event, topic: &str) -> bool {
    let mut levels = topic.split('/').skip(1);
    let guid = levels.next().and_then(Guid::parse_wire);
    let mut number = || levels.next().and_then(|level| level.parse::<u16>().ok());
    let (class, kind) = (number(), number());
    if let Some(guid) = guid.filter(|_| event.guid.is_zero()) {
        event.guid = guid;
    }
    if let Some(class) = class.filter(|_| event.class == 0) {
        event.class = class;
    }
    if let Some(kind) = kind.filter(|_| event.kind == 0) {
        event.kind = kind;
    }
    class.is_some() && kind.is_some()
}

/// Shows the address of the broker and the topics that are subscribed to, for `serve --check`.
impl std::fmt::Display for Bridge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        for filter in &self.filters {
            // Writing to a string does not fail.
            let _ = write!(text, ", subscribes to {filter}");
        }
        write!(f, "{}{text}", self.mqtt.address)
    }
}

#[cfg(test)]
mod tests {
    use vscpl2drv_websocksrv::{event::text, located_json::Warnings};

    use super::*;
    use crate::serve::settings;

    const DRIVER: Guid = Guid([0xA1; 16]);

    fn bridge(mqtt: &str) -> Result<Bridge, String> {
        let source = Source::new("f", mqtt);
        let mqtt = settings::read(&source.root().unwrap(), &mut Warnings::default());
        Bridge::new(mqtt.unwrap(), DRIVER, Guid::ZERO, "web")
    }

    fn event(text: &str) -> Event {
        text::parse(text).unwrap()
    }

    #[test]
    fn each_publication_has_a_message_of_an_event() {
        let bridge = bridge(
            r#"{"publish": [{"topic": "a/{{class}}", "qos": 1, "format": "string"},
                {"topic": "{{data[0]}}{{data[1]}}", "retain": true, "format": "binary"}],
                "subscribe": {"topic": "a/#"}}"#,
        )
        .unwrap();
        let messages: Vec<_> = bridge.outgoing(&event("0,20,3,0,,1,-,7")).collect();
        let [Ok(first), Ok(second)] = &messages[..] else {
            panic!("{messages:?}")
        };
        assert_eq!((&*first.topic, first.qos, first.retain), ("a/20", 1, false));
        assert_eq!((&*second.topic, second.qos, second.retain), ("7", 0, true));
        assert!(bridge.may_come_back("a/20") && !bridge.may_come_back("7"));
        // Without data the second topic is none.
        let messages: Vec<_> = bridge.outgoing(&event("0,20,3,0,,1,-")).collect();
        assert_eq!(messages[1], Err(TopicError(String::new())));
    }

    #[test]
    fn the_flag_of_retained_messages_is_as_published_if_a_subscription_of_mqtt_5_says_so() {
        for (version, expected) in [(500, true), (311, false)] {
            let bridge = bridge(&format!(
                r#"{{"mqtt-options": {{"protocol-version": {version}}}, "subscribe":
                    [{{"topic": "a/#", "v5-options": "RETAIN_AS_PUBLISHED"}}, {{"topic": "b"}}]}}"#
            ))
            .unwrap();
            assert_eq!(bridge.retains_as_published("a/1"), expected, "{version}");
            assert!(!bridge.retains_as_published("b"), "{version}");
        }
    }

    #[test]
    fn messages_are_events_if_nothing_keeps_them_away() {
        let bridge = bridge(
            r#"{"subscribe": [{"topic": "own/#", "ignore-own": true}, {"topic": "xml", "format": "xml"},
                {"topic": "t/#"}], "filter": {"class-filter": 20, "class-mask": 65535},
                "status-topic": "t/status", "bUseTopicForEventDefaults": true}"#,
        )
        .unwrap();
        let incoming = |topic, payload: &str| bridge.incoming(topic, payload.as_bytes());
        let own = format!("0,20,3,0,,1,{DRIVER},7");
        assert_eq!(incoming("t/a", &own), Ok(Some(event(&own))));
        for (topic, payload) in [
            ("own/a", &*own),
            ("t/a", "0,21,3,0,,1,-,7"),
            ("t/status", "online"),
        ] {
            assert_eq!(incoming(topic, payload), Ok(None), "{topic}");
        }
        let topic = format!("t/{DRIVER}/20/3");
        let found = incoming(&topic, r#"{"data":[7]}"#);
        assert_eq!(
            found.unwrap().unwrap(),
            event(&format!("0,20,3,0,,,{DRIVER},7"))
        );
        assert_eq!(
            incoming("t/a", r#"{"class":20}"#),
            Err(MessageError::NoKind)
        );
        assert!(
            incoming("xml", &own)
                .unwrap_err()
                .to_string()
                .starts_with("XML: ")
        );
    }

    #[test]
    fn the_state_of_the_driver_has_a_topic_unless_a_will_is_named() {
        let default = bridge("{}").unwrap();
        let topic = format!("vscp-host/{DRIVER}/status");
        let status = default.status("online").unwrap();
        assert_eq!((status.topic, status.retain), (topic.clone(), true));
        assert_eq!(default.will().unwrap().payload, b"offline");
        assert_eq!(default.cleared_will(), None);

        let old = bridge(r#"{"will": {"topic": "w/{{driver-name}}", "payload": "gone"}}"#).unwrap();
        assert_eq!(old.status("online"), None);
        let will = old.will().unwrap();
        assert_eq!((&*will.topic, &*will.payload), ("w/web", &b"gone"[..]));
        let cleared = old.cleared_will().unwrap();
        assert_eq!((&*cleared.topic, cleared.payload.len()), ("w/web", 0));
        assert_eq!(bridge(r#"{"status-topic": ""}"#).unwrap().will(), None);
    }

    #[test]
    fn a_topic_that_is_none_when_it_is_rendered_is_an_error() {
        for (mqtt, expected) in [
            (
                r#"{"status-topic": "{{user}}"}"#,
                "a topic is \"\" when it is rendered",
            ),
            (
                r#"{"subscribe": {"topic": "{{user}}"}}"#,
                "a subscription is \"\" when",
            ),
            (
                r#"{"home-assistant": true, "publish": {"topic": "a", "format": "xml"}}"#,
                "home-assistant needs an entry of publish",
            ),
        ] {
            let error = bridge(mqtt).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}

//! Reads an `mqtt` object.

use std::{collections::BTreeMap, fs, time::Duration};

use vscpl2drv_websocksrv::{
    event::Guid,
    located_json::{ConfigError, Node, Object, Warnings},
};

use super::{
    Filter, HomeAssistant, Mqtt, Publication, QueueLimits, Reconnect, Secret, Subscription, Tls,
    Version, Will,
    address::{self, Address, Scheme, Url},
    keys,
    tls::Section,
};
use crate::serve::{
    payload::{Dialect, Format},
    topic::{NAMES, Names, Style, Template, is_filter, is_topic},
};

const MINUTE: Duration = Duration::from_secs(60);

/// The status topic where the configuration names neither one nor a will.
const STATUS_TOPIC: &str = "vscp-host/{{ifguid}}/status";

/// The first level of the topics of Home Assistant.
const PREFIX: &str = "homeassistant";

const FORMATS_OF_PUBLISH: [(&str, Format); 4] = Format::WORDS;
const FORMATS_OF_SUBSCRIBE: [(&str, Option<Format>); 5] = [
    ("auto", None),
    ("json", Some(Format::Json)),
    ("xml", Some(Format::Xml)),
    ("string", Some(Format::String)),
    ("binary", Some(Format::Binary)),
];
const DIALECTS: [(&str, Dialect); 3] = [
    ("legacy", Dialect::Legacy),
    ("ns", Dialect::Ns),
    ("both", Dialect::Both),
];

/// The bits of the subscription options of MQTT 5 (section 3.8.3.1), by the words of the daemon.
const V5_OPTIONS: [(&str, u8); 5] = [
    ("NO_LOCAL", 0x04),
    ("RETAIN_AS_PUBLISHED", 0x08),
    ("SEND_RETAIN_ALWAYS", 0x00),
    ("SEND_RETAIN_NEW", 0x10),
    ("SEND_RETAIN_NEVER", 0x20),
];

/// Reads the `mqtt` object of an entry.
pub(in crate::serve) fn read(
    node: &Node<'_>,
    warnings: &mut Warnings,
) -> Result<Mqtt, ConfigError> {
    let object = node.object()?;
    object.warn_of_unknown_keys(keys::MQTT, warnings);
    Reader {
        node,
        object,
        warnings,
        names: Names::default(),
    }
    .read()
}

struct Reader<'n, 'a, 'w> {
    node: &'n Node<'a>,
    object: Object<'a>,
    warnings: &'w mut Warnings,
    /// The names that templates may have.
    names: Names,
}

/// The defaults of topics and payloads, where an entry does not name them.
struct Defaults {
    qos: u8,
    retain: bool,
    publish: Format,
    subscribe: Option<Format>,
    dialect: Dialect,
}

impl<'a> Reader<'_, 'a, '_> {
    fn read(mut self) -> Result<Mqtt, ConfigError> {
        self.names.user_escapes = self.user_escapes()?;
        let (mut options, v5) = (self.section("mqtt-options", keys::OPTIONS)?, self.v5()?);
        let url = self.url()?;
        let alpn = self.refuse_options(&mut options)?;
        let (address, tls) = self.address(&url, alpn)?;
        let (user, password) = self.login(url)?;
        let client_id = client_id(&self.text(&["clientid", "client-id"])?, self.node)?;
        let clean_session = self
            .boolean(&["bcleansession", "clean-session"])?
            .unwrap_or(client_id.is_empty());
        let defaults = self.defaults()?;
        let style = match self.boolean(&["daemon-topics"])? {
            Some(true) => Style::Daemon,
            _ => Style::Clean,
        };
        let is_escaped = self.boolean(&["bescape-pub-topics"])?.unwrap_or(true);
        let will = self.will(is_escaped)?;
        let status_topic = self.status_topic(will.is_some())?;
        Ok(Mqtt {
            bind: match take(&mut options, &["bind-address"]) {
                Some(node) => node.string()?,
                None => self.text(&["bind"])?,
            },
            keep_alive: Duration::from_secs(
                self.integer(&["keepalive", "keep-alive"], 0..=65_535)?
                    .unwrap_or(60),
            ),
            connection_timeout: Duration::from_millis(
                self.integer(&["connection-timeout"], 100..=600_000)?
                    .unwrap_or(5000),
            ),
            version: version(&mut options, self.warnings)?,
            no_delay: match take(&mut options, &["tcp-nodelay"]) {
                Some(node) => node.boolean(self.warnings)?,
                None => true,
            },
            send_maximum: maximum(&mut options, "send-maximum", self.warnings)?,
            receive_maximum: maximum(&mut options, "receive-maximum", self.warnings)?,
            user_properties: v5,
            reconnect: self.reconnect()?,
            subscriptions: self.subscriptions(&defaults, style)?,
            publications: self.publications(&defaults, is_escaped)?,
            user_escapes: self.names.user_escapes.clone(),
            has_measurement: self.boolean(&["bjsonmeasurementblock"])?.unwrap_or(true),
            topic_defaults: self
                .boolean(&["bUseTopicForEventDefaults"])?
                .unwrap_or(false),
            filter: self.filter()?,
            queue: self.queue()?,
            home_assistant: self.home_assistant()?,
            address,
            tls,
            user,
            password,
            client_id,
            clean_session,
            will,
            status_topic,
            style,
        })
    }

    fn take(&mut self, names: &[&str]) -> Option<Node<'a>> {
        take(&mut self.object, names)
    }

    fn text(&mut self, names: &[&str]) -> Result<String, ConfigError> {
        let text = self.take(names).map(|node| node.string()).transpose()?;
        Ok(text.unwrap_or_default().trim().to_owned())
    }

    fn boolean(&mut self, names: &[&str]) -> Result<Option<bool>, ConfigError> {
        let node = self.take(names);
        node.map(|node| node.boolean(self.warnings)).transpose()
    }

    fn integer(
        &mut self,
        names: &[&str],
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>, ConfigError> {
        let node = self.take(names);
        node.map(|node| node.integer(range, self.warnings))
            .transpose()
    }

    /// Takes an object of the configuration, an empty one if it is not there.
    fn section(&mut self, name: &str, known: &[&str]) -> Result<Object<'a>, ConfigError> {
        let Some(node) = self.take(&[name]) else {
            return Ok(Object::default());
        };
        let object = node.object()?;
        object.warn_of_unknown_keys(known, self.warnings);
        Ok(object)
    }

    fn url(&mut self) -> Result<Url, ConfigError> {
        let node = self.take(&["host"]);
        let text = match &node {
            Some(node) => node.string()?,
            None => "localhost".to_owned(),
        };
        Url::parse(&text).ok_or_else(|| {
            let node = node.as_ref().unwrap_or(self.node);
            // It may have a password in it.
            node.error_found("no address", address::EXPECTED)
        })
    }

    /// Returns the broker, and what the connection trusts if it is encrypted.
    fn address(
        &mut self,
        url: &Url,
        alpn: Option<String>,
    ) -> Result<(Address, Option<Tls>), ConfigError> {
        let port = self.integer(&["port"], 1..=65_535)?.map(|port| port as u16);
        if let (Some(port), Some(other)) = (port, url.port)
            && port != other
        {
            self.warnings.at(
                self.node,
                format_args!("host has port {other}; the key port counts, {port}"),
            );
        }
        let port = port.or(url.port);
        let node = self.take(&["tls"]);
        let section = match &node {
            Some(node) => Some(Section::read(node, self.warnings)?),
            None => None,
        };
        // TLS is wanted if the `tls` object has a key that makes sense only with it. That of the
        // daemon's example has none: it only switches checks off. The port of TLS asks for it as
        // well; without a `tls` object only if `host` has no scheme.
        let is_wanted = match &section {
            Some(section) => section.asks_for_tls || port == Some(Scheme::Tls.port()),
            None => url.scheme.is_none() && port == Some(Scheme::Tls.port()),
        };
        let scheme = match (is_wanted, url.scheme) {
            (true, scheme) => scheme.unwrap_or(Scheme::Tls).encrypted(),
            (false, scheme) => scheme.unwrap_or(Scheme::Tcp),
        };
        if let (Some(node), Some(section), false) = (&node, &section, scheme.is_encrypted())
            && !section.is_empty
        {
            let found = "no cafile and nothing else that asks for TLS, so the connection is not \
                         encrypted";
            let hint = "mqtts:// in host, or cafile, would encrypt it";
            self.warnings.at_with_hint(node, found, hint);
        }
        let tls = match scheme.is_encrypted() {
            true => Some(Tls::read(
                section.unwrap_or_default(),
                self.node,
                alpn,
                self.warnings,
            )?),
            false => None,
        };
        let address = Address {
            scheme,
            host: url.host.clone(),
            port: port.unwrap_or(scheme.port()),
            path: match &*url.path {
                "" if matches!(scheme, Scheme::Ws | Scheme::Wss) => "/mqtt".to_owned(),
                path => path.to_owned(),
            },
        };
        Ok((address, tls))
    }

    fn login(&mut self, url: Url) -> Result<(String, Secret), ConfigError> {
        let user = match &*self.text(&["user", "username"])? {
            "" => url.user,
            user => user.to_owned(),
        };
        let written = self
            .take(&["password"])
            .map(|node| node.string())
            .transpose()?;
        let file = self.take(&["password-file"]);
        let password = match (file, written) {
            (Some(node), _) => {
                let path = node.string()?;
                let text = fs::read_to_string(&path).map_err(|error| {
                    node.error_found(format_args!("{path}: {error}"), "a file with the password")
                })?;
                Secret(text.lines().next().unwrap_or_default().to_owned())
            }
            (None, Some(password)) => Secret(password),
            (None, None) => url.password,
        };
        if user.is_empty() && !password.0.is_empty() {
            self.warnings.at(
                self.node,
                "there is a password, but no user to send it with",
            );
        }
        Ok((user, password))
    }

    /// Takes the options of TLS that a client has no use for, and refuses those that cannot be
    /// honoured. Returns the ALPN protocol.
    fn refuse_options(&mut self, options: &mut Object<'a>) -> Result<Option<String>, ConfigError> {
        for key in keys::OPTIONS_WITHOUT_EFFECT {
            take(options, &[key]);
        }
        for key in keys::OPTIONS_REFUSED {
            if let Some(node) = take(options, &[key])
                && !matches!(node.text(), "0" | "false" | "\"\"")
            {
                return Err(node.error("nothing: this option is not supported"));
            }
        }
        let alpn = take(options, &["tls-alpn"]).filter(|node| !node.is_blank());
        alpn.map(|node| node.string()).transpose()
    }

    fn v5(&mut self) -> Result<Vec<(String, String)>, ConfigError> {
        let mut v5 = self.section("v5", &["user-properties"])?;
        match take(&mut v5, &["user-properties"]) {
            Some(node) => Ok(strings(&node)?.into_iter().collect()),
            None => Ok(Vec::new()),
        }
    }

    fn user_escapes(&mut self) -> Result<BTreeMap<String, String>, ConfigError> {
        match self.take(&["user-escapes"]) {
            Some(node) => strings(&node),
            None => Ok(BTreeMap::new()),
        }
    }

    fn defaults(&mut self) -> Result<Defaults, ConfigError> {
        Ok(Defaults {
            qos: self.integer(&["qos"], 0..=2)?.unwrap_or(0) as u8,
            retain: self.boolean(&["bretain", "retain"])?.unwrap_or(false),
            publish: match self.take(&["publish-format"]) {
                Some(node) => publish_format(&node, self.warnings)?,
                None => Format::Json,
            },
            subscribe: match self.take(&["subscribe-format"]) {
                Some(node) => node.choice(&FORMATS_OF_SUBSCRIBE)?,
                None => None,
            },
            dialect: match self.take(&["dialect"]) {
                Some(node) => node.choice(&DIALECTS)?,
                None => Dialect::Legacy,
            },
        })
    }

    /// Reads a template and warns of names that it cannot have.
    fn template(&mut self, node: &Node<'_>) -> Result<Template, ConfigError> {
        let text = node.string()?;
        let template = Template::parse(text.trim());
        let template = template
            .map_err(|error| node.error_found(error, "a topic, with names like {{guid}} in it"))?;
        for name in template.names().filter(|name| !self.names.has(name)) {
            let known: Vec<_> = NAMES.to_vec();
            let hint = vscpl2drv_websocksrv::located_json::nearest(name, &known);
            let hint = hint.map(|known| format!("did you mean {{{{{known}}}}}?"));
            let found = format_args!("{{{{{name}}}}} is unknown and left empty");
            self.warnings
                .at_with_hint(node, found, hint.unwrap_or_default());
        }
        Ok(template)
    }

    /// Reads the topic of something that is published.
    fn topic(
        &mut self,
        owner: &Node<'_>,
        object: &mut Object<'a>,
        is_escaped: bool,
    ) -> Result<Template, ConfigError> {
        let node = required_topic(owner, object)?;
        let text = node.string()?;
        if !is_topic(text.trim()) {
            return Err(node.error("a topic without the wildcards + and #"));
        }
        match is_escaped {
            true => self.template(&node),
            false => Ok(Template::literal(text.trim())),
        }
    }

    fn will(&mut self, is_escaped: bool) -> Result<Option<Will>, ConfigError> {
        let Some(node) = self.take(&["will"]) else {
            return Ok(None);
        };
        let mut object = node.object()?;
        object.warn_of_unknown_keys(keys::WILL, self.warnings);
        let has = |name| object.get(&[name]).is_some_and(|node| !node.is_blank());
        // The daemon sends none if one of them is empty.
        if !has("topic") || !has("payload") {
            return Ok(None);
        }
        let topic = self.topic(&node, &mut object, is_escaped)?;
        Ok(Some(Will {
            topic,
            payload: match take(&mut object, &["payload"]) {
                Some(node) if node.is_string() => node.string()?,
                Some(node) => node.text().to_owned(),
                None => String::new(),
            },
            qos: qos(&mut object, self.warnings)?.unwrap_or(1),
            retain: retain(&mut object, self.warnings)?.unwrap_or(true),
        }))
    }

    fn status_topic(&mut self, has_will: bool) -> Result<Option<Template>, ConfigError> {
        match self.take(&["status-topic"]) {
            Some(node) if node.is_blank() || node.is("false") => Ok(None),
            Some(node) => {
                if !is_topic(node.string()?.trim()) {
                    return Err(node.error("a topic without the wildcards + and #"));
                }
                self.template(&node).map(Some)
            }
            None if has_will => Ok(None),
            None => Ok(Template::parse(STATUS_TOPIC).ok()),
        }
    }

    fn subscriptions(
        &mut self,
        defaults: &Defaults,
        style: Style,
    ) -> Result<Vec<Subscription>, ConfigError> {
        let mut subscriptions = Vec::new();
        for node in self.entries("subscribe")? {
            let mut object = node.object()?;
            object.warn_of_unknown_keys(keys::SUBSCRIBE, self.warnings);
            let topic = required_topic(&node, &mut object)?;
            let template = self.template(&topic)?;
            let mut shown = String::new();
            template.render(style, &mut shown, |_, out| {
                out.push('x');
                true
            });
            if !is_filter(&shown) {
                return Err(topic.error("a topic filter: + and # alone in their level, # last"));
            }
            subscriptions.push(Subscription {
                topic: template,
                qos: qos(&mut object, self.warnings)?.unwrap_or(defaults.qos),
                format: match take(&mut object, &["format"]) {
                    Some(node) => node.choice(&FORMATS_OF_SUBSCRIBE)?,
                    None => defaults.subscribe,
                },
                options: match take(&mut object, &["v5-options"]) {
                    Some(node) => Some(v5_options(&node, self.warnings)?),
                    None => None,
                },
                ignore_own: match take(&mut object, &["ignore-own"]) {
                    Some(node) => node.boolean(self.warnings)?,
                    None => false,
                },
            });
        }
        Ok(subscriptions)
    }

    fn publications(
        &mut self,
        defaults: &Defaults,
        is_escaped: bool,
    ) -> Result<Vec<Publication>, ConfigError> {
        let mut publications = Vec::new();
        for node in self.entries("publish")? {
            let mut object = node.object()?;
            object.warn_of_unknown_keys(keys::PUBLISH, self.warnings);
            publications.push(Publication {
                topic: self.topic(&node, &mut object, is_escaped)?,
                qos: qos(&mut object, self.warnings)?.unwrap_or(defaults.qos),
                retain: retain(&mut object, self.warnings)?.unwrap_or(defaults.retain),
                format: match take(&mut object, &["format"]) {
                    Some(node) => publish_format(&node, self.warnings)?,
                    None => defaults.publish,
                },
                dialect: match take(&mut object, &["dialect"]) {
                    Some(node) => node.choice(&DIALECTS)?,
                    None => defaults.dialect,
                },
            });
        }
        Ok(publications)
    }

    fn entries(&mut self, name: &str) -> Result<Vec<Node<'a>>, ConfigError> {
        self.take(&[name])
            .map_or(Ok(Vec::new()), |node| node.elements())
    }

    fn reconnect(&mut self) -> Result<Reconnect, ConfigError> {
        let mut object = self.section("reconnect", keys::RECONNECT)?;
        // The delay grows and is jittered in any case.
        take(&mut object, &["exponential-backoff"]);
        let mut seconds = |name, default| match take(&mut object, &[name]) {
            Some(node) => node
                .integer(1..=3600, self.warnings)
                .map(Duration::from_secs),
            None => Ok(default),
        };
        let delay = seconds("delay", Duration::from_secs(2))?;
        let max = seconds("delay-max", MINUTE)?;
        Ok(Reconnect {
            delay,
            max: max.max(delay),
        })
    }

    fn filter(&mut self) -> Result<Filter, ConfigError> {
        let mut object = self.section("filter", keys::FILTER)?;
        let mut number = |name: &str, max| match take(&mut object, &[name]) {
            Some(node) => node.integer(0..=max, self.warnings),
            None => Ok(0),
        };
        let mut filter = Filter {
            priority: (
                number("priority-filter", 7)? as u8,
                number("priority-mask", 7)? as u8,
            ),
            class: (
                number("class-filter", 65_535)? as u16,
                number("class-mask", 65_535)? as u16,
            ),
            kind: (
                number("type-filter", 65_535)? as u16,
                number("type-mask", 65_535)? as u16,
            ),
            ..Filter::default()
        };
        for (name, bytes) in [
            ("guid-filter", &mut filter.guid.0),
            ("guid-mask", &mut filter.guid.1),
        ] {
            if let Some(node) = take(&mut object, &[name]).filter(|node| !node.is_blank()) {
                let guid: Guid = node.parsed(str::parse)?;
                *bytes = guid.0;
            }
        }
        Ok(filter)
    }

    fn home_assistant(&mut self) -> Result<Option<HomeAssistant>, ConfigError> {
        let Some(node) = self.take(&["home-assistant"]) else {
            return Ok(None);
        };
        if !node.is_object() {
            let is_on = node.boolean(self.warnings)?;
            return Ok(is_on.then(|| HomeAssistant {
                prefix: PREFIX.to_owned(),
                names: None,
            }));
        }
        let mut object = node.object()?;
        object.warn_of_unknown_keys(keys::HOME_ASSISTANT, self.warnings);
        let is_on = match take(&mut object, &["enable"]) {
            Some(node) => node.boolean(self.warnings)?,
            None => true,
        };
        let prefix = match take(&mut object, &["prefix"]).filter(|node| !node.is_blank()) {
            Some(node) if is_topic(&node.string()?) => node.string()?,
            Some(node) => return Err(node.error("a topic without the wildcards + and #")),
            None => PREFIX.to_owned(),
        };
        let names = take(&mut object, &["names"]).filter(|node| !node.is_blank());
        let names = names.map(|node| node.string()).transpose()?;
        Ok(is_on.then_some(HomeAssistant { prefix, names }))
    }

    fn queue(&mut self) -> Result<QueueLimits, ConfigError> {
        let mut object = self.section("queue", keys::QUEUE)?;
        let mut limit = |name, range, default| match take(&mut object, &[name]) {
            Some(node) => node
                .integer(range, self.warnings)
                .map(|limit| limit as usize),
            None => Ok(default),
        };
        Ok(QueueLimits {
            messages: limit("max-events", 1..=1_000_000, 10_000)?,
            bytes: limit("max-bytes", 65_536..=1 << 30, 16 << 20)?,
        })
    }
}

/// Takes a value that is there and not null.
fn take<'a>(object: &mut Object<'a>, names: &[&str]) -> Option<Node<'a>> {
    object.take(names)
}

fn required_topic<'a>(owner: &Node<'_>, object: &mut Object<'a>) -> Result<Node<'a>, ConfigError> {
    let topic = take(object, &["topic"]);
    topic
        .filter(|node| !node.is_blank())
        .ok_or_else(|| owner.error_found("no \"topic\"", "the topic"))
}

fn qos(object: &mut Object<'_>, warnings: &mut Warnings) -> Result<Option<u8>, ConfigError> {
    let node = take(object, &["qos"]);
    let qos = node.map(|node| node.integer(0..=2, warnings)).transpose()?;
    Ok(qos.map(|qos| qos as u8))
}

fn retain(object: &mut Object<'_>, warnings: &mut Warnings) -> Result<Option<bool>, ConfigError> {
    let node = take(object, &["bretain", "retain"]);
    node.map(|node| node.boolean(warnings)).transpose()
}

/// Reads the format of a publish entry: a word, or the daemon's number for it.
fn publish_format(node: &Node<'_>, warnings: &mut Warnings) -> Result<Format, ConfigError> {
    if node.is_string() {
        return node.choice(&FORMATS_OF_PUBLISH);
    }
    let number = node.integer(0..=3, warnings)? as usize;
    Ok(Format::WORDS[number].1)
}

/// Reads the options of a subscription: words, or their sum.
fn v5_options(node: &Node<'_>, warnings: &mut Warnings) -> Result<u8, ConfigError> {
    if !node.is_string() {
        return Ok(node.integer(0..=0x2C, warnings)? as u8);
    }
    let mut options = 0;
    let text = node.string()?;
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    for word in words.filter(|word| !word.is_empty()) {
        let found = V5_OPTIONS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word));
        let names = V5_OPTIONS.map(|(name, _)| name).join(", ");
        options |= found
            .ok_or_else(|| node.error(format_args!("some of {names}")))?
            .1;
    }
    Ok(options)
}

fn version(options: &mut Object<'_>, warnings: &mut Warnings) -> Result<Version, ConfigError> {
    let Some(node) = take(options, &["protocol-version"]) else {
        return Ok(Version::V3);
    };
    match node.integer(0..=500, warnings)? {
        4 | 311 => Ok(Version::V3),
        // Brokers that know 3.1 know 3.1.1.
        3 | 310 => {
            warnings.at(&node, "3.1 is too old, 3.1.1 is used");
            Ok(Version::V3)
        }
        5 | 500 => Ok(Version::V5),
        _ => Err(node.error("311 or 500")),
    }
}

fn maximum(
    options: &mut Object<'_>,
    name: &str,
    warnings: &mut Warnings,
) -> Result<u16, ConfigError> {
    match take(options, &[name]) {
        Some(node) => Ok(node.integer(1..=65_535, warnings)? as u16),
        // A round trip for each of a few messages would be all that a connection does.
        None => Ok(500),
    }
}

/// Returns the client id with `{{rnd}}` replaced.
fn client_id(text: &str, node: &Node<'_>) -> Result<String, ConfigError> {
    if !text.contains("{{rnd}}") {
        return Ok(text.to_owned());
    }
    let number = getrandom::u64().map_err(|error| node.error_found(error, "random numbers"))?;
    Ok(text.replace("{{rnd}}", &format!("{number:016X}")))
}

/// Reads an object of strings.
fn strings(node: &Node<'_>) -> Result<BTreeMap<String, String>, ConfigError> {
    let expected = "an object of strings";
    serde_json::from_str(node.text()).map_err(|_| node.error(expected))
}

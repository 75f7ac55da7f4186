//! The keys of each object, for the check of spelling. Those without effect are known, too.

pub(super) const MQTT: &[&str] = &[
    "host",
    "port",
    "bind",
    "user",
    "username",
    "password",
    "password-file",
    "clientid",
    "client-id",
    "keepalive",
    "keep-alive",
    "connection-timeout",
    "bcleansession",
    "clean-session",
    "qos",
    "bretain",
    "retain",
    "publish-format",
    "subscribe-format",
    "dialect",
    "bjsonmeasurementblock",
    "bUseTopicForEventDefaults",
    "bfull-l2",
    "mqtt-options",
    "reconnect",
    "filter",
    "tls",
    "will",
    "status-topic",
    "subscribe",
    "bescape-pub-topics",
    "daemon-topics",
    "user-escapes",
    "publish",
    "v5",
    "queue",
    "topic-daemon-base",
    "topic-drivers",
    "topic-discovery",
    "home-assistant",
];

pub(super) const OPTIONS: &[&str] = &[
    "tcp-nodelay",
    "protocol-version",
    "receive-maximum",
    "send-maximum",
    "ssl-ctx-with-defaults",
    "tls-ocsp-required",
    "tls-use-os-certs",
    "tls-engine",
    "tls-keyform",
    "tls-kpass-sha1",
    "tls-alpn",
    "bind-address",
];

/// Options that nothing here needs; a daemon ignores them as well.
pub(super) const OPTIONS_WITHOUT_EFFECT: &[&str] = &["ssl-ctx-with-defaults", "tls-use-os-certs"];

/// Options that ask for what cannot be done: to go on without them would be less safe.
pub(super) const OPTIONS_REFUSED: &[&str] = &[
    "tls-ocsp-required",
    "tls-engine",
    "tls-keyform",
    "tls-kpass-sha1",
];

pub(super) const RECONNECT: &[&str] = &["delay", "delay-max", "exponential-backoff"];

pub(super) const TLS: &[&str] = &[
    "cafile",
    "capath",
    "certfile",
    "keyfile",
    "pwkeyfile",
    "no-hostname-checking",
    "cert-reqs",
    "version",
    "ciphers",
    "psk",
    "psk-identity",
];

/// Those of TLS that name files.
pub(super) const TLS_FILES: &[&str] = &["cafile", "capath", "certfile", "keyfile"];

pub(super) const WILL: &[&str] = &["topic", "qos", "retain", "bretain", "payload"];

pub(super) const SUBSCRIBE: &[&str] = &["topic", "qos", "v5-options", "format", "ignore-own"];

pub(super) const PUBLISH: &[&str] = &["topic", "qos", "bretain", "retain", "format", "dialect"];

pub(super) const FILTER: &[&str] = &[
    "priority-filter",
    "priority-mask",
    "class-filter",
    "class-mask",
    "type-filter",
    "type-mask",
    "guid-filter",
    "guid-mask",
];

pub(super) const QUEUE: &[&str] = &["max-events", "max-bytes"];

pub(super) const HOME_ASSISTANT: &[&str] = &["enable", "prefix", "names"];

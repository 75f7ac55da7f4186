//! The keys of the configuration itself.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use super::{
    Group, Table,
    kind::{Choice, Flag, NoEffect, Number, OneOrMore, Optional, Special, Text},
    monitoring::{
        ENABLE_HEALTH, HISTORY, METRICS, METRICS_ALLOW, METRICS_MEASUREMENTS, NAMES, URL_HEALTH,
    },
    row::Row,
};
use crate::{
    event::{Guid, Layout, MAX_DATA, json::Keys},
    http::{Listen, PanelLogin},
};

/// The largest value of keys that count things or bytes. A larger one is taken for a mistake.
const MAX_COUNT: u64 = 1 << 24;

/// The longest time, a year.
const MAX_SECONDS: u64 = 365 * 86_400;

pub(crate) static INTERFACE: Row<OneOrMore<Listen>> = Row::new(
    &["interface"],
    OneOrMore(Text::parsed()),
    "\"ws://localhost:8884\"",
    "The address to listen on, or a list of addresses.",
)
.manual(
    "`ws://`HOST`:`PORT; HOST is a name, an IPv4 address, an IPv6 address in brackets, or `*` for \
     all addresses. Prefix and port may be missing; `http://` is the same as `ws://`. `wss://` and \
     `https://` ask for TLS and need the key `tls`. A link-local address has its network interface \
     behind it, by name or number: `[fe80::1%eth0]`. An address that the machine does not have yet, \
     and a name that cannot be looked up within 2 seconds, are waited for while the driver runs, \
     and the log names them. A port that is taken or forbidden keeps the driver from opening.",
)
.empty_is_not_set();

pub(crate) static ENABLE_WS1: Row<Flag> = Row::new(
    &["enable-ws1"],
    Flag,
    "true",
    "Whether the protocol ws1 is served.",
);

pub(crate) static ENABLE_WS2: Row<Flag> = Row::new(
    &["enable-ws2"],
    Flag,
    "true",
    "Whether the protocol ws2 is served.",
);

pub(crate) static URL_WS1: Row<Text<String>> = Row::new(
    &["url-ws1"],
    Text(url_path),
    "\"/ws1\"",
    "The path of ws1; a leading / may be missing.",
)
.empty_is_not_set();

pub(crate) static URL_WS2: Row<Text<String>> = Row::new(
    &["url-ws2"],
    Text(url_path),
    "\"/ws2\"",
    "The path of ws2; a leading / may be missing.",
)
.empty_is_not_set();

pub(crate) static HOST_NAMES: Row<OneOrMore<String>> = Row::new(
    &["host-names"],
    OneOrMore(Text(host_name)),
    "[]",
    "Further names, a string or a list, by which clients call a server that listens on addresses of \
     this machine alone.",
)
.manual(
    "A browser on the machine could be made to use such a server for a page of another site, whose \
     name the header Host has then: the answer to other names is HTTP status 421, but not if a \
     websocket has no header Origin, which every browser sends. `localhost`, addresses and the \
     names in `interface` need not be listed; `*` stands for any name. A proxy on the machine that \
     passes the Host of its clients on needs an entry.",
);

pub(crate) static ORIGINS: Row<Optional<OneOrMore<String>>> = Row::new(
    &["origins"],
    Optional(OneOrMore(Text(origin))),
    "any",
    "The values of the header Origin, a string or a list, that may open a websocket.",
)
.manual("`*` stands for any. A client without that header is no browser, and may connect.");

pub(crate) static KEY_FILE: Row<Optional<Text<String>>> = Row::new(
    &["key-file"],
    Optional(Text(text)),
    "none; needed",
    "The file with the login key: hexadecimal text, of which the first 32 digits are the AES-128 \
     key that all clients share.",
)
.manual(
    "`vscpl2drv-websocksrv key` makes one. A file that everybody can read is a warning. A file \
     that is missing or has too few digits keeps the driver from opening.",
)
.empty_is_refused()
.secret();

pub(crate) static ALLOW_DEFAULT_KEY: Row<Flag> = Row::new(
    &["allow-default-key"],
    Flag,
    "false",
    "Whether the key that everybody knows (2DBB079A38985AF00EBEEFE22F9FFA0E) is used, with a \
     warning, if there is no usable key file.",
)
.manual("For trying things out only.");

pub(crate) static PATH_USERS: Row<Optional<Text<PathBuf>>> = Row::new(
    &["path-users"],
    Optional(Text::path()),
    "none",
    "The users file, see USERS.",
)
.manual(
    "It is read again when it has changed. If it is missing, nobody can log in until it is there; \
     the log has a warning.",
)
.empty_is_refused();

pub(crate) static USERS: Row<Special> = Row::new(
    &["users"],
    Special,
    "none",
    "The list of users itself, in place of a file.",
)
.secret();

pub(crate) static AUTH_TIMEOUT: Row<Number<Duration>> = Row::new(
    &["auth-timeout"],
    Number::seconds(1..=MAX_SECONDS),
    "30",
    "The time in which a client must log in.",
);

pub(crate) static MAX_AUTH_ATTEMPTS: Row<Number<u32>> = Row::new(
    &["max-auth-attempts"],
    Number::new(1..=MAX_COUNT, "", |number| {
        u32::try_from(number).unwrap_or(u32::MAX)
    }),
    "5",
    "Failed logins after which a connection is closed.",
)
.manual(
    "Logins by REST and by pages are refused after as many failures with the same name and from the \
     same address in a minute, but no more than 16.",
);

pub(crate) static MAX_AUTH_CONCURRENCY: Row<Number<usize>> = Row::new(
    &["max-auth-concurrency"],
    Number::count(1..=64, ""),
    "2",
    "How many passwords are checked at the same time.",
);

pub(crate) static MAX_AUTH_PENDING: Row<Number<usize>> = Row::new(
    &["max-auth-pending"],
    Number::count(4..=MAX_COUNT, ""),
    "64",
    "The most websocket clients that have not logged in, beside `max-clients`, see LIMITS.",
)
.manual("A quarter of them may come from one address.");

pub(crate) static WS1_IV: Row<Choice<bool>> = Row::new(
    &["ws1-iv"],
    Choice(&[("sid", true), ("any", false)]),
    "\"sid\"",
    "Whether the `iv` of a ws1 login must be the sid of the connection, see SECURITY.",
);

pub(crate) static WS2_IV: Row<Choice<bool>> = Row::new(
    &["ws2-iv"],
    Choice(&[("sid", true), ("any", false)]),
    "\"any\"",
    "Whether the `iv` of a ws2 login must be the sid of the connection, see SECURITY.",
);

pub(crate) static PANEL_LOGIN: Row<Choice<PanelLogin>> = Row::new(
    &["panel-login"],
    Choice(&[
        ("tls", PanelLogin::Tls),
        ("any", PanelLogin::Any),
        ("off", PanelLogin::Off),
    ]),
    "\"tls\"",
    "Where a page of this server may log in with name and password instead of the login key: over \
     TLS and on this machine (`tls`), everywhere (`any`) or nowhere (`off`).",
)
.manual(
    "Without TLS whoever can read the network can read the password. A proxy on this machine counts \
     as this machine only if nothing shows that it is one: with a header that proxies add, such as \
     X-Forwarded-For, or with a header Host that is not a name of this machine, the connection \
     counts as TLS if X-Forwarded-Proto is `https`, else as one without TLS. A proxy must pass the \
     Host of its clients on, and set X-Forwarded-Proto.\n\n\
     The user needs the right `web` or `websockets`. The login is kept in a cookie until the browser \
     closes, and lasts for a day without use and at most 30 days; a user has at most 32 of them.",
);

pub(crate) static RX_FILTER: Row<Special> = Row::new(
    &["rx-filter"],
    Special,
    "all pass",
    "Which events of clients reach the daemon, see FILTERS.",
)
.empty_is_not_set()
.variable();

pub(crate) static GUID: Row<Optional<Text<Guid>>> = Row::new(
    &["guid"],
    Optional(Text::parsed()),
    "none",
    "The GUID of the driver if the daemon gives none, or zeros.",
)
.manual(
    "Without either, the GUID is FF:FF:FF:FF:FF:FF:FF:FE, the first Ethernet address, 00:00. The \
     log says which one is used. Events that clients send without a GUID get it.",
)
.empty_is_not_set();

pub(crate) static EVENT_LAYOUT: Row<Choice<Option<Layout>>> = Row::new(
    &["event-layout"],
    Choice(&[
        ("auto", None),
        ("classic", Some(Layout::Classic)),
        ("unix-ns", Some(Layout::UnixNs)),
    ]),
    "\"auto\"",
    "The layout of events at the C interface, see EVENT LAYOUTS.",
);

pub(crate) static HOST_MAX_DATA: Row<Optional<Number<usize>>> = Row::new(
    &["host-max-data"],
    Optional(Number::count(0..=MAX_DATA as u64, "bytes")),
    "128 bytes under a daemon, else 512",
    "The most data bytes that an event of a client may have, see LARGE EVENTS.",
);

pub(crate) static ECHO_FILTER: Row<Flag> = Row::new(
    &["echo-filter"],
    Flag,
    "true",
    "Whether an event that the driver has given to the daemon and that comes back within 2 seconds \
     (same GUID, class, type and data) is recognised and not delivered again.",
)
.manual("A daemon that publishes to and subscribes to the same MQTT topic sends such events.");

pub(crate) static MAX_CLIENTS: Row<Number<usize>> = Row::new(
    &["max-clients"],
    Number::count(0..=MAX_COUNT, ""),
    "100",
    "The largest number of websocket clients that are logged in at the same time, 0 for as many as the \
     open files of the process allow.",
)
.manual("One more is answered with HTTP status 503. REST sessions have the same limit.");

pub(crate) static MAX_CLIENTS_PER_ADDRESS: Row<Number<usize>> = Row::new(
    &["max-clients-per-address"],
    Number::count(0..=MAX_COUNT, ""),
    "0",
    "The largest number of websocket clients of one address (IPv6: of a /64) that are logged in, and \
     of its REST sessions; 0 for no limit.",
);

pub(crate) static MAX_CLIENT_QUEUE_SIZE: Row<Number<usize>> = Row::new(
    &["max-client-queue-size", "max-out-queue"],
    Number::count(1..=MAX_COUNT, "events"),
    "32000",
    "Events that are kept for a client that does not take them.",
)
.zero_is_default();

/// Bytes of queues: the most is more than any machine has.
const QUEUE_BYTES: RangeInclusive<u64> = 1 << 16..=1 << 40;

pub(crate) static MAX_CLIENT_QUEUE_BYTES: Row<Number<usize>> = Row::new(
    &["max-client-queue-bytes"],
    Number::count(QUEUE_BYTES, "bytes"),
    "33554432",
    "Bytes of the events that are kept for a client that does not take them.",
);

pub(crate) static MAX_QUEUE_BYTES: Row<Number<usize>> = Row::new(
    &["max-queue-bytes"],
    Number::count(QUEUE_BYTES, "bytes"),
    "134217728",
    "Bytes of the events that are kept for all clients together.",
)
.manual(
    "An event that is kept for several clients counts once. If there are more bytes, each client \
     has an equal share of them.",
);

pub(crate) static MAX_IN_QUEUE: Row<Number<usize>> = Row::new(
    &["max-in-queue"],
    Number::count(1..=MAX_COUNT, "events"),
    "32000",
    "Events that wait for the daemon.",
)
.manual(
    "While the queue is full, clients get error 3, and the daemon does not get the events of CAN \
     buses. A daemon that has taken nothing for two seconds is not waited for: the others get the \
     events that it misses.",
);

pub(crate) static MAX_MESSAGE_SIZE: Row<Number<usize>> = Row::new(
    &["max-message-size"],
    Number::count(256..=MAX_COUNT, "bytes"),
    "16384",
    "The largest message of a client, and the largest body of a REST request.",
);

pub(crate) static PING_INTERVAL: Row<Number<Option<Duration>>> = Row::new(
    &["ping-interval"],
    Number::new(0..=MAX_SECONDS, "seconds", |seconds| {
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }),
    "30",
    "The time between pings to a client, 0 for no pings.",
);

pub(crate) static PING_TIMEOUT: Row<Number<Duration>> = Row::new(
    &["ping-timeout"],
    Number::seconds(1..=MAX_SECONDS),
    "75",
    "Silence after which a client is closed.",
);

pub(crate) static WRITE_TIMEOUT: Row<Number<Duration>> = Row::new(
    &["write-timeout"],
    Number::seconds(1..=MAX_SECONDS),
    "10",
    "The time after which a client that takes nothing is closed.",
);

pub(crate) static THREADS: Row<Number<usize>> = Row::new(
    &["threads"],
    Number::count(1..=64, ""),
    "2",
    "Worker threads.",
);

pub(crate) static WS1_AUTH_REPLY: Row<Choice<&str>> = Row::new(
    &["ws1-auth-reply"],
    Choice(&[("AUTH1", "AUTH1"), ("AUTH", "AUTH")]),
    "\"AUTH1\"",
    "The word in the reply to a ws1 login.",
);

pub(crate) static WS2_EVENT_TYPE: Row<Choice<&str>> = Row::new(
    &["ws2-event-type"],
    Choice(&[("EVENT", "EVENT"), ("E", "E")]),
    "\"EVENT\"",
    "The `type` of ws2 events.",
);

pub(crate) static WS2_EVENT_KEYS: Row<Choice<Keys>> = Row::new(
    &["ws2-event-keys"],
    Choice(&[
        ("both", Keys::Both),
        ("vscp", Keys::Vscp),
        ("short", Keys::Short),
    ]),
    "\"both\"",
    "The keys of ws2 events: `vscp` is vscpClass and so on, `short` is class and so on.",
);

pub(crate) static DEBUG: Row<Flag> = Row::new(
    &["debug"],
    Flag,
    "false",
    "True for the log level debug of all sinks that have none of their own, and for REST replies \
     that say why a login fails.",
)
.variable();

pub(crate) static LOGGING: Row<Special> = Row::new(
    &["logging"],
    Special,
    "none",
    "Where log lines go, see LOG.",
);

pub(crate) static TLS: Row<Special> = Row::new(
    &["tls"],
    Special,
    "none",
    "The certificate and the key, see TLS.",
)
.manual("Without an address of `wss://` or `https://` it is not looked at.");

pub(crate) static WRITE: Row<Flag> = Row::new(
    &["write"],
    Flag,
    "false",
    "Whether commands may change variables and save the configuration, see HIGH LEVEL OBJECTS.",
);

pub(crate) static REMOTE_VARIABLES: Row<Special> = Row::new(
    &["remote-variables"],
    Special,
    "none",
    "A server that is asked for more, see REMOTE VARIABLES.",
);

pub(crate) static SOCKETCAN: Row<Special> = Row::new(
    &["socketcan"],
    Special,
    "none",
    "One CAN bus or a list of them, see CAN BUSES.",
);

pub(crate) static ENABLE_STATIC: Row<Flag> = Row::new(
    &["enable-static"],
    Flag,
    "true",
    "Whether static files are served, see STATIC FILES.",
);

pub(crate) static WEB_ROOT: Row<Optional<Text<PathBuf>>> = Row::new(
    &["web-root"],
    Optional(Text::path()),
    "none",
    "The folder of the static files; without it the panel is served that is in the driver. The \
     driver adds /vscp.js and /vscp-widgets.js, with what they import, if they are not in it.",
)
.empty_is_not_set();

pub(crate) static ENABLE_REST: Row<Flag> = Row::new(
    &["enable-rest"],
    Flag,
    "true",
    "Whether REST is served, see REST.",
);

pub(crate) static URL_REST: Row<Text<String>> = Row::new(
    &["url-rest"],
    Text(url_path),
    "\"/rest\"",
    "The path of REST besides /vscp/rest; a leading / may be missing.",
)
.empty_is_not_set();

pub(crate) static ENABLE_JSONP: Row<Flag> = Row::new(
    &["enable-jsonp"],
    Flag,
    "true",
    "Whether REST answers as JSONP if it is asked to.",
);

pub(crate) static CORS_ORIGINS: Row<OneOrMore<String>> = Row::new(
    &["cors-origins"],
    OneOrMore(Text(origin)),
    "[]",
    "The origins, a string or a list, whose pages may read replies of REST; `*` stands for any.",
);

pub(crate) static ENCRYPTION: Row<NoEffect> = without_effect(&["encryption"]);
pub(crate) static FILTER: Row<NoEffect> = without_effect(&["filter"]);
pub(crate) static MONGOOSE_DEBUG: Row<NoEffect> = without_effect(&["mongoose-debug"]);

/// The keys of the configuration itself.
pub(crate) static TABLE: Table = Table {
    path: "",
    groups: &[
        Group {
            title: "Addresses and paths",
            rows: &[
                &INTERFACE,
                &ENABLE_WS1,
                &ENABLE_WS2,
                &URL_WS1,
                &URL_WS2,
                &HOST_NAMES,
                &ORIGINS,
            ],
        },
        Group {
            title: "Logins",
            rows: &[
                &KEY_FILE,
                &ALLOW_DEFAULT_KEY,
                &PATH_USERS,
                &USERS,
                &AUTH_TIMEOUT,
                &MAX_AUTH_ATTEMPTS,
                &MAX_AUTH_CONCURRENCY,
                &MAX_AUTH_PENDING,
                &WS1_IV,
                &WS2_IV,
                &PANEL_LOGIN,
            ],
        },
        Group {
            title: "Events",
            rows: &[
                &RX_FILTER,
                &GUID,
                &EVENT_LAYOUT,
                &HOST_MAX_DATA,
                &ECHO_FILTER,
            ],
        },
        Group {
            title: "Limits and times",
            rows: &[
                &MAX_CLIENTS,
                &MAX_CLIENTS_PER_ADDRESS,
                &MAX_CLIENT_QUEUE_SIZE,
                &MAX_CLIENT_QUEUE_BYTES,
                &MAX_QUEUE_BYTES,
                &MAX_IN_QUEUE,
                &MAX_MESSAGE_SIZE,
                &PING_INTERVAL,
                &PING_TIMEOUT,
                &WRITE_TIMEOUT,
                &THREADS,
            ],
        },
        Group {
            title: "Dialects of clients",
            rows: &[&WS1_AUTH_REPLY, &WS2_EVENT_TYPE, &WS2_EVENT_KEYS],
        },
        Group {
            title: "Log and TLS",
            rows: &[&DEBUG, &LOGGING, &TLS],
        },
        Group {
            title: "Changes at run time",
            rows: &[&WRITE],
        },
        Group {
            title: "Other sources of events and settings",
            rows: &[&REMOTE_VARIABLES, &SOCKETCAN],
        },
        Group {
            title: "Pages, REST and metrics",
            rows: &[
                &ENABLE_STATIC,
                &WEB_ROOT,
                &ENABLE_REST,
                &URL_REST,
                &ENABLE_JSONP,
                &CORS_ORIGINS,
                &HISTORY,
                &NAMES,
                &METRICS,
                &METRICS_ALLOW,
                &METRICS_MEASUREMENTS,
                &ENABLE_HEALTH,
                &URL_HEALTH,
            ],
        },
        Group {
            title: "Keys without effect",
            rows: &[&ENCRYPTION, &FILTER, &MONGOOSE_DEBUG],
        },
    ],
};

/// The keys that do nothing.
pub(crate) static WITHOUT_EFFECT: [&Row<NoEffect>; 3] = [&ENCRYPTION, &FILTER, &MONGOOSE_DEBUG];

const fn without_effect(names: &'static [&'static str]) -> Row<NoEffect> {
    Row::new(
        names,
        NoEffect,
        "no effect",
        "A key of the C++ driver; the log says that it has no effect.",
    )
}

/// Reads the path of a URL.
pub(super) fn url_path(text: &str) -> Result<String, String> {
    let path = text.trim();
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#');
    if path.is_empty() || !path.chars().all(is_plain) {
        Err("the path of a URL, as in \"/ws1\"".to_owned())
    } else if path.starts_with('/') {
        Ok(path.to_owned())
    } else {
        Ok(format!("/{path}"))
    }
}

/// Reads the name of a host, without a port.
fn host_name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text == "*" || (!text.is_empty() && text.chars().all(is_plain)) {
        Ok(text.to_owned())
    } else {
        Err("the name of a host, as in \"panel.example\"".to_owned())
    }
}

fn origin(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

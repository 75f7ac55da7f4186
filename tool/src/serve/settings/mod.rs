//! The `mqtt` object of a driver's entry.
//!
//! All keys that vscpd.json has are known, with the meaning that the daemon's manual gives them.

mod address;
mod keys;
mod read;
mod tls;

use std::{collections::BTreeMap, time::Duration};

pub(super) use self::{
    address::{Address, Scheme},
    read::read,
    tls::Tls,
};
use super::{
    payload::{Dialect, Format},
    topic::{Style, Template},
};

/// How a driver is connected to a broker.
#[derive(Clone, Debug)]
pub(super) struct Mqtt {
    /// The broker.
    pub(super) address: Address,
    /// The settings of TLS, `None` for a connection that is not encrypted.
    pub(super) tls: Option<Tls>,
    /// The local address of the connection, empty for any.
    pub(super) bind: String,
    /// User and password, an empty user for none.
    pub(super) user: String,
    /// The password.
    pub(super) password: Secret,
    /// The client id, empty if the broker is to give one.
    pub(super) client_id: String,
    /// The longest silence of the connection.
    pub(super) keep_alive: Duration,
    /// How long connecting may take.
    pub(super) connection_timeout: Duration,
    /// True if the broker forgets subscriptions and messages between connections.
    pub(super) clean_session: bool,
    /// The version of the protocol.
    pub(super) version: Version,
    /// Small packets are sent at once.
    pub(super) no_delay: bool,
    /// Messages of QoS 1 and 2 that the broker has not confirmed.
    pub(super) send_maximum: u16,
    /// Messages of QoS 1 and 2 that the broker may send without confirmation (MQTT 5).
    pub(super) receive_maximum: u16,
    /// Properties of the connection (MQTT 5).
    pub(super) user_properties: Vec<(String, String)>,
    /// When a lost connection is tried again.
    pub(super) reconnect: Reconnect,
    /// The will of the old keys.
    pub(super) will: Option<Will>,
    /// The topic that says `online` or `offline`, `None` for none.
    pub(super) status_topic: Option<Template>,
    /// The topics whose events the driver is given.
    pub(super) subscriptions: Vec<Subscription>,
    /// Where events of the driver go.
    pub(super) publications: Vec<Publication>,
    /// How topics are rendered.
    pub(super) style: Style,
    /// Names that templates may have besides the known ones.
    pub(super) user_escapes: BTreeMap<String, String>,
    /// True if JSON has the value of a measurement.
    pub(super) has_measurement: bool,
    /// True if the topic says GUID, class and type where an event does not.
    pub(super) topic_defaults: bool,
    /// Which events of the broker the driver is given.
    pub(super) filter: Filter,
    /// The limits of the queue for the broker.
    pub(super) queue: QueueLimits,
    /// Home Assistant, `None` if it is told nothing.
    pub(super) home_assistant: Option<HomeAssistant>,
}

/// A text that is not shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Secret(pub(super) String);

/// A version of MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// 3.1.1
    V3,
    /// 5
    V5,
}

/// When a lost connection is tried again: after `delay`, then after twice as long, up to `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reconnect {
    pub(super) delay: Duration,
    pub(super) max: Duration,
}

/// A message that the broker sends when the connection is lost.
#[derive(Clone, Debug)]
pub(super) struct Will {
    pub(super) topic: Template,
    pub(super) payload: String,
    pub(super) qos: u8,
    pub(super) retain: bool,
}

/// A topic filter whose messages the driver is given.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) topic: Template,
    pub(super) qos: u8,
    /// `None` to find out by the payload.
    pub(super) format: Option<Format>,
    /// The options of MQTT 5 as the packet has them, without the QoS. `None` for what suits a driver.
    pub(super) options: Option<u8>,
    /// True if events with the GUID of the driver are dropped.
    pub(super) ignore_own: bool,
}

/// A topic that events of the driver are published to.
#[derive(Clone, Debug)]
pub(super) struct Publication {
    pub(super) topic: Template,
    pub(super) qos: u8,
    pub(super) retain: bool,
    pub(super) format: Format,
    pub(super) dialect: Dialect,
}

/// A filter by masks, as VSCP has it: where a bit of a mask is set an event must have that of the
/// filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) priority: (u8, u8),
    pub(super) class: (u16, u16),
    pub(super) kind: (u16, u16),
    pub(super) guid: ([u8; 16], [u8; 16]),
}

/// How Home Assistant is told what there is.
#[derive(Clone, Debug)]
pub(super) struct HomeAssistant {
    /// The first levels of the topics.
    pub(super) prefix: String,
    /// A file with names of nodes and sensors, as the driver has it.
    pub(super) names: Option<String>,
}

/// The bounds of what waits for the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QueueLimits {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("...")
    }
}

impl Filter {
    /// Returns true if an event passes.
    pub(super) fn passes(&self, event: &vscpl2drv_websocksrv::event::Event) -> bool {
        let (guid, mask) = &self.guid;
        let mut bytes = event.guid.0.iter().zip(guid).zip(mask);
        (event.priority() ^ self.priority.0) & self.priority.1 == 0
            && (event.class ^ self.class.0) & self.class.1 == 0
            && (event.kind ^ self.kind.0) & self.kind.1 == 0
            && bytes.all(|((byte, wanted), mask)| (byte ^ wanted) & mask == 0)
    }
}

#[cfg(test)]
mod tests;

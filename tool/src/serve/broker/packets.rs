//! The packets of both versions of MQTT.

use mqtt_protocol_core::mqtt::{
    packet::{
        Packet, Property, Qos, RetainHandling, SessionExpiryInterval, SubEntry, SubOpts,
        UserProperty, v3_1_1, v5_0,
    },
    result_code::MqttError,
};

use crate::serve::{
    outbox::Message,
    settings::{Mqtt, Version},
};

/// A session that the broker keeps for ever, as those of MQTT 3.1.1 are.
const FOR_EVER: u32 = u32::MAX;

/// A topic filter with its options.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) topic: String,
    pub(super) qos: u8,
    /// The options of MQTT 5, `None` for what suits a driver.
    pub(super) options: Option<u8>,
}

pub(super) fn connect(
    mqtt: &Mqtt,
    will: Option<&Message>,
    receive_maximum: u16,
) -> Result<Packet, MqttError> {
    let keep_alive = mqtt.keep_alive.as_secs() as u16;
    // MQTT 3.1.1 has no session that lasts without an id of the client.
    let is_clean = mqtt.clean_session || mqtt.client_id.is_empty();
    match mqtt.version {
        Version::V3 => {
            let mut packet = v3_1_1::Connect::builder()
                .client_id(&*mqtt.client_id)?
                .clean_session(is_clean)
                .keep_alive(keep_alive);
            if let Some(will) = will {
                let (topic, payload) = (&*will.topic, will.payload.clone());
                packet = packet.will_message(topic, payload, qos(will.qos), will.retain)?;
            }
            if !mqtt.user.is_empty() {
                packet = packet.user_name(&*mqtt.user)?;
                if !mqtt.password.0.is_empty() {
                    packet = packet.password(mqtt.password.0.clone().into_bytes())?;
                }
            }
            Ok(packet.build()?.into())
        }
        Version::V5 => {
            let mut properties: Vec<Property> = mqtt
                .user_properties
                .iter()
                .map(|(key, value)| Ok(UserProperty::new(&**key, &**value)?.into()))
                .collect::<Result<_, MqttError>>()?;
            if !is_clean {
                properties.push(SessionExpiryInterval::new(FOR_EVER)?.into());
            }
            let maximum = mqtt_protocol_core::mqtt::packet::ReceiveMaximum::new(receive_maximum)?;
            properties.push(maximum.into());
            let mut packet = v5_0::Connect::builder()
                .client_id(&*mqtt.client_id)?
                .clean_start(is_clean)
                .keep_alive(keep_alive)
                .props(properties);
            if let Some(will) = will {
                let (topic, payload) = (&*will.topic, will.payload.clone());
                packet = packet.will_message(topic, payload, qos(will.qos), will.retain)?;
            }
            if !mqtt.user.is_empty() {
                packet = packet.user_name(&*mqtt.user)?;
                if !mqtt.password.0.is_empty() {
                    packet = packet.password(mqtt.password.0.clone().into_bytes())?;
                }
            }
            Ok(packet.build()?.into())
        }
    }
}

pub(super) fn publish(
    version: Version,
    message: &Message,
    id: Option<u16>,
) -> Result<Packet, MqttError> {
    match version {
        Version::V3 => {
            let packet = v3_1_1::Publish::builder()
                .topic_name(&*message.topic)?
                .qos(qos(message.qos))
                .retain(message.retain)
                .packet_id(id)
                .payload(&*message.payload);
            Ok(packet.build()?.into())
        }
        Version::V5 => {
            let packet = v5_0::Publish::builder()
                .topic_name(&*message.topic)?
                .qos(qos(message.qos))
                .retain(message.retain)
                .packet_id(id)
                .payload(&*message.payload);
            Ok(packet.build()?.into())
        }
    }
}

pub(super) fn subscribe(
    version: Version,
    filters: &[Filter],
    id: u16,
) -> Result<Packet, MqttError> {
    let entries = filters.iter().map(|filter| {
        let options = match version {
            Version::V3 => SubOpts::new().set_qos(qos(filter.qos)),
            Version::V5 => options(filter),
        };
        SubEntry::new(&*filter.topic, options)
    });
    let entries = entries.collect::<Result<Vec<_>, _>>()?;
    match version {
        Version::V3 => Ok(v3_1_1::Subscribe::builder()
            .entries(entries)
            .packet_id(id)
            .build()?
            .into()),
        Version::V5 => Ok(v5_0::Subscribe::builder()
            .entries(entries)
            .packet_id(id)
            .build()?
            .into()),
    }
}

pub(super) fn unsubscribe(
    version: Version,
    filters: &[String],
    id: u16,
) -> Result<Packet, MqttError> {
    let entries: Vec<&str> = filters.iter().map(|filter| &**filter).collect();
    match version {
        Version::V3 => Ok(v3_1_1::Unsubscribe::builder()
            .entries(entries)?
            .packet_id(id)
            .build()?
            .into()),
        Version::V5 => Ok(v5_0::Unsubscribe::builder()
            .entries(entries)?
            .packet_id(id)
            .build()?
            .into()),
    }
}

pub(super) fn disconnect(version: Version) -> Result<Packet, MqttError> {
    match version {
        Version::V3 => Ok(v3_1_1::Disconnect::builder().build()?.into()),
        Version::V5 => Ok(v5_0::Disconnect::builder().build()?.into()),
    }
}

pub(super) fn qos(number: u8) -> Qos {
    match number {
        0 => Qos::AtMostOnce,
        1 => Qos::AtLeastOnce,
        _ => Qos::ExactlyOnce,
    }
}

/// Returns the options of a subscription of MQTT 5. Own messages are not sent back, but those of a
/// shared subscription, where the standard forbids that option.
fn options(filter: &Filter) -> SubOpts {
    let is_shared = filter.topic.starts_with("$share/");
    let options = filter.options.unwrap_or(if is_shared { 0 } else { 0x04 });
    SubOpts::new()
        .set_qos(qos(filter.qos))
        .set_nl(options & 0x04 != 0 && !is_shared)
        .set_rap(options & 0x08 != 0)
        .set_rh(match options >> 4 & 3 {
            0 => RetainHandling::SendRetained,
            1 => RetainHandling::SendRetainedIfNotExists,
            _ => RetainHandling::DoNotSendRetained,
        })
}

//! The MQTT side of a connection, without sockets: bytes of the broker in, bytes for it out.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use mqtt_protocol_core::mqtt::{
    Connection,
    common::Cursor,
    connection::{Event, TimerKind},
    packet::{GenericPacketTrait, Packet, Property},
    result_code::{ConnectReasonCode, MqttError},
    role::Client,
};

use super::{
    framer::{Framer, MalformedLength},
    packets::{self, Filter},
};
use crate::serve::{
    outbox::Message,
    recent::Delivery,
    settings::{Mqtt, Version},
};

/// How long the broker may take to answer a ping.
const PING_TIMEOUT_MS: u64 = 10_000;

/// A packet of the broker, as far as it concerns the connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// The connection is accepted. `keeps_session`: the broker has kept the session.
    Connected { keeps_session: bool },
    /// The connection is refused.
    Refused(String),
    /// A message.
    Message(Delivery),
    /// An answer to the subscriptions, with what was refused by its index.
    Subscribed { refused: Vec<usize> },
    /// The answer to the end of the subscriptions.
    Unsubscribed,
    /// The broker ends the connection.
    Disconnected(String),
}

/// Why a session cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    /// The broker, or the other end, does not keep to MQTT.
    #[error("the broker does not speak MQTT as expected: {0}")]
    Protocol(MqttError),
    #[error("the broker does not speak MQTT as expected: {0}")]
    Length(#[from] MalformedLength),
    /// Nothing comes any more.
    #[error("the broker does not answer")]
    Silent,
}

/// A message that was sent, and that the broker has not confirmed.
struct Unconfirmed {
    /// Its packet id.
    id: u16,
    /// When it was sent first.
    sent: Instant,
    message: Message,
}

/// A session with a broker, which may outlive connections.
///
/// Call `connect` first for each connection, then `receive` with what comes, and send what is in
/// `out` after each call. Call `lost` when the connection has ended.
pub(super) struct Session {
    version: Version,
    connection: Connection<Client>,
    framer: Framer,
    /// Bytes of the broker that are not read yet.
    passed: Vec<u8>,
    /// Bytes for the broker.
    pub(super) out: Vec<u8>,
    /// Messages that the broker has not confirmed, in the order of their first sending.
    unconfirmed: BTreeMap<u64, Unconfirmed>,
    /// Those that it has confirmed since they were taken last.
    confirmed: Vec<Message>,
    /// The key of the next message in `unconfirmed`.
    next_number: u64,
    /// How many messages may be unconfirmed at a time.
    send_maximum: u16,
    /// The highest QoS that the broker accepts.
    max_qos: u8,
    /// True if the broker accepts retained messages.
    takes_retained: bool,
    timers: [Option<Instant>; 2],
    /// Messages that MQTT or the broker does not allow.
    pub(super) unsendable: u64,
}

impl Session {
    pub(super) fn new(mqtt: &Mqtt) -> Self {
        use mqtt_protocol_core::mqtt::Version as V;
        let version = match mqtt.version {
            Version::V3 => V::V3_1_1,
            Version::V5 => V::V5_0,
        };
        let mut connection = Connection::new(version);
        connection.set_auto_ping_response(true);
        connection.set_pingresp_recv_timeout(PING_TIMEOUT_MS);
        Self {
            version: mqtt.version,
            connection,
            framer: Framer::default(),
            passed: Vec::new(),
            out: Vec::new(),
            unconfirmed: BTreeMap::new(),
            confirmed: Vec::new(),
            next_number: 0,
            send_maximum: mqtt.send_maximum,
            max_qos: 2,
            takes_retained: true,
            timers: [None; 2],
            unsendable: 0,
        }
    }

    /// Begins a connection.
    pub(super) fn connect(
        &mut self,
        mqtt: &Mqtt,
        will: Option<&Message>,
    ) -> Result<(), SessionError> {
        self.connection.set_auto_pub_response(true);
        self.framer = Framer::default();
        self.passed.clear();
        self.out.clear();
        self.send_maximum = mqtt.send_maximum;
        self.max_qos = 2;
        self.takes_retained = true;
        let packet = packets::connect(mqtt, will, mqtt.receive_maximum);
        let packet = packet.map_err(SessionError::Protocol)?;
        self.send(packet)
    }

    /// Ends a connection. Returns the messages that are to be sent again as new ones, because no
    /// session keeps them.
    pub(super) fn lost(&mut self, keeps_session: bool) -> Vec<Message> {
        self.connection.notify_closed();
        self.timers = [None; 2];
        self.out.clear();
        match keeps_session {
            true => Vec::new(),
            false => self.take_unconfirmed(),
        }
    }

    /// Returns the messages that a new session of the broker does not know.
    pub(super) fn take_unconfirmed(&mut self) -> Vec<Message> {
        let messages = std::mem::take(&mut self.unconfirmed);
        messages.into_values().map(|sent| sent.message).collect()
    }

    /// Returns true if a message can be sent now.
    pub(super) fn has_room(&self) -> bool {
        self.unconfirmed.len() < usize::from(self.send_maximum)
    }

    /// Returns how many messages are not confirmed.
    pub(super) fn unconfirmed(&self) -> usize {
        self.unconfirmed.len()
    }

    /// Returns the messages that were confirmed since the last call.
    pub(super) fn take_confirmed(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.confirmed)
    }

    /// Returns true if an equal message was sent more than `age` ago and is not confirmed yet. A
    /// broker may send a message back before it confirms it.
    pub(super) fn is_overdue(&self, topic: &str, payload: &[u8], age: Duration) -> bool {
        // The oldest come first: the search ends at the first message that is younger than `age`,
        // which is the very first one if the broker keeps up.
        let messages = self.unconfirmed.values();
        let mut overdue = messages.take_while(|one| one.sent.elapsed() > age);
        overdue.any(|one| one.message.topic == topic && one.message.payload == payload)
    }

    /// Sends a message.
    pub(super) fn publish(&mut self, mut message: Message) -> Result<(), SessionError> {
        message.qos = message.qos.min(self.max_qos);
        message.retain &= self.takes_retained;
        let id = match message.qos {
            0 => None,
            _ => match self.connection.acquire_packet_id() {
                Ok(id) => Some(id),
                Err(error) => return Err(SessionError::Protocol(error)),
            },
        };
        let Ok(packet) = packets::publish(self.version, &message, id) else {
            self.unsendable += 1;
            if let Some(id) = id {
                let _ = self.connection.release_packet_id(id);
            }
            return Ok(());
        };
        let number = self.next_number;
        if let Some(id) = id {
            self.next_number += 1;
            let sent = Instant::now();
            self.unconfirmed
                .insert(number, Unconfirmed { id, sent, message });
        }
        let mut is_refused = false;
        for event in self.connection.send(packet) {
            is_refused |= matches!(event, Event::NotifyError(_));
            self.handle_sent(event);
        }
        if is_refused {
            // Larger than the broker takes.
            self.unsendable += 1;
            self.unconfirmed.remove(&number);
        }
        Ok(())
    }

    /// Subscribes.
    pub(super) fn subscribe(&mut self, filters: &[Filter]) -> Result<(), SessionError> {
        let id = self.packet_id()?;
        let packet = packets::subscribe(self.version, filters, id);
        self.send(packet.map_err(SessionError::Protocol)?)
    }

    /// Ends subscriptions.
    pub(super) fn unsubscribe(&mut self, filters: &[String]) -> Result<(), SessionError> {
        let id = self.packet_id()?;
        let packet = packets::unsubscribe(self.version, filters, id);
        self.send(packet.map_err(SessionError::Protocol)?)
    }

    /// Confirms no more messages: those that come from now on are for the next connection.
    pub(super) fn stop_confirming(&mut self) {
        self.connection.set_auto_pub_response(false);
    }

    /// Says that the connection ends.
    pub(super) fn disconnect(&mut self) -> Result<(), SessionError> {
        let packet = packets::disconnect(self.version);
        self.send(packet.map_err(SessionError::Protocol)?)
    }

    /// Takes bytes of the broker. Returns what they say.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Result<Vec<Incoming>, SessionError> {
        self.take_in(bytes, |_| false)
    }

    /// Takes bytes of the broker up to its answer to `connect`. Those behind it are kept for the
    /// next call of `receive`.
    pub(super) fn receive_answer(&mut self, bytes: &[u8]) -> Result<Vec<Incoming>, SessionError> {
        self.take_in(bytes, |incoming| {
            matches!(incoming, Incoming::Connected { .. } | Incoming::Refused(_))
        })
    }

    fn take_in(
        &mut self,
        bytes: &[u8],
        is_last: fn(&Incoming) -> bool,
    ) -> Result<Vec<Incoming>, SessionError> {
        let mut passed = std::mem::take(&mut self.passed);
        self.framer.pass(bytes, &mut passed)?;
        let mut cursor = Cursor::new(&passed[..]);
        let mut incoming = Vec::new();
        let mut is_over = false;
        while !is_over && (cursor.position() as usize) < passed.len() {
            for event in self.connection.recv(&mut cursor) {
                match event {
                    Event::NotifyPacketReceived(packet) => {
                        let found = self.handle_received(packet);
                        is_over |= found.as_ref().is_some_and(is_last);
                        incoming.extend(found);
                    }
                    Event::NotifyError(error) => return Err(SessionError::Protocol(error)),
                    event => self.handle_sent(event),
                }
            }
        }
        let taken = cursor.position() as usize;
        passed.drain(..taken);
        self.passed = passed;
        Ok(incoming)
    }

    /// Returns when `fire_timers` is to be called.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.timers.iter().flatten().min().copied()
    }

    /// Handles the timers that are due. Fails if the answer to a ping is overdue; but if
    /// `is_reading` is false the answer may wait unread in the socket, and gets the same time once
    /// more.
    pub(super) fn fire_timers(
        &mut self,
        now: Instant,
        is_reading: bool,
    ) -> Result<(), SessionError> {
        for (index, kind) in KINDS.into_iter().enumerate() {
            if self.timers[index].is_none_or(|time| time > now) {
                continue;
            }
            self.timers[index] = None;
            if kind == TimerKind::PingrespRecv {
                if is_reading {
                    return Err(SessionError::Silent);
                }
                self.timers[index] = Some(now + Duration::from_millis(PING_TIMEOUT_MS));
                continue;
            }
            for event in self.connection.notify_timer_fired(kind) {
                self.handle_sent(event);
            }
        }
        Ok(())
    }

    fn packet_id(&mut self) -> Result<u16, SessionError> {
        self.connection
            .acquire_packet_id()
            .map_err(SessionError::Protocol)
    }

    fn send(&mut self, packet: Packet) -> Result<(), SessionError> {
        for event in self.connection.send(packet) {
            if let Event::NotifyError(error) = event {
                return Err(SessionError::Protocol(error));
            }
            self.handle_sent(event);
        }
        Ok(())
    }

    /// Handles what the state machine wants done.
    fn handle_sent(&mut self, event: Event) {
        match event {
            Event::RequestSendPacket { packet, .. } => {
                self.out.extend_from_slice(&packet.to_continuous_buffer());
            }
            Event::RequestTimerReset { kind, duration_ms } => {
                let time = Instant::now() + Duration::from_millis(duration_ms);
                self.set_timer(kind, Some(time));
            }
            Event::RequestTimerCancel(kind) => self.set_timer(kind, None),
            Event::NotifyPacketReceived(_)
            | Event::NotifyPacketIdReleased(_)
            | Event::NotifyError(_)
            | Event::RequestClose => {}
        }
    }

    fn set_timer(&mut self, kind: TimerKind, time: Option<Instant>) {
        if let Some(index) = KINDS.iter().position(|known| *known == kind) {
            self.timers[index] = time;
        }
    }

    fn confirm(&mut self, id: u16) {
        // Brokers confirm in order: it is one of the first.
        let mut found = self.unconfirmed.iter();
        let number = found
            .find(|(_, one)| one.id == id)
            .map(|(number, _)| *number);
        if let Some(one) = number.and_then(|number| self.unconfirmed.remove(&number)) {
            self.confirmed.push(one.message);
        }
    }

    fn handle_received(&mut self, packet: Packet) -> Option<Incoming> {
        match packet {
            Packet::V3_1_1Connack(packet) => Some(match packet.return_code().is_success() {
                true => Incoming::Connected {
                    keeps_session: packet.session_present(),
                },
                false => Incoming::Refused(in_words(packet.return_code())),
            }),
            Packet::V5_0Connack(packet) => {
                if packet.reason_code() != ConnectReasonCode::Success {
                    return Some(Incoming::Refused(in_words(packet.reason_code())));
                }
                for property in packet.props() {
                    match property {
                        Property::ReceiveMaximum(maximum) => {
                            self.send_maximum = self.send_maximum.min(maximum.val());
                        }
                        Property::MaximumQos(maximum) => self.max_qos = maximum.val(),
                        Property::RetainAvailable(available) => {
                            self.takes_retained = available.val() != 0;
                        }
                        _ => {}
                    }
                }
                Some(Incoming::Connected {
                    keeps_session: packet.session_present(),
                })
            }
            Packet::V3_1_1Publish(packet) => Some(Incoming::Message(Delivery {
                topic: packet.topic_name().to_owned(),
                payload: packet.payload().as_slice().to_vec(),
                is_retained: packet.retain(),
                is_dup: packet.dup(),
                id: packet.packet_id(),
            })),
            Packet::V5_0Publish(packet) => Some(Incoming::Message(Delivery {
                topic: packet.topic_name().to_owned(),
                payload: packet.payload().as_slice().to_vec(),
                is_retained: packet.retain(),
                is_dup: packet.dup(),
                id: packet.packet_id(),
            })),
            Packet::V3_1_1Puback(packet) => {
                self.confirm(packet.packet_id());
                None
            }
            Packet::V5_0Puback(packet) => {
                let is_refused = packet.reason_code().is_some_and(|code| code.is_failure());
                self.unsendable += u64::from(is_refused);
                self.confirm(packet.packet_id());
                None
            }
            Packet::V5_0Pubrec(packet) => {
                if packet.reason_code().is_some_and(|code| code.is_failure()) {
                    self.unsendable += 1;
                    self.confirm(packet.packet_id());
                }
                None
            }
            Packet::V3_1_1Pubcomp(packet) => {
                self.confirm(packet.packet_id());
                None
            }
            Packet::V5_0Pubcomp(packet) => {
                self.confirm(packet.packet_id());
                None
            }
            Packet::V3_1_1Suback(packet) => {
                let codes = packet.return_codes();
                let codes = codes.iter().enumerate();
                let refused = codes.filter(|(_, code)| code.is_failure());
                Some(Incoming::Subscribed {
                    refused: refused.map(|(index, _)| index).collect(),
                })
            }
            Packet::V5_0Suback(packet) => {
                let codes = packet.reason_codes();
                let codes = codes.iter().enumerate();
                let refused = codes.filter(|(_, code)| code.is_failure());
                Some(Incoming::Subscribed {
                    refused: refused.map(|(index, _)| index).collect(),
                })
            }
            Packet::V3_1_1Unsuback(_) | Packet::V5_0Unsuback(_) => Some(Incoming::Unsubscribed),
            Packet::V5_0Disconnect(packet) => Some(Incoming::Disconnected(
                packet.reason_code().map_or_else(String::new, in_words),
            )),
            _ => None,
        }
    }
}

/// The timers of a client.
const KINDS: [TimerKind; 2] = [TimerKind::PingreqSend, TimerKind::PingrespRecv];

/// Writes the name of a code, `BadUserNameOrPassword`, as words.
fn in_words(code: impl std::fmt::Debug) -> String {
    let mut words = String::new();
    for character in format!("{code:?}").chars() {
        if character.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(character.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_shown_in_words() {
        assert_eq!(in_words(ConnectReasonCode::NotAuthorized), "not authorized");
    }
}

//! The task that keeps a driver connected to its broker.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split},
    select,
    sync::{
        mpsc::{self, error::TrySendError},
        watch,
    },
    time::{sleep, sleep_until, timeout},
};
use vscpl2drv_websocksrv::event::Event;

use super::{
    backoff::Backoff,
    handover::{Ending, Kept},
    packets::Filter,
    session::{Incoming, Session, SessionError},
    transport::{self, Stream},
};
use crate::serve::{
    bridge::Bridge, counters::Loss, driver::Shared, outbox::Message, recent::FORGETTING_TIME,
    topic::matches,
};

/// How long the end of a connection may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes that are read at once, and those for the broker that may wait before more are made.
const READ_BYTES: usize = 64 * 1024;
const MAX_WRITTEN: usize = 256 * 1024;

/// Messages that are taken from the queue at once.
const MAX_BATCH: usize = 256;

/// For so long the same failure to connect is not reported again.
const TOLD_FOR: Duration = Duration::from_secs(60);

/// A driver's connection to its broker, whatever happens to it.
pub(in crate::serve) struct Link {
    /// The state that the threads of the driver share.
    shared: Arc<Shared>,
    /// Takes the events for the driver.
    inbox: mpsc::Sender<Event>,
    /// Says when the connection is to end, and why.
    stop: watch::Receiver<Option<Ending>>,
    /// The state of the connection before a reload. Its filters are those that are not wanted any
    /// more.
    kept: Kept,
    /// Events that the driver has no room for yet; nothing is read from the broker meanwhile. They
    /// are kept when the connection is lost, because they may be acknowledged: the broker does not
    /// send such messages again.
    waiting: VecDeque<Event>,
}

/// How a connection has ended.
enum End {
    /// As it was asked to.
    Stopped,
    /// By itself.
    Lost(LinkError),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Session(#[from] SessionError),
    #[error("no answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    #[error("the broker refuses it: {0}")]
    Refused(String),
    #[error("the broker has ended it{}", .0.as_str())]
    Ended(String),
}

/// The next step of a connection.
enum Step {
    /// So many bytes have come.
    Read(usize),
    /// The driver has room.
    Deliver,
    /// Messages wait.
    Send,
    /// A timer is due.
    Fire,
    Go,
}

/// An open connection.
struct Open<'l> {
    link: &'l mut Link,
    bridge: Arc<Bridge>,
    session: &'l mut Session,
    read: ReadHalf<Box<dyn Stream>>,
    write: WriteHalf<Box<dyn Stream>>,
    /// Bytes have been written and not flushed.
    is_dirty: bool,
}

impl Link {
    pub(in crate::serve) fn new(
        shared: Arc<Shared>,
        inbox: mpsc::Sender<Event>,
        stop: watch::Receiver<Option<Ending>>,
        kept: Kept,
    ) -> Self {
        Self {
            shared,
            inbox,
            stop,
            kept,
            waiting: VecDeque::new(),
        }
    }

    /// Connects, and connects again, until it is stopped. Returns what is left to the next one.
    pub(in crate::serve) async fn run(mut self) -> Kept {
        let session = self.stay_connected().await;
        // If only the settings of the broker change, the driver is still open and takes the events
        // that wait for it.
        let delivered = timeout(STOP_TIMEOUT, self.deliver_waiting()).await;
        drop(delivered);
        self.count_undelivered();
        self.leave(session)
    }

    /// Counts what will never be sent if the host ends, and keeps it for the next connection if it
    /// does not.
    fn leave(&mut self, mut session: Session) -> Kept {
        match self.ending() {
            Ending::Host => {
                self.count_rest(&session);
                Kept::default()
            }
            Ending::GoOn => {
                let mut filters = std::mem::take(&mut self.kept.filters);
                let bridge = self.shared.bridge();
                filters.extend(filters_of(&bridge).into_iter().map(|filter| filter.topic));
                Kept {
                    session: Some(session),
                    filters,
                }
            }
            Ending::Move => {
                let again = session.take_unconfirmed();
                self.put_back(&self.shared.bridge(), again);
                Kept::default()
            }
        }
    }

    /// Returns why the connection ends.
    fn ending(&self) -> Ending {
        self.stop.borrow().unwrap_or(Ending::Host)
    }

    /// Puts messages back into the queue, except those on the topics of the driver's state: each
    /// connection publishes the state anew at its start, and an old one must not arrive after that.
    fn put_back(&self, bridge: &Bridge, mut messages: Vec<Message>) {
        messages.retain(|message| !bridge.tells_state(&message.topic));
        self.shared.outbox.put_back(messages);
    }

    /// Returns the session when it is stopped.
    async fn stay_connected(&mut self) -> Session {
        let bridge = self.shared.bridge();
        for filter in filters_of(&bridge) {
            self.kept.filters.remove(&filter.topic);
        }
        let session = self.kept.session.take();
        let mut session = session.unwrap_or_else(|| Session::new(&bridge.mqtt));
        let mut backoff = Backoff::new(bridge.mqtt.reconnect);
        let mut told: Option<(String, Instant)> = None;
        loop {
            let start = Instant::now();
            let end = self.connection(&bridge, &mut session).await;
            let was_connected = self.shared.set_connected(false);
            let keeps_session = !bridge.mqtt.clean_session && !bridge.mqtt.client_id.is_empty();
            let again = session.lost(keeps_session);
            self.put_back(&bridge, again);
            self.count_unsendable(&mut session);
            let error = match end {
                End::Stopped => return session,
                End::Lost(error) => error.to_string(),
            };
            let is_told = told.as_ref().is_some_and(|(text, time)| {
                *text == error && time.elapsed() < TOLD_FOR && !was_connected
            });
            if !is_told {
                self.shared.warning(format_args!(
                    "no connection to {}: {error}; it is tried again",
                    bridge.mqtt.address
                ));
                told = Some((error, Instant::now()));
            }
            let lasted = if was_connected {
                start.elapsed()
            } else {
                Duration::ZERO
            };
            let random = getrandom::u32().unwrap_or_default();
            let pause = backoff.next(lasted, random);
            let mut stop = self.stop.clone();
            let pause = async {
                let pause = sleep(pause);
                self.deliver_waiting().await;
                pause.await;
            };
            select! {
                () = pause => {}
                () = stopped(&mut stop) => return session,
            }
        }
    }

    /// Gives the driver the events that wait for it, as it has room.
    async fn deliver_waiting(&mut self) {
        while !self.waiting.is_empty() {
            drop(self.inbox.reserve().await);
            self.deliver();
        }
    }

    /// Gives the driver as many events as it has room for.
    fn deliver(&mut self) {
        while let Some(event) = self.waiting.pop_front() {
            match self.inbox.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.waiting.push_front(event);
                    return;
                }
                Err(TrySendError::Closed(event)) => {
                    self.waiting.push_front(event);
                    self.count_undelivered();
                }
            }
        }
    }

    /// Counts the events that wait for a driver that is closed.
    fn count_undelivered(&mut self) {
        let count = std::mem::take(&mut self.waiting).len();
        if count > 0 {
            let why = &"the driver is closed";
            self.shared.lose(Loss::Refused, count as u64, why);
        }
    }

    /// Makes one connection and keeps it as long as it lasts.
    async fn connection(&mut self, bridge: &Arc<Bridge>, session: &mut Session) -> End {
        let limit = bridge.mqtt.connection_timeout;
        let mut stop = self.stop.clone();
        let opened = select! {
            opened = timeout(limit, open(bridge, session)) => opened,
            () = stopped(&mut stop) => return End::Stopped,
        };
        let (stream, keeps_session) = match opened {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return End::Lost(error),
            Err(_) => return End::Lost(LinkError::Timeout(limit)),
        };
        if !keeps_session {
            let again = session.take_unconfirmed();
            self.put_back(bridge, again);
        }
        self.shared.set_connected(true);
        self.shared
            .counters
            .connections
            .fetch_add(1, Ordering::Relaxed);
        self.shared
            .note(format_args!("connected to {}", bridge.mqtt.address));
        let (read, write) = split(stream);
        let mut open = Open {
            link: self,
            bridge: bridge.clone(),
            session,
            read,
            write,
            is_dirty: false,
        };
        match open.serve(keeps_session).await {
            Ok(()) => {
                let ended = timeout(STOP_TIMEOUT, open.end()).await;
                drop(ended);
                End::Stopped
            }
            Err(error) => End::Lost(error),
        }
    }

    fn count_unsendable(&self, session: &mut Session) {
        let count = std::mem::take(&mut session.unsendable);
        if count > 0 {
            self.shared
                .lose(Loss::Unsendable, count, &"the broker does not take them");
        }
    }

    /// Counts what will never be sent.
    fn count_rest(&self, session: &Session) {
        let (waiting, _) = self.shared.outbox.counts();
        let rest = waiting + session.unconfirmed();
        if rest > 0 {
            let why = &"the connection was ended before they were sent or confirmed";
            self.shared.lose(Loss::Unsent, rest as u64, why);
        }
    }
}

/// Opens a connection. Returns it, and whether the broker has kept the session.
async fn open(
    bridge: &Bridge,
    session: &mut Session,
) -> Result<(Box<dyn Stream>, bool), LinkError> {
    let mut stream = transport::connect(&bridge.mqtt).await?;
    session.connect(&bridge.mqtt, bridge.will().as_ref())?;
    let mut buffer = vec![0; 4096];
    loop {
        if !session.out.is_empty() {
            let out = std::mem::take(&mut session.out);
            stream.write_all(&out).await?;
            stream.flush().await?;
        }
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Err(LinkError::Ended(" before it was accepted".to_owned()));
        }
        // The messages of a kept session may come in the same bytes.
        for incoming in session.receive_answer(&buffer[..length])? {
            match incoming {
                Incoming::Connected { keeps_session } => return Ok((stream, keeps_session)),
                Incoming::Refused(why) => return Err(LinkError::Refused(why)),
                _ => {}
            }
        }
    }
}

impl Open<'_> {
    /// Serves the connection until it is stopped.
    async fn serve(&mut self, keeps_session: bool) -> Result<(), LinkError> {
        if keeps_session {
            self.unsubscribe_old()?;
        }
        self.greet()?;
        self.receive(&[])?;
        let mut buffer = vec![0; READ_BYTES];
        let shared = self.link.shared.clone();
        loop {
            let deadline = self.session.deadline();
            let may_send = self.session.has_room() && self.session.out.len() < MAX_WRITTEN;
            let is_reading = self.link.waiting.is_empty();
            let has_output = self.is_dirty || !self.session.out.is_empty();
            let step = select! {
                read = self.read.read(&mut buffer), if is_reading => Step::Read(read?),
                _ = self.link.inbox.reserve(), if !is_reading => Step::Deliver,
                written = write(&mut self.write, &mut self.session.out, &mut self.is_dirty),
                    if has_output => {
                    written?;
                    Step::Go
                }
                () = shared.outbox.wait(), if may_send => Step::Send,
                () = sleep_until(deadline.unwrap_or_else(Instant::now).into()),
                    if deadline.is_some() => Step::Fire,
                () = stopped(&mut self.link.stop) => return Ok(()),
            };
            match step {
                Step::Read(0) => return Err(LinkError::Ended(String::new())),
                Step::Read(length) => {
                    self.receive(&buffer[..length])?;
                    self.link.deliver();
                }
                Step::Deliver => self.link.deliver(),
                Step::Send => self.send_batch()?,
                Step::Fire => self.session.fire_timers(Instant::now(), is_reading)?,
                Step::Go => {}
            }
        }
    }

    /// Says that the driver is there, and what it wants.
    fn greet(&mut self) -> Result<(), LinkError> {
        if let Some(message) = self.bridge.cleared_will() {
            self.session.publish(message)?;
        }
        if let Some(message) = self.bridge.status("online") {
            self.session.publish(message)?;
        }
        if let Some(message) = self.bridge.first_announcement() {
            self.session.publish(message)?;
        }
        let filters = filters_of(&self.bridge);
        if !filters.is_empty() {
            self.session.subscribe(&filters)?;
        }
        Ok(())
    }

    /// Ends the subscriptions of the session that are not in the configuration any more.
    fn unsubscribe_old(&mut self) -> Result<(), LinkError> {
        let old: Vec<_> = self.link.kept.filters.iter().cloned().collect();
        if !old.is_empty() {
            self.session.unsubscribe(&old)?;
        }
        Ok(())
    }

    /// Returns true if only a subscription that is not wanted any more has this topic: the broker
    /// had the message before it knew.
    fn is_unwanted(&self, topic: &str) -> bool {
        let mut old = self.link.kept.filters.iter();
        old.any(|filter| matches(filter, topic)) && !self.bridge.may_come_back(topic)
    }

    /// Handles what the broker has sent.
    fn receive(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        let incoming = self.session.receive(bytes)?;
        self.remember_confirmed();
        for incoming in incoming {
            self.handle(incoming)?;
        }
        Ok(())
    }

    /// A slow broker may have taken longer to confirm messages than they are remembered, and sends
    /// them back only now.
    fn remember_confirmed(&mut self) {
        for message in self.session.take_confirmed() {
            self.link.shared.remember_own(&self.bridge, &message);
        }
    }

    fn handle(&mut self, incoming: Incoming) -> Result<(), LinkError> {
        let shared = &self.link.shared;
        match incoming {
            Incoming::Message(delivery) => {
                let (topic, payload) = (&*delivery.topic, &*delivery.payload);
                if self.bridge.take_discovery(topic, payload) {
                    return Ok(());
                }
                shared.counters.received.fetch_add(1, Ordering::Relaxed);
                if self.is_unwanted(topic) {
                    shared.counters.filtered.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                // A set retain flag normally means that the broker had the message before the
                // subscription (MQTT 3.1.1 section 3.3.1.3), so that it is no echo. With
                // RETAIN_AS_PUBLISHED new messages have the flag, too.
                let is_old = delivery.is_retained && !self.bridge.retains_as_published(topic);
                let is_own = || {
                    shared.is_own(topic, payload)
                        || self.session.is_overdue(topic, payload, FORGETTING_TIME / 2)
                };
                if !is_old && is_own() {
                    shared.counters.echoes.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                match self.bridge.incoming(topic, payload) {
                    Ok(Some(event)) if shared.is_duplicate(&delivery, &event) => {
                        shared.counters.duplicates.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(Some(event)) => self.link.waiting.push_back(event),
                    Ok(None) => {
                        shared.counters.filtered.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => {
                        let shown: String = topic.chars().take(100).collect();
                        shared.lose(Loss::Garbage, 1, &format_args!("{shown}: {error}"));
                    }
                }
            }
            Incoming::Subscribed { refused } => {
                let filters = filters_of(&self.bridge);
                let granted = filters.len().saturating_sub(refused.len());
                shared.note(match granted {
                    1 => "subscribed to 1 topic".to_owned(),
                    granted => format!("subscribed to {granted} topics"),
                });
                for filter in refused.iter().filter_map(|index| filters.get(*index)) {
                    shared.warning(format_args!(
                        "the broker refuses the subscription to {:?}",
                        filter.topic
                    ));
                }
            }
            Incoming::Disconnected(why) => return Err(LinkError::Ended(format!(": {why}"))),
            Incoming::Refused(why) => return Err(LinkError::Refused(why)),
            Incoming::Connected { .. } | Incoming::Unsubscribed => {}
        }
        Ok(())
    }

    fn send_batch(&mut self) -> Result<(), LinkError> {
        for _ in 0..MAX_BATCH {
            if !self.session.has_room() || self.session.out.len() >= MAX_WRITTEN {
                break;
            }
            let Some(message) = self.link.shared.outbox.pop() else {
                break;
            };
            // The time in which it may come back begins now, however long it has waited.
            self.link.shared.remember_own(&self.bridge, &message);
            self.session.publish(message)?;
            self.link
                .shared
                .counters
                .published
                .fetch_add(1, Ordering::Relaxed);
        }
        self.link.count_unsendable(self.session);
        Ok(())
    }

    /// Sends what is left, says that the driver is gone, and ends the connection.
    async fn end(&mut self) -> Result<(), LinkError> {
        self.session.stop_confirming();
        self.drain().await?;
        let last: Option<Message> = self.bridge.status("offline");
        if let Some(message) = last {
            self.session.publish(message)?;
        }
        // If no connection will resume the session: the broker may keep it all the same, and must
        // not collect messages in it.
        if self.bridge.mqtt.clean_session || self.link.ending() == Ending::Move {
            let filters: Vec<_> = filters_of(&self.bridge)
                .into_iter()
                .map(|filter| filter.topic)
                .collect();
            if !filters.is_empty() {
                self.session.unsubscribe(&filters)?;
            }
        }
        self.drain().await?;
        self.session.disconnect()?;
        while self.is_dirty || !self.session.out.is_empty() {
            write(&mut self.write, &mut self.session.out, &mut self.is_dirty).await?;
        }
        self.write.shutdown().await?;
        Ok(())
    }

    /// Sends all messages and waits until the broker has confirmed them.
    async fn drain(&mut self) -> Result<(), LinkError> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            self.send_batch()?;
            let (waiting, _) = self.link.shared.outbox.counts();
            let has_output = self.is_dirty || !self.session.out.is_empty();
            if waiting == 0 && !has_output && self.session.unconfirmed() == 0 {
                return Ok(());
            }
            select! {
                read = self.read.read(&mut buffer) => {
                    let length = read?;
                    if length == 0 {
                        return Err(LinkError::Ended(String::new()));
                    }
                    // Messages that come now are dropped. They are not acknowledged either
                    // (`stop_confirming`): a broker that keeps the session sends those of QoS 1 and
                    // 2 again.
                    self.session.receive(&buffer[..length])?;
                    self.remember_confirmed();
                }
                written = write(&mut self.write, &mut self.session.out, &mut self.is_dirty),
                    if has_output => written?,
            }
        }
    }
}

/// Returns what a driver is subscribed to.
fn filters_of(bridge: &Bridge) -> Vec<Filter> {
    let filters = bridge.subscriptions().map(|(topic, subscription)| Filter {
        topic: topic.to_owned(),
        qos: subscription.qos,
        options: subscription.options,
    });
    let topics = bridge.discovery_topics().into_iter();
    let discovery = topics.map(|topic| Filter {
        topic,
        qos: 0,
        options: None,
    });
    filters.chain(discovery).collect()
}

/// Writes a part of `out`, or flushes the stream if `out` is empty. Cancel safe: `out` and
/// `is_dirty` tell what is left to do.
async fn write(
    stream: &mut WriteHalf<Box<dyn Stream>>,
    out: &mut Vec<u8>,
    is_dirty: &mut bool,
) -> io::Result<()> {
    if !out.is_empty() {
        let length = stream.write(out).await?;
        if length == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        *is_dirty = true;
        out.drain(..length);
        return Ok(());
    }
    stream.flush().await?;
    *is_dirty = false;
    Ok(())
}

/// Waits until the connection is to end.
async fn stopped(stop: &mut watch::Receiver<Option<Ending>>) {
    // If nobody can say it any more, it is over as well.
    let _ = stop.wait_for(Option::is_some).await;
}

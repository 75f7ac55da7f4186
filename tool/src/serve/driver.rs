//! A driver that is open, with its threads: one that reads it, one that writes to it.

use std::{
    error::Error,
    ffi::OsStr,
    fmt, fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
        mpsc as std_mpsc,
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
    task::JoinHandle,
};
use vscp_driver_host::{Library, OpenDriver, Status, find};
use vscpl2drv_websocksrv::{
    config::{Config, Findings},
    event::{Clock, Event, Guid, Layout},
    ffi::status::{CANAL_ERROR_FIFO_FULL, CANAL_ERROR_TIMEOUT},
    identity,
};

use super::{
    bridge::Bridge,
    broker::{Ending, Kept, Link},
    counters::{Counters, Loss},
    entry::Entry,
    outbox::{Message, Outbox},
    recent::{Delivery, RecentMessages},
};
use crate::message;

/// The timeouts of VSCPRead and VSCPWrite. A call that has timed out is repeated.
const READ_TIMEOUT: Duration = Duration::from_millis(100);
const WRITE_TIMEOUT: Duration = Duration::from_millis(500);

/// When the driver is to close: the timeout of VSCPRead, and how long events are read at most.
const LAST_READ: Duration = Duration::from_millis(1);
const LAST_READS: Duration = Duration::from_secs(2);

/// How long the thread that reads the driver waits for room in the queue for the broker while there
/// is a connection. After that the oldest messages are dropped.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many events from the broker may wait for the driver.
const INBOX: usize = 4096;

/// How many events are taken from the inbox at a time.
const BATCH: usize = 256;

/// A driver that takes nothing for so long is complained about.
const STUCK: Duration = Duration::from_secs(10);

/// The state that the threads of a driver and its connection share.
pub(super) struct Shared {
    pub(super) name: String,
    pub(super) outbox: Outbox,
    pub(super) counters: Counters,
    is_connected: AtomicBool,
    /// Own messages that may come back.
    published: Mutex<RecentMessages>,
    /// Messages of the broker that may come again.
    received: Mutex<RecentMessages>,
    /// Replaced by a reload.
    bridge: RwLock<Arc<Bridge>>,
}

impl Shared {
    pub(super) fn bridge(&self) -> Arc<Bridge> {
        self.bridge
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns true if there is a connection to the broker.
    pub(super) fn is_connected(&self) -> bool {
        self.is_connected.load(Ordering::Relaxed)
    }

    /// Tells all who must know that a connection begins or ends. Returns true if there was one.
    pub(super) fn set_connected(&self, is_connected: bool) -> bool {
        let now = Instant::now();
        for messages in [&self.published, &self.received] {
            lock(messages).set_connected(is_connected, now);
        }
        self.outbox.set_connected(is_connected);
        self.is_connected.swap(is_connected, Ordering::Relaxed)
    }

    /// Remembers that a message has just been sent, or confirmed, if it may come back.
    pub(super) fn remember_own(&self, bridge: &Bridge, message: &Message) {
        if bridge.may_come_back(&message.topic) {
            let (topic, payload) = (&message.topic, &message.payload);
            lock(&self.published).remember(topic, payload, None, Instant::now());
        }
    }

    /// Returns true if a message of the broker is one of this driver.
    pub(super) fn is_own(&self, topic: &str, payload: &[u8]) -> bool {
        let mut published = lock(&self.published);
        published.contains(topic, payload, Instant::now())
    }

    /// Remembers a message of the broker and its event. Returns true if it has come before.
    pub(super) fn is_duplicate(&self, delivery: &Delivery, event: &Event) -> bool {
        lock(&self.received).is_duplicate(delivery, event, Instant::now())
    }

    /// Counts a loss, and tells it if it is time to.
    pub(super) fn lose(&self, loss: Loss, count: u64, why: &dyn fmt::Display) {
        if let Some(line) = self.counters.lose(loss, count, why) {
            self.warning(line);
        }
    }

    /// Tells of losses that were not told yet.
    pub(super) fn tell_losses(&self) {
        let (_, dropped) = self.outbox.counts();
        let known = self.counters.lost(Loss::Overflow);
        if dropped > known {
            self.lose(
                Loss::Overflow,
                dropped - known,
                &"too many wait for the broker",
            );
        }
        let lines = self.counters.untold(Instant::now());
        lines.iter().for_each(|line| self.warning(line));
    }

    pub(super) fn note(&self, text: impl fmt::Display) {
        message::note(format_args!("{}: {text}", self.name));
    }

    pub(super) fn warning(&self, text: impl fmt::Display) {
        message::warning(format_args!("{}: {text}", self.name));
    }
}

/// The settings of a driver and of its broker.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) opening: Opening,
    pub(super) bridge: Arc<Bridge>,
}

impl Plan {
    /// Finds out what an entry says. Fails if there is no library, or the broker's settings do not
    /// go together.
    pub(super) fn of(entry: Entry) -> Result<Self, Box<dyn Error>> {
        let findings = findings(&entry);
        Self::with(entry, findings)
    }

    /// Makes the plan of an entry whose driver's configuration was checked with these findings.
    pub(super) fn with(entry: Entry, findings: Option<Findings>) -> Result<Self, Box<dyn Error>> {
        let opening = Opening::of(&entry, findings.and_then(|findings| findings.config))?;
        let bridge = Bridge::new(entry.mqtt, opening.guid, entry.host_guid, &entry.name);
        let bridge = bridge.map_err(|error| format!("{}: mqtt: {error}", entry.name))?;
        Ok(Self {
            name: entry.name,
            opening,
            bridge: Arc::new(bridge),
        })
    }

    /// Like [`of`](Self::of), but fails also if the driver's configuration has errors: a reload
    /// must not close an open driver for one that would refuse to open.
    pub(super) fn checked(entry: Entry) -> Result<Self, Box<dyn Error>> {
        let mut findings = findings(&entry);
        let errors = findings.iter_mut().map(|findings| &mut findings.errors);
        match errors.flat_map(std::mem::take).next() {
            Some(error) => Err(error.into()),
            None => Self::with(entry, findings),
        }
    }
}

/// The arguments that a driver is opened with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opening {
    library: PathBuf,
    config: String,
    /// The hash of what is in the file if `config` is a path.
    content: Option<u64>,
    guid: Guid,
    layout: Option<Layout>,
}

impl Opening {
    /// Makes the arguments of an entry whose driver has this configuration. Fails if there is no
    /// library.
    fn of(entry: &Entry, config: Option<Config>) -> Result<Self, Box<dyn Error>> {
        let library = find::library(entry.library.as_deref())?;
        let configured = config.as_ref().and_then(|config| config.guid);
        Ok(Self {
            library,
            config: entry.config.clone(),
            content: hash_of_file(&entry.config),
            guid: identity::guid(entry.guid, configured).0,
            layout: entry.layout.or(config.and_then(|config| config.layout)),
        })
    }
}

/// Checks the configuration of a driver. Returns `None` if it is another driver than that of this
/// project: only a driver itself knows how to read its configuration.
pub(super) fn findings(entry: &Entry) -> Option<Findings> {
    let name = entry.library.as_deref().map(Path::file_name);
    let is_own = name.is_none_or(|name| name == Some(OsStr::new(find::INSTALLED_NAME)));
    is_own.then(|| Config::check(&entry.config))
}

/// An open driver.
pub(super) struct Driver {
    pub(super) shared: Arc<Shared>,
    pub(super) opening: Opening,
    inbox: mpsc::Sender<Event>,
    is_stopping: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    thread: thread::JoinHandle<()>,
    link: JoinHandle<Kept>,
    end_link: watch::Sender<Option<Ending>>,
}

/// The state that a driver leaves to the one that takes its place.
#[derive(Default)]
pub(super) struct Legacy {
    link: Kept,
    /// Messages that wait for the broker.
    messages: Vec<Message>,
}

impl Driver {
    /// Opens a driver, and begins to connect it. Takes `legacy` if that goes well. Call it within the
    /// runtime.
    pub(super) fn open(plan: Plan, legacy: &mut Legacy) -> Result<Self, Box<dyn Error>> {
        let Plan {
            name,
            opening,
            bridge,
        } = plan;
        let shared = Arc::new(Shared {
            name,
            outbox: Outbox::new(bridge.mqtt.queue),
            counters: Counters::default(),
            is_connected: AtomicBool::new(false),
            published: Mutex::default(),
            received: Mutex::default(),
            bridge: RwLock::new(bridge),
        });
        let (inbox, events) = mpsc::channel(INBOX);
        let (stop, stopped) = watch::channel(false);
        let is_stopping = Arc::new(AtomicBool::new(false));
        let (opened, result) = std_mpsc::sync_channel(1);
        let body = Body {
            shared: shared.clone(),
            opening: opening.clone(),
            is_stopping: is_stopping.clone(),
            stopped,
            runtime: Handle::current(),
        };
        let thread = thread::Builder::new()
            .name("driver".to_owned())
            .spawn(move || body.run(events, &opened))?;
        let result = result.recv();
        if let Err(error) = result.unwrap_or_else(|_| Err("its thread has ended".to_owned())) {
            let library = opening.library.display();
            return Err(format!("{}: {library}: {error}", shared.name).into());
        }
        shared.note(format_args!("{} is open", opening.library.display()));
        let Legacy {
            link: kept,
            messages,
        } = std::mem::take(legacy);
        shared.outbox.put_back(messages);
        let (end_link, link) = connect(&shared, &inbox, kept);
        Ok(Self {
            shared,
            opening,
            inbox,
            is_stopping,
            stop,
            thread,
            link,
            end_link,
        })
    }

    /// Returns what opens the same driver again.
    pub(super) fn plan(&self) -> Plan {
        Plan {
            name: self.shared.name.clone(),
            opening: self.opening.clone(),
            bridge: self.shared.bridge(),
        }
    }

    /// Connects an open driver anew, by other settings.
    pub(super) async fn reconnect(&mut self, bridge: Arc<Bridge>) {
        let kept = self.end_link(self.ending_before(&bridge)).await;
        self.shared.outbox.set_limits(bridge.mqtt.queue);
        *self
            .shared
            .bridge
            .write()
            .unwrap_or_else(PoisonError::into_inner) = bridge;
        (self.end_link, self.link) = connect(&self.shared, &self.inbox, kept);
    }

    /// Returns how the current connection must end if one with the settings of `bridge` follows.
    pub(super) fn ending_before(&self, bridge: &Bridge) -> Ending {
        Ending::between(&self.shared.bridge().mqtt, &bridge.mqtt)
    }

    /// Closes the driver, sends what it has given, and ends the connection. Returns what is left.
    pub(super) async fn close(mut self, ending: Ending) -> Legacy {
        self.is_stopping.store(true, Ordering::Relaxed);
        self.stop.send_replace(true);
        // Its threads must be able to use the runtime meanwhile.
        let joined = tokio::task::spawn_blocking(move || self.thread.join());
        if !matches!(joined.await, Ok(Ok(()))) {
            self.shared.warning("a thread of the driver has panicked");
        }
        self.end_link.send_replace(Some(ending));
        let link = (&mut self.link).await.unwrap_or_default();
        let shared = self.shared;
        shared.tell_losses();
        shared.note(format_args!("closed; {}", shared.counters));
        Legacy {
            link,
            messages: shared.outbox.take_all(),
        }
    }

    async fn end_link(&mut self, ending: Ending) -> Kept {
        self.end_link.send_replace(Some(ending));
        // One that has panicked has left nothing.
        (&mut self.link).await.unwrap_or_default()
    }
}

/// Returns a hash of what is in a file, `None` if the name is none of a file that can be read.
fn hash_of_file(path: &str) -> Option<u64> {
    // A pipe has its content once, and the driver is to have it.
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let content = is_file.then(|| fs::read(path).ok())??;
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    Some(hasher.finish())
}

fn connect(
    shared: &Arc<Shared>,
    inbox: &mpsc::Sender<Event>,
    kept: Kept,
) -> (watch::Sender<Option<Ending>>, JoinHandle<Kept>) {
    let (end, ended) = watch::channel(None);
    let link = Link::new(shared.clone(), inbox.clone(), ended, kept);
    (end, tokio::spawn(link.run()))
}

/// The state of the thread of a driver.
struct Body {
    shared: Arc<Shared>,
    opening: Opening,
    is_stopping: Arc<AtomicBool>,
    stopped: watch::Receiver<bool>,
    runtime: Handle,
}

impl Body {
    /// Loads and opens the driver, tells how that went, and serves it until it is to stop.
    fn run(self, events: mpsc::Receiver<Event>, opened: &std_mpsc::SyncSender<Result<(), String>>) {
        let Opening {
            library,
            config,
            guid,
            layout,
            ..
        } = &self.opening;
        let tell = |result| {
            // Nobody listens any more only if the host ends.
            let _ = opened.send(result);
        };
        let library = match Library::load(library) {
            Ok(library) => library,
            Err(error) => return tell(Err(with_causes(&error))),
        };
        let driver = match library.open(config, Some(*guid), *layout) {
            Ok(driver) => driver,
            Err(error) => return tell(Err(with_causes(&error))),
        };
        tell(Ok(()));
        thread::scope(|scope| {
            scope.spawn(|| self.write(&driver, events));
            self.read(&driver);
        });
        if let Err(status) = driver.close() {
            self.shared.warning(format_args!("VSCPClose: {status}"));
        }
    }

    /// Publishes what the driver gives.
    fn read(&self, driver: &OpenDriver<'_>) {
        let clock = Clock::start();
        let mut announced = Instant::now();
        let mut last = None;
        let mut end = None;
        loop {
            let is_stopping = self.is_stopping.load(Ordering::Relaxed);
            // Events that it has for the host already are taken as well.
            let timeout = if is_stopping { LAST_READ } else { READ_TIMEOUT };
            if is_stopping
                && *end.get_or_insert_with(|| Instant::now() + LAST_READS) < Instant::now()
            {
                return;
            }
            if announced.elapsed() >= READ_TIMEOUT {
                announced = Instant::now();
                self.announce();
            }
            match driver.read(timeout) {
                Ok(event) => {
                    last = None;
                    self.publish(event, &clock);
                }
                _ if is_stopping => return,
                Err(Status(CANAL_ERROR_TIMEOUT)) => {}
                Err(status) => {
                    if last != Some(status) {
                        self.shared.warning(format_args!("VSCPRead: {status}"));
                    }
                    last = Some(status);
                    // It may return at once, and again.
                    thread::sleep(READ_TIMEOUT);
                }
            }
        }
    }

    fn publish(&self, mut event: Event, clock: &Clock) {
        let shared = &self.shared;
        shared.counters.read.fetch_add(1, Ordering::Relaxed);
        let bridge = shared.bridge();
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        bridge.complete(
            &mut event,
            clock.micros(),
            now.map_or(0, |now| now.as_nanos() as u64),
        );
        for (index, message) in bridge.outgoing(&event).enumerate() {
            match message {
                Ok(message) => {
                    bridge.observe(&event, index, &message);
                    self.push(message);
                }
                Err(error) => shared.lose(Loss::NoTopic, 1, &error),
            }
        }
    }

    /// Tells Home Assistant what is due.
    fn announce(&self) {
        let bridge = self.shared.bridge();
        for message in bridge.announcements() {
            self.push(message);
        }
    }

    fn push(&self, message: Message) {
        self.shared.outbox.push(message, PATIENCE);
    }

    /// Gives the driver what the broker has sent.
    fn write(&self, driver: &OpenDriver<'_>, mut events: mpsc::Receiver<Event>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut stopped = self.stopped.clone();
        loop {
            let count = self.runtime.block_on(async {
                tokio::select! {
                    count = events.recv_many(&mut batch, BATCH) => count,
                    _ = stopped.wait_for(|is_stopped| *is_stopped) => 0,
                }
            });
            if count == 0 {
                events.close();
                let rest = std::iter::from_fn(|| events.try_recv().ok()).count();
                if rest > 0 {
                    self.shared
                        .lose(Loss::Refused, rest as u64, &"the host ends");
                }
                return;
            }
            for event in batch.drain(..) {
                self.write_one(driver, &event);
            }
        }
    }

    /// Gives the driver an event. Waits as long as it has no room, so that the broker waits, too.
    fn write_one(&self, driver: &OpenDriver<'_>, event: &Event) {
        let counters = &self.shared.counters;
        let start = Instant::now();
        let mut is_told = false;
        while !self.is_stopping.load(Ordering::Relaxed) {
            match driver.write(event, WRITE_TIMEOUT) {
                Ok(()) => {
                    counters.written.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Err(Status(CANAL_ERROR_FIFO_FULL | CANAL_ERROR_TIMEOUT)) => {
                    if start.elapsed() > STUCK && !is_told {
                        is_told = true;
                        self.shared
                            .warning("the driver takes no events; the broker has to wait");
                    }
                }
                Err(status) => {
                    return self.shared.lose(
                        Loss::Refused,
                        1,
                        &format_args!("VSCPWrite: {status}"),
                    );
                }
            }
        }
        self.shared.lose(Loss::Refused, 1, &"the host ends");
    }
}

fn lock(messages: &Mutex<RecentMessages>) -> MutexGuard<'_, RecentMessages> {
    messages.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows an error with what has caused it.
fn with_causes(error: &(dyn Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |&error| error.source());
    chain
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

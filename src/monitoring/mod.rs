//! The state of the driver for other programs: the page of metrics, and its health.
//!
//! [`Monitor`] makes the page of the counters of [`metrics`](crate::metrics), of what the parts of
//! the driver know, of the `process`, and of the last measurements that the
//! [`history`](crate::history) knows.

mod process;

use std::{env::consts::ARCH, net::IpAddr, sync::Arc, time::Instant};

use crate::{
    auth::AddressRules,
    client::{Kind, Shared},
    history::{History, State},
    hub::Hub,
    metrics::{MetricKind, Page, label},
};

/// The settings of the page of metrics.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The addresses that may see it, `None` for none.
    pub allow: Option<AddressRules>,
    /// The largest number of measurements that it shows, 0 for none.
    pub max_measurements: usize,
}

/// Makes the page of metrics of a driver.
#[derive(Debug)]
pub(crate) struct Monitor {
    allow: Option<AddressRules>,
    history: Arc<History>,
    started: Instant,
}

/// The health of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// The host takes events, or its queue has room.
    Well,
    /// The host's queue is full, and the host has taken nothing for long.
    HostHangs,
}

impl Monitor {
    /// Returns the monitor of a driver that opens now.
    pub(crate) fn new(settings: Settings, history: Arc<History>) -> Self {
        Self {
            allow: settings.allow,
            history,
            started: Instant::now(),
        }
    }

    /// Returns true if a client at this address may see the page of metrics.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        self.allow
            .as_ref()
            .is_some_and(|allow| allow.allows(address))
    }

    /// Returns the page of metrics. Reads files of `/proc`.
    pub(crate) fn page(&self, shared: &Shared) -> String {
        let mut page = Page::default();
        self.show_driver(&mut page);
        show_state(&mut page, shared);
        shared.counters.show_on(&mut page);
        if self.history.state().max_shown() > 0 {
            show_measurements(&mut page, self.history.state());
        }
        process::show_on(&mut page);
        page.into_string()
    }

    fn show_driver(&self, page: &mut Page) {
        let version = label("version", env!("CARGO_PKG_VERSION"));
        let build = format!("{version},{}", label("architecture", ARCH));
        let help = "The driver that answers.";
        page.family("build_info", MetricKind::Gauge, help, [(build, 1)]);
        let uptime = self.started.elapsed().as_secs_f64();
        let help = "Seconds since the driver was opened.";
        page.family("uptime_seconds", MetricKind::Gauge, help, [("", uptime)]);
    }
}

impl Health {
    /// Returns whether the driver with this hub is well.
    pub(crate) fn of(hub: &Hub) -> Self {
        match hub.is_host_hanging() {
            true => Self::HostHangs,
            false => Self::Well,
        }
    }

    /// Returns the health in JSON.
    pub(crate) fn json(self) -> &'static str {
        match self {
            Self::Well => "{\"status\":\"ok\"}\n",
            Self::HostHangs => {
                "{\"status\":\"failing\",\"reason\":\"the daemon takes no events\"}\n"
            }
        }
    }
}

/// Shows the last values of sensors.
fn show_measurements(page: &mut Page, state: &State) {
    let (sensors, not_shown) = state.shown();
    let labelled: Vec<_> = sensors
        .iter()
        .map(|shown| (shown.sensor.labels(), shown))
        .collect();
    let samples = labelled.iter().map(|(labels, shown)| (labels, shown.value));
    let help = "The last value that a sensor has measured.";
    page.family("measurement", MetricKind::Gauge, help, samples);
    let samples = labelled
        .iter()
        .map(|(labels, shown)| (labels, shown.time as f64 / 1e3));
    let help = "When the last value came, in seconds since 1970.";
    let name = "measurement_timestamp_seconds";
    page.family(name, MetricKind::Gauge, help, samples);
    let help = "Measurements that are not shown because there are too many sensors.";
    let name = "measurements_not_shown_total";
    page.family(name, MetricKind::Counter, help, [("", not_shown)]);
}

/// Shows what the parts of the driver know.
fn show_state(page: &mut Page, shared: &Shared) {
    let kinds = [("ws1", Kind::Ws1), ("ws2", Kind::Ws2), ("rest", Kind::Rest)];
    let clients = kinds.map(|(name, kind)| {
        let count = shared.registry.count_of(kind);
        (label("protocol", name), count)
    });
    let help = "Connected clients.";
    page.family("clients", MetricKind::Gauge, help, clients);
    let queues = shared.hub.waiting();
    let queues = queues.map(|(name, count)| (label("queue", name), count));
    let help = "Events that wait.";
    page.family("queued_events", MetricKind::Gauge, help, queues);
    let bytes = [("", shared.hub.memory().used())];
    let help = "Bytes of the events that are on their way to clients and CAN buses.";
    page.family("queued_bytes", MetricKind::Gauge, help, bytes);
    let up = [("", u8::from(Health::of(&shared.hub) == Health::Well))];
    let help = "1 if the daemon takes its events, 0 if its queue is full and it takes none.";
    page.family("host_up", MetricKind::Gauge, help, up);
    let buses = shared.counters.buses.list();
    let buses = buses.into_iter().map(|(bus, interface, is_up)| {
        let interface = label("interface", interface);
        let labels = format!("{},{interface}", label("bus", bus));
        (labels, u8::from(is_up))
    });
    let help = "1 if the CAN bus is up.";
    page.family("can_bus_up", MetricKind::Gauge, help, buses);
}

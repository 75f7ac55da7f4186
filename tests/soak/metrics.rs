//! The page of metrics.

use std::{collections::HashMap, net::SocketAddr, ops::Sub};

use crate::common::http;

/// The counters that the balance is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) from_host: u64,
    pub(crate) from_clients: u64,
    pub(crate) to_host: u64,
    pub(crate) to_clients: u64,
    /// Refused because the queue for the host was full.
    pub(crate) refused: u64,
    pub(crate) slow: u64,
    pub(crate) queue_full: u64,
    pub(crate) gone: u64,
    pub(crate) hanging: u64,
    /// Frames for buses, whatever became of them.
    pub(crate) to_buses: u64,
    pub(crate) websockets: u64,
    pub(crate) sessions: u64,
}

/// The gauges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gauges {
    /// Events that tasks of the driver have not taken from the ring.
    pub(crate) on_ring: u64,
    pub(crate) for_host: u64,
    pub(crate) for_clients: u64,
    pub(crate) websockets: u64,
    pub(crate) sessions: u64,
}

/// Reads the page.
pub(crate) fn read(address: SocketAddr) -> (Counters, Gauges) {
    let request = http::request("GET", "/metrics", &[], "");
    let page = http::exchange(address, request.as_bytes());
    let values: HashMap<_, _> = page
        .text()
        .lines()
        .filter_map(|line| {
            let (name, value) = line.strip_prefix("websocksrv_")?.rsplit_once(' ')?;
            // Only numbers of things; the uptime is none.
            Some((name, value.parse().ok()?))
        })
        .collect();
    let get = |name: &str| *values.get(name).unwrap_or_else(|| panic!("no {name}"));
    let dropped = |endpoint, reason| {
        let labels = format!("endpoint=\"{endpoint}\",reason=\"{reason}\"");
        get(&format!("events_dropped_total{{{labels}}}"))
    };
    let admitted = |protocol| {
        get(&format!(
            "clients_admitted_total{{protocol=\"{protocol}\"}}"
        ))
    };
    let clients = |protocol| get(&format!("clients{{protocol=\"{protocol}\"}}"));
    let queued = |queue| get(&format!("queued_events{{queue=\"{queue}\"}}"));
    let counters = Counters {
        from_host: get("events_in_total{endpoint=\"host\"}"),
        from_clients: get("events_in_total{endpoint=\"client\"}"),
        to_host: get("events_out_total{endpoint=\"host\"}"),
        to_clients: get("events_out_total{endpoint=\"client\"}"),
        refused: get("events_refused_total{reason=\"host_queue_full\"}"),
        slow: dropped("client", "slow"),
        queue_full: dropped("client", "queue_full"),
        gone: dropped("client", "gone"),
        hanging: dropped("host", "hanging"),
        to_buses: get("events_out_total{endpoint=\"can\"}")
            + dropped("can", "queue_full")
            + dropped("can", "refused"),
        websockets: admitted("ws1") + admitted("ws2"),
        sessions: admitted("rest"),
    };
    let gauges = Gauges {
        on_ring: queued("hub"),
        for_host: queued("host"),
        for_clients: queued("clients"),
        websockets: clients("ws1") + clients("ws2"),
        sessions: clients("rest"),
    };
    (counters, gauges)
}

impl Sub for Counters {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            from_host: self.from_host - before.from_host,
            from_clients: self.from_clients - before.from_clients,
            to_host: self.to_host - before.to_host,
            to_clients: self.to_clients - before.to_clients,
            refused: self.refused - before.refused,
            slow: self.slow - before.slow,
            queue_full: self.queue_full - before.queue_full,
            gone: self.gone - before.gone,
            hanging: self.hanging - before.hanging,
            to_buses: self.to_buses - before.to_buses,
            websockets: self.websockets - before.websockets,
            sessions: self.sessions - before.sessions,
        }
    }
}

//! Counters of what passes and of what is dropped, and the page that shows them.

use std::{
    fmt,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// A counter that many threads add to.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// How many there are of something that many threads make and take.
#[derive(Debug, Default)]
pub struct Gauge(AtomicUsize);

impl Gauge {
    /// So many more.
    pub fn raise(&self, count: usize) {
        self.0.fetch_add(count, Relaxed);
    }

    /// So many less, which were there.
    pub fn lower(&self, count: usize) {
        self.0.fetch_sub(count, Relaxed);
    }

    /// How many there are.
    pub fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}

/// Tells when something that may happen often is to be logged: at once, then with the number of
/// times at most every ten seconds.
#[derive(Debug, Default)]
pub struct Burst(Mutex<(Option<Instant>, u64)>);

impl Burst {
    /// Counts `count` times; how often it has happened since it was last logged, where it is to
    /// be logged now.
    pub fn hit(&self, count: u64, now: Instant) -> Option<u64> {
        const INTERVAL: Duration = Duration::from_secs(10);
        let mut guard = self.0.lock();
        let (logged, pending) = &mut *guard;
        *pending += count;
        if logged.is_some_and(|logged| now.saturating_duration_since(logged) < INTERVAL) {
            return None;
        }
        *logged = Some(now);
        Some(std::mem::take(pending))
    }
}

/// Defines [`Counters`], and from the same lines the metrics page and the line at the end: first
/// each family (its name on the page, what the line calls it, what it counts), in it each counter
/// (its name here, its labels on the page, what the line calls it).
macro_rules! counters {
    ($(
        $family:literal, $title:literal, $help:literal {
            $($(#[$doc:meta])* $name:ident, $labels:literal, $words:literal;)*
        }
    )*) => {
        /// The counters of one driver.
        #[derive(Debug, Default)]
        pub struct Counters {
            /// Events kept for clients that are not open and for REST sessions.
            pub kept: Gauge,
            $($($(#[$doc])* pub $name: Counter,)*)*
        }

        impl Counters {
            /// The counters by name.
            pub fn to_json(&self) -> serde_json::Value {
                let mut object = serde_json::Map::new();
                $($(object.insert(stringify!($name).to_owned(), self.$name.get().into());)*)*
                object.into()
            }

            fn families(&self) -> impl Iterator<Item = Family<'_>> {
                [$(Family {
                    name: $family,
                    title: $title,
                    help: $help,
                    counters: vec![$(($labels, $words, &self.$name)),*],
                }),*]
                .into_iter()
            }
        }
    };
}

counters! {
    "events_in_total", "events in", "Events taken." {
        /// Events that the host wrote.
        from_host, r#"endpoint="host""#, "from the host";
        /// Events that clients sent and that were accepted.
        from_clients, r#"endpoint="client""#, "from clients";
    }
    "events_out_total", "events out", "Events given, to each client counted." {
        /// Events that the host was given.
        to_host, r#"endpoint="host""#, "to the host";
        /// Events given to clients, each client counted.
        to_clients, r#"endpoint="client""#, "to clients";
    }
    "events_dropped_total", "dropped", "Events refused or dropped." {
        /// Events that the host wrote although it had been given them.
        echoes, r#"reason="echo""#, "echoes";
        /// Events refused because the host's queue was full.
        refused_full, r#"reason="host_queue_full""#, "refused, host queue full";
        /// Events refused because they were larger than the host can take.
        refused_large, r#"reason="too_large""#, "refused, too large";
        /// Events dropped because a client did not take them.
        dropped_slow, r#"reason="slow_client""#, "slow clients";
        /// Events dropped because enough were kept for a client that had not asked for them.
        dropped_closed, r#"reason="client_queue_full""#, "queues of closed clients full";
        /// Commands to the driver and replies of it that there was no room for.
        dropped_own, r#"reason="command""#, "commands and replies";
    }
    "can_frames_in_total", "CAN frames in", "CAN frames received, by what became of them." {
        /// CAN frames received, whatever became of them.
        can_received, r#"result="all""#, "in all";
        /// CAN frames received that are not VSCP: 11-bit and remote ones.
        can_ignored, r#"result="ignored""#, "ignored";
        /// Error frames received.
        can_errors, r#"result="error_frame""#, "error frames";
        /// Events of a bus that clients got and the host did not: its queue was full, or they
        /// were too large for it.
        can_not_to_host, r#"result="not_to_host""#, "not given to the host";
        /// CAN frames that the kernel dropped because they were not read fast enough.
        can_lost, r#"result="lost""#, "lost in the kernel";
    }
    "can_frames_out_total", "CAN frames out", "Events for CAN buses, by what became of them." {
        /// CAN frames sent.
        can_sent, r#"result="sent""#, "sent";
        /// Events for a bus that no CAN frame can carry, or that its interface does not take.
        can_refused, r#"result="refused""#, "refused";
        /// Events for a bus that were dropped because its queue was full, or when the driver
        /// closed.
        can_dropped, r#"result="dropped""#, "dropped";
    }
    "clients_total", "clients", "Clients let in." {
        /// Websocket clients that were let in.
        clients, r#"kind="websocket""#, "websockets";
        /// REST sessions that were opened.
        sessions, r#"kind="rest""#, "REST sessions";
    }
    "clients_turned_away_total", "turned away", "Clients not let in because there were too many." {
        /// Clients that were not let in because there were too many.
        turned_away, "", "clients";
    }
}

/// Counters that belong together.
struct Family<'c> {
    name: &'static str,
    title: &'static str,
    help: &'static str,
    /// Labels, words, counter.
    counters: Vec<(&'static str, &'static str, &'c Counter)>,
}

/// One line: `events in: 5 from the host, 0 from clients; events out: ...`
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, family) in self.families().enumerate() {
            let semicolon = if index > 0 { "; " } else { "" };
            write!(f, "{semicolon}{}:", family.title)?;
            for (index, (_, words, counter)) in family.counters.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                write!(f, "{comma} {} {words}", counter.get())?;
            }
        }
        Ok(())
    }
}

/// What the metrics page shows beside the [`Counters`].
#[derive(Debug)]
pub struct Gauges {
    /// Clients that are there, by protocol.
    pub clients: [(&'static str, usize); 3],
    /// Events that wait, by queue.
    pub queues: [(&'static str, usize); 4],
    /// Logins refused since the start.
    pub logins_refused: u64,
}

/// The metrics page, in the text format of Prometheus.
pub fn page(counters: &Counters, gauges: &Gauges) -> String {
    let mut page = String::new();
    let build = concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"");
    let help = "The driver that answers.";
    write_family(&mut page, "build_info", "gauge", help, [(build, 1)]);
    let clients = gauges.clients;
    let clients = clients.map(|(name, count)| (format!("protocol=\"{name}\""), count as u64));
    let help = "Clients that are there.";
    write_family(&mut page, "clients", "gauge", help, clients);
    let queues = gauges.queues;
    let queues = queues.map(|(name, count)| (format!("queue=\"{name}\""), count as u64));
    let help = "Events that wait.";
    write_family(&mut page, "queued_events", "gauge", help, queues);
    let refused = [("", gauges.logins_refused)];
    let help = "Logins refused.";
    write_family(&mut page, "logins_refused_total", "counter", help, refused);
    for family in counters.families() {
        let samples = family.counters.iter();
        let samples = samples.map(|(labels, _, counter)| (*labels, counter.get()));
        write_family(&mut page, family.name, "counter", family.help, samples);
    }
    page
}

fn write_family(
    page: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    samples: impl IntoIterator<Item = (impl AsRef<str>, u64)>,
) {
    let mut add = |parts: &[&str]| parts.iter().for_each(|part| page.push_str(part));
    add(&["# HELP websocksrv_", name, " ", help, "\n"]);
    add(&["# TYPE websocksrv_", name, " ", kind, "\n"]);
    for (labels, value) in samples {
        let (open, close) = match labels.as_ref() {
            "" => ("", ""),
            _ => ("{", "}"),
        };
        let mut number = itoa::Buffer::new();
        let value = number.format(value);
        add(&[
            "websocksrv_",
            name,
            open,
            labels.as_ref(),
            close,
            " ",
            value,
            "\n",
        ]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_logged_at_its_start_and_then_every_ten_seconds_with_its_count() {
        let burst = Burst::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(burst.hit(1, at(0)), Some(1));
        assert_eq!(burst.hit(2, at(1)), None);
        assert_eq!(burst.hit(3, at(9)), None);
        assert_eq!(burst.hit(1, at(10)), Some(6));
        assert_eq!(burst.hit(1, at(40)), Some(1));
    }

    #[test]
    fn the_line_and_the_page_show_every_counter_once() {
        let counters = Counters::default();
        counters.from_host.add(5);
        counters.dropped_closed.add(7);
        counters.turned_away.add(9);
        assert_eq!(
            counters.to_string(),
            "events in: 5 from the host, 0 from clients; \
             events out: 0 to the host, 0 to clients; \
             dropped: 0 echoes, 0 refused, host queue full, 0 refused, too large, \
             0 slow clients, 7 queues of closed clients full, 0 commands and replies; \
             CAN frames in: 0 in all, 0 ignored, 0 error frames, 0 not given to the host, \
             0 lost in the kernel; CAN frames out: 0 sent, 0 refused, 0 dropped; \
             clients: 0 websockets, 0 REST sessions; turned away: 9 clients"
        );
        let gauges = Gauges {
            clients: [("ws1", 1), ("ws2", 2), ("rest", 3)],
            queues: [("hub", 4), ("host", 5), ("clients", 6), ("kept", 7)],
            logins_refused: 8,
        };
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            "# HELP websocksrv_build_info The driver that answers.
# TYPE websocksrv_build_info gauge
websocksrv_build_info{{version=\"{version}\"}} 1
# HELP websocksrv_clients Clients that are there.
# TYPE websocksrv_clients gauge
websocksrv_clients{{protocol=\"ws1\"}} 1
websocksrv_clients{{protocol=\"ws2\"}} 2
websocksrv_clients{{protocol=\"rest\"}} 3
# HELP websocksrv_queued_events Events that wait.
# TYPE websocksrv_queued_events gauge
websocksrv_queued_events{{queue=\"hub\"}} 4
websocksrv_queued_events{{queue=\"host\"}} 5
websocksrv_queued_events{{queue=\"clients\"}} 6
websocksrv_queued_events{{queue=\"kept\"}} 7
# HELP websocksrv_logins_refused_total Logins refused.
# TYPE websocksrv_logins_refused_total counter
websocksrv_logins_refused_total 8
# HELP websocksrv_events_in_total Events taken.
# TYPE websocksrv_events_in_total counter
websocksrv_events_in_total{{endpoint=\"host\"}} 5
websocksrv_events_in_total{{endpoint=\"client\"}} 0
"
        );
        let page = page(&counters, &gauges);
        assert_eq!(&page[..expected.len()], expected);
        assert!(page.contains("events_dropped_total{reason=\"client_queue_full\"} 7\n"));
        assert!(page.ends_with("\nwebsocksrv_clients_turned_away_total 9\n"));
    }
}

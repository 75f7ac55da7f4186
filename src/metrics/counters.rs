//! The table of all counters.

use std::fmt;

use super::{BusStates, Counter, Gauge, MetricKind, Page};

/// Defines [`Counters`] by a table of families of counters. The metrics page, and the summary that
/// is logged when the driver closes, are made from the same table.
///
/// A family has its name on the page, its name in the summary, and a description for the page. A
/// counter has its field, its labels on the page, and its name in the summary. No two counters of a
/// family count the same event, so that the sum of a family is meaningful.
macro_rules! counters {
    ($(
        $family:literal, $title:literal, $help:literal {
            $($(#[$doc:meta])* $name:ident, $labels:literal, $words:literal;)*
        }
    )*) => {
        /// The counters of one driver.
        #[derive(Debug, Default)]
        pub struct Counters {
            /// Events that wait for clients and REST sessions.
            pub kept: Gauge,
            /// Which CAN buses are up.
            pub buses: BusStates,
            $($($(#[$doc])* pub $name: Counter,)*)*
        }

        impl Counters {
            /// Returns the counters by name.
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
    "events_in_total", "events in", "Events accepted, by where they come from." {
        /// Events that the host wrote.
        from_host, r#"endpoint="host""#, "from the host";
        /// Events that clients sent and that were accepted.
        from_clients, r#"endpoint="client""#, "from clients";
        /// Events of CAN buses.
        from_buses, r#"endpoint="can""#, "from CAN buses";
    }
    "events_out_total", "events out", "Events handed out; one that several clients get counts for each of them." {
        /// Events that the host was given.
        to_host, r#"endpoint="host""#, "to the host";
        /// Events that clients were given. One that several clients get counts for each of them.
        to_clients, r#"endpoint="client""#, "to clients";
        /// Events that were sent on CAN buses, each as a frame.
        can_sent, r#"endpoint="can""#, "to CAN buses";
    }
    "events_echoed_total", "echoes", "Events of the host that it had been given, which nobody gets again." {
        /// Echoes: events of the host that it had been given.
        echoes, "", "events";
    }
    "events_refused_total", "refused", "Events of clients that were refused, which the client was told." {
        /// Events refused because the host's queue was full.
        refused_full, r#"reason="host_queue_full""#, "host queue full";
        /// Events refused because they were larger than the host can take.
        refused_large, r#"reason="too_large""#, "too large";
        /// Events refused because the host cannot take their date.
        refused_date, r#"reason="date""#, "date";
    }
    "events_dropped_total", "dropped", "Events that did not reach somebody, by whom they did not reach." {
        /// Events dropped because a client did not take them.
        dropped_slow, r#"endpoint="client",reason="slow""#, "slow clients";
        /// Events dropped because enough were kept for a client that had not asked for them.
        dropped_closed, r#"endpoint="client",reason="queue_full""#, "queues of closed clients full";
        /// Events that waited for a client when it went.
        dropped_gone, r#"endpoint="client",reason="gone""#, "clients gone";
        /// Events of clients that the host did not get because it had taken nothing for long.
        dropped_hanging, r#"endpoint="host",reason="hanging""#, "host hanging";
        /// Events of a bus that clients got and the host did not: its queue was full.
        can_not_to_host, r#"endpoint="host",reason="queue_full""#, "of CAN buses, host queue full";
        /// Events of a bus that clients got and the host did not: they were too large for it.
        can_too_large, r#"endpoint="host",reason="too_large""#, "of CAN buses, too large for the host";
        /// Events for a bus that were dropped because its queue was full, or when the driver
        /// closed.
        can_dropped, r#"endpoint="can",reason="queue_full""#, "for CAN buses, queue full";
        /// Events for a bus that no CAN frame can carry, or that its interface does not take.
        can_refused, r#"endpoint="can",reason="refused""#, "for CAN buses, refused";
        /// Commands to the driver and replies of it that there was no room for.
        dropped_own, r#"endpoint="driver",reason="queue_full""#, "commands and replies";
    }
    "history_stored_total", "stored in the history", "Events stored in the history." {
        /// Measurements that were stored in the history.
        history_values, r#"kind="value""#, "measurements";
        /// Other events that were stored in the history.
        history_events, r#"kind="event""#, "other events";
    }
    "history_missing_total", "missing in the history", "Events that are not in the history, by the reason." {
        /// Events that were not looked at for the history because they came too fast.
        history_passed_over, r#"reason="too_fast""#, "too fast";
        /// Events that were not stored because too many waited for that.
        history_queue_full, r#"reason="queue_full""#, "queue full";
        /// Events that could not be stored before the end.
        history_lost, r#"reason="closed""#, "waiting at the end";
    }
    "history_failures_total", "history failures", "Writes of the history that failed." {
        /// Writes of the history that failed.
        history_failures, "", "writes";
    }
    "can_frames_in_total", "CAN frames in", "CAN frames received, by what they are." {
        /// VSCP frames received.
        can_received, r#"kind="vscp""#, "VSCP";
        /// CAN frames received that are not VSCP: 11-bit and remote ones.
        can_ignored, r#"kind="other""#, "ignored";
        /// Error frames received.
        can_errors, r#"kind="error""#, "error frames";
    }
    "can_frames_lost_total", "CAN frames lost", "CAN frames that the kernel dropped because they were not read fast enough." {
        /// CAN frames that the kernel dropped because they were not read fast enough.
        can_lost, "", "in the kernel";
    }
    "clients_admitted_total", "clients", "Clients admitted." {
        /// Clients of ws1 that were admitted.
        ws1_clients, r#"protocol="ws1""#, "ws1";
        /// Clients of ws2 that were admitted.
        ws2_clients, r#"protocol="ws2""#, "ws2";
        /// REST sessions that were opened.
        sessions, r#"protocol="rest""#, "REST sessions";
    }
    "clients_turned_away_total", "turned away", "Clients turned away because there were too many." {
        /// Clients that were turned away because there were too many.
        turned_away, "", "clients";
    }
    "connections_ended_total", "connections ended", "HTTP connections ended because there were too many." {
        /// Connections refused because there was no place for them.
        refused_connections, r#"reason="refused""#, "refused";
        /// Connections closed because another one needed their place.
        evicted_connections, r#"reason="evicted""#, "given up for others";
    }
    "logins_total", "logins", "Logins that succeeded." {
        /// Logins that succeeded.
        logins, "", "succeeded";
    }
    "login_failures_total", "failed logins", "Logins that were refused." {
        /// Logins whose credentials could not be decrypted: the client has another key.
        login_undecryptable, r#"reason="not_decrypted""#, "not decrypted";
        /// Logins of users that there are not.
        login_unknown, r#"reason="unknown_user""#, "unknown user";
        /// Logins with a wrong password.
        login_password, r#"reason="wrong_password""#, "wrong password";
        /// Logins of users who have no right to log in there.
        login_right, r#"reason="no_right""#, "no right";
        /// Logins of users who may not log in from that address.
        login_address, r#"reason="forbidden_address""#, "forbidden address";
        /// Logins that were not looked at because there were too many, or too many had failed.
        login_too_many, r#"reason="too_many""#, "too many";
    }
}

impl Counters {
    /// Adds all families to a page.
    pub(crate) fn show_on(&self, page: &mut Page) {
        for family in self.families() {
            let samples = family.counters.iter();
            let samples = samples.map(|(labels, _, counter)| (*labels, counter.get()));
            page.family(family.name, MetricKind::Counter, family.help, samples);
        }
    }
}

/// Counters under one name.
struct Family<'c> {
    name: &'static str,
    title: &'static str,
    help: &'static str,
    /// The labels, the name in the summary, and the counter.
    counters: Vec<(&'static str, &'static str, &'c Counter)>,
}

/// Shows a summary on one line: `events in: 5 from the host, 0 from clients; events out: ...`
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_and_the_page_show_every_counter_once() {
        let counters = Counters::default();
        counters.from_host.add(5);
        counters.dropped_closed.add(7);
        counters.turned_away.add(9);
        assert_eq!(
            counters.to_string(),
            "events in: 5 from the host, 0 from clients, 0 from CAN buses; \
             events out: 0 to the host, 0 to clients, 0 to CAN buses; echoes: 0 events; \
             refused: 0 host queue full, 0 too large, 0 date; \
             dropped: 0 slow clients, 7 queues of closed clients full, 0 clients gone, \
             0 host hanging, 0 of CAN buses, host queue full, \
             0 of CAN buses, too large for the host, 0 for CAN buses, queue full, \
             0 for CAN buses, refused, 0 commands and replies; \
             stored in the history: 0 measurements, 0 other events; \
             missing in the history: 0 too fast, 0 queue full, 0 waiting at the end; \
             history failures: 0 writes; CAN frames in: 0 VSCP, 0 ignored, 0 error frames; \
             CAN frames lost: 0 in the kernel; clients: 0 ws1, 0 ws2, 0 REST sessions; \
             turned away: 9 clients; connections ended: 0 refused, 0 given up for others; \
             logins: 0 succeeded; failed logins: 0 not decrypted, 0 unknown user, \
             0 wrong password, 0 no right, 0 forbidden address, 0 too many"
        );
        let mut page = Page::default();
        counters.show_on(&mut page);
        let page = page.into_string();
        let start = "# HELP websocksrv_events_in_total Events accepted, by where they come from.
# TYPE websocksrv_events_in_total counter
websocksrv_events_in_total{endpoint=\"host\"} 5
websocksrv_events_in_total{endpoint=\"client\"} 0
";
        assert!(page.starts_with(start), "{page}");
        let samples = page.lines().filter(|line| !line.starts_with('#'));
        let names = counters.to_json();
        assert_eq!(samples.count(), names.as_object().unwrap().len());
        for sample in [
            "events_dropped_total{endpoint=\"client\",reason=\"queue_full\"} 7",
            "clients_turned_away_total 9",
            "login_failures_total{reason=\"too_many\"} 0",
        ] {
            assert!(
                page.contains(&format!("\nwebsocksrv_{sample}\n")),
                "{sample}"
            );
        }
    }
}

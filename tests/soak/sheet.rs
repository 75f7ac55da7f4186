//! The balance sheet.

use crate::{host::Usage, metrics::Counters};

/// Bytes that may be allocated more at the end than after the first cycle: what libraries keep for
/// later.
const HEAP_SLACK: u64 = 512 * 1024;

/// Memory that may be more, in KiB: what the allocator and the kernel keep.
const MEMORY_SLACK: u64 = 8 * 1024;

/// The account of the events of one client.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) client: String,
    pub(crate) sent: u64,
    pub(crate) delivered: u64,
    /// By the log of the driver.
    pub(crate) dropped: u64,
}

/// The sums of all cycles.
pub(crate) struct Sheet {
    accounts: Vec<Account>,
    counted: Vec<Counters>,
    /// While the driver was closed, once for each cycle.
    usages: Vec<Usage>,
    /// Clients that came and went, by what they did.
    churned: Vec<(&'static str, u64)>,
}

impl Sheet {
    pub(crate) fn new() -> Self {
        Self {
            accounts: Vec::new(),
            counted: Vec::new(),
            usages: Vec::new(),
            churned: Vec::new(),
        }
    }

    pub(crate) fn cycles(&self) -> usize {
        self.usages.len()
    }

    /// Adds what was counted, and the accounts of the residents.
    pub(crate) fn add(&mut self, counted: &Counters, accounts: Vec<Account>) {
        self.counted.push(*counted);
        if self.accounts.is_empty() {
            self.accounts = accounts;
            return;
        }
        for (sum, account) in self.accounts.iter_mut().zip(accounts) {
            sum.sent += account.sent;
            sum.delivered += account.delivered;
            sum.dropped += account.dropped;
        }
    }

    /// Adds what was counted while clients came and went.
    pub(crate) fn add_churn(&mut self, counted: &Counters, churned: &[(&'static str, u64)]) {
        self.counted.push(*counted);
        for (what, count) in churned {
            match self.churned.iter_mut().find(|(known, _)| known == what) {
                Some((_, sum)) => *sum += count,
                None => self.churned.push((what, *count)),
            }
        }
    }

    /// Notes what the process uses while the driver is closed. Fails if it is more than before.
    pub(crate) fn note_closed(&mut self, usage: Usage) {
        if let Some(first) = self.usages.first() {
            assert_eq!(usage.descriptors, first.descriptors, "descriptors");
            assert_eq!(usage.threads, first.threads, "threads");
            assert!(
                usage.heap <= first.heap + HEAP_SLACK
                    && usage.memory <= first.memory + MEMORY_SLACK,
                "memory: {usage:?} after {:?}",
                self.usages
            );
        }
        let Usage {
            heap,
            memory,
            descriptors,
            threads,
        } = usage;
        self.usages.push(usage);
        println!(
            "cycle {}: closed, the process has {heap} bytes of heap, {memory} KiB, {descriptors} descriptors, {threads} threads",
            self.usages.len()
        );
    }

    pub(crate) fn show(&self) {
        println!(
            "\n{:<18} {:>10} {:>10} {:>10}",
            "client", "sent", "delivered", "dropped"
        );
        for account in &self.accounts {
            let Account {
                client,
                sent,
                delivered,
                dropped,
            } = account;
            println!("{client:<18} {sent:>10} {delivered:>10} {dropped:>10}");
        }
        println!("\n{:<18} {:>10}", "came and went", "");
        for (what, count) in &self.churned {
            println!("{what:<18} {count:>10}");
        }
        println!("\n{:<18} {:>10}", "the driver counted", "");
        let sum = |get: fn(&Counters) -> u64| self.counted.iter().map(get).sum::<u64>();
        for (what, count) in [
            ("websockets", sum(|counted| counted.websockets)),
            ("REST sessions", sum(|counted| counted.sessions)),
            ("from the host", sum(|counted| counted.from_host)),
            ("from clients", sum(|counted| counted.from_clients)),
            ("to the host", sum(|counted| counted.to_host)),
            ("to clients", sum(|counted| counted.to_clients)),
            ("slow clients", sum(|counted| counted.slow)),
            ("queues full", sum(|counted| counted.queue_full)),
            ("clients gone", sum(|counted| counted.gone)),
            ("to buses", sum(|counted| counted.to_buses)),
        ] {
            println!("{what:<18} {count:>10}");
        }
        println!("\n{:<18} {:>10} {:>10}", "closed", "heap", "memory KiB");
        let middle = self.usages.get(self.usages.len() / 2);
        for (when, usage) in [
            ("after the first", self.usages.first()),
            ("in the middle", middle),
            ("after the last", self.usages.last()),
        ] {
            let Usage { heap, memory, .. } = usage.expect("a cycle");
            println!("{when:<18} {heap:>10} {memory:>10}");
        }
    }
}

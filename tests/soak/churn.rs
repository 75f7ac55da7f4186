//! Clients that come and go while the host writes, and files and buses that change meanwhile.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
};

use crate::{
    changes, common::wait_until, guests, host::Host, metrics, random::Random, sheet::Sheet,
    site::Site, strangers,
};

/// Events of the host, and those in one second.
const EVENTS: u32 = 8000;
const RATE: u32 = 1000;

/// Events of one write while guests still wait for some.
const MORE: u32 = 100;

/// Threads whose clients come and go.
const GUESTS: u64 = 4;

/// The numbers of events of guests are above those of the host's.
pub(crate) const GUEST_EVENT: u32 = 1 << 31;

/// The counts of a cycle.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) closed: AtomicU64,
    pub(crate) reset: AtomicU64,
    pub(crate) half_closed: AtomicU64,
    pub(crate) stalled: AtomicU64,
    pub(crate) broke_rules: AtomicU64,
    pub(crate) sent_too_much: AtomicU64,
    pub(crate) wrong_logins: AtomicU64,
    pub(crate) floods: AtomicU64,
    pub(crate) handshakes: AtomicU64,
    pub(crate) rest: AtomicU64,
    pub(crate) users_changed: AtomicU64,
    pub(crate) certificates_changed: AtomicU64,
    pub(crate) bus_downs: AtomicU64,
    pub(crate) received: AtomicU64,
    /// Events between others that did not come.
    pub(crate) missing: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) sent: AtomicU64,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// Lets clients come and go. When they are gone nothing is left of them.
pub(crate) fn run(site: &Site, host: &mut Host, sheet: &mut Sheet) {
    let (before, _) = metrics::read(site.plain);
    let mut log = site.log();
    log.take();
    let ends = AtomicBool::new(false);
    let seen = Seen::default();
    let cycle = sheet.cycles() as u64;
    let written = thread::scope(|scope| {
        let (ends, seen) = (&ends, &seen);
        let handles: Vec<_> = (0..GUESTS)
            .map(|number| {
                let random = Random::new(cycle * GUESTS + number);
                scope.spawn(move || guests::come_and_go(site, random, ends, seen))
            })
            .collect();
        let parts: [fn(&Site, &AtomicBool, &Seen); 7] = [
            strangers::guess_passwords,
            strangers::flood,
            strangers::break_off,
            guests::use_rest,
            changes::change_users,
            changes::change_certificates,
            changes::change_bus,
        ];
        for part in parts {
            scope.spawn(move || {
                while !ends.load(Relaxed) {
                    part(site, ends, seen);
                }
            });
        }
        // The guests of the last moment take events, too.
        host.write(1, EVENTS * 3 / 4, RATE);
        ends.store(true, Relaxed);
        host.write(EVENTS * 3 / 4 + 1, EVENTS / 4, RATE);
        let mut written = EVENTS;
        while handles.iter().any(|guest| !guest.is_finished()) {
            host.write(written + 1, MORE, RATE);
            written += MORE;
        }
        written
    });
    site.write_users("secret");
    wait_until("all are gone, and nothing is left of them", || {
        metrics::read(site.plain).1 == metrics::Gauges::default()
    });
    let counted = metrics::read(site.plain).0 - before;
    log.take();
    balance(&seen, &counted, written);
    sheet.add_churn(&counted, &seen.list());
}

fn balance(seen: &Seen, counted: &metrics::Counters, written: u32) {
    let get = |counter: &AtomicU64| counter.load(Relaxed);
    assert_eq!(counted.from_host, u64::from(written), "from the host");
    let accepted = get(&seen.accepted)..=get(&seen.sent);
    assert!(
        accepted.contains(&counted.from_clients),
        "{accepted:?}, {counted:?}"
    );
    assert!(counted.to_clients >= get(&seen.received), "{counted:?}");
    let dropped = counted.slow + counted.queue_full + counted.gone;
    assert!(
        get(&seen.missing) <= dropped,
        "{} missing, {counted:?}",
        get(&seen.missing)
    );
    let in_all = counted.to_host + counted.hanging;
    assert_eq!(in_all, counted.from_clients, "to the host");
}

impl Seen {
    fn list(&self) -> [(&'static str, u64); 13] {
        [
            ("closed", &self.closed),
            ("reset", &self.reset),
            ("half closed", &self.half_closed),
            ("stalled", &self.stalled),
            ("broke rules", &self.broke_rules),
            ("sent too much", &self.sent_too_much),
            ("wrong logins", &self.wrong_logins),
            ("floods", &self.floods),
            ("no handshake", &self.handshakes),
            ("REST", &self.rest),
            ("users changed", &self.users_changed),
            ("certificates", &self.certificates_changed),
            ("bus went down", &self.bus_downs),
        ]
        .map(|(what, count)| (what, count.load(Relaxed)))
    }
}

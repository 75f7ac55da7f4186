//! Clients that stay for a while, and what becomes of each event.

use std::{
    collections::HashMap,
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

use crate::{
    common::{wait_for, wait_until},
    host::Host,
    log, metrics,
    resident::{LAST, MANNERS, Manner, Outcome, Round, live, user_of},
    sheet::{Account, Sheet},
    site::Site,
};

/// How many there are.
pub(crate) const RESIDENTS: usize = MANNERS.len();

/// Events of the host in one round, and in one second.
pub(crate) const EVENTS: u32 = 8000;
const RATE: u32 = 2000;

/// Lets the residents come, the host and some of them send events, and accounts for each event.
pub(crate) fn run(site: &Site, host: &mut Host, sheet: &mut Sheet) {
    let with_host = |is_there: fn(Manner) -> bool| {
        let clients = MANNERS.iter().filter(|(manner, ..)| is_there(*manner));
        Barrier::new(clients.count() + 1)
    };
    let round = Round {
        ready: with_host(|_| true),
        sent: AtomicUsize::new(0),
        written: AtomicBool::new(false),
        taking: with_host(Manner::is_late),
        ended: with_host(|_| true),
    };
    let read_before = host.count_read();
    let (before, _) = metrics::read(site.plain);
    let mut log = site.log();
    log.take();
    let results: Vec<Outcome> = thread::scope(|scope| {
        let clients: Vec<_> = (0..RESIDENTS)
            .map(|index| {
                scope.spawn({
                    let round = &round;
                    move || live(site, index, round)
                })
            })
            .collect();
        round.ready.wait();
        host.write(1, EVENTS, RATE);
        let senders = MANNERS
            .iter()
            .filter(|(manner, ..)| *manner == Manner::Sends);
        let senders = senders.count();
        wait_until("the clients have sent", || {
            round.sent.load(Relaxed) == senders
        });
        let on_ring = || metrics::read(site.plain).1.on_ring;
        wait_until("the clients' tasks have all events", || on_ring() == 0);
        round.written.store(true, Relaxed);
        round.taking.wait();
        host.write(LAST, 1, 1);
        wait_until("and the last one", || on_ring() == 0);
        round.ended.wait();
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect()
    });
    let gauges = wait_for("all are gone", || {
        let (_, gauges) = metrics::read(site.plain);
        (gauges.websockets + gauges.sessions == 0).then_some(gauges)
    });
    let after = metrics::read(site.plain).0 - before;
    wait_until("the host has all events", || {
        host.count_read() - read_before == after.to_host
            && metrics::read(site.plain).1.for_host == 0
    });
    assert_eq!(gauges.for_clients, 0, "events wait for nobody");
    let mut lines = Vec::new();
    wait_until("the log tells that all are gone", || {
        lines.extend(log.take());
        lines
            .iter()
            .filter(|line| log::tells_of_an_end(line))
            .count()
            == RESIDENTS
    });
    let accounts = accounts(&results, &log::dropped(&lines));
    balance(&results, &accounts, &after);
    if site.bus.is_some() {
        assert_eq!(
            after.to_buses,
            after.from_host + after.from_clients,
            "to the bus"
        );
    }
    sheet.add(&after, accounts);
}

/// Returns what each client was sent and got, and what it has lost by the log of the driver.
fn accounts(results: &[Outcome], log: &HashMap<String, u64>) -> Vec<Account> {
    let of_clients: u64 = results.iter().map(|result| result.accepted).sum();
    let accounts = results.iter().zip(MANNERS).enumerate();
    accounts
        .map(|(index, (result, (manner, protocol, tls)))| {
            let of_others = match manner {
                Manner::Filters => 0,
                _ => of_clients - result.accepted,
            };
            let secure = if tls { " TLS" } else { "" };
            Account {
                client: match manner {
                    Manner::Polls | Manner::PollsLate => format!("{manner:?} REST"),
                    _ => format!("{manner:?} {protocol:?}{secure}"),
                },
                sent: u64::from(EVENTS) + 1 + of_others,
                delivered: result.count(),
                dropped: log.get(&user_of(index)).copied().unwrap_or(0),
            }
        })
        .collect()
}

/// Compares what the clients have seen with what the driver has counted.
fn balance(results: &[Outcome], accounts: &[Account], counted: &metrics::Counters) {
    for account in accounts {
        let Account {
            sent,
            delivered,
            dropped,
            ..
        } = account;
        assert_eq!(*sent, delivered + dropped, "{account:?}");
    }
    let sum = |value: fn(&Outcome) -> u64| results.iter().map(value).sum::<u64>();
    let dropped = |kept: bool| -> u64 {
        let clients = accounts.iter().zip(&MANNERS);
        let clients = clients.filter(|(_, (manner, ..))| manner.is_kept() == kept);
        clients.map(|(account, _)| account.dropped).sum()
    };
    for (name, seen, counted) in [
        ("from the host", u64::from(EVENTS) + 1, counted.from_host),
        (
            "from clients",
            sum(|result| result.accepted),
            counted.from_clients,
        ),
        ("refused", sum(|result| result.refused), counted.refused),
        (
            "to the host",
            counted.from_clients - counted.hanging,
            counted.to_host,
        ),
        ("to clients", sum(Outcome::count), counted.to_clients),
        ("dropped, slow", dropped(false), counted.slow),
        ("dropped, queue full", dropped(true), counted.queue_full),
        ("dropped, gone", 0, counted.gone),
    ] {
        assert_eq!(seen, counted, "{name}: seen, and counted by the driver");
    }
    assert!(
        counted.slow > 0 && counted.queue_full > 0,
        "nothing was dropped"
    );
}

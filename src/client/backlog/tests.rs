use super::*;
use crate::{event::text, hub::batch::Routed, test_log::TestLog};

const ME: ClientLabel = ClientLabel {
    id: 7,
    address: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
};

fn batch(memory: &Arc<BatchMemory>, numbers: std::ops::Range<u32>) -> Arc<Batch> {
    let events = numbers.map(|number| Routed {
        event: text::parse(&format!("0,20,3,0,,{number},-")).unwrap(),
        // Every tenth is the client's own.
        origin: Endpoint::Client(if number % 10 == 9 { ME.id } else { 1 }),
    });
    Arc::new(Batch::new(events.collect(), memory))
}

fn backlogs(events: usize, bytes: usize, total_bytes: usize) -> (Arc<Backlogs>, Arc<BatchMemory>) {
    let memory = Arc::new(BatchMemory::default());
    let limits = BacklogLimits {
        events,
        bytes,
        total_bytes,
    };
    (
        Backlogs::new(limits, memory.clone(), Arc::default()),
        memory,
    )
}

fn numbers(backlog: &mut Backlog) -> Vec<u32> {
    std::iter::from_fn(|| backlog.take_event())
        .map(|event| event.timestamp)
        .collect()
}

#[test]
fn what_the_client_receives_and_did_not_send_comes_out_in_order() {
    let (all, memory) = backlogs(1000, usize::MAX, usize::MAX);
    let mut backlog = Backlog::new(ME, all.clone());
    let even = |event: &Event| event.timestamp.is_multiple_of(2);
    backlog.add(&batch(&memory, 0..20), Overflow::DropsOldest, true, |_| {
        true
    });
    backlog.add(&batch(&memory, 20..30), Overflow::DropsOldest, false, even);
    backlog.add(
        &batch(&memory, 30..60),
        Overflow::DropsOldest,
        false,
        |event| event.timestamp == 33,
    );
    assert_eq!(all.counters.kept.get(), 18 + 5 + 1);
    let mut expected: Vec<_> = (0..20).filter(|number| number % 10 != 9).collect();
    expected.extend([20, 22, 24, 26, 28, 33]);
    assert_eq!(numbers(&mut backlog), expected);
    assert_eq!(all.counters.kept.get(), 0);
    assert_eq!((memory.used(), all.holders.load(Relaxed)), (0, 0));
}

#[test]
fn a_few_events_of_a_batch_do_not_keep_the_others_in_memory() {
    let (all, memory) = backlogs(1000, usize::MAX, usize::MAX);
    let mut backlog = Backlog::new(ME, all);
    let batch = batch(&memory, 0..256);
    let weight = batch.weight();
    let few = |event: &Event| event.timestamp < 3;
    backlog.add(&batch, Overflow::DropsOldest, false, few);
    drop(batch);
    assert!(memory.used() < weight / 50);
    assert_eq!(numbers(&mut backlog), [0, 1, 2]);
}

#[test]
fn a_client_that_takes_events_loses_the_oldest_and_one_that_does_not_the_newest() {
    for (overflow, left, lines) in [
        (
            Overflow::DropsOldest,
            [6, 7, 8, 10, 11],
            [
                "WARN client 7 (127.0.0.1): takes its events too slowly, the oldest are dropped",
                "WARN client 7 (127.0.0.1): 6 events dropped, too slow",
            ],
        ),
        (
            Overflow::DropsNewest,
            [0, 1, 2, 3, 4],
            [
                "WARN client 7 (127.0.0.1): 5 events kept until it takes them, newer ones are dropped (key max-client-queue-size)",
                "WARN client 7 (127.0.0.1): 6 events dropped",
            ],
        ),
    ] {
        let log = TestLog::start();
        let (all, memory) = backlogs(5, usize::MAX, usize::MAX);
        let mut backlog = Backlog::new(ME, all.clone());
        // A batch may be too large for the limit by itself.
        backlog.add(&batch(&memory, 0..6), overflow, true, |_| true);
        backlog.add(&batch(&memory, 6..12), overflow, true, |_| true);
        assert_eq!(numbers(&mut backlog), left, "{overflow:?}");
        backlog.note_kept_up();
        backlog.note_kept_up();
        assert_eq!(log.take(), lines);
        let counters = &all.counters;
        assert_eq!(
            counters.dropped_slow.get() + counters.dropped_closed.get(),
            6
        );
    }
}

#[test]
fn events_that_the_client_does_not_receive_are_not_counted_as_lost() {
    let (all, memory) = backlogs(2, usize::MAX, usize::MAX);
    let mut backlog = Backlog::new(ME, all.clone());
    let few = |event: &Event| event.timestamp < 5;
    backlog.add(&batch(&memory, 0..100), Overflow::DropsOldest, false, few);
    assert_eq!(all.counters.dropped_slow.get(), 3);
}

#[test]
fn one_client_keeps_no_more_than_its_bytes() {
    let (all, memory) = backlogs(10_000, 100_000, usize::MAX);
    let mut backlog = Backlog::new(ME, all);
    for start in 0..50 {
        let batch = batch(&memory, start * 20..start * 20 + 20);
        backlog.add(&batch, Overflow::DropsOldest, true, |_| true);
        assert!(backlog.bytes <= 100_000);
    }
    assert!(memory.used() <= 100_000);
    assert_eq!(numbers(&mut backlog).last(), Some(&998));
}

#[test]
fn what_clients_share_counts_once_and_all_together_keep_no_more_than_the_total() {
    const TOTAL: usize = 200_000;
    let (all, memory) = backlogs(10_000, 150_000, TOTAL);
    let mut backlogs: Vec<_> = (0..20).map(|_| Backlog::new(ME, all.clone())).collect();
    for start in 0..10 {
        let shared = batch(&memory, start * 10..start * 10 + 10);
        for backlog in &mut backlogs {
            backlog.add(&shared, Overflow::DropsOldest, true, |_| true);
        }
    }
    assert!(backlogs.iter().all(|backlog| backlog.len() == 90));
    // Each with events of its own.
    for start in 0..50 {
        for backlog in &mut backlogs {
            let own = batch(&memory, start * 10..start * 10 + 10);
            backlog.add(&own, Overflow::DropsOldest, true, |_| true);
        }
    }
    assert!(memory.used() <= TOTAL, "{}", memory.used());
    drop(backlogs);
    assert_eq!(memory.used(), 0);
    assert!(all.counters.dropped_gone.get() > 0);
}

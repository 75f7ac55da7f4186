#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    future::{Future, poll_fn},
    pin::pin,
};

use proptest::prelude::*;
use tokio::time::{advance, timeout};

use super::*;
use crate::{
    event::{Data, Event, Guid},
    hub::batch::{Endpoint, Routed},
};

/// A batch of the events `numbers` (their time stamps) with so many bytes of data.
fn batch(numbers: std::ops::Range<u32>, bytes: usize) -> Batch {
    let data = Data::copy_from(&vec![0; bytes]).unwrap();
    let events = numbers.map(|number| Routed {
        event: Event {
            head: 0,
            class: 20,
            kind: 3,
            obid: 0,
            date: None,
            timestamp: number,
            unix_ns: None,
            guid: Guid::ZERO,
            data: data.clone(),
        },
        origin: Endpoint::Host,
    });
    Batch::new(events.collect())
}

/// A ring that is limited in events alone.
fn ring(max_events: usize) -> Arc<Ring> {
    Arc::new(Ring::new(max_events, usize::MAX))
}

/// What a reader can take now, as numbers, and how many it lost; `None` for nothing.
fn take(reader: &Subscription, max: usize) -> Option<(Vec<u32>, u64)> {
    let mut batches = Vec::new();
    let context = Context::from_waker(Waker::noop());
    match reader.poll_take(&context, max, &mut batches) {
        Poll::Ready(lost) => Some((numbers(&batches), lost)),
        Poll::Pending => None,
    }
}

fn numbers(batches: &[Arc<Batch>]) -> Vec<u32> {
    let events = batches.iter().flat_map(|batch| batch.events());
    events.map(|routed| routed.event.timestamp).collect()
}

/// Whether a future has not ended yet.
async fn is_pending(future: impl Future) -> bool {
    timeout(Duration::ZERO, future).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn every_reader_takes_all_batches_in_order() {
    let ring = ring(100);
    let readers = [
        ring.subscribe(Endpoint::Client(1)),
        ring.subscribe(Endpoint::Client(2)),
    ];
    ring.publish(batch(0..2, 0)).await;
    ring.publish(batch(2..5, 0)).await;
    ring.publish(batch(5..6, 0)).await;
    assert_eq!(take(&readers[0], 2), Some((vec![0, 1, 2, 3, 4], 0)));
    assert_eq!(take(&readers[0], 2), Some((vec![5], 0)));
    assert_eq!(take(&readers[0], 2), None);
    assert_eq!(take(&readers[1], 16), Some((vec![0, 1, 2, 3, 4, 5], 0)));
    assert_eq!(take(&readers[1], 16), None);
    assert!(ring.state.lock().log.slots.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reader_gets_only_what_is_published_after_it_came() {
    let ring = ring(100);
    ring.publish(batch(0..1, 0)).await;
    let first = ring.subscribe(Endpoint::Client(1));
    ring.publish(batch(1..2, 0)).await;
    let second = ring.subscribe(Endpoint::Client(2));
    ring.publish(batch(2..3, 0)).await;
    assert_eq!(take(&first, 16), Some((vec![1, 2], 0)));
    assert_eq!(take(&second, 16), Some((vec![2], 0)));
}

#[tokio::test(start_paused = true)]
async fn without_readers_nothing_is_kept_and_nobody_is_waited_for() {
    let ring = ring(2);
    for number in 0..100 {
        ring.publish(batch(number..number + 1, 0)).await;
    }
    assert!(ring.state.lock().log.slots.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_waits_is_woken_by_a_batch() {
    let ring = ring(100);
    let reader = ring.subscribe(Endpoint::Client(1));
    let mut batches = Vec::new();
    {
        let mut taken = pin!(poll_fn(|context| reader.poll_take(
            context,
            16,
            &mut batches
        )));
        assert!(is_pending(&mut taken).await);
        let (lost, ()) = tokio::join!(taken, ring.publish(batch(7..8, 0)));
        assert_eq!(lost, 0);
    }
    assert_eq!(numbers(&batches), [7]);
}

#[tokio::test(start_paused = true)]
async fn the_writer_waits_until_the_slowest_reader_makes_room() {
    let ring = ring(4);
    let readers = [
        ring.subscribe(Endpoint::Client(1)),
        ring.subscribe(Endpoint::Client(2)),
    ];
    ring.publish(batch(0..2, 0)).await;
    ring.publish(batch(2..4, 0)).await;
    assert_eq!(take(&readers[0], 16), Some((vec![0, 1, 2, 3], 0)));
    let mut publish = pin!(ring.publish(batch(4..6, 0)));
    assert!(is_pending(&mut publish).await);
    assert_eq!(take(&readers[1], 1), Some((vec![0, 1], 0)));
    let start = Instant::now();
    publish.await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(take(&readers[0], 16), Some((vec![4, 5], 0)));
    assert_eq!(take(&readers[1], 16), Some((vec![2, 3, 4, 5], 0)));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_nothing_is_waited_for_once_and_then_passed_over() {
    let ring = ring(4);
    let stalled = ring.subscribe(Endpoint::Client(1));
    let reader = ring.subscribe(Endpoint::Client(2));
    let start = Instant::now();
    for number in 0..10 {
        ring.publish(batch(2 * number..2 * number + 2, 0)).await;
        let expected = vec![2 * number, 2 * number + 1];
        assert_eq!(take(&reader, 16), Some((expected, 0)));
    }
    // Its patience is for the first time that the ring is full, not for each batch.
    let waited = start.elapsed();
    assert!(
        (PATIENCE..PATIENCE + Duration::from_millis(5)).contains(&waited),
        "{waited:?}"
    );
    // It gets what the ring still has, and is told of the rest.
    assert_eq!(take(&stalled, 16), Some((vec![16, 17, 18, 19], 16)));
    assert_eq!(take(&stalled, 16), None);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_again_is_waited_for_again() {
    let ring = ring(2);
    let reader = ring.subscribe(Endpoint::Client(1));
    ring.publish(batch(0..2, 0)).await;
    ring.publish(batch(2..4, 0)).await;
    assert_eq!(take(&reader, 16), Some((vec![2, 3], 2)));
    assert_eq!(take(&reader, 16), None);
    advance(Duration::from_secs(100)).await;
    // Idle, it has not lost its patience.
    ring.publish(batch(4..6, 0)).await;
    let start = Instant::now();
    ring.publish(batch(6..8, 0)).await;
    let waited = start.elapsed();
    assert!(
        (PATIENCE..PATIENCE + Duration::from_millis(5)).contains(&waited),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_has_taken_much_is_not_waited_for_the_longer() {
    let ring = ring(100);
    let reader = ring.subscribe(Endpoint::Client(1));
    // At a thousand a second these would be worth ten seconds.
    for number in 0..100 {
        ring.publish(batch(100 * number..100 * number + 100, 0))
            .await;
        take(&reader, 16).unwrap();
    }
    ring.publish(batch(0..100, 0)).await;
    let start = Instant::now();
    ring.publish(batch(100..200, 0)).await;
    let waited = start.elapsed();
    assert!(waited < PATIENCE + Duration::from_millis(5), "{waited:?}");
}

/// Publishes batches of 10 events as fast as the ring takes them, for a reader that takes one
/// each `time`; how many events it loses of 5000.
async fn lost_by_a_reader(time: Duration) -> u64 {
    let ring = ring(100);
    let reader = ring.subscribe(Endpoint::Client(1));
    let fast = ring.subscribe(Endpoint::Client(2));
    let writer = {
        let ring = ring.clone();
        tokio::spawn(async move {
            for number in 0..500 {
                ring.publish(batch(10 * number..10 * number + 10, 0)).await;
            }
        })
    };
    let other = tokio::spawn(async move {
        let mut all = Vec::new();
        while all.len() < 5000 {
            let mut batches = Vec::new();
            let lost = poll_fn(|context| fast.poll_take(context, 16, &mut batches)).await;
            assert_eq!(lost, 0, "another reader's slowness is noticed");
            all.extend(numbers(&batches));
        }
        assert!(all.into_iter().eq(0..5000));
    });
    let mut next = 0;
    let mut all_lost = 0;
    while next < 5000 {
        tokio::time::sleep(time).await;
        if let Some((taken, lost)) = take(&reader, 1) {
            all_lost += lost;
            next += lost as u32;
            assert!(taken.iter().copied().eq(next..next + taken.len() as u32));
            next += taken.len() as u32;
        }
    }
    writer.await.unwrap();
    other.await.unwrap();
    all_lost
}

#[tokio::test(start_paused = true)]
async fn a_reader_of_a_thousand_events_a_second_loses_nothing() {
    assert_eq!(lost_by_a_reader(Duration::from_millis(9)).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_slower_reader_loses_events_and_the_others_do_not() {
    let lost = lost_by_a_reader(Duration::from_millis(40)).await;
    assert!((1000..4900).contains(&lost), "{lost}");
}

#[tokio::test(start_paused = true)]
async fn the_memory_of_the_batches_is_limited() {
    let weight = batch(0..10, 512).weight();
    let ring = Arc::new(Ring::new(usize::MAX, 3 * weight));
    let reader = ring.subscribe(Endpoint::Client(1));
    for number in 0..3 {
        ring.publish(batch(10 * number..10 * number + 10, 512))
            .await;
    }
    assert_eq!(ring.state.lock().log.weight, 3 * weight);
    let mut publish = pin!(ring.publish(batch(30..31, 0)));
    assert!(is_pending(&mut publish).await);
    take(&reader, 1).unwrap();
    publish.await;
    take(&reader, 16).unwrap();
    assert_eq!(ring.state.lock().log.weight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_batch_larger_than_the_ring_goes_into_an_empty_one() {
    let ring = Arc::new(Ring::new(2, 1));
    let reader = ring.subscribe(Endpoint::Client(1));
    ring.publish(batch(0..5, 100)).await;
    assert_eq!(take(&reader, 16), Some((vec![0, 1, 2, 3, 4], 0)));
}

#[tokio::test(start_paused = true)]
async fn what_is_cleared_is_neither_taken_nor_lost_and_makes_room() {
    let ring = ring(2);
    let reader = ring.subscribe(Endpoint::Client(1));
    ring.publish(batch(0..2, 0)).await;
    let mut publish = pin!(ring.publish(batch(2..4, 0)));
    assert!(is_pending(&mut publish).await);
    assert_eq!(reader.clear(), 2);
    publish.await;
    assert_eq!(take(&reader, 16), Some((vec![2, 3], 0)));

    ring.publish(batch(4..6, 0)).await;
    ring.publish(batch(6..8, 0)).await;
    assert_eq!(reader.clear(), 4, "with those that it was passed over with");
    assert_eq!(take(&reader, 16), None);
    assert_eq!(reader.clear(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_leaves_makes_room() {
    let ring = ring(2);
    let [leaves, stays] = [
        ring.subscribe(Endpoint::Client(1)),
        ring.subscribe(Endpoint::Client(2)),
    ];
    ring.publish(batch(0..2, 0)).await;
    take(&stays, 16).unwrap();
    let mut publish = pin!(ring.publish(batch(2..4, 0)));
    assert!(is_pending(&mut publish).await);
    drop(leaves);
    let start = Instant::now();
    publish.await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(take(&stays, 16), Some((vec![2, 3], 0)));
    drop(stays);
    let state = ring.state.lock();
    assert!(state.log.slots.is_empty() && state.readers.is_empty());
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Publish { events: u32, bytes: usize },
    Take { reader: usize, max: usize },
    Clear { reader: usize },
    Leave { reader: usize },
    Come,
    Wait { millis: u64 },
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1u32..6, 0usize..40).prop_map(|(events, bytes)| Step::Publish { events, bytes }),
        4 => (0usize..4, 1usize..4).prop_map(|(reader, max)| Step::Take { reader, max }),
        1 => (0usize..4).prop_map(|reader| Step::Clear { reader }),
        1 => (0usize..4).prop_map(|reader| Step::Leave { reader }),
        1 => Just(Step::Come),
        2 => (0u64..1500).prop_map(|millis| Step::Wait { millis }),
    ]
}

proptest! {
    /// Whatever happens, each reader takes all that is published from its start in order, but
    /// for what it cleared and what it is told that it lost; and the limits hold.
    #[test]
    fn nothing_is_lost_untold_and_the_limits_hold(
        steps in proptest::collection::vec(any_step(), 1..80),
    ) {
        const MAX_EVENTS: usize = 12;
        let max_weight = batch(0..12, 20).weight();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let ring = Arc::new(Ring::new(MAX_EVENTS, max_weight));
            let mut published = 0;
            let mut ids = 0;
            // With the number of the event that it takes next.
            let mut readers: Vec<(Subscription, u32)> = Vec::new();
            for step in steps {
                let count = readers.len().max(1);
                match step {
                    Step::Publish { events, bytes } => {
                        let batch = Arc::new(batch(published..published + events, bytes));
                        match ring.try_publish(&batch) {
                            Ok(()) => published += events,
                            Err(until) => assert!(until > Instant::now()),
                        }
                    }
                    Step::Take { reader, max } => {
                        let Some((reader, next)) = readers.get_mut(reader % count) else {
                            continue;
                        };
                        match take(reader, max) {
                            Some((taken, lost)) => {
                                *next += lost as u32;
                                for number in taken {
                                    assert_eq!(number, *next);
                                    *next += 1;
                                }
                            }
                            None => assert_eq!(*next, published),
                        }
                    }
                    Step::Clear { reader } => {
                        if let Some((reader, next)) = readers.get_mut(reader % count) {
                            reader.clear();
                            *next = published;
                        }
                    }
                    Step::Leave { reader } if !readers.is_empty() => {
                        readers.remove(reader % count);
                    }
                    Step::Leave { .. } => {}
                    Step::Come => {
                        ids += 1;
                        readers.push((ring.subscribe(Endpoint::Client(ids)), published));
                    }
                    Step::Wait { millis } => advance(Duration::from_millis(millis)).await,
                }
                let state = ring.state.lock();
                let slots = &state.log.slots;
                let events: usize = slots.iter().map(|slot| slot.batch.events().len()).sum();
                let weight: usize = slots.iter().map(|slot| slot.batch.weight()).sum();
                assert_eq!((state.log.events, state.log.weight), (events, weight));
                assert!(events <= MAX_EVENTS);
                assert!(weight <= max_weight || slots.len() == 1);
                assert!(slots.iter().all(|slot| slot.unread > 0));
            }
        });
    }
}

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::Wake,
    thread,
    time::Duration,
};

use proptest::prelude::*;

use super::*;
use crate::event::text;

const CLIENT: Endpoint = Endpoint::Client(1);

fn routed(number: u32, origin: Endpoint) -> Routed {
    let event = text::parse(&format!("0,20,3,0,,{number},-")).unwrap();
    Routed { event, origin }
}

fn ring() -> Arc<Ring> {
    Arc::new(Ring::new(Arc::default(), RingLimits::default()))
}

fn push(ring: &Ring, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let routed = routed(number, Endpoint::Host);
        ring.push_from_host(routed, || Some(Instant::now()))
            .unwrap();
    }
}

/// Returns the numbers that a reader can take now, batch by batch.
fn take(reader: &Subscription, max: usize) -> Vec<Vec<u32>> {
    let mut batches = Vec::new();
    let context = Context::from_waker(Waker::noop());
    let polled = reader.poll_take(&context, max, &mut batches);
    assert_eq!(polled.is_pending(), batches.is_empty());
    let numbers = |batch: &Arc<Batch>| {
        let events = batch.events().iter();
        events.map(|routed| routed.event.timestamp).collect()
    };
    batches.iter().map(numbers).collect()
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Woken {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Parks a reader that has read all.
fn park(reader: &Subscription, woken: &Arc<Woken>) {
    let waker = woken.clone().into();
    let polled = reader.poll_take(&Context::from_waker(&waker), 1, &mut Vec::new());
    assert!(polled.is_pending());
}

#[test]
fn every_reader_takes_all_events_in_order() {
    let ring = ring();
    let readers = [ring.subscribe(CLIENT), ring.subscribe(Endpoint::Client(2))];
    push(&ring, 0..3);
    assert_eq!(take(&readers[0], 16), [[0, 1, 2]]);
    push(&ring, 3..5);
    assert_eq!(take(&readers[0], 16), [[3, 4]]);
    assert!(take(&readers[0], 16).is_empty());
    assert_eq!(take(&readers[1], 1), [[0, 1, 2]]);
    assert_eq!(take(&readers[1], 16), [[3, 4]]);
    assert_eq!(ring.len(), 0);
    assert_eq!(ring.memory.used(), 0);
}

#[test]
fn a_reader_gets_only_what_is_pushed_after_it_came() {
    let ring = ring();
    let first = ring.subscribe(CLIENT);
    push(&ring, 0..2);
    let second = ring.subscribe(Endpoint::Client(2));
    push(&ring, 2..3);
    assert_eq!(take(&second, 16), [[2]]);
    assert_eq!(take(&first, 16), [vec![0, 1], vec![2]]);
}

#[test]
fn a_lone_event_wakes_a_parked_reader_once_and_later_ones_gather_until_it_comes() {
    let ring = ring();
    let reader = ring.subscribe(CLIENT);
    let woken = Arc::new(Woken::default());
    park(&reader, &woken);
    push(&ring, 0..1);
    assert_eq!(woken.count(), 1);
    push(&ring, 1..4);
    assert_eq!(woken.count(), 1);
    assert_eq!(take(&reader, 16), [vec![0], vec![1, 2, 3]]);
}

#[test]
fn a_reader_is_not_woken_for_what_it_has_brought_itself() {
    let ring = ring();
    let reader = ring.subscribe(CLIENT);
    let bus = ring.subscribe(Endpoint::Bus(0));
    let [client_woken, bus_woken] = [Arc::new(Woken::default()), Arc::new(Woken::default())];
    for count in 1..=10 {
        park(&reader, &client_woken);
        park(&bus, &bus_woken);
        ring.push([routed(count, CLIENT)]).unwrap();
        assert_eq!(
            (client_woken.count(), bus_woken.count()),
            (0, count as usize)
        );
        take(&bus, 16);
        take(&reader, 16);
    }
    park(&bus, &bus_woken);
    ring.push([routed(0, Endpoint::Bus(1))]).unwrap();
    assert_eq!(bus_woken.count(), 10);
    // The list of the parked does not grow with each of them.
    assert!(ring.state.lock().readers.listed() <= 2);
}

#[test]
fn a_reader_is_woken_before_its_own_events_fill_the_ring() {
    let ring = ring();
    let reader = ring.subscribe(CLIENT);
    let busy = ring.subscribe(Endpoint::Client(2));
    let woken = Arc::new(Woken::default());
    let mut rounds = 0;
    park(&reader, &woken);
    for number in 0..2 * ring.limits.others as u32 {
        let room = ring.poll_room(&Context::from_waker(Waker::noop()));
        assert!(room.is_ready(), "no room for event {number}");
        ring.push([routed(number, CLIENT)]).unwrap();
        take(&busy, 1);
        if woken.count() > rounds {
            rounds += 1;
            take(&reader, 1 << 20);
            park(&reader, &woken);
        }
    }
    assert!((1..100).contains(&rounds), "woken {rounds} times");
}

#[tokio::test]
async fn many_readers_are_woken_by_the_runtime() {
    const READERS: u32 = 500;

    let ring = ring();
    let waking = tokio::spawn({
        let ring = ring.clone();
        async move { ring.wake_readers().await }
    });
    let readers: Vec<_> = (0..READERS)
        .map(|number| ring.subscribe(Endpoint::Client(number)))
        .collect();
    for round in 0..3 {
        let woken = Arc::new(Woken::default());
        readers.iter().for_each(|reader| park(reader, &woken));
        push(&ring, round..round + 1);
        assert_eq!(woken.count(), ring.limits.woken_directly);
        while woken.count() < READERS as usize {
            yield_now().await;
        }
        for reader in &readers {
            assert_eq!(take(reader, 16), [[round]]);
        }
    }
    ring.close();
    waking.await.unwrap();
}

#[test]
fn the_host_waits_for_a_reader_that_has_not_taken_its_events() {
    let ring = ring();
    let reader = ring.subscribe(CLIENT);
    push(&ring, 0..ring.limits.host as u32);
    let one_more = || routed(0, Endpoint::Host);
    let full = ring.push_from_host(one_more(), || Some(Instant::now()));
    assert_eq!(full, Err(NotTaken::Full));
    let host = thread::spawn({
        let ring = ring.clone();
        let routed = one_more();
        move || ring.push_from_host(routed, || None)
    });
    while ring.state.lock().waiting_threads == 0 {
        thread::yield_now();
    }
    let mut taken = 0;
    while taken <= ring.limits.host {
        taken += take(&reader, 1).iter().map(Vec::len).sum::<usize>();
    }
    assert_eq!(host.join().unwrap(), Ok(()));
}

#[test]
fn others_have_room_when_the_host_has_none_and_are_woken_when_there_is_more() {
    let ring = ring();
    let reader = ring.subscribe(CLIENT);
    push(&ring, 0..ring.limits.host as u32);
    let woken = Arc::new(Woken::default());
    let waker = woken.clone().into();
    let context = Context::from_waker(&waker);
    while let Poll::Ready(room) = ring.poll_room(&context) {
        let events = (0..room.unwrap()).map(|_| routed(0, Endpoint::Bus(0)));
        ring.push(events.collect::<Vec<_>>()).unwrap();
    }
    assert_eq!(ring.len(), ring.limits.others);
    while ring.len() > ring.limits.host {
        assert_eq!(woken.count(), 0);
        take(&reader, 1);
    }
    take(&reader, 1);
    assert_eq!(woken.count(), 1);
}

#[test]
fn large_events_fill_the_ring_by_their_bytes() {
    let limits = RingLimits {
        weight: 1 << 20,
        ..RingLimits::default()
    };
    let ring = Arc::new(Ring::new(Arc::default(), limits));
    let _reader = ring.subscribe(CLIENT);
    let mut large = routed(0, Endpoint::Host);
    large.event.data = crate::event::Data::copy_from(&[0; 512]).unwrap();
    let now = || Some(Instant::now());
    let pushed =
        (0..ring.limits.others).take_while(|_| ring.push_from_host(large.clone(), now).is_ok());
    assert!(pushed.count() < ring.limits.host);
    assert!(ring.memory.used() < ring.limits.weight + (1 << 18));
}

#[test]
fn a_reader_that_goes_gives_its_events_back() {
    let ring = ring();
    let reader = ring.subscribe(CLIENT);
    let other = ring.subscribe(Endpoint::Client(2));
    push(&ring, 0..5);
    drop(reader);
    assert_eq!(take(&other, 16), [[0, 1, 2, 3, 4]]);
    assert_eq!((ring.len(), ring.memory.used()), (0, 0));
    push(&ring, 5..6);
    drop(other);
    assert_eq!((ring.len(), ring.memory.used()), (0, 0));
    push(&ring, 6..9);
    assert_eq!(ring.len(), 0);
}

#[test]
fn a_reader_that_pauses_is_told_how_many_events_it_has_missed() {
    let ring = ring();
    let mut reader = ring.subscribe(Endpoint::Monitor);
    push(&ring, 0..2);
    assert_eq!(take(&reader, 9), [[0, 1]]);
    // Two that it has not taken; what comes behind them is kept for nobody.
    push(&ring, 2..4);
    reader.pause();
    reader.pause();
    push(&ring, 4..7);
    assert_eq!(ring.len(), 0);
    assert_eq!(reader.resume(), 5);
    assert_eq!(reader.resume(), 0);
    push(&ring, 7..9);
    assert_eq!(take(&reader, 9), [[7, 8]]);

    let other = ring.subscribe(Endpoint::Host);
    push(&ring, 9..10);
    reader.pause();
    push(&ring, 10..12);
    assert_eq!(reader.resume(), 3);
    push(&ring, 12..13);
    assert_eq!(take(&reader, 9), [[12]]);
    assert_eq!(take(&other, 9).concat(), [9, 10, 11, 12]);
}

#[test]
fn what_is_cleared_is_not_taken() {
    let ring = ring();
    let reader = ring.subscribe(CLIENT);
    push(&ring, 0..5);
    reader.clear();
    assert_eq!(ring.len(), 0);
    push(&ring, 5..6);
    assert_eq!(take(&reader, 16), [[5]]);
}

#[test]
fn a_closed_ring_gives_what_it_has_and_takes_no_more() {
    let ring = ring();
    let reader = ring.subscribe(CLIENT);
    let parked = ring.subscribe(Endpoint::Client(2));
    push(&ring, 0..2);
    take(&parked, 16);
    let woken = Arc::new(Woken::default());
    park(&parked, &woken);
    ring.close();
    assert_eq!(woken.count(), 1);
    assert!(!reader.has_ended());
    assert_eq!(take(&reader, 16), [[0, 1]]);
    assert!(reader.has_ended());
    assert_eq!(ring.push([routed(2, CLIENT)]), Err(Closed));
    let host = ring.push_from_host(routed(2, Endpoint::Host), || None);
    assert_eq!(host, Err(NotTaken::Closed));
    let context = Context::from_waker(Waker::noop());
    assert_eq!(ring.poll_room(&context), Poll::Ready(Err(Closed)));
}

#[test]
fn closing_wakes_a_thread_that_waits_for_ever() {
    let ring = ring();
    let _reader = ring.subscribe(CLIENT);
    push(&ring, 0..ring.limits.host as u32);
    let host = thread::spawn({
        let ring = ring.clone();
        move || ring.push_from_host(routed(0, Endpoint::Host), || None)
    });
    while ring.state.lock().waiting_threads == 0 {
        thread::yield_now();
    }
    ring.close();
    assert_eq!(host.join().unwrap(), Err(NotTaken::Closed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_that_push_lose_nothing_to_readers_that_come_and_park() {
    const EVENTS: u32 = 50_000;

    let ring = ring();
    let readers: Vec<_> = (0..4)
        .map(|number| {
            let reader = ring.subscribe(Endpoint::Client(number));
            tokio::spawn(async move {
                let mut numbers = Vec::new();
                while numbers.len() < EVENTS as usize {
                    let mut batches = Vec::new();
                    let mut take = pin!(poll_fn(|context| {
                        reader.poll_take(context, 4, &mut batches)
                    }));
                    poll_fn(|context| take.as_mut().poll(context)).await;
                    for batch in &batches {
                        let events = batch.events().iter();
                        numbers.extend(events.map(|routed| routed.event.timestamp));
                    }
                }
                numbers
            })
        })
        .collect();
    let host = thread::spawn({
        let ring = ring.clone();
        move || {
            for number in 0..EVENTS {
                let deadline = || Some(Instant::now() + Duration::from_secs(20));
                ring.push_from_host(routed(number, Endpoint::Host), deadline)
                    .unwrap();
            }
        }
    });
    for reader in readers {
        assert!(reader.await.unwrap().into_iter().eq(0..EVENTS));
    }
    host.join().unwrap();
}

proptest! {
    #[test]
    fn each_reader_gets_each_event_from_its_start_on_once_and_in_order(
        steps in prop::collection::vec((0usize..4, 0u8..4), 0..200),
    ) {
        let ring = ring();
        let mut readers: Vec<Option<(Subscription, u32)>> = (0..4).map(|_| None).collect();
        let mut next = 0;
        for (index, step) in steps {
            match step {
                0 => {
                    let count = index as u32 * 100 + 1;
                    push(&ring, next..next + count);
                    next += count;
                }
                1 => {
                    let endpoint = Endpoint::Client(index as u32);
                    readers[index] = Some((ring.subscribe(endpoint), next));
                }
                2 => readers[index] = None,
                _ => {
                    if let Some((reader, expected)) = &mut readers[index] {
                        for number in take(reader, 3).into_iter().flatten() {
                            prop_assert_eq!(number, *expected);
                            *expected += 1;
                        }
                    }
                }
            }
            // Takes all, so that the host has room.
            for (reader, expected) in readers.iter_mut().flatten() {
                if ring.len() > ring.limits.host / 2 {
                    for number in take(reader, 1000).into_iter().flatten() {
                        prop_assert_eq!(number, *expected);
                        *expected += 1;
                    }
                }
            }
        }
        for (reader, mut expected) in readers.into_iter().flatten() {
            for number in take(&reader, 1000).into_iter().flatten() {
                prop_assert_eq!(number, expected);
                expected += 1;
            }
            prop_assert_eq!(expected, next);
        }
        prop_assert_eq!((ring.len(), ring.memory.used()), (0, 0));
    }
}

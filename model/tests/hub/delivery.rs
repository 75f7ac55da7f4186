//! Who reads gets each event once, in order, and is woken for it.

use super::{Reader, assert_all, bring, check, event, hub, send, spawn};
use hub_model::{
    hub::{
        RingLimits,
        batch::Endpoint::{Bus, Client, Host},
    },
    sync::block_on,
};

#[test]
fn readers_get_the_events_of_the_host_and_of_clients_once_and_in_order() {
    check(|| {
        let hub = hub(RingLimits::default());
        let readers = [Client(2), Bus(0)].map(|endpoint| Reader::new(&hub, endpoint));
        let readers = readers.map(|reader| spawn(&hub, move |_| reader.wait_for(4)));
        let client = spawn(&hub, |hub| {
            send(hub, 1, 1).unwrap();
            send(hub, 1, 2).unwrap();
        });
        hub.write(event(1), None).unwrap();
        hub.write(event(2), None).unwrap();
        client.join().unwrap();
        for reader in readers {
            let got = reader.join().unwrap();
            assert_all(&got, &[(Host, &[1, 2]), (Client(1), &[1, 2])]);
        }
    });
}

#[test]
fn two_threads_of_the_host_and_a_bus_that_brings_many_lose_and_double_nothing() {
    check(|| {
        let hub = hub(super::NARROW);
        let reader = Reader::new(&hub, Client(1));
        let reader = spawn(&hub, |_| reader.wait_for(5));
        let host = spawn(&hub, |hub| hub.write(event(1), None).unwrap());
        let bus = spawn(&hub, |hub| bring(hub, 0, &[1, 2, 3]));
        hub.write(event(2), None).unwrap();
        host.join().unwrap();
        bus.join().unwrap();
        let mut got = reader.join().unwrap();
        // The threads of the host have no order.
        got.sort_by_key(|(origin, number)| (*origin == Host, *number));
        assert_eq!(got[3..], [(Host, 1), (Host, 2)]);
        assert_all(&got[..3], &[(Bus(0), &[1, 2, 3])]);
    });
}

#[test]
fn a_reader_that_comes_meanwhile_gets_all_from_some_event_on() {
    check(|| {
        let hub = hub(RingLimits::default());
        let before = Reader::new(&hub, Client(1));
        let before = spawn(&hub, |_| before.wait_for(3));
        let late = spawn(&hub, |hub| Reader::new(hub, Client(2)).wait_for_end());
        for number in 1..=3 {
            hub.write(event(number), None).unwrap();
        }
        assert_all(&before.join().unwrap(), &[(Host, &[1, 2, 3])]);
        hub.close();
        let got = late.join().unwrap();
        let all = [1, 2, 3].map(|number| (Host, number));
        assert!(all.ends_with(&got), "{got:?}");
    });
}

#[test]
fn readers_that_the_runtime_wakes_miss_no_event() {
    check(|| {
        let hub = hub(RingLimits {
            woken_directly: 0,
            ..RingLimits::default()
        });
        let readers = [1, 2].map(|client| Reader::new(&hub, Client(client)));
        let readers = readers.map(|reader| spawn(&hub, move |_| reader.wait_for(2)));
        let runtime = spawn(&hub, |hub| {
            let mut run = std::pin::pin!(hub.run());
            block_on(|context| run.as_mut().poll(context));
        });
        hub.write(event(1), None).unwrap();
        hub.write(event(2), None).unwrap();
        for reader in readers {
            assert_all(&reader.join().unwrap(), &[(Host, &[1, 2])]);
        }
        hub.close();
        runtime.join().unwrap();
    });
}

#[test]
fn what_a_reader_brings_itself_wakes_the_others() {
    check(|| {
        let hub = hub(RingLimits::default());
        let readers = [1, 2].map(|client| (client, Reader::new(&hub, Client(client))));
        let readers = readers.map(|(client, reader)| {
            spawn(&hub, move |hub| {
                send(hub, client, client).unwrap();
                // Its own is on the ring, too.
                reader.wait_for(2)
            })
        });
        for reader in readers {
            let got = reader.join().unwrap();
            assert_all(&got, &[(Client(1), &[1]), (Client(2), &[2])]);
        }
    });
}

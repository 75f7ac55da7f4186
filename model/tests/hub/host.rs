//! Events for VSCPRead.

use std::time::Duration;

use hub_model::{
    hub::{HostError, NotAccepted, RingLimits},
    sync::{Time, set_time},
};

use super::{bring, check, hub, hub_with, send, spawn};

#[test]
fn threads_of_the_host_that_wait_share_the_events_and_none_is_forgotten() {
    check(|| {
        let hub = hub(RingLimits::default());
        let hosts = [(); 2].map(|()| {
            spawn(&hub, |hub| {
                let event = hub.read(None).unwrap();
                (event.obid, event.timestamp)
            })
        });
        let client = spawn(&hub, |hub| send(hub, 1, 1).unwrap());
        send(&hub, 2, 1).unwrap();
        client.join().unwrap();
        let mut got = hosts.map(|host| host.join().unwrap());
        got.sort_unstable();
        assert_eq!(got, [(1, 1), (2, 1)]);
    });
}

#[test]
fn the_host_reads_the_events_of_each_origin_in_order() {
    check(|| {
        let hub = hub(RingLimits::default());
        let client = spawn(&hub, |hub| {
            send(hub, 1, 1).unwrap();
            send(hub, 1, 2).unwrap();
        });
        let bus = spawn(&hub, |hub| bring(hub, 0, &[11, 12]));
        let mut got: Vec<u32> = (0..4).map(|_| hub.read(None).unwrap().timestamp).collect();
        client.join().unwrap();
        bus.join().unwrap();
        got.sort_by_key(|number| *number > 10);
        assert_eq!(got, [1, 2, 11, 12]);
    });
}

#[test]
fn a_host_whose_time_runs_out_gets_the_event_later() {
    check(|| {
        set_time(Time::RunsOut);
        let hub = hub(RingLimits::default());
        let clients = [1, 2].map(|client| spawn(&hub, move |hub| send(hub, client, client)));
        let mut got = Vec::new();
        for _ in 0..2 {
            match hub.read(Some(Duration::from_secs(1))) {
                Ok(event) => got.push(event.timestamp),
                Err(error) => assert_eq!(error, HostError::Timeout),
            }
        }
        for client in clients {
            assert_eq!(client.join().unwrap(), Ok(()));
        }
        while got.len() < 2 {
            got.push(hub.read(None).unwrap().timestamp);
        }
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
        assert_eq!(hub.read(Some(Duration::ZERO)), Err(HostError::Timeout));
    });
}

#[test]
fn the_host_gets_what_was_accepted_and_nothing_else() {
    check(|| {
        let hub = hub_with(RingLimits::default(), 1);
        let clients = [1, 2].map(|client| spawn(&hub, move |hub| send(hub, client, client)));
        let first = hub.read(None).unwrap().timestamp;
        let mut accepted = Vec::new();
        for (client, result) in (1..).zip(clients.map(|client| client.join().unwrap())) {
            match result {
                Ok(()) => accepted.push(client),
                Err(error) => assert_eq!(error, NotAccepted::Full),
            }
        }
        let mut got = vec![first];
        while got.len() < accepted.len() {
            got.push(hub.read(None).unwrap().timestamp);
        }
        got.sort_unstable();
        assert_eq!(got, accepted);
        assert_eq!(hub.waiting()[1], ("host", 0));
    });
}

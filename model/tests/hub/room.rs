//! Who waits for room goes on when there is some.

use std::{task::Poll, time::Duration};

use hub_model::{
    hub::{
        HostError, ReaderPace,
        batch::Endpoint::{Bus, Client, Host},
    },
    sync::{Time, block_on, set_time},
};

use super::{NARROW, Reader, assert_all, bring, check, event, hub, numbers_of, send, spawn};

#[test]
fn the_host_goes_on_when_the_last_reader_has_taken_its_events() {
    check(|| {
        let hub = hub(NARROW);
        let readers = [Client(1), Bus(0)].map(|endpoint| Reader::new(&hub, endpoint));
        let readers = readers.map(|reader| spawn(&hub, move |_| reader.wait_for(4)));
        for number in 1..=4 {
            hub.write(event(number), None).unwrap();
        }
        for reader in readers {
            assert_all(&reader.join().unwrap(), &[(Host, &[1, 2, 3, 4])]);
        }
    });
}

#[test]
fn a_client_and_a_bus_go_on_when_there_is_room() {
    check(|| {
        let hub = hub(NARROW);
        let reader = Reader::new(&hub, Client(2));
        let reader = spawn(&hub, |_| reader.wait_for(5));
        let client = spawn(&hub, |hub| {
            for number in 1..=2 {
                send(hub, 1, number).unwrap();
            }
        });
        bring(&hub, 0, &[1, 2, 3]);
        client.join().unwrap();
        let got = reader.join().unwrap();
        assert_all(&got, &[(Client(1), &[1, 2]), (Bus(0), &[1, 2, 3])]);
    });
}

#[test]
fn a_client_that_sends_and_receives_does_not_wait_for_itself() {
    check(|| {
        let hub = hub(NARROW);
        let mut reader = Reader::new(&hub, Client(1));
        let client = spawn(&hub, move |hub| {
            let clock = hub.batch_clock();
            let mut number = 1;
            let mut waiting = Some(event(1));
            block_on(|context| {
                loop {
                    let accepted = hub.poll_accept(context, 1, &mut waiting, &clock);
                    reader.take(context);
                    if accepted.is_pending() {
                        return Poll::Pending;
                    }
                    if number == 4 {
                        return Poll::Ready(());
                    }
                    number += 1;
                    waiting = Some(event(number));
                }
            });
            reader.wait_for(7)
        });
        for number in 1..=3 {
            hub.write(event(number), None).unwrap();
        }
        let got = client.join().unwrap();
        assert_all(&got, &[(Host, &[1, 2, 3]), (Client(1), &[1, 2, 3, 4])]);
    });
}

#[test]
fn a_reader_that_goes_makes_room() {
    check(|| {
        let hub = hub(NARROW);
        let gone = Reader::new(&hub, Client(1));
        let stays = Reader::new(&hub, Client(2));
        let gone = spawn(&hub, |_| drop(gone));
        let client = spawn(&hub, |hub| send(hub, 3, 1).unwrap());
        let stays = spawn(&hub, |_| stays.wait_for(4));
        for number in 1..=3 {
            hub.write(event(number), None).unwrap();
        }
        for thread in [gone, client] {
            thread.join().unwrap();
        }
        let got = stays.join().unwrap();
        assert_all(&got, &[(Host, &[1, 2, 3]), (Client(3), &[1])]);
    });
}

#[test]
fn an_event_for_which_the_time_of_the_host_runs_out_reaches_nobody() {
    check(|| {
        set_time(Time::RunsOut);
        let hub = hub(NARROW);
        let reader = Reader::new(&hub, Client(1));
        let reader = spawn(&hub, |_| reader.wait_for_end());
        let mut taken = Vec::new();
        for number in 1..=5 {
            match hub.write(event(number), Some(Duration::from_secs(1))) {
                Ok(()) => taken.push(number),
                Err(error) => assert_eq!(error, HostError::Full),
            }
        }
        hub.close();
        assert_eq!(numbers_of(&reader.join().unwrap(), Host), taken);
    });
}

#[test]
fn readers_that_hold_the_host_let_it_go() {
    check(|| {
        let hub = hub(NARROW);
        let holders = [1, 2].map(|_| {
            let pace = hub.pace().clone();
            spawn(&hub, move |_| {
                let mut holder = ReaderPace::new(pace);
                holder.update(usize::MAX, 0);
                holder.update(0, 0);
                holder.update(usize::MAX, 0);
            })
        });
        hub.write(event(1), None).unwrap();
        hub.write(event(2), None).unwrap();
        for holder in holders {
            holder.join().unwrap();
        }
    });
}

#[test]
fn readers_that_never_let_the_host_go_do_not_hold_it() {
    check(|| {
        set_time(Time::RunsOut);
        let hub = hub(NARROW);
        let pace = hub.pace().clone();
        let holder = spawn(&hub, move |_| {
            let mut holder = ReaderPace::new(pace);
            holder.update(usize::MAX, 0);
            holder
        });
        hub.write(event(1), None).unwrap();
        let _holder = holder.join().unwrap();
        hub.write(event(2), None).unwrap();
        hub.write(event(3), None).unwrap();
    });
}

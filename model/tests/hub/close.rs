//! Nobody waits for a hub that is closed.

use hub_model::{
    hub::{
        HostError, NotAccepted, RingLimits,
        batch::Endpoint::{Bus, Client, Host},
    },
    sync::block_on,
};

use super::{NARROW, Reader, assert_all, check, event, hub, numbers_of, send, spawn};

#[test]
fn threads_of_the_host_that_wait_for_ever_end() {
    check(|| {
        let hub = hub(NARROW);
        // Takes nothing.
        let _reader = Reader::new(&hub, Client(1));
        let writer = spawn(&hub, |hub| {
            let results = [1, 2, 3].map(|number| hub.write(event(number), None));
            assert_eq!(results[2], Err(HostError::Closed));
        });
        let reader = spawn(&hub, |hub| hub.read(None));
        hub.close();
        writer.join().unwrap();
        assert_eq!(reader.join().unwrap(), Err(HostError::Closed));
    });
}

#[test]
fn tasks_that_wait_end() {
    check(|| {
        let hub = hub(NARROW);
        let stuck = Reader::new(&hub, Client(1));
        let reader = Reader::new(&hub, Bus(0));
        let reader = spawn(&hub, |_| reader.wait_for_end());
        let client = spawn(&hub, |hub| {
            let mut accepted = Vec::new();
            for number in 1..=4 {
                match send(hub, 2, number) {
                    Ok(()) => accepted.push(number),
                    Err(error) => assert_eq!(error, NotAccepted::Closed),
                }
            }
            accepted
        });
        hub.close();
        let accepted = client.join().unwrap();
        assert!(accepted.len() <= 3);
        assert_eq!(numbers_of(&reader.join().unwrap(), Client(2)), accepted);
        drop(stuck);
    });
}

#[test]
fn what_was_taken_before_the_close_is_delivered() {
    check(|| {
        let hub = hub(RingLimits::default());
        let readers = [Client(1), Bus(0)].map(|endpoint| Reader::new(&hub, endpoint));
        let readers = readers.map(|reader| spawn(&hub, move |_| reader.wait_for_end()));
        let host = spawn(&hub, |hub| {
            let taken = |number: &u32| hub.write(event(*number), None).is_ok();
            [1, 2].iter().copied().take_while(taken).collect::<Vec<_>>()
        });
        hub.close();
        let taken = host.join().unwrap();
        for reader in readers {
            assert_all(&reader.join().unwrap(), &[(Host, &taken)]);
        }
    });
}

#[test]
fn readers_that_the_runtime_wakes_end() {
    check(|| {
        let hub = hub(RingLimits {
            woken_directly: 0,
            ..RingLimits::default()
        });
        let reader = Reader::new(&hub, Client(1));
        let reader = spawn(&hub, |_| reader.wait_for_end());
        let runtime = spawn(&hub, |hub| {
            let mut run = std::pin::pin!(hub.run());
            block_on(|context| run.as_mut().poll(context));
        });
        let host = spawn(&hub, |hub| hub.write(event(1), None));
        hub.close();
        let written = host.join().unwrap();
        runtime.join().unwrap();
        let got = reader.join().unwrap();
        assert_eq!(got.len(), usize::from(written.is_ok()));
    });
}

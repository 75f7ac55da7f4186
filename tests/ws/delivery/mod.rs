//! Where events go, in what order, and what happens if somebody does not take them.

mod backlog;
mod floods;
mod host;
mod order;
mod recipients;
mod slow_clients;

use std::{
    io::Write,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{
    Client, Server,
    client::frame,
    messages::{Heard, event},
    wait_until,
};

/// How far clients are, so that a test knows that they keep up, however slow the machine is.
#[derive(Default)]
struct Progress([AtomicU32; 3]);

impl Progress {
    /// Has a client hear the events 1, 2 .. until `u32::MAX`, without a gap and in order.
    fn hear_all(&self, index: usize, client: &mut Client) {
        for number in 1.. {
            match client.hear() {
                Heard::Event(u32::MAX) => break,
                heard => assert_eq!(heard, Heard::Event(number), "{:?}", client.protocol),
            }
            self.0[index].store(number, Ordering::Relaxed);
        }
        self.0[index].store(u32::MAX, Ordering::Relaxed);
    }

    /// Waits until the clients are less than `distance` behind event `number`.
    fn wait_for(&self, clients: usize, number: u32, distance: u32) {
        let heard = |progress: &AtomicU32| progress.load(Ordering::Relaxed);
        let far = || {
            self.0[..clients]
                .iter()
                .any(|p| heard(p).saturating_add(distance) < number)
        };
        if far() {
            wait_until("the clients go on", || !far());
        }
    }
}

/// A client sends events without waiting for replies; all are taken, and the host gets them in
/// order.
fn flood_the_host(server: &Server, client: &mut Client, events: u32) {
    let mut sender = client.stream.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            for first in (1..=events).step_by(100) {
                let events = (first..first + 100).map(|number| event(Protocol::Ws1, number));
                let bytes: Vec<u8> = events
                    .flat_map(|text| frame(0x81, text.as_bytes()))
                    .collect();
                sender.write_all(&bytes).unwrap();
            }
        });
        scope.spawn(|| {
            for number in 1..=events {
                assert_eq!(server.host_reads_number(), number);
            }
        });
        for _ in 1..=events {
            assert_eq!(client.hear(), Heard::success("EVENT"));
        }
    });
}

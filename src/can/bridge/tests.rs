//! The bridge on a pair of Unix sockets instead of a CAN interface, so that every machine can run
//! it.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    time::Duration,
};

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};
use parking_lot::Mutex;
use socketcan::CanFdSocket;
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::*;
use crate::{
    can::{interface::InterfaceState, link::Device, socket::CanSocket},
    event::{Event, Filter, Layout, text},
    hub::{self, HostError},
};

const HOST_QUEUE: usize = 32_000;

const DEADLINE: Duration = Duration::from_secs(10);

const GUID: &str = "FF:FF:FF:FF:FF:FF:FF:F5:33:33:00:00:00:00:00:00";

/// An interface whose state the test sets.
#[derive(Clone)]
struct FakeDevice(Arc<Mutex<(InterfaceState, Option<OwnedFd>)>>);

impl Device for FakeDevice {
    fn index(&self) -> Option<u32> {
        Some(1)
    }

    fn state(&self) -> InterfaceState {
        self.0.lock().0
    }

    fn open(&self, _: u32, _: &Options) -> io::Result<CanSocket> {
        let socket = self.0.lock().1.take().ok_or(io::ErrorKind::NotFound)?;
        CanSocket::new(CanFdSocket::from(socket))
    }

    fn poll_changed(&mut self, _: &mut Context<'_>) -> Option<Poll<()>> {
        Some(Poll::Pending)
    }
}

/// A bridge between a hub and a socket.
struct Bench {
    shared: Shared,
    /// The other end of the socket.
    peer: OwnedFd,
    interface: FakeDevice,
    bridge: JoinHandle<()>,
    hub: JoinHandle<()>,
}

impl Bench {
    fn start(bus: Bus, state: InterfaceState, host_queue: usize) -> Self {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let (own, peer) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).unwrap();
        let counters = Arc::new(Counters::default());
        let settings = hub::Settings {
            guid: GUID.parse().unwrap(),
            rx_filter: Filter::default(),
            host_max_data: 64,
            layout: Layout::Classic,
            echo_filter: false,
            host_queue,
            ring: hub::RingLimits::default(),
        };
        let shared = Shared {
            hub: Arc::new(Hub::new(settings, counters.clone(), mpsc::channel(1).0)),
            counters,
        };
        let interface = FakeDevice(Arc::new(Mutex::new((state, Some(own)))));
        let link = Link::new(
            "double".into(),
            Box::new(interface.clone()),
            Options {
                fd: false,
                filter: Pass::All,
            },
            bus.restart_delay,
        );
        let subscription = shared.hub.subscribe(Endpoint::Bus(0));
        let guid = GUID.parse().unwrap();
        let mut bridge = Bridge::new(shared.clone(), 0, bus, guid, link, subscription);
        let hub = shared.hub.clone();
        Self {
            shared,
            peer,
            interface,
            bridge: tokio::spawn(async move {
                poll_fn(|context| bridge.poll(context)).await;
            }),
            hub: tokio::spawn(async move { hub.run().await }),
        }
    }

    fn up() -> Self {
        Self::start(Bus::default(), InterfaceState::Up, HOST_QUEUE)
    }

    fn write(&self, event: &str) {
        let event = text::parse(event).unwrap();
        self.shared.hub.write(event, Some(DEADLINE)).unwrap();
    }

    fn send(&self, wire: &[u8]) {
        send(self.peer.as_raw_fd(), wire, MsgFlags::empty()).unwrap();
    }

    /// The next frame on the bus.
    async fn receive(&self) -> String {
        let mut wire = [0; 80];
        let receive = async {
            loop {
                match recv(self.peer.as_raw_fd(), &mut wire, MsgFlags::empty()) {
                    Ok(length) => return length,
                    Err(Errno::EAGAIN) => sleep(Duration::from_millis(1)).await,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let length = timeout(DEADLINE, receive).await.expect("no frame");
        Frame::from_wire(&wire[..length]).unwrap().to_string()
    }

    async fn expect(&self, frames: &[&str]) {
        for frame in frames {
            assert_eq!(self.receive().await, *frame);
        }
    }

    /// The next event for the host.
    async fn read(&self) -> Event {
        let read = async {
            loop {
                match self.shared.hub.read(Some(Duration::from_millis(1))) {
                    Ok(event) => return event,
                    Err(HostError::Timeout) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error:?}"),
                }
            }
        };
        timeout(DEADLINE, read).await.expect("no event")
    }

    /// The next events for a client.
    async fn take(&self, subscription: &Subscription) -> Vec<(Event, Endpoint)> {
        let mut batches = Vec::new();
        let take = poll_fn(|context| subscription.poll_take(context, 16, &mut batches));
        timeout(DEADLINE, take).await.expect("no event");
        let events = batches.iter().flat_map(|batch| batch.events());
        events
            .map(|routed| (routed.event.clone(), routed.origin))
            .collect()
    }

    async fn close(self) -> Arc<Counters> {
        self.shared.hub.close();
        timeout(DEADLINE, self.hub).await.unwrap().unwrap();
        timeout(DEADLINE, self.bridge).await.unwrap().unwrap();
        self.shared.counters
    }
}

fn classic(id: u32, data: &[u8]) -> Frame {
    Frame::classic(id, data).unwrap()
}

#[tokio::test]
async fn a_frame_reaches_host_and_clients_and_their_events_reach_the_bus() {
    let bench = Bench::up();
    let client = bench.shared.hub.subscribe(Endpoint::Client(7));
    let before = crate::event::time::unix_ns_now();
    bench.send(classic(0x0C0A_06A1, &[1, 2]).wire());
    let event = bench.read().await;
    assert_eq!(
        (event.head, event.class, event.kind, event.obid),
        (0x60, 10, 6, 0)
    );
    assert_eq!(
        event.guid.to_string(),
        format!("{}A1", &GUID[..GUID.len() - 2])
    );
    assert!((before..=crate::event::time::unix_ns_now()).contains(&event.unix_ns.unwrap().get()));
    assert_eq!(bench.take(&client).await, [(event, Endpoint::Bus(0))]);

    bench.write("0x60,20,3,,,,-,9");
    let mut event = Some(text::parse("0,20,4,,,,-").unwrap());
    let hub = &bench.shared.hub;
    poll_fn(|context| hub.poll_accept(context, 7, &mut event, &hub.batch_clock()))
        .await
        .unwrap();
    bench.expect(&["0C140300#09", "00140400#"]).await;
    assert_eq!(bench.read().await.obid, 7);
    let counters = bench.close().await;
    assert_eq!(
        (counters.can_received.get(), counters.can_sent.get()),
        (1, 2)
    );
}

#[tokio::test]
async fn an_event_of_another_bus_is_not_sent() {
    let bench = Bench::up();
    let mut events = VecDeque::from([text::parse("0,20,1,,,,-").unwrap()]);
    let hub = bench.shared.hub.clone();
    poll_fn(|context| hub.poll_bus(context, 1, &mut events))
        .await
        .unwrap();
    assert_eq!(bench.read().await.kind, 1);
    bench.write("0,20,2,,,,-");
    bench.expect(&["00140200#"]).await;
    assert_eq!(bench.close().await.can_sent.get(), 1);
}

#[tokio::test]
async fn filters_hold_without_the_filter_of_the_kernel() {
    let filter = |class: u16| Filter::parse_wire(&format!("0,{class}"), "0,0xFFFF").unwrap();
    let bus = Bus {
        filter: filter(10),
        out_filter: filter(20),
        ..Bus::default()
    };
    let bench = Bench::start(bus, InterfaceState::Up, HOST_QUEUE);
    for id in [0x000B_0100, 0x000A_0200] {
        bench.send(classic(id, &[]).wire());
    }
    assert_eq!(bench.read().await.kind, 2);
    for event in ["0,10,3,,,,-", "0,20,4,,,,-"] {
        bench.write(event);
    }
    bench.expect(&["00140400#"]).await;
}

#[tokio::test]
async fn events_wait_for_the_interface_and_the_newest_are_dropped() {
    let bus = Bus {
        queue_size: 3,
        restart_delay: Duration::from_millis(5),
        ..Bus::default()
    };
    let bench = Bench::start(bus, InterfaceState::Down, HOST_QUEUE);
    for kind in 0..5 {
        bench.write(&format!("0,20,{kind},,,,-"));
    }
    let counters = bench.shared.counters.clone();
    while counters.can_dropped.get() < 2 {
        sleep(Duration::from_millis(1)).await;
    }
    bench.interface.0.lock().0 = InterfaceState::Up;
    bench.expect(&["00140000#", "00140100#", "00140200#"]).await;
    bench.write("0,20,9,,,,-");
    bench.expect(&["00140900#"]).await;
    let counters = bench.close().await;
    assert_eq!(
        (counters.can_dropped.get(), counters.can_sent.get()),
        (2, 4)
    );
}

#[tokio::test]
async fn refused_events_are_counted_and_events_for_other_buses_are_not() {
    let bench = Bench::up();
    let other = ",1".repeat(16);
    for event in [
        "0,10,256,,,,-",
        "0,10,1,,,,-,1,2,3,4,5,6,7,8,9",
        "0,522,1,,,,-,1",
    ] {
        bench.write(event);
    }
    bench.write("0,1040,1,,,,-");
    bench.write(&format!("0,522,1,,,,-{other}"));
    bench.write("0,10,1,,,,-");
    bench.expect(&["000A0100#"]).await;
    let counters = bench.close().await;
    assert_eq!(
        (counters.can_refused.get(), counters.can_sent.get()),
        (3, 1)
    );
}

#[tokio::test]
async fn every_frame_becomes_an_event_or_is_counted() {
    let bench = Bench::up();
    let raw = |id: u32| {
        let mut wire = classic(0, &[0, 0x10]).wire().to_vec();
        wire[..4].copy_from_slice(&id.to_ne_bytes());
        wire
    };
    let fd = Frame::fd(0x000A_0500, &[7; 12]).unwrap();
    for wire in [
        raw(0x123),
        raw(0x4000_0001),
        raw(0xC00A_0100),
        raw(0x2000_0004),
        vec![1],
        vec![0xFF; 16],
        vec![0xFF; 72],
        vec![0xFF; 79],
        fd.wire().to_vec(),
    ] {
        bench.send(&wire);
    }
    let event = bench.read().await;
    assert_eq!((event.kind, &event.data[..]), (5, &[7; 12][..]));
    let counters = bench.close().await;
    assert_eq!(counters.can_received.get(), 1);
    assert_eq!(counters.can_ignored.get(), 7);
    assert_eq!(counters.can_errors.get(), 1);
}

#[tokio::test]
async fn frames_wait_in_order_while_the_hub_has_no_room() {
    const FRAMES: u32 = 20_000;

    let bench = Bench::start(Bus::default(), InterfaceState::Up, 10);
    let client = bench.shared.hub.subscribe(Endpoint::Client(7));
    let peer = bench.peer.try_clone().unwrap();
    let sender = tokio::spawn(async move {
        for number in 0..FRAMES {
            let frame = classic(0x000A_0600, &number.to_be_bytes());
            while send(peer.as_raw_fd(), frame.wire(), MsgFlags::empty()).is_err() {
                sleep(Duration::from_millis(1)).await;
            }
        }
    });
    let mut number = 0;
    while number < FRAMES {
        for (event, _) in bench.take(&client).await {
            assert_eq!(event.data[..], number.to_be_bytes());
            number += 1;
        }
        tokio::task::yield_now().await;
    }
    sender.await.unwrap();
    let counters = bench.close().await;
    assert_eq!(counters.can_received.get(), u64::from(FRAMES));
    assert_eq!(counters.can_not_to_host.get(), u64::from(FRAMES) - 10);
}

#[tokio::test]
async fn events_of_the_hub_are_sent_before_the_bus_ends() {
    let bench = Bench::up();
    for kind in 0..200 {
        bench.write(&format!("0,20,{kind},,,,-"));
    }
    let peer = bench.peer.try_clone().unwrap();
    let reader = tokio::spawn(async move {
        let mut wire = [0; 80];
        let mut count = 0;
        while count < 200 {
            match recv(peer.as_raw_fd(), &mut wire, MsgFlags::empty()) {
                Ok(_) => count += 1,
                Err(_) => sleep(Duration::from_millis(1)).await,
            }
        }
    });
    let counters = bench.close().await;
    assert_eq!(
        (counters.can_sent.get(), counters.can_dropped.get()),
        (200, 0)
    );
    timeout(DEADLINE, reader).await.unwrap().unwrap();
}

#[tokio::test]
async fn events_that_cannot_be_sent_at_the_end_are_counted() {
    let bench = Bench::start(Bus::default(), InterfaceState::NoCarrier, HOST_QUEUE);
    for kind in 0..5 {
        bench.write(&format!("0,20,{kind},,,,-"));
    }
    let counters = bench.close().await;
    assert_eq!(
        (counters.can_sent.get(), counters.can_dropped.get()),
        (0, 5)
    );
}

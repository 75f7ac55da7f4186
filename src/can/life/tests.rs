#![allow(clippy::unwrap_used)]

use std::{os::fd::OwnedFd, sync::Arc};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use parking_lot::Mutex;
use socketcan::CanFdSocket;
use std::future::poll_fn;

use super::*;
use crate::test_log::TestLog;

/// An interface whose state the test sets.
#[derive(Clone)]
struct Double(Arc<Mutex<Scene>>);

struct Scene {
    index: Option<u32>,
    state: InterfaceState,
    /// Why it cannot be opened.
    error: Option<Errno>,
    watched: bool,
    /// When it was opened, or tried to be.
    opened: Vec<tokio::time::Instant>,
    /// The other ends of the sockets.
    peers: Vec<OwnedFd>,
}

impl Interface for Double {
    fn index(&self) -> Option<u32> {
        self.0.lock().index
    }

    fn state(&self) -> InterfaceState {
        self.0.lock().state
    }

    fn open(&self, _: u32, _: &Options) -> io::Result<Port> {
        let mut scene = self.0.lock();
        scene.opened.push(tokio::time::Instant::now());
        if let Some(error) = scene.error {
            return Err(error.into());
        }
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let (own, peer) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        scene.peers.push(peer);
        Port::new(CanFdSocket::from(own))
    }

    fn poll_changed(&mut self, _: &mut Context<'_>) -> Option<Poll<()>> {
        self.0.lock().watched.then_some(Poll::Pending)
    }
}

fn life(state: InterfaceState) -> (Life, Double) {
    let double = Double(Arc::new(Mutex::new(Scene {
        index: (state != InterfaceState::Missing).then_some(1),
        state,
        error: None,
        watched: true,
        opened: Vec::new(),
        peers: Vec::new(),
    })));
    let delay = Duration::from_millis(500);
    let options = Options {
        fd: false,
        filter: Pass::All,
    };
    let life = Life::new("double".into(), Box::new(double.clone()), options, delay);
    (life, double)
}

/// Runs it until it has looked once more.
async fn look(life: &mut Life) {
    poll_fn(|context| match life.poll(context) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attempts_are_made_at_doubled_intervals_up_to_8_seconds() {
    let (mut life, double) = life(InterfaceState::Up);
    double.0.lock().error = Some(Errno::EMFILE);
    for _ in 0..9 {
        look(&mut life).await;
    }
    let opened = double.0.lock().opened.clone();
    let intervals: Vec<_> = opened
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_millis() / 10 * 10)
        .collect();
    assert_eq!(intervals, [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000]);
    assert_eq!(life.state, Some(State::Failed(Errno::EMFILE)));

    double.0.lock().error = None;
    look(&mut life).await;
    assert_eq!(life.state, Some(State::Up));
    assert!(life.sender().is_some());
    assert!(!life.waiting);
}

#[tokio::test(start_paused = true)]
async fn a_port_is_open_for_reading_before_the_interface_is_up() {
    for (state, expected) in [
        (InterfaceState::Down, State::Down),
        (InterfaceState::NoCarrier, State::BusOff),
    ] {
        let (mut life, double) = life(state);
        look(&mut life).await;
        assert_eq!(life.state, Some(expected));
        assert!(life.receiver().is_some() && life.sender().is_none());
        double.0.lock().state = InterfaceState::Up;
        look(&mut life).await;
        assert!(life.sender().is_some());
        assert_eq!(double.0.lock().opened.len(), 1);
    }
    for (state, expected) in [
        (InterfaceState::Missing, State::Missing),
        (InterfaceState::NotCan, State::NotCan),
    ] {
        let (mut life, double) = life(state);
        look(&mut life).await;
        assert_eq!(life.state, Some(expected));
        assert!(life.receiver().is_none() && life.sender().is_none());
        assert!(double.0.lock().opened.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn the_port_of_an_interface_that_is_gone_is_read_to_its_end() {
    let (mut life, double) = life(InterfaceState::Up);
    look(&mut life).await;
    assert!(!life.drained());
    // Created again in the meantime.
    double.0.lock().index = Some(2);
    assert!(life.failed(Errno::ENODEV));
    assert_eq!(life.state, Some(State::Missing));
    assert!(life.receiver().is_some() && life.sender().is_none());
    assert!(life.drained());
    assert_eq!(life.state, Some(State::Up));
    assert_eq!(double.0.lock().opened.len(), 2);
    assert_eq!(life.port.as_ref().unwrap().0, 2);
}

#[tokio::test(start_paused = true)]
async fn an_interface_that_fails_though_it_is_there_is_not_opened_all_the_time() {
    let (mut life, double) = life(InterfaceState::Up);
    look(&mut life).await;
    for round in 1..4 {
        let before = tokio::time::Instant::now();
        assert!(life.failed(Errno::ENXIO));
        assert!(life.drained());
        assert!(life.receiver().is_none());
        look(&mut life).await;
        assert!(before.elapsed() >= Duration::from_millis(500));
        assert_eq!(double.0.lock().opened.len(), 1 + round);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_about_one_frame_changes_nothing() {
    let (mut life, _double) = life(InterfaceState::Up);
    look(&mut life).await;
    for error in [Errno::EINVAL, Errno::EMSGSIZE, Errno::EPERM] {
        assert!(!life.failed(error));
        assert_eq!(life.state, Some(State::Up));
    }
    assert!(life.failed(Errno::ENETDOWN));
    assert_eq!(life.state, Some(State::Down));
    assert!(life.receiver().is_some() && life.sender().is_none());
    look(&mut life).await;
    assert_eq!(life.state, Some(State::Up));
}

#[tokio::test(start_paused = true)]
async fn where_nothing_tells_of_changes_it_looks_now_and_then() {
    let (mut life, double) = life(InterfaceState::Up);
    double.0.lock().watched = false;
    look(&mut life).await;
    assert!(life.sender().is_some());
    let start = tokio::time::Instant::now();
    for _ in 0..6 {
        look(&mut life).await;
    }
    assert_eq!(
        start.elapsed().as_millis() / 10 * 10,
        500 + 1000 + 2000 + 4000 + 8000 + 8000
    );
    assert!(life.sender().is_some());
    *double.0.lock() = Scene {
        index: None,
        state: InterfaceState::Missing,
        error: None,
        watched: false,
        opened: Vec::new(),
        peers: Vec::new(),
    };
    look(&mut life).await;
    assert_eq!(life.state, Some(State::Missing));
}

/// An error frame with what its class says.
fn error_frame(class: u32) -> Frame {
    let mut wire = [0; 16];
    wire[..4].copy_from_slice(&(class | libc::CAN_ERR_FLAG).to_ne_bytes());
    Frame::from_wire(&wire).unwrap()
}

#[tokio::test]
async fn each_loss_of_the_carrier_is_logged_and_each_return() {
    let (mut life, double) = life(InterfaceState::Up);
    look(&mut life).await;
    let log = TestLog::start();
    for _ in 0..3 {
        for state in [InterfaceState::NoCarrier, InterfaceState::Up] {
            double.0.lock().state = state;
            life.look();
        }
    }
    let lines = log.take();
    let kinds: Vec<_> = lines.iter().map(|line| line.contains(": up")).collect();
    assert_eq!(kinds, [false, true].repeat(3), "{lines:?}");
}

#[tokio::test]
async fn a_controller_that_restarts_all_the_time_is_logged_once() {
    let (mut life, double) = life(InterfaceState::Up);
    look(&mut life).await;
    let log = TestLog::start();
    for _ in 0..3 {
        life.report(&error_frame(libc::CAN_ERR_BUSOFF));
        // The kernel tells it, too.
        double.0.lock().state = InterfaceState::NoCarrier;
        life.look();
        double.0.lock().state = InterfaceState::Up;
        life.look();
        life.report(&error_frame(libc::CAN_ERR_RESTARTED));
    }
    let lines = log.take();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("bus-off") && lines[1].contains(": up"));
    assert!(!life.waiting);
}

#[tokio::test]
async fn the_last_state_is_logged_though_it_changes_often() {
    let (mut life, double) = life(InterfaceState::Up);
    look(&mut life).await;
    for _ in 0..3 {
        life.report(&error_frame(libc::CAN_ERR_BUSOFF));
        life.report(&error_frame(libc::CAN_ERR_RESTARTED));
    }
    assert_eq!(life.logged, Some(State::Up));
    assert!(!life.waiting);
    life.report(&error_frame(libc::CAN_ERR_BUSOFF));
    // Not logged now, as it was a moment ago; but it is looked at again.
    assert_eq!((life.logged, life.waiting), (Some(State::Up), true));
    double.0.lock().state = InterfaceState::NoCarrier;
    life.reports = Reports::default();
    life.look();
    assert_eq!(life.logged, Some(State::BusOff));
}

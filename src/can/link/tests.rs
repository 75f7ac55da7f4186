use std::{io, os::fd::OwnedFd, sync::Arc, task::Poll};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use parking_lot::Mutex;
use socketcan::CanFdSocket;
use std::future::poll_fn;

use super::*;
use crate::test_log::TestLog;

/// An interface whose state the test sets.
#[derive(Clone)]
struct FakeDevice(Arc<Mutex<Scene>>);

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

impl Device for FakeDevice {
    fn index(&self) -> Option<u32> {
        self.0.lock().index
    }

    fn state(&self) -> InterfaceState {
        self.0.lock().state
    }

    fn open(&self, _: u32, _: &Options) -> io::Result<CanSocket> {
        let mut scene = self.0.lock();
        scene.opened.push(tokio::time::Instant::now());
        if let Some(error) = scene.error {
            return Err(error.into());
        }
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let (own, peer) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        scene.peers.push(peer);
        CanSocket::new(CanFdSocket::from(own))
    }

    fn poll_changed(&mut self, _: &mut Context<'_>) -> Option<Poll<()>> {
        self.0.lock().watched.then_some(Poll::Pending)
    }
}

fn link(state: InterfaceState) -> (Link, FakeDevice) {
    let device = FakeDevice(Arc::new(Mutex::new(Scene {
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
    let link = Link::new("device".into(), Box::new(device.clone()), options, delay);
    (link, device)
}

/// Polls the link until it has refreshed its state once more.
async fn poll_until_refreshed(link: &mut Link) {
    poll_fn(|context| match link.poll(context) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn attempts_are_made_at_doubled_intervals_up_to_8_seconds() {
    let (mut link, device) = link(InterfaceState::Up);
    device.0.lock().error = Some(Errno::EMFILE);
    for _ in 0..9 {
        poll_until_refreshed(&mut link).await;
    }
    let opened = device.0.lock().opened.clone();
    let intervals: Vec<_> = opened
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_millis() / 10 * 10)
        .collect();
    assert_eq!(intervals, [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000]);
    assert_eq!(link.state, Some(LinkState::Failed(Errno::EMFILE)));

    device.0.lock().error = None;
    poll_until_refreshed(&mut link).await;
    assert_eq!(link.state, Some(LinkState::Up));
    assert!(link.sender().is_some());
    assert!(!link.timer_runs);
}

#[tokio::test(start_paused = true)]
async fn a_socket_is_open_for_reading_before_the_interface_is_up() {
    for (state, expected) in [
        (InterfaceState::Down, LinkState::Down),
        (InterfaceState::NoCarrier, LinkState::BusOff),
    ] {
        let (mut link, device) = link(state);
        poll_until_refreshed(&mut link).await;
        assert_eq!(link.state, Some(expected));
        assert!(link.receiver().is_some() && link.sender().is_none());
        device.0.lock().state = InterfaceState::Up;
        poll_until_refreshed(&mut link).await;
        assert!(link.sender().is_some());
        assert_eq!(device.0.lock().opened.len(), 1);
    }
    for (state, expected) in [
        (InterfaceState::Missing, LinkState::Missing),
        (InterfaceState::NotCan, LinkState::NotCan),
    ] {
        let (mut link, device) = link(state);
        poll_until_refreshed(&mut link).await;
        assert_eq!(link.state, Some(expected));
        assert!(link.receiver().is_none() && link.sender().is_none());
        assert!(device.0.lock().opened.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn the_socket_of_an_interface_that_is_gone_is_read_to_its_end() {
    let (mut link, device) = link(InterfaceState::Up);
    poll_until_refreshed(&mut link).await;
    assert!(!link.note_drained());
    // Created again in the meantime.
    device.0.lock().index = Some(2);
    assert!(link.handle_error(Errno::ENODEV));
    assert_eq!(link.state, Some(LinkState::Missing));
    assert!(link.receiver().is_some() && link.sender().is_none());
    assert!(link.note_drained());
    assert_eq!(link.state, Some(LinkState::Up));
    assert_eq!(device.0.lock().opened.len(), 2);
    assert_eq!(link.socket.as_ref().unwrap().0, 2);
}

#[tokio::test(start_paused = true)]
async fn an_interface_that_fails_though_it_is_there_is_not_opened_all_the_time() {
    let (mut link, device) = link(InterfaceState::Up);
    poll_until_refreshed(&mut link).await;
    for round in 1..4 {
        let before = tokio::time::Instant::now();
        assert!(link.handle_error(Errno::ENXIO));
        assert!(link.note_drained());
        assert!(link.receiver().is_none());
        poll_until_refreshed(&mut link).await;
        assert!(before.elapsed() >= Duration::from_millis(500));
        assert_eq!(device.0.lock().opened.len(), 1 + round);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_about_one_frame_changes_nothing() {
    let (mut link, _double) = link(InterfaceState::Up);
    poll_until_refreshed(&mut link).await;
    for error in [Errno::EINVAL, Errno::EMSGSIZE, Errno::EPERM] {
        assert!(!link.handle_error(error));
        assert_eq!(link.state, Some(LinkState::Up));
    }
    assert!(link.handle_error(Errno::ENETDOWN));
    assert_eq!(link.state, Some(LinkState::Down));
    assert!(link.receiver().is_some() && link.sender().is_none());
    poll_until_refreshed(&mut link).await;
    assert_eq!(link.state, Some(LinkState::Up));
}

#[tokio::test(start_paused = true)]
async fn where_nothing_tells_of_changes_it_looks_now_and_then() {
    let (mut link, device) = link(InterfaceState::Up);
    device.0.lock().watched = false;
    poll_until_refreshed(&mut link).await;
    assert!(link.sender().is_some());
    let start = tokio::time::Instant::now();
    for _ in 0..6 {
        poll_until_refreshed(&mut link).await;
    }
    assert_eq!(
        start.elapsed().as_millis() / 10 * 10,
        500 + 1000 + 2000 + 4000 + 8000 + 8000
    );
    assert!(link.sender().is_some());
    *device.0.lock() = Scene {
        index: None,
        state: InterfaceState::Missing,
        error: None,
        watched: false,
        opened: Vec::new(),
        peers: Vec::new(),
    };
    poll_until_refreshed(&mut link).await;
    assert_eq!(link.state, Some(LinkState::Missing));
}

/// An error frame with what its class says.
fn error_frame(class: u32) -> Frame {
    let mut wire = [0; 16];
    wire[..4].copy_from_slice(&(class | libc::CAN_ERR_FLAG).to_ne_bytes());
    Frame::from_wire(&wire).unwrap()
}

#[tokio::test]
async fn each_loss_of_the_carrier_is_logged_and_each_return() {
    let (mut link, device) = link(InterfaceState::Up);
    poll_until_refreshed(&mut link).await;
    let log = TestLog::start();
    for _ in 0..3 {
        for state in [InterfaceState::NoCarrier, InterfaceState::Up] {
            device.0.lock().state = state;
            link.refresh_state();
        }
    }
    let lines = log.take();
    let kinds: Vec<_> = lines.iter().map(|line| line.contains("is up")).collect();
    assert_eq!(kinds, [false, true].repeat(3), "{lines:?}");
}

#[tokio::test]
async fn a_controller_that_restarts_all_the_time_is_logged_once() {
    let (mut link, device) = link(InterfaceState::Up);
    poll_until_refreshed(&mut link).await;
    let log = TestLog::start();
    for _ in 0..3 {
        link.note_error_frame(&error_frame(libc::CAN_ERR_BUSOFF));
        // The kernel tells it, too.
        device.0.lock().state = InterfaceState::NoCarrier;
        link.refresh_state();
        device.0.lock().state = InterfaceState::Up;
        link.refresh_state();
        link.note_error_frame(&error_frame(libc::CAN_ERR_RESTARTED));
    }
    let lines = log.take();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("bus-off") && lines[1].contains("is up"));
    assert!(!link.timer_runs);
}

#[tokio::test]
async fn the_last_state_is_logged_though_it_changes_often() {
    let (mut link, device) = link(InterfaceState::Up);
    poll_until_refreshed(&mut link).await;
    for _ in 0..3 {
        link.note_error_frame(&error_frame(libc::CAN_ERR_BUSOFF));
        link.note_error_frame(&error_frame(libc::CAN_ERR_RESTARTED));
    }
    assert_eq!(link.logged_state, Some(LinkState::Up));
    assert!(!link.timer_runs);
    link.note_error_frame(&error_frame(libc::CAN_ERR_BUSOFF));
    // Not logged again within the rate limit, but checked again.
    assert_eq!(
        (link.logged_state, link.timer_runs),
        (Some(LinkState::Up), true)
    );
    device.0.lock().state = InterfaceState::NoCarrier;
    link.report_limits = ReportLimits::default();
    link.refresh_state();
    assert_eq!(link.logged_state, Some(LinkState::BusOff));
}

//! Virtual buses, and the independent peers on them.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::fd::AsRawFd,
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

use nix::sys::socket::{MsgFlags, recv};
use socketcan::{CanFdSocket, Socket, SocketOptions};
use vscpl2drv_websocksrv::can::frame::Frame;

use crate::common::{DEADLINE, wait_until};

/// A virtual bus of its own for one test. Removed with its drop.
pub(crate) struct Vcan {
    pub(crate) name: String,
}

impl Vcan {
    /// One that is up.
    pub(crate) fn up() -> Self {
        let vcan = Self::missing();
        vcan.add();
        vcan.set("up");
        vcan
    }

    /// The name of one that is not there yet.
    pub(crate) fn missing() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("vt{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Self { name }
    }

    /// Adds it, down, for CAN FD.
    pub(crate) fn add(&self) {
        ip(&format!("link add dev {} mtu 72 type vcan", self.name));
    }

    pub(crate) fn remove(&self) {
        ip(&format!("link del dev {}", self.name));
    }

    /// Changes it: `up`, `down`, `name NEW` ..
    pub(crate) fn set(&self, change: &str) {
        ip(&format!("link set dev {} {change}", self.name));
    }

    /// Gives it a queue that is emptied slowly: `rate` in kbit a second (a frame has 16 bytes),
    /// with room for so many bytes.
    pub(crate) fn slow_queue(&self, kbit: u32, bytes: u32) {
        let rest = format!("rate {kbit}kbit burst 32 limit {bytes}");
        run(
            "tc",
            &format!("qdisc add dev {} root tbf {rest}", self.name),
        );
    }

    /// A program of its own on the bus, which may be down.
    pub(crate) fn peer(&self) -> Peer {
        let socket = CanFdSocket::open(&self.name).unwrap();
        socket.as_raw_socket().take_error().unwrap();
        socket.set_read_timeout(DEADLINE).unwrap();
        // A large receive buffer, so that unread frames are not lost.
        let size = 64 << 20;
        socket
            .set_socket_option_int(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, size)
            .unwrap();
        Peer(socket)
    }

    /// Sends a frame with the program of can-utils.
    pub(crate) fn cansend(&self, frame: &str) {
        run("cansend", &format!("{} {frame}", self.name));
    }

    pub(crate) fn candump(&self) -> Candump {
        Candump::start(&self.name)
    }
}

impl Drop for Vcan {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args(["link", "del", "dev", &self.name])
            .stderr(Stdio::null())
            .status();
    }
}

/// A socket on a bus.
pub(crate) struct Peer(CanFdSocket);

impl Peer {
    pub(crate) fn send(&self, frame: &Frame) {
        self.0.as_raw_socket().write_all(frame.wire()).unwrap();
    }

    /// Sends a frame with this number: 4 bytes of data, of class 10 and type 6.
    pub(crate) fn send_numbered(&self, number: u32) {
        self.send(&Frame::classic(0x0C0A_0601, &number.to_be_bytes()).unwrap());
    }

    pub(crate) fn receive(&self) -> Frame {
        let mut wire = [0; 72];
        let length = self.0.as_raw_socket().read(&mut wire).unwrap();
        Frame::from_wire(&wire[..length]).unwrap()
    }

    /// The next frame, if one comes in this time.
    pub(crate) fn receive_within(&self, time: Duration) -> Option<Frame> {
        let mut frame = self.try_receive();
        let start = Instant::now();
        while frame.is_none() && start.elapsed() < time {
            thread::sleep(Duration::from_millis(5));
            frame = self.try_receive();
        }
        frame
    }

    /// The next frame, if there is one already.
    pub(crate) fn try_receive(&self) -> Option<Frame> {
        let mut wire = [0; 72];
        let length = recv(self.0.as_raw_fd(), &mut wire, MsgFlags::MSG_DONTWAIT).ok()?;
        Frame::from_wire(&wire[..length])
    }

    /// The number of the next frame.
    pub(crate) fn receive_number(&self) -> u32 {
        number_of(&self.receive())
    }

    /// Takes the error that an interface leaves that was down.
    pub(crate) fn clear_error(&self) {
        self.0.as_raw_socket().take_error().unwrap();
    }
}

/// The number that a frame was sent with.
pub(crate) fn number_of(frame: &Frame) -> u32 {
    u32::from_be_bytes(frame.data().try_into().unwrap())
}

/// A running candump, which sees every frame on a bus.
pub(crate) struct Candump {
    name: String,
    process: Child,
    lines: Receiver<String>,
}

/// A line of its log.
#[derive(Debug, PartialEq)]
pub(crate) struct Dumped {
    /// Seconds since 1970, with 6 digits behind the point.
    pub(crate) time: String,
    /// What stands behind the name of the interface.
    pub(crate) frame: String,
}

impl Candump {
    fn start(name: &str) -> Self {
        let before = receivers(name);
        let mut process = Command::new("candump")
            .args(["-L", name])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            lines.for_each(|line| _ = sender.send(line));
        });
        wait_until("candump listens", || receivers(name) > before);
        Self {
            name: name.into(),
            process,
            lines,
        }
    }

    /// The next line.
    pub(crate) fn next(&self) -> Dumped {
        let line = self
            .lines
            .recv_timeout(DEADLINE)
            .expect("candump shows nothing");
        let (time, rest) = line.split_once(") ").expect(&line);
        let frame = rest.strip_prefix(&format!("{} ", self.name)).expect(&line);
        Dumped {
            time: time.strip_prefix('(').expect(&line).into(),
            frame: frame.into(),
        }
    }

    /// Expects these frames, and nothing between them.
    pub(crate) fn expect(&self, frames: &[&str]) {
        for frame in frames {
            assert_eq!(self.next().frame, *frame);
        }
    }
}

impl Drop for Candump {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The entries of the kernel for those who receive frames of an interface: identifier and mask.
pub(crate) fn filters(name: &str) -> Vec<(String, String)> {
    let mut filters = Vec::new();
    for list in ["all", "eff", "fil", "inv", "sff"] {
        let text = fs::read_to_string(format!("/proc/net/can/rcvlist_{list}")).unwrap();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            if words.next() == Some(name) {
                filters.push((words.next().unwrap().into(), words.next().unwrap().into()));
            }
        }
    }
    filters
}

/// How many sockets are open on an interface; not exactly those.
pub(crate) fn receivers(name: &str) -> usize {
    filters(name).len()
}

pub(crate) fn ip(args: &str) {
    run("ip", args);
}

fn run(program: &str, args: &str) {
    let status = Command::new(program).args(args.split(' ')).status();
    assert!(status.unwrap().success(), "{program} {args}");
}

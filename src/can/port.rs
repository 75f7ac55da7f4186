//! The socket of a bus: reads and writes frames, many at once.

use std::{
    io::{self, IoSlice, IoSliceMut},
    os::fd::{AsRawFd, OwnedFd},
    task::{Context, Poll, ready},
};

use libc::{CAN_ERR_MASK, SK_MEMINFO_DROPS, SOL_SOCKET, c_int};
use nix::{
    cmsg_space,
    errno::Errno,
    sys::{
        socket::{
            AddressFamily, ControlMessageOwned, MsgFlags, MultiHeaders, SockFlag, SockProtocol,
            SockType, recvmmsg, sendmmsg, setsockopt, socket, sockopt,
        },
        time::TimeSpec,
    },
};
use socketcan::{
    CanAddr, CanFdSocket, CanFilter, Socket, SocketOptions,
    socket::{CAN_RAW_FD_FRAMES, SOL_CAN_RAW},
};
use tokio::io::{Interest, unix::AsyncFd};

use super::{
    frame::{self, Frame},
    map::KernelFilter,
};
use crate::event::time::unix_ns_now;

/// Frames that are read or written by one system call.
const AT_ONCE: usize = 64;

/// Bytes that frames may take in the kernel until they are read: about 10 000 frames, a second
/// of a busy bus.
const RECEIVE_BUFFER: usize = 4 << 20;

/// The option that tells what a socket has in memory, and what it has dropped.
const SO_MEMINFO: c_int = 55;

/// How a socket is opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// Whether CAN FD frames are received and sent.
    pub(super) fd: bool,
    /// What the kernel lets through.
    pub(super) filter: Pass,
}

/// What the kernel lets through. Error frames always pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// All frames, those too that are not VSCP.
    All,
    /// Frames that pass a filter.
    Some(KernelFilter),
    /// No data frame.
    Nothing,
}

/// An open socket.
#[derive(Debug)]
pub(super) struct Port {
    socket: AsyncFd<CanFdSocket>,
    buffers: Box<[[u8; frame::FD]]>,
    /// Frames that the kernel had dropped when it was last asked, modulo 2^32.
    dropped: u32,
    /// Whether all buffers were filled since the kernel was last asked for what it has dropped.
    flooded: bool,
}

/// What a read has brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Frames that the kernel had no room for.
    pub(super) dropped: u32,
    /// What came and was no frame.
    pub(super) malformed: u32,
    /// Whether there may be more to read.
    pub(super) more: bool,
}

impl Port {
    /// Opens a socket on the interface with this number, which need not be up. Needs a runtime.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn open(interface: u32, options: &Options) -> io::Result<Self> {
        let socket = socket(
            AddressFamily::Can,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            SockProtocol::CanRaw,
        )?;
        let socket = CanFdSocket::from(socket);
        let fd = c_int::from(options.fd);
        socket.set_socket_option_int(SOL_CAN_RAW, CAN_RAW_FD_FRAMES, fd)?;
        socket.set_error_filter(CAN_ERR_MASK)?;
        set_filter(&socket, options.filter)?;
        setsockopt(&socket, sockopt::RxqOvfl, &1)?;
        if setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
            // Without the right to do that, the system's limit holds.
            setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER)?;
        }
        // As few frames as possible wait in the kernel: the socket is full before the queue of
        // the interface is (10 frames by default), and tells when there is room again.
        setsockopt(&socket, sockopt::SndBuf, &0)?;
        let address = CanAddr::new(interface).into_sock_addr();
        socket.as_raw_socket().bind(&address)?;
        // That the interface is down is left as an error, too.
        let _ = socket.as_raw_socket().take_error();
        Self::new(socket)
    }

    /// A port on a socket that is open.
    pub(super) fn new(socket: CanFdSocket) -> io::Result<Self> {
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        Ok(Self {
            socket: register(socket, Interest::READABLE | Interest::WRITABLE)?,
            buffers: vec![[0; frame::FD]; AT_ONCE].into(),
            dropped: 0,
            flooded: false,
        })
    }

    /// Sets what the kernel lets through from now on; what it has for the socket stays.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn set_filter(&self, filter: Pass) -> io::Result<()> {
        set_filter(self.socket.get_ref(), filter)
    }

    /// Adds the frames that are there to `frames`, before the socket is closed: no more come.
    pub(super) fn take_rest(&mut self, frames: &mut Vec<(Frame, u64)>) -> Progress {
        let socket = self.socket.get_ref();
        // Where the kernel refuses that, the interface is gone and nothing comes either.
        let _ = socket.set_filter_drop_all();
        let _ = socket.set_error_filter_drop_all();
        let mut malformed = 0;
        loop {
            match receive(socket, &mut self.buffers, frames) {
                Ok(received) => malformed += received.malformed,
                // The interface has gone down, which it tells before what it had received.
                Err(Errno::EINTR | Errno::ENETDOWN) => {}
                Err(_) => break,
            }
        }
        Progress {
            dropped: drops(socket).map_or(0, |total| newly_dropped(&mut self.dropped, total)),
            malformed,
            more: false,
        }
    }

    /// The error that the interface has left on the socket: ENETDOWN where it has gone down,
    /// ENODEV where it was removed. Each is told once.
    pub(super) fn take_error(&self) -> Option<Errno> {
        let error = self.socket.get_ref().as_raw_socket().take_error().ok()??;
        error.raw_os_error().map(Errno::from_raw)
    }

    /// Lets the socket be waited for again after an error: readiness that an error has brought
    /// would stay for ever.
    pub(super) fn renew(self) -> io::Result<Self> {
        let socket = self.socket.into_inner();
        Ok(Self {
            socket: register(socket, Interest::READABLE | Interest::WRITABLE)?,
            ..self
        })
    }

    /// Adds the frames that have come to `frames`, each with its time in nanoseconds since 1970.
    ///
    /// # Errors
    /// ENETDOWN and ENODEV as with [`Port::take_error`], ENOTCONN where the other end of a
    /// double is gone.
    pub(super) fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        frames: &mut Vec<(Frame, u64)>,
    ) -> Poll<Result<Progress, Errno>> {
        loop {
            let mut guard = match ready!(self.socket.poll_read_ready(context)) {
                Ok(guard) => guard,
                Err(error) => return Poll::Ready(Err(errno(&error))),
            };
            let socket = self.socket.get_ref();
            let received = match receive(socket, &mut self.buffers, frames) {
                Err(Errno::EAGAIN) => {
                    guard.clear_ready();
                    continue;
                }
                Err(Errno::EINTR) => continue,
                Err(error) => return Poll::Ready(Err(error)),
                Ok(received) => received,
            };
            let mut dropped = received.dropped;
            if received.count == AT_ONCE {
                self.flooded = true;
            } else {
                guard.clear_ready();
                if std::mem::take(&mut self.flooded) {
                    // What was dropped last is told with no frame.
                    dropped = drops(socket).or(dropped);
                }
            }
            return Poll::Ready(Ok(Progress {
                dropped: dropped.map_or(0, |total| newly_dropped(&mut self.dropped, total)),
                malformed: received.malformed,
                more: received.count == AT_ONCE,
            }));
        }
    }

    /// Writes some of the first `frames`, of which there must be one. Ready with how many were
    /// written.
    ///
    /// # Errors
    /// Why the first of them could not be written; ENOBUFS where the queue of the interface is
    /// full, for which there is nothing to wait for.
    pub(super) fn poll_send<'f>(
        &self,
        context: &mut Context<'_>,
        frames: impl Iterator<Item = &'f Frame>,
    ) -> Poll<Result<usize, Errno>> {
        const NO_ADDRESSES: [Option<()>; AT_ONCE] = [None; AT_ONCE];

        let wires: Vec<_> = frames
            .take(AT_ONCE)
            .map(|frame| [IoSlice::new(frame.wire())])
            .collect();
        loop {
            let mut guard = match ready!(self.socket.poll_write_ready(context)) {
                Ok(guard) => guard,
                Err(error) => return Poll::Ready(Err(errno(&error))),
            };
            let sent = sendmmsg(
                self.socket.as_raw_fd(),
                &mut MultiHeaders::<()>::preallocate(wires.len(), None),
                &wires,
                NO_ADDRESSES,
                [],
                MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL,
            )
            .map(Iterator::count);
            match sent {
                Err(Errno::EAGAIN) => guard.clear_ready(),
                Err(Errno::EINTR) => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

fn set_filter(socket: &CanFdSocket, filter: Pass) -> io::Result<()> {
    match filter {
        Pass::All => socket.set_filter_accept_all(),
        Pass::Some(KernelFilter { id, mask }) => socket.set_filters(&[CanFilter::new(id, mask)]),
        Pass::Nothing => socket.set_filter_drop_all(),
    }
}

/// What one system call has brought.
struct Received {
    count: usize,
    malformed: u32,
    /// All frames that the kernel has dropped so far, where it has dropped some.
    dropped: Option<u32>,
}

fn receive(
    socket: &CanFdSocket,
    buffers: &mut [[u8; frame::FD]],
    frames: &mut Vec<(Frame, u64)>,
) -> Result<Received, Errno> {
    let mut received = Received {
        count: 0,
        malformed: 0,
        dropped: None,
    };
    let mut slices: Vec<_> = buffers
        .iter_mut()
        .map(|buffer| [IoSliceMut::new(buffer)])
        .collect();
    // Not kept from call to call: the kernel leaves the room for the control messages as small
    // as they were.
    let mut headers =
        MultiHeaders::<()>::preallocate(slices.len(), Some(cmsg_space!(TimeSpec, u32)));
    let messages = recvmmsg(
        socket.as_raw_fd(),
        &mut headers,
        &mut slices,
        MsgFlags::MSG_DONTWAIT,
        None,
    )?;
    for message in messages {
        received.count += 1;
        if message.bytes == 0 {
            return Err(Errno::ENOTCONN);
        }
        let mut ns = None;
        for control in message.cmsgs().into_iter().flatten() {
            match control {
                ControlMessageOwned::ScmTimestampns(time) => ns = nanoseconds(&time),
                ControlMessageOwned::RxqOvfl(dropped) => received.dropped = Some(dropped),
                _ => {}
            }
        }
        match message.iovs().next().and_then(Frame::from_wire) {
            Some(frame) => frames.push((frame, ns.unwrap_or_else(unix_ns_now))),
            None => received.malformed += 1,
        }
    }
    Ok(received)
}

/// The difference of a total and the one before. Frames that came before the kernel was asked
/// tell an older one.
fn newly_dropped(before: &mut u32, total: u32) -> u32 {
    let difference = total.wrapping_sub(*before);
    if difference > u32::MAX / 2 {
        return 0;
    }
    *before = total;
    difference
}

fn nanoseconds(time: &TimeSpec) -> Option<u64> {
    let seconds = u64::try_from(time.tv_sec()).ok()?;
    let nanoseconds = u64::try_from(time.tv_nsec()).ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
}

/// How many frames the kernel has dropped so far.
fn drops(socket: &CanFdSocket) -> Option<u32> {
    const DROPS: usize = 4 * SK_MEMINFO_DROPS as usize;

    let mut info = [0; DROPS + 4];
    let length = socket
        .get_socket_option_bytes(SOL_SOCKET, SO_MEMINFO, &mut info)
        .ok()?;
    let (_, last) = info[..length].split_last_chunk()?;
    (length == info.len()).then(|| u32::from_ne_bytes(*last))
}

/// Lets an open socket be waited for. Needs a runtime.
#[allow(
    deprecated,
    reason = "what follows it is unsafe, for types that do not keep their descriptor open"
)]
pub(super) fn register<T: From<OwnedFd> + AsRawFd>(
    socket: T,
    interest: Interest,
) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(socket, interest)
}

pub(super) fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

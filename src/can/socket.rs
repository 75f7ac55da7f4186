//! A raw CAN socket (Documentation/networking/can.rst): reads and writes many frames with one
//! system call.

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
    kernel_filter::KernelFilter,
};
use crate::event::time::unix_ns_now;

/// The largest number of frames that one system call reads or writes.
const MAX_FRAMES_PER_CALL: usize = 64;

/// The receive buffer in the kernel, in bytes: room for about 10 000 frames, a second of a busy
/// bus.
const RECEIVE_BUFFER: usize = 4 << 20;

/// The socket option with the memory that a socket uses and the packets that it has dropped
/// (`asm-generic/socket.h`); libc does not have it.
const SO_MEMINFO: c_int = 55;

/// The options of a socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// True if CAN FD frames are received and sent.
    pub(super) fd: bool,
    /// The frames that the kernel passes on.
    pub(super) filter: Pass,
}

/// The frames that the kernel passes on. Error frames always pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// All frames, including those that are not VSCP.
    All,
    /// The frames that pass a filter.
    Some(KernelFilter),
    /// No frames.
    Nothing,
}

/// An open raw CAN socket.
#[derive(Debug)]
pub(super) struct CanSocket {
    socket: AsyncFd<CanFdSocket>,
    buffers: Box<[[u8; frame::FD_SIZE]]>,
    /// The total of frames dropped by the kernel that was read last, modulo 2^32.
    dropped: u32,
    /// True if a read has filled all buffers since that total was last read with [`drops`].
    flooded: bool,
}

/// The result of a read, beside the frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Number of frames that the kernel had no room for.
    pub(super) dropped: u32,
    /// Number of messages that were not frames.
    pub(super) malformed: u32,
    /// True if there may be more to read.
    pub(super) more: bool,
}

impl CanSocket {
    /// Opens a socket on the interface with this index, which need not be up. Needs a runtime.
    ///
    /// # Errors
    /// The error of the system call that failed.
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
            // Without CAP_NET_ADMIN the limit net.core.rmem_max holds.
            setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER)?;
        }
        // The smallest send buffer: it is full before the queue of the interface is (10 frames by
        // default), and unlike that the socket becomes writable when it has room again.
        setsockopt(&socket, sockopt::SndBuf, &0)?;
        let address = CanAddr::new(interface).into_sock_addr();
        socket.as_raw_socket().bind(&address)?;
        // Binding to an interface that is down leaves ENETDOWN on the socket.
        let _ = socket.as_raw_socket().take_error();
        Self::new(socket)
    }

    /// Registers an open socket with the runtime. Tests pass a socket of another family.
    ///
    /// # Errors
    /// The error of the system call that failed.
    pub(super) fn new(socket: CanFdSocket) -> io::Result<Self> {
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        Ok(Self {
            socket: register(socket, Interest::READABLE | Interest::WRITABLE)?,
            buffers: vec![[0; frame::FD_SIZE]; MAX_FRAMES_PER_CALL].into(),
            dropped: 0,
            flooded: false,
        })
    }

    /// Changes which frames the kernel passes on from now on. Frames that wait to be read stay.
    ///
    /// # Errors
    /// The error of the system call.
    pub(super) fn set_filter(&self, filter: Pass) -> io::Result<()> {
        set_filter(self.socket.get_ref(), filter)
    }

    /// Appends all frames that wait to be read to `frames`, before the socket is closed. It
    /// receives no more.
    pub(super) fn take_rest(&mut self, frames: &mut Vec<(Frame, u64)>) -> Progress {
        let socket = self.socket.get_ref();
        // If the kernel refuses this, the interface is gone, and no more frames come either.
        let _ = socket.set_filter_drop_all();
        let _ = socket.set_error_filter_drop_all();
        let mut malformed = 0;
        loop {
            match receive(socket, &mut self.buffers, frames) {
                Ok(received) => malformed += received.malformed,
                // ENETDOWN is reported before the frames that came earlier.
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

    /// Returns and clears the error of the socket (SO_ERROR): ENETDOWN if the interface has gone
    /// down, ENODEV if it was removed.
    pub(super) fn take_error(&self) -> Option<Errno> {
        let error = self.socket.get_ref().as_raw_socket().take_error().ok()??;
        error.raw_os_error().map(Errno::from_raw)
    }

    /// Registers the socket with the runtime again after an error, which would leave it ready for
    /// ever.
    ///
    /// # Errors
    /// The error of the system call that failed; the socket is closed.
    pub(super) fn renew(self) -> io::Result<Self> {
        let socket = self.socket.into_inner();
        Ok(Self {
            socket: register(socket, Interest::READABLE | Interest::WRITABLE)?,
            ..self
        })
    }

    /// Polls for frames. Appends them to `frames`, each with the time that the kernel received it,
    /// in nanoseconds since 1970 (SO_TIMESTAMPNS).
    ///
    /// # Errors
    /// ENETDOWN and ENODEV as [`CanSocket::take_error`], ENOTCONN if the other end of a test's
    /// socket is closed.
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
            if received.count == MAX_FRAMES_PER_CALL {
                self.flooded = true;
            } else {
                guard.clear_ready();
                if std::mem::take(&mut self.flooded) {
                    // Each frame carries the total at its time; no frame carries later drops.
                    dropped = drops(socket).or(dropped);
                }
            }
            return Poll::Ready(Ok(Progress {
                dropped: dropped.map_or(0, |total| newly_dropped(&mut self.dropped, total)),
                malformed: received.malformed,
                more: received.count == MAX_FRAMES_PER_CALL,
            }));
        }
    }

    /// Polls for room and writes the first of `frames`, of which there must be at least one. Ready
    /// with the number that was written.
    ///
    /// # Errors
    /// The error for the first of them. ENOBUFS if the queue of the interface is full: nothing
    /// reports when it has room again.
    pub(super) fn poll_send<'f>(
        &self,
        context: &mut Context<'_>,
        frames: impl Iterator<Item = &'f Frame>,
    ) -> Poll<Result<usize, Errno>> {
        const NO_ADDRESSES: [Option<()>; MAX_FRAMES_PER_CALL] = [None; MAX_FRAMES_PER_CALL];

        let wires: Vec<_> = frames
            .take(MAX_FRAMES_PER_CALL)
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

/// Sets the filter of a socket (CAN_RAW_FILTER).
fn set_filter(socket: &CanFdSocket, filter: Pass) -> io::Result<()> {
    match filter {
        Pass::All => socket.set_filter_accept_all(),
        Pass::Some(KernelFilter { id, mask }) => socket.set_filters(&[CanFilter::new(id, mask)]),
        Pass::Nothing => socket.set_filter_drop_all(),
    }
}

/// The result of one system call, beside the frames.
struct Received {
    count: usize,
    malformed: u32,
    /// The total of frames that the kernel has dropped (SO_RXQ_OVFL), `None` if it has dropped
    /// none.
    dropped: Option<u32>,
}

/// Reads frames with one system call and appends them to `frames`.
fn receive(
    socket: &CanFdSocket,
    buffers: &mut [[u8; frame::FD_SIZE]],
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
    // New for each call: the kernel sets the length of the room for control messages to what it
    // has used.
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

/// Returns the growth of a total, and keeps the new one. A frame that was received before [`drops`]
/// read the total carries an older one, which is ignored.
fn newly_dropped(before: &mut u32, total: u32) -> u32 {
    let difference = total.wrapping_sub(*before);
    if difference > u32::MAX / 2 {
        return 0;
    }
    *before = total;
    difference
}

/// Returns the nanoseconds since 1970, `None` if they do not fit.
fn nanoseconds(time: &TimeSpec) -> Option<u64> {
    let seconds = u64::try_from(time.tv_sec()).ok()?;
    let nanoseconds = u64::try_from(time.tv_nsec()).ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
}

/// Reads the total of frames that the kernel has dropped.
fn drops(socket: &CanFdSocket) -> Option<u32> {
    const DROPS: usize = 4 * SK_MEMINFO_DROPS as usize;

    let mut info = [0; DROPS + 4];
    let length = socket
        .get_socket_option_bytes(SOL_SOCKET, SO_MEMINFO, &mut info)
        .ok()?;
    let (_, last) = info[..length].split_last_chunk()?;
    (length == info.len()).then(|| u32::from_ne_bytes(*last))
}

/// Registers a socket with the runtime.
#[allow(
    deprecated,
    reason = "its replacement is unsafe, for types that may close their descriptor early"
)]
pub(super) fn register<T: From<OwnedFd> + AsRawFd>(
    socket: T,
    interest: Interest,
) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(socket, interest)
}

/// Returns the error number, EIO if there is none.
pub(super) fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

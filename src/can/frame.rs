//! A CAN frame, as it passes through the kernel's raw sockets.

use std::fmt;

use libc::{CAN_EFF_FLAG, CAN_EFF_MASK, CAN_ERR_FLAG, CAN_RTR_FLAG, CAN_SFF_MASK};

/// Bytes of the kernel's structure for a classic frame.
const CLASSIC: usize = 16;

/// Bytes of the same for a CAN FD frame.
pub(super) const FD: usize = 72;

/// Where both have the number of data bytes.
const LENGTH: usize = 4;

/// Where a CAN FD frame has its flags.
const FLAGS: usize = 5;

/// Where both have their data.
const DATA: usize = 8;

/// The largest number of data bytes of a classic frame.
pub(super) const MAX_CLASSIC_DATA: usize = 8;

/// The largest number of data bytes of a CAN FD frame.
pub(super) const MAX_FD_DATA: usize = 64;

/// A CAN frame. Shown in the notation of can-utils: `0C0A0601#000102`; `##` and the flags before
/// the data of a CAN FD frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// `struct can_frame` or `struct canfd_frame`, zeros behind it.
    bytes: [u8; FD],
    size: usize,
}

impl Frame {
    /// A classic frame with at most 8 data bytes and a 29-bit identifier; `None` with more.
    pub fn classic(id: u32, data: &[u8]) -> Option<Self> {
        (data.len() <= MAX_CLASSIC_DATA).then(|| Self::new(id | CAN_EFF_FLAG, data, CLASSIC))
    }

    /// A CAN FD frame with at most 64 data bytes and a 29-bit identifier, with zeros up to the
    /// next length that such frames can have; `None` with more.
    pub fn fd(id: u32, data: &[u8]) -> Option<Self> {
        const LENGTHS: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64];

        let length = LENGTHS
            .into_iter()
            .find(|length| usize::from(*length) >= data.len())?;
        let mut frame = Self::new(id | CAN_EFF_FLAG, data, FD);
        frame.bytes[LENGTH] = length;
        Some(frame)
    }

    /// What the kernel has given; `None` where it is no frame.
    pub fn from_wire(wire: &[u8]) -> Option<Self> {
        let max = match wire.len() {
            CLASSIC => MAX_CLASSIC_DATA,
            FD => MAX_FD_DATA,
            _ => return None,
        };
        if usize::from(wire[LENGTH]) > max {
            return None;
        }
        let mut bytes = [0; FD];
        bytes[..wire.len()].copy_from_slice(wire);
        Some(Self {
            bytes,
            size: wire.len(),
        })
    }

    /// What the kernel takes.
    pub fn wire(&self) -> &[u8] {
        &self.bytes[..self.size]
    }

    /// The data bytes.
    pub fn data(&self) -> &[u8] {
        &self.bytes[DATA..DATA + usize::from(self.bytes[LENGTH])]
    }

    /// Whether it is a CAN FD frame.
    pub fn is_fd(&self) -> bool {
        self.size == FD
    }

    /// The 29-bit identifier of a data frame; `None` for frames with 11 bits, remote frames and
    /// error frames.
    pub fn extended_id(&self) -> Option<u32> {
        let id = self.raw_id();
        let kind = id & (CAN_EFF_FLAG | CAN_RTR_FLAG | CAN_ERR_FLAG);
        (kind == CAN_EFF_FLAG).then_some(id & CAN_EFF_MASK)
    }

    /// The error classes of an error frame; `None` for other frames.
    pub fn error_class(&self) -> Option<u32> {
        let id = self.raw_id();
        (id & CAN_ERR_FLAG != 0).then_some(id & CAN_EFF_MASK)
    }

    fn new(id: u32, data: &[u8], size: usize) -> Self {
        let mut bytes = [0; FD];
        bytes[..LENGTH].copy_from_slice(&id.to_ne_bytes());
        bytes[LENGTH] = data.len() as u8;
        bytes[DATA..DATA + data.len()].copy_from_slice(data);
        Self { bytes, size }
    }

    fn raw_id(&self) -> u32 {
        let [b0, b1, b2, b3, ..] = self.bytes;
        u32::from_ne_bytes([b0, b1, b2, b3])
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.raw_id();
        if id & (CAN_EFF_FLAG | CAN_ERR_FLAG) == 0 {
            write!(f, "{:03X}", id & CAN_SFF_MASK)?;
        } else {
            write!(f, "{:08X}", id & (CAN_EFF_MASK | CAN_ERR_FLAG))?;
        }
        if id & CAN_RTR_FLAG != 0 {
            return f.write_str("#R");
        }
        match self.is_fd() {
            true => write!(f, "##{:X}", self.bytes[FLAGS] & 0xF)?,
            false => f.write_str("#")?,
        }
        self.data()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn frames_are_shown_as_can_utils_write_them() {
        let with = |id: u32, frame: Frame| {
            let mut wire = frame.wire().to_vec();
            wire[..4].copy_from_slice(&id.to_ne_bytes());
            Frame::from_wire(&wire).unwrap().to_string()
        };
        let classic = Frame::classic(0x0C0A_0601, &[0, 1, 0xAB]).unwrap();
        assert_eq!(classic.to_string(), "0C0A0601#0001AB");
        let fd = Frame::fd(0x1FFF_FFFF, &[1; 9]).unwrap();
        assert_eq!(fd.to_string(), "1FFFFFFF##0010101010101010101000000");
        assert_eq!(with(0x7FF, classic), "7FF#0001AB");
        assert_eq!(with(0x12 | CAN_RTR_FLAG, classic), "012#R");
        assert_eq!(with(0x40 | CAN_ERR_FLAG, classic), "20000040#0001AB");
    }

    #[test]
    fn only_data_frames_with_29_bits_have_an_extended_identifier() {
        for (raw, extended, error) in [
            (0x8C0A_0601_u32, Some(0x0C0A_0601), None),
            (0x8000_0000, Some(0), None),
            (0x0000_07FF, None, None),
            (0xCC0A_0601, None, None),
            (0x4000_0001, None, None),
            (0x2000_0040, None, Some(0x40)),
            (0xA000_0001, None, Some(1)),
        ] {
            let mut wire = [0; CLASSIC];
            wire[..4].copy_from_slice(&raw.to_ne_bytes());
            let frame = Frame::from_wire(&wire).unwrap();
            assert_eq!(frame.extended_id(), extended, "{raw:#x}");
            assert_eq!(frame.error_class(), error, "{raw:#x}");
        }
    }

    #[test]
    fn fd_frames_are_filled_with_zeros_up_to_a_length_that_exists() {
        for (length, sent) in [
            (0, 0),
            (8, 8),
            (9, 12),
            (12, 12),
            (25, 32),
            (33, 48),
            (49, 64),
        ] {
            let frame = Frame::fd(1, &vec![0xFF; length]).unwrap();
            assert_eq!(frame.data().len(), sent);
            assert!(frame.data()[..length].iter().all(|byte| *byte == 0xFF));
            assert!(frame.data()[length..].iter().all(|byte| *byte == 0));
        }
        assert_eq!(Frame::fd(1, &[0; 65]), None);
        assert_eq!(Frame::classic(1, &[0; 9]), None);
    }

    #[test]
    fn what_has_no_frame_s_size_or_more_data_than_room_is_none() {
        for (size, length, frame) in [
            (16, 8, true),
            (16, 9, false),
            (72, 64, true),
            (72, 65, false),
            (15, 0, false),
            (17, 0, false),
            (71, 0, false),
            (0, 0, false),
        ] {
            let mut wire = [0; 80];
            wire[LENGTH] = length;
            assert_eq!(Frame::from_wire(&wire[..size]).is_some(), frame, "{size}");
        }
    }

    proptest! {
        #[test]
        fn frames_read_back(id in 0..=CAN_EFF_MASK, data in vec(any::<u8>(), 0..=8), fd: bool) {
            let frame = if fd { Frame::fd(id, &data) } else { Frame::classic(id, &data) }.unwrap();
            prop_assert_eq!(frame.wire().len(), if fd { 72 } else { 16 });
            prop_assert_eq!(Frame::from_wire(frame.wire()), Some(frame));
            prop_assert_eq!(frame.is_fd(), fd);
            prop_assert_eq!(frame.extended_id(), Some(id));
            prop_assert_eq!(frame.data(), &data[..]);
        }
    }
}

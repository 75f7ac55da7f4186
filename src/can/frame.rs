//! CAN frames in the form of the kernel's raw sockets (`struct can_frame` and `struct canfd_frame`
//! in `linux/can.h`).

use std::fmt;

use libc::{CAN_EFF_FLAG, CAN_EFF_MASK, CAN_ERR_FLAG, CAN_RTR_FLAG, CAN_SFF_MASK};

/// The size of `struct can_frame` (CAN_MTU).
const CLASSIC_SIZE: usize = 16;

/// The size of `struct canfd_frame` (CANFD_MTU).
pub(super) const FD_SIZE: usize = 72;

/// The offset of the number of data bytes in both.
const LENGTH_OFFSET: usize = 4;

/// The offset of the flags in `struct canfd_frame`.
const FLAGS_OFFSET: usize = 5;

/// The offset of the data in both.
const DATA_OFFSET: usize = 8;

/// The largest number of data bytes of a classic frame.
pub(super) const MAX_CLASSIC_DATA: usize = 8;

/// The largest number of data bytes of a CAN FD frame.
pub(super) const MAX_FD_DATA: usize = 64;

/// A CAN frame. Shown in the notation of can-utils: `0C0A0601#000102`, with `##` and the flags in
/// front of the data of a CAN FD frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// `struct can_frame` or `struct canfd_frame`, then zeros.
    bytes: [u8; FD_SIZE],
    size: usize,
}

impl Frame {
    /// Makes a classic frame with a 29-bit identifier. Returns `None` for more than 8 data bytes.
    pub fn classic(id: u32, data: &[u8]) -> Option<Self> {
        (data.len() <= MAX_CLASSIC_DATA).then(|| Self::new(id | CAN_EFF_FLAG, data, CLASSIC_SIZE))
    }

    /// Makes a CAN FD frame with a 29-bit identifier, padded with zeros to the next length that CAN
    /// FD has (ISO 11898-1). Returns `None` for more than 64 data bytes.
    pub fn fd(id: u32, data: &[u8]) -> Option<Self> {
        const LENGTHS: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64];

        let length = LENGTHS
            .into_iter()
            .find(|length| usize::from(*length) >= data.len())?;
        let mut frame = Self::new(id | CAN_EFF_FLAG, data, FD_SIZE);
        frame.bytes[LENGTH_OFFSET] = length;
        Some(frame)
    }

    /// Reads a frame from the bytes of the kernel. Returns `None` if they are not a frame.
    pub fn from_wire(wire: &[u8]) -> Option<Self> {
        let max = match wire.len() {
            CLASSIC_SIZE => MAX_CLASSIC_DATA,
            FD_SIZE => MAX_FD_DATA,
            _ => return None,
        };
        if usize::from(wire[LENGTH_OFFSET]) > max {
            return None;
        }
        let mut bytes = [0; FD_SIZE];
        bytes[..wire.len()].copy_from_slice(wire);
        Some(Self {
            bytes,
            size: wire.len(),
        })
    }

    /// Returns the bytes for the kernel.
    pub fn wire(&self) -> &[u8] {
        &self.bytes[..self.size]
    }

    /// Returns the data bytes.
    pub fn data(&self) -> &[u8] {
        &self.bytes[DATA_OFFSET..DATA_OFFSET + usize::from(self.bytes[LENGTH_OFFSET])]
    }

    /// Returns true for a CAN FD frame.
    pub fn is_fd(&self) -> bool {
        self.size == FD_SIZE
    }

    /// Returns the 29-bit identifier of a data frame, `None` for frames with an 11-bit identifier,
    /// remote frames and error frames.
    pub fn extended_id(&self) -> Option<u32> {
        let id = self.raw_id();
        let kind = id & (CAN_EFF_FLAG | CAN_RTR_FLAG | CAN_ERR_FLAG);
        (kind == CAN_EFF_FLAG).then_some(id & CAN_EFF_MASK)
    }

    /// Returns the error classes (`linux/can/error.h`) of an error frame, `None` for other frames.
    pub fn error_class(&self) -> Option<u32> {
        let id = self.raw_id();
        (id & CAN_ERR_FLAG != 0).then_some(id & CAN_EFF_MASK)
    }

    fn new(id: u32, data: &[u8], size: usize) -> Self {
        let mut bytes = [0; FD_SIZE];
        bytes[..LENGTH_OFFSET].copy_from_slice(&id.to_ne_bytes());
        bytes[LENGTH_OFFSET] = data.len() as u8;
        bytes[DATA_OFFSET..DATA_OFFSET + data.len()].copy_from_slice(data);
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
            true => write!(f, "##{:X}", self.bytes[FLAGS_OFFSET] & 0xF)?,
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
            let mut wire = [0; CLASSIC_SIZE];
            wire[..4].copy_from_slice(&raw.to_ne_bytes());
            let frame = Frame::from_wire(&wire).unwrap();
            assert_eq!(frame.extended_id(), extended, "{raw:#x}");
            assert_eq!(frame.error_class(), error, "{raw:#x}");
        }
    }

    #[test]
    fn fd_frames_are_padded_with_zeros_to_a_length_of_can_fd() {
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
    fn other_sizes_and_lengths_are_not_frames() {
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
            wire[LENGTH_OFFSET] = length;
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

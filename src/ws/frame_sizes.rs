//! The sizes of the frames that a client sends, read before tungstenite takes memory for them.

use std::io;

use crate::memory;

/// Opcodes from here on are those of control frames, which are small (RFC 6455 section 5.5).
const CONTROL: u8 = 8;

/// Follows the frames of a client.
#[derive(Debug)]
pub(super) struct FrameSizes {
    /// Larger messages are refused by tungstenite.
    max_message: usize,
    /// The first bytes of a frame, which tell its size.
    head: [u8; 10],
    /// The number of them that have come.
    head_len: usize,
    /// Bytes of the frame behind them that have not come yet.
    left: u64,
    /// Bytes of the message, as far as its frames have begun.
    message: usize,
}

impl FrameSizes {
    pub(super) fn new(max_message: usize) -> Self {
        Self {
            max_message,
            head: [0; 10],
            head_len: 0,
            left: 0,
            message: 0,
        }
    }

    /// Follows bytes that have come. Fails if there is no memory for the message.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let count = bytes
                    .len()
                    .min(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= count as u64;
                bytes = &bytes[count..];
                continue;
            }
            self.head[self.head_len] = *first;
            self.head_len += 1;
            bytes = rest;
            if let Some(length) = self.length() {
                self.begin(length)?;
            }
        }
        Ok(())
    }

    /// Returns the length of the payload, `None` while its head is not complete (RFC 6455 section
    /// 5.2).
    fn length(&self) -> Option<u64> {
        let [_, second, extended @ ..] = &self.head;
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |all, byte| all << 8 | u64::from(*byte))
        };
        match (second & 0x7F, self.head_len) {
            (_, ..2) => None,
            (126, 4..) => Some(number(&extended[..2])),
            (127, 10..) => Some(number(extended)),
            (126 | 127, _) => None,
            (length, _) => Some(length.into()),
        }
    }

    /// Begins the payload of a frame.
    fn begin(&mut self, length: u64) -> io::Result<()> {
        let [first, second, ..] = self.head;
        let mask = if second & 0x80 != 0 { 4 } else { 0 };
        self.left = length.saturating_add(mask);
        self.head_len = 0;
        if first & 0x0F >= CONTROL {
            return Ok(());
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let message = self.message.saturating_add(length);
        let is_last = first & 0x80 != 0;
        self.message = if is_last { 0 } else { message };
        match message > self.max_message || memory::is_there_for(message) {
            true => Ok(()),
            false => Err(io::ErrorKind::OutOfMemory.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUGE: usize = 1 << 62;

    /// Returns the result for frames that come byte by byte or in one piece.
    fn follow(max: usize, frames: &[&[u8]]) -> Result<(), io::ErrorKind> {
        let bytes = frames.concat();
        let results = [1, bytes.len()].map(|count| {
            let mut sizes = FrameSizes::new(max);
            let mut chunks = bytes.chunks(count);
            chunks.try_for_each(|chunk| sizes.follow(chunk))
        });
        let [by_bytes, at_once] = results.map(|result| result.map_err(|error| error.kind()));
        assert_eq!(by_bytes, at_once);
        at_once
    }

    #[test]
    fn a_message_that_there_is_no_memory_for_is_refused_by_its_first_bytes() {
        let refused = Err(io::ErrorKind::OutOfMemory);
        let small = [&[0x81, 0x85][..], b"mask12345"].concat();
        let middle = [&[0x01, 0xFE, 1, 0][..], &[0; 256 + 4]].concat();
        let ping = [0x89, 0x80, 0, 0, 0, 0];
        let large = |first: u8| [first, 0xFF, 0x40, 0, 0, 0, 0, 0, 0, 0];
        for (max, frames, expected) in [
            (HUGE, &[&small[..], &ping, &small][..], Ok(())),
            (HUGE, &[&small, &middle, &ping], Ok(())),
            (HUGE, &[&small, &large(0x81)], refused),
            (HUGE, &[&large(0x02)], refused),
            // A message of two frames counts as their sum.
            (2 * HUGE, &[&middle, &ping, &large(0x80)], refused),
            // Messages over the limit are left to tungstenite, which refuses them.
            (HUGE - 1, &[&large(0x81)], Ok(())),
            (HUGE, &[&middle, &large(0x80)], Ok(())),
        ] {
            assert_eq!(follow(max, frames), expected, "{max} {frames:?}");
        }
    }
}

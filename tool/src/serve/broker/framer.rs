//! Shortens messages that are too large, so that they need no memory and are still confirmed.

/// The largest packet that is kept whole: a payload and a topic of the largest sizes.
const MAX_PACKET: usize = 160 * 1024;

/// The packet type of PUBLISH in the first byte.
const PUBLISH: u8 = 3;

/// Passes the packets of a broker on. A PUBLISH packet larger than [`MAX_PACKET`] is cut to that
/// size, and the rest of it is skipped.
#[derive(Debug, Default)]
pub(super) struct Framer {
    /// The fixed header as far as it is there.
    header: Vec<u8>,
    /// Bytes of the packet that are passed on.
    left: usize,
    /// Bytes behind them that are not.
    skipped: usize,
}

/// The remaining length of a fixed header has more than four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a packet without an end to its length")]
pub(super) struct MalformedLength;

impl Framer {
    /// Appends to `out` what is passed on of `input`.
    pub(super) fn pass(
        &mut self,
        mut input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), MalformedLength> {
        while !input.is_empty() {
            if self.left > 0 || self.skipped > 0 {
                let (kept, rest) = input.split_at(self.left.min(input.len()));
                self.left -= kept.len();
                out.extend_from_slice(kept);
                let skipped = self.skipped.min(rest.len());
                // The bytes to skip come after those of the packet that are left.
                let skipped = if self.left == 0 { skipped } else { 0 };
                self.skipped -= skipped;
                input = &rest[skipped..];
                continue;
            }
            self.header.push(input[0]);
            input = &input[1..];
            self.finish_header(out)?;
        }
        Ok(())
    }

    /// Passes the header on if it is complete.
    fn finish_header(&mut self, out: &mut Vec<u8>) -> Result<(), MalformedLength> {
        let Some((first, length)) = self.header.split_first() else {
            return Ok(());
        };
        if length.last().is_none_or(|byte| byte & 0x80 != 0) {
            return match length.len() {
                4.. => Err(MalformedLength),
                _ => Ok(()),
            };
        }
        let length = length
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7F));
        if first >> 4 == PUBLISH && length > MAX_PACKET {
            out.push(*first);
            append_length(MAX_PACKET, out);
            self.left = MAX_PACKET;
            self.skipped = length - MAX_PACKET;
        } else {
            out.extend_from_slice(&self.header);
            self.left = length;
        }
        self.header.clear();
        Ok(())
    }
}

/// Appends a length of at most four bytes (MQTT 3.1.1 section 2.2.3).
fn append_length(mut length: usize, out: &mut Vec<u8>) {
    loop {
        let byte = (length & 0x7F) as u8;
        length >>= 7;
        out.push(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn packet(kind: u8, length: usize) -> Vec<u8> {
        let mut packet = vec![kind << 4];
        append_length(length, &mut packet);
        packet.extend((0..length).map(|byte| byte as u8));
        packet
    }

    #[test]
    fn only_messages_that_are_too_large_are_shortened() {
        let whole = [
            packet(3, MAX_PACKET),
            packet(13, 0),
            packet(9, MAX_PACKET + 9),
        ]
        .concat();
        let mut out = Vec::new();
        Framer::default().pass(&whole, &mut out).unwrap();
        assert_eq!(out, whole);

        let large = [packet(3, MAX_PACKET + 1000), packet(13, 0)].concat();
        let expected = [packet(3, MAX_PACKET), packet(13, 0)].concat();
        for size in [1, 7, 4096, large.len()] {
            let (mut framer, mut out) = (Framer::default(), Vec::new());
            for chunk in large.chunks(size) {
                framer.pass(chunk, &mut out).unwrap();
            }
            assert!(out == expected, "{size}");
        }
    }

    #[test]
    fn a_length_has_four_bytes_at_most() {
        let error = Framer::default().pass(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF], &mut Vec::new());
        assert_eq!(error, Err(MalformedLength));
    }

    proptest! {
        #[test]
        fn packets_go_on_in_pieces_of_any_size(
            packets in vec((0_u8..16, 0_usize..300), 0..10),
            size in 1_usize..50,
        ) {
            let whole: Vec<u8> = packets.into_iter().flat_map(|(kind, length)| packet(kind, length)).collect();
            let (mut framer, mut out) = (Framer::default(), Vec::new());
            for chunk in whole.chunks(size) {
                framer.pass(chunk, &mut out).unwrap();
            }
            prop_assert_eq!(out, whole);
        }
    }
}

//! The websocket frames that a server sends (RFC 6455): not masked, never fragmented.

use bytes::BufMut;

/// Appends a text frame.
pub fn text(payload: &[u8], out: &mut impl BufMut) {
    out.put_u8(0x81);
    match payload.len() {
        length @ ..126 => out.put_u8(length as u8),
        length @ ..65_536 => {
            out.put_u8(126);
            out.put_u16(length as u16);
        }
        length => {
            out.put_u8(127);
            out.put_u64(length as u64);
        }
    }
    out.put_slice(payload);
}

/// An empty ping.
pub const PING: [u8; 2] = [0x89, 0];

/// Encodes a close frame. The reason is cut to the 123 bytes that fit.
pub fn close(code: u16, reason: &str) -> Vec<u8> {
    let reason = &reason[..reason.floor_char_boundary(123)];
    let mut frame = vec![0x88, 2 + reason.len() as u8];
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(reason.as_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_text_frame_takes_one_three_or_nine_bytes() {
        for (length, header) in [
            (0, &[0x81, 0][..]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (65_535, &[0x81, 126, 255, 255]),
            (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let payload = vec![b'x'; length];
            let mut frame = Vec::new();
            text(&payload, &mut frame);
            assert_eq!(&frame[..header.len()], header);
            assert_eq!(&frame[header.len()..], payload);
        }
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let frame = close(1008, &"ä".repeat(100));
        assert_eq!(frame[1], 2 + 122);
        assert_eq!(frame.len(), 2 + 2 + 122);
    }
}

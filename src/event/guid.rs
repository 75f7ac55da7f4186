//! GUIDs, which name the sender of an event.

use std::{fmt, str::FromStr};

use crate::located_json::Expected;

/// The 16 bytes of a GUID, most significant first. Shown as 16 upper-case pairs with colons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// The GUID that says "not set".
    pub const ZERO: Self = Self([0; 16]);

    /// Returns true if all bytes are 0.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// Parses the form of the protocols: 16 pairs (or single digits) with colons, in either case;
    /// `-` and nothing are [`Guid::ZERO`]. Returns `None` for any other text.
    pub fn parse_wire(text: &str) -> Option<Self> {
        if text.is_empty() || text == "-" {
            return Some(Self::ZERO);
        }
        if let Ok(pairs) = text.as_bytes().try_into()
            && let Some(guid) = parse_full_pairs(pairs)
        {
            return Some(guid);
        }
        let (bytes, count) = parse_pairs(text, b':')?;
        (count == 16).then_some(Self(bytes))
    }

    /// Appends 16 upper-case pairs with colons.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_pairs());
    }

    fn to_pairs(self) -> [u8; 47] {
        let mut text = [b':'; 47];
        for (pair, byte) in text.chunks_mut(3).zip(self.0) {
            pair[..2].copy_from_slice(&HEX_PAIRS[usize::from(byte)]);
        }
        text
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_pairs()
            .iter()
            .try_for_each(|byte| fmt::Write::write_char(f, char::from(*byte)))
    }
}

impl FromStr for Guid {
    type Err = GuidError;

    /// Parses every form that people write: 16 pairs with `:` or `-` between, 32 digits, a UUID
    /// with or without braces, `-` for zeros, `::` and at most 15 pairs for leading FF bytes, `-:`
    /// and at most 15 pairs for leading zeros.
    fn from_str(text: &str) -> Result<Self, GuidError> {
        parse_any_form(text.trim_ascii()).ok_or_else(|| GuidError {
            found: text.chars().take(60).collect(),
        })
    }
}

/// A text that is not a GUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found {found:?}, expected {EXPECTED}")]
pub struct GuidError {
    found: String,
}

const EXPECTED: &str = "a GUID: 16 hexadecimal pairs with colons, 32 digits, a UUID, '-', or pairs behind '::' or '-:'";

impl Expected for GuidError {
    fn expected(&self) -> String {
        EXPECTED.to_owned()
    }
}

/// The upper-case hexadecimal digits of each byte.
pub(super) const HEX_PAIRS: [[u8; 2]; 256] = {
    let digits = b"0123456789ABCDEF";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};

const NO_DIGIT: u8 = 0xFF;

/// The value of each hexadecimal digit, [`NO_DIGIT`] for all other bytes.
const NIBBLES: [u8; 256] = {
    let mut nibbles = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        nibbles[b"0123456789ABCDEF"[value] as usize] = value as u8;
        nibbles[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    nibbles
};

/// Parses 16 full pairs with colons, fast: without a branch for each digit.
fn parse_full_pairs(text: &[u8; 47]) -> Option<Guid> {
    let mut bytes = [0; 16];
    let mut wrong = 0;
    for (byte, pair) in bytes.iter_mut().zip(text.chunks(3)) {
        let high = NIBBLES[usize::from(pair[0])];
        let low = NIBBLES[usize::from(pair[1])];
        wrong |= (high | low) & 0xF0 | pair.get(2).map_or(0, |colon| colon ^ b':');
        *byte = high << 4 | low;
    }
    (wrong == 0).then_some(Guid(bytes))
}

fn parse_any_form(text: &str) -> Option<Guid> {
    if text == "-" {
        return Some(Guid::ZERO);
    }
    if let Some(end) = text.strip_prefix("::") {
        return parse_end(end, 0xFF);
    }
    if let Some(end) = text.strip_prefix("-:") {
        return parse_end(end, 0);
    }
    if let Some(text) = text.strip_prefix('{') {
        return parse_uuid(text.strip_suffix('}')?);
    }
    if !text.contains([':', '-']) {
        return parse_digits(text);
    }
    let separator = if text.contains(':') { b':' } else { b'-' };
    match parse_pairs(text, separator) {
        Some((bytes, 16)) => Some(Guid(bytes)),
        _ => parse_uuid(text),
    }
}

/// Parses the last 1 to 15 bytes and puts `fill` in front of them.
fn parse_end(end: &str, fill: u8) -> Option<Guid> {
    let (bytes, count) = parse_pairs(end, b':')?;
    let start = 16 - count;
    if start == 0 {
        return None;
    }
    let mut guid = [fill; 16];
    guid[start..].copy_from_slice(&bytes[..count]);
    Some(Guid(guid))
}

fn parse_uuid(text: &str) -> Option<Guid> {
    let groups: Vec<&str> = text.split('-').collect();
    if groups.iter().map(|group| group.len()).ne([8, 4, 4, 4, 12]) {
        return None;
    }
    parse_digits(&groups.concat())
}

/// Parses 32 digits.
fn parse_digits(text: &str) -> Option<Guid> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let pairs: &[[u8; 2]; 16] = pairs.try_into().ok()?;
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        *byte = parse_byte(pair)?;
    }
    Some(Guid(bytes))
}

/// Parses 1 to 16 pairs or single digits. Returns the bytes and their number.
fn parse_pairs(text: &str, separator: u8) -> Option<([u8; 16], usize)> {
    let mut bytes = [0; 16];
    let mut count = 0;
    for pair in text.as_bytes().split(|byte| *byte == separator) {
        *bytes.get_mut(count)? = parse_byte(pair)?;
        count += 1;
    }
    Some((bytes, count))
}

/// Parses one or two hexadecimal digits.
fn parse_byte(digits: &[u8]) -> Option<u8> {
    let (high, low) = match digits {
        [low] => (0, NIBBLES[usize::from(*low)]),
        [high, low] => (NIBBLES[usize::from(*high)], NIBBLES[usize::from(*low)]),
        _ => return None,
    };
    (high != NO_DIGIT && low != NO_DIGIT).then_some(high << 4 | low)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COUNTED: Guid = Guid([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

    #[test]
    fn all_forms_of_one_guid_are_equal() {
        for text in [
            "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F",
            "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f",
            "0:1:2:3:4:5:6:7:8:9:A:B:C:D:E:F",
            "00-01-02-03-04-05-06-07-08-09-0A-0B-0C-0D-0E-0F",
            "0-1-2-3-4-5-6-7-8-9-A-B-C-D-E-F",
            "000102030405060708090A0B0C0D0E0F",
            "00010203-0405-0607-0809-0a0b0c0d0e0f",
            "{00010203-0405-0607-0809-0A0B0C0D0E0F}",
            "-:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F",
            "  00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F\n",
        ] {
            assert_eq!(text.parse(), Ok(COUNTED), "{text}");
        }
    }

    #[test]
    fn short_forms_are_the_end_of_a_guid() {
        let ends_with = |fill: u8, end: &[u8]| {
            let mut bytes = [fill; 16];
            bytes[16 - end.len()..].copy_from_slice(end);
            Ok(Guid(bytes))
        };
        assert_eq!("-".parse(), Ok(Guid::ZERO));
        assert_eq!("::1".parse(), ends_with(0xFF, &[1]));
        assert_eq!("::01:02".parse(), ends_with(0xFF, &[1, 2]));
        assert_eq!("-:F5:1".parse(), ends_with(0, &[0xF5, 1]));
        let fifteen = "::0:0:0:0:0:0:0:0:0:0:0:0:0:0:0";
        assert_eq!(fifteen.parse(), ends_with(0xFF, &[0; 15]));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "0",
            "::",
            "-:",
            ":",
            "--",
            "::0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0",
            "FF:FF",
            "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E",
            "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10",
            "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0G",
            "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E-0F",
            "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:",
            "000102030405060708090A0B0C0D0E0",
            "000102030405060708090A0B0C0D0E0F0",
            "000102030405060708090A0B0C0D0E0x",
            "{000102030405060708090A0B0C0D0E0F}",
            "{00010203-0405-0607-0809-0A0B0C0D0E0F",
            "00010203-0405-0607-08090-A0B0C0D0E0F",
            "0é010203-0405-0607-0809-0A0B0C0D0E0",
        ] {
            assert!(text.parse::<Guid>().is_err(), "{text}");
        }
        let error = "FF:FF".parse::<Guid>().unwrap_err().to_string();
        assert!(error.starts_with(r#"found "FF:FF", expected a GUID"#));
    }

    #[test]
    fn the_wire_form_is_pairs_with_colons_or_nothing() {
        for text in ["", "-"] {
            assert_eq!(Guid::parse_wire(text), Some(Guid::ZERO), "{text}");
        }
        for text in [
            "00:01:02:03:04:05:06:07:08:09:0a:0B:0C:0D:0E:0F",
            "0:1:02:3:4:5:6:7:8:9:A:B:C:D:E:f",
        ] {
            assert_eq!(Guid::parse_wire(text), Some(COUNTED), "{text}");
        }
        for text in [
            "::1",
            "-:1",
            "FF:FF",
            "00-01-02-03-04-05-06-07-08-09-0A-0B-0C-0D-0E-0F",
            "000102030405060708090A0B0C0D0E0F",
            "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0G",
            "0G:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F",
            "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E;0F",
        ] {
            assert_eq!(Guid::parse_wire(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn guids_parse_as_they_are_shown(bytes: [u8; 16]) {
            let guid = Guid(bytes);
            let shown = guid.to_string();
            let pairs: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            prop_assert_eq!(&shown, &pairs.join(":"));
            prop_assert_eq!(Guid::parse_wire(&shown), Some(guid));
            prop_assert_eq!(Guid::parse_wire(&shown.to_lowercase()), Some(guid));
            prop_assert_eq!(shown.parse(), Ok(guid));
            prop_assert_eq!(pairs.concat().parse(), Ok(guid));
            let mut encoded = b"x".to_vec();
            guid.encode(&mut encoded);
            prop_assert_eq!(&encoded[1..], shown.as_bytes());
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "[0-9a-fG:{}é-]{0,50}|\\PC*") {
            let _ = Guid::parse_wire(&text);
            let _ = text.parse::<Guid>();
        }
    }
}

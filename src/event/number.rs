//! Numbers as clients and people write them.

/// A number without a sign: decimal, or hexadecimal behind `0x`.
pub(super) fn decimal_or_hex(text: &str) -> Option<u64> {
    match text.as_bytes() {
        [b'0', b'x' | b'X', digits @ ..] => number(digits, 16),
        digits => number(digits, 10),
    }
}

/// As [`decimal_or_hex`], or binary behind `0b`, or octal behind `0o`.
pub(super) fn any_radix(text: &str) -> Option<u64> {
    match text.as_bytes() {
        [b'0', b'b' | b'B', digits @ ..] => number(digits, 2),
        [b'0', b'o' | b'O', digits @ ..] => number(digits, 8),
        _ => decimal_or_hex(text),
    }
}

/// `None` for no digits, anything but digits, and numbers over 64 bits.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        number
            .checked_mul(u64::from(radix))?
            .checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_have_no_sign_and_a_known_prefix() {
        for (text, expected) in [
            ("0", Some(0)),
            ("007", Some(7)),
            ("0x1F", Some(31)),
            ("0X1f", Some(31)),
            ("0b101", Some(5)),
            ("0B1", Some(1)),
            ("0o17", Some(15)),
            ("0O7", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("0x10000000000000000", None),
            ("", None),
            ("0x", None),
            ("+5", None),
            ("-1", None),
            ("0x+1", None),
            ("1_0", None),
            ("12 ", None),
            ("1.0", None),
            ("0b2", None),
            ("0o8", None),
            ("ff", None),
            ("١", None),
        ] {
            assert_eq!(any_radix(text), expected, "{text}");
        }
        assert_eq!(decimal_or_hex("0b1"), None);
        assert_eq!(decimal_or_hex("0o1"), None);
    }

    proptest! {
        #[test]
        fn every_radix_reads_back(number: u64) {
            for text in [
                format!("{number}"),
                format!("{number:#x}"),
                format!("{number:#b}"),
                format!("{number:#o}"),
            ] {
                prop_assert_eq!(any_radix(&text), Some(number));
            }
        }
    }
}

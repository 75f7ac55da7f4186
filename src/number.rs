//! The parser of numbers in texts of clients and people.

/// Parses a number without a sign: decimal, or hexadecimal after `0x`. Returns `None` for any other
/// text and for numbers over 64 bits.
pub(crate) fn parse_decimal_or_hex(text: &str) -> Option<u64> {
    match text.as_bytes() {
        [b'0', b'x' | b'X', digits @ ..] => parse_digits(digits, 16),
        digits => parse_digits(digits, 10),
    }
}

/// Parses a number as [`parse_decimal_or_hex`], and also binary after `0b` and octal after `0o`.
pub(crate) fn parse_any_radix(text: &str) -> Option<u64> {
    match text.as_bytes() {
        [b'0', b'b' | b'B', digits @ ..] => parse_digits(digits, 2),
        [b'0', b'o' | b'O', digits @ ..] => parse_digits(digits, 8),
        _ => parse_decimal_or_hex(text),
    }
}

/// Parses a field that may be empty, which is 0, with one of the parsers above. Returns `None` if
/// it is not a number, or is out of the range of `T`.
pub(crate) fn parse_field<T: TryFrom<u64> + Default>(
    text: &str,
    parse: impl FnOnce(&str) -> Option<u64>,
) -> Option<T> {
    if text.is_empty() {
        return Some(T::default());
    }
    T::try_from(parse(text)?).ok()
}

/// Returns `None` for no digits, anything but digits, and numbers over 64 bits.
fn parse_digits(digits: &[u8], radix: u32) -> Option<u64> {
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
            assert_eq!(parse_any_radix(text), expected, "{text}");
        }
        assert_eq!(parse_decimal_or_hex("0b1"), None);
        assert_eq!(parse_decimal_or_hex("0o1"), None);
    }

    #[test]
    fn an_empty_field_is_0_and_a_number_out_of_range_is_none() {
        for (text, expected) in [
            ("", Some(0_u8)),
            ("255", Some(255)),
            ("256", None),
            ("-", None),
        ] {
            assert_eq!(parse_field(text, parse_decimal_or_hex), expected, "{text}");
        }
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
                prop_assert_eq!(parse_any_radix(&text), Some(number));
            }
        }
    }
}

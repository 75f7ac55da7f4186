//! Dates with the time of the day.

use std::fmt;

use jiff::{Timestamp, civil::DateTime, tz::Offset};

/// A date and time in UTC, to the second: any that exists in the years 1 to 9999, without leap
/// seconds.
///
/// Shown as `2020-01-27T20:47:55Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl Date {
    /// Makes a date. Returns `None` if there is no such date or time.
    pub fn new(year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Option<Self> {
        let date = Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        };
        (year > 0 && date.to_civil().is_some()).then_some(date)
    }

    /// Returns the date and time `ns` nanoseconds after 1970.
    pub fn from_unix_ns(ns: u64) -> Self {
        #[expect(clippy::expect_used, reason = "2^64 ns are in the year 2554")]
        let timestamp = Timestamp::from_second((ns / 1_000_000_000) as i64)
            .expect("a time before the year 9999");
        let date = Offset::UTC.to_datetime(timestamp);
        Self {
            year: date.year() as u16,
            month: date.month() as u8,
            day: date.day() as u8,
            hour: date.hour() as u8,
            minute: date.minute() as u8,
            second: date.second() as u8,
        }
    }

    /// Returns the nanoseconds since 1970, `None` before 1970 and after 2554-07-21T23:34:33Z.
    pub fn to_unix_ns(&self) -> Option<u64> {
        let timestamp = Offset::UTC.to_timestamp(self.to_civil()?).ok()?;
        u64::try_from(timestamp.as_second())
            .ok()?
            .checked_mul(1_000_000_000)
    }

    /// Parses `YYYY-MM-DDTHH:MM:SS`, with `T` or a space, with or without a fraction (which is
    /// ignored) and `Z`. Nothing and `0` are `None`: not set.
    ///
    /// # Errors
    /// The text has another form, or there is no such date or time.
    pub fn parse_wire(text: &str) -> Result<Option<Self>, DateError> {
        match text.trim_ascii() {
            "" | "0" => Ok(None),
            text => parse_date_time(text.as_bytes()).map(Some).ok_or(DateError),
        }
    }

    /// Appends `2020-01-27T20:47:55Z`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let year = usize::from(self.year);
        let century = TWO_DIGITS[year / 100 % 100];
        let year = TWO_DIGITS[year % 100];
        let mut text = *b"YYYY-MM-DDTHH:MM:SSZ";
        text[0..2].copy_from_slice(&century);
        text[2..4].copy_from_slice(&year);
        for (start, number) in [
            (5, self.month),
            (8, self.day),
            (11, self.hour),
            (14, self.minute),
            (17, self.second),
        ] {
            text[start..start + 2].copy_from_slice(&TWO_DIGITS[usize::from(number)]);
        }
        out.extend_from_slice(&text);
    }

    /// Returns the year, 1 to 9999.
    pub fn year(&self) -> u16 {
        self.year
    }

    /// Returns the month, 1 to 12.
    pub fn month(&self) -> u8 {
        self.month
    }

    /// Returns the day, 1 to 31.
    pub fn day(&self) -> u8 {
        self.day
    }

    /// Returns the hour, 0 to 23.
    pub fn hour(&self) -> u8 {
        self.hour
    }

    /// Returns the minute, 0 to 59.
    pub fn minute(&self) -> u8 {
        self.minute
    }

    /// Returns the second, 0 to 59.
    pub fn second(&self) -> u8 {
        self.second
    }

    fn to_civil(self) -> Option<DateTime> {
        DateTime::new(
            i16::try_from(self.year).ok()?,
            i8::try_from(self.month).ok()?,
            i8::try_from(self.day).ok()?,
            i8::try_from(self.hour).ok()?,
            i8::try_from(self.minute).ok()?,
            i8::try_from(self.second).ok()?,
            0,
        )
        .ok()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

/// A text that is not a date with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}, or nothing", DateError::EXPECTED)]
pub struct DateError;

impl DateError {
    /// The form that is expected.
    pub const EXPECTED: &str = "YYYY-MM-DDTHH:MM:SSZ";
}

const TWO_DIGITS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    pairs
};

fn parse_date_time(text: &[u8]) -> Option<Date> {
    let (
        &[
            y1,
            y2,
            y3,
            y4,
            b'-',
            m1,
            m2,
            b'-',
            d1,
            d2,
            b'T' | b' ',
            h1,
            h2,
            b':',
            n1,
            n2,
            b':',
            s1,
            s2,
        ],
        end,
    ) = text.split_first_chunk()?
    else {
        return None;
    };
    let end = end.strip_suffix(b"Z").unwrap_or(end);
    let fraction_only = match end {
        [] => true,
        [b'.', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !fraction_only {
        return None;
    }
    let year = u16::from(parse_two_digits(y1, y2)?) * 100 + u16::from(parse_two_digits(y3, y4)?);
    Date::new(
        year,
        parse_two_digits(m1, m2)?,
        parse_two_digits(d1, d2)?,
        parse_two_digits(h1, h2)?,
        parse_two_digits(n1, n2)?,
        parse_two_digits(s1, s2)?,
    )
}

fn parse_two_digits(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<String> {
        Date::parse_wire(text)
            .ok()
            .map(|date| date.map_or("unset".into(), |date| date.to_string()))
    }

    #[test]
    fn dates_are_parsed_or_refused() {
        for (text, expected) in [
            ("2020-01-27T20:47:55Z", Some("2020-01-27T20:47:55Z")),
            ("2020-01-27T20:47:55", Some("2020-01-27T20:47:55Z")),
            ("2020-01-27 20:47:55", Some("2020-01-27T20:47:55Z")),
            (" 2020-01-27 20:47:55Z ", Some("2020-01-27T20:47:55Z")),
            ("2020-01-27T20:47:55.1Z", Some("2020-01-27T20:47:55Z")),
            (
                "2020-01-27T20:47:55.999999999",
                Some("2020-01-27T20:47:55Z"),
            ),
            ("2024-02-29T23:59:59Z", Some("2024-02-29T23:59:59Z")),
            ("0001-01-01T00:00:00Z", Some("0001-01-01T00:00:00Z")),
            ("9999-12-31T23:59:59Z", Some("9999-12-31T23:59:59Z")),
            ("", Some("unset")),
            ("0", Some("unset")),
            (" 0 ", Some("unset")),
            ("00", None),
            ("-", None),
            ("yesterday", None),
            ("2020-01-27", None),
            ("2020-01-27T20:47", None),
            ("2020-01-27T20:47:5Z", None),
            ("2020-1-27T20:47:55Z", None),
            ("2020-01-27t20:47:55Z", None),
            ("2020-01-27T20:47:55z", None),
            ("2020-01-27T20:47:55.Z", None),
            ("2020-01-27T20:47:55.1x", None),
            ("2020-01-27T20:47:55ZZ", None),
            ("2020-01-27T20:47:55+01:00", None),
            ("+020-01-27T20:47:55Z", None),
            ("0000-00-00T00:00:00Z", None),
            ("2025-13-01T00:00:00Z", None),
            ("2025-00-01T00:00:00Z", None),
            ("2025-02-29T00:00:00Z", None),
            ("2025-01-00T00:00:00Z", None),
            ("2025-01-01T24:00:00Z", None),
            ("2025-01-01T00:60:00Z", None),
            ("2025-01-01T00:00:60Z", None),
            ("2025-01-01T00:00:0é", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn nanoseconds_count_from_1970_to_2554() {
        let shown = |ns| Date::from_unix_ns(ns).to_string();
        assert_eq!(shown(0), "1970-01-01T00:00:00Z");
        assert_eq!(shown(1_580_158_075_999_999_999), "2020-01-27T20:47:55Z");
        assert_eq!(shown(u64::MAX), "2554-07-21T23:34:33Z");

        let to_ns = |text| Date::parse_wire(text).unwrap().unwrap().to_unix_ns();
        assert_eq!(to_ns("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(to_ns("1969-12-31T23:59:59Z"), None);
        assert_eq!(
            to_ns("2554-07-21T23:34:33Z"),
            Some(u64::MAX / 1_000_000_000 * 1_000_000_000)
        );
        assert_eq!(to_ns("2554-07-21T23:34:34Z"), None);
        assert_eq!(to_ns("9999-12-31T23:59:59Z"), None);
    }

    proptest! {
        #[test]
        fn encoded_dates_parse_to_the_same(seconds in 0..=u64::MAX / 1_000_000_000, ns in 0..=709_551_615_u64) {
            let unix_ns = seconds * 1_000_000_000 + ns;
            let date = Date::from_unix_ns(unix_ns);
            prop_assert_eq!(date.to_unix_ns(), Some(seconds * 1_000_000_000));
            let mut encoded = Vec::new();
            date.encode(&mut encoded);
            let encoded = String::from_utf8(encoded).unwrap();
            prop_assert_eq!(&encoded, &date.to_string());
            prop_assert_eq!(Date::parse_wire(&encoded), Ok(Some(date)));
            let again = Date::new(
                date.year(),
                date.month(),
                date.day(),
                date.hour(),
                date.minute(),
                date.second(),
            );
            prop_assert_eq!(again, Some(date));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "[0-9TZ:. +é-]{0,30}|\\PC*") {
            let _ = Date::parse_wire(&text);
        }

        #[test]
        fn every_date_that_exists_can_be_encoded(fields: (u16, u8, u8, u8, u8, u8)) {
            let (year, month, day, hour, minute, second) = fields;
            if let Some(date) = Date::new(year, month % 16, day % 34, hour % 26, minute % 64, second % 64) {
                let mut encoded = Vec::new();
                date.encode(&mut encoded);
                let encoded = String::from_utf8(encoded).unwrap();
                prop_assert_eq!(Date::parse_wire(&encoded), Ok(Some(date)));
            }
        }
    }
}

//! The fields of a line of the log, and the flags of spdlog for them.

use std::{
    fmt::{self, Write},
    time::Duration,
};

use jiff::{Zoned, civil::Weekday};

use super::Level;

/// A line of the log, with the fields that a pattern can show.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The name of the logger.
    pub name: &'a str,
    /// The level.
    pub level: Level,
    /// The time at which it was logged, in the time zone to show.
    pub time: &'a Zoned,
    /// The time since the previous line.
    pub since_previous: Duration,
    /// The kernel's id of the thread that logged it.
    pub thread: i32,
    /// The source file and line that logged it.
    pub source: Option<(&'a str, u32)>,
    /// The module that logged it.
    pub module: Option<&'a str>,
    /// The message.
    pub message: &'a str,
}

/// One thing that a line can show: what a flag stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field(fn(&Line<'_>, &mut String) -> fmt::Result);

impl Field {
    /// Returns the field that `flag` stands for, `None` if it is not a flag.
    pub(super) fn new(flag: char) -> Option<Self> {
        Some(Self(match flag {
            'v' => |line, out| out.write_str(line.message),
            'n' => |line, out| out.write_str(line.name),
            'l' => |line, out| out.write_str(line.level.name()),
            'L' => |line, out| out.write_char(line.level.letter()),
            't' => |line, out| write!(out, "{}", line.thread),
            'P' => |_, out| write!(out, "{}", std::process::id()),
            'a' => |line, out| out.write_str(&weekday(line)[..3]),
            'A' => |line, out| out.write_str(weekday(line)),
            'b' | 'h' => |line, out| out.write_str(&month(line)[..3]),
            'B' => |line, out| out.write_str(month(line)),
            'c' => |line, out| {
                let (day, month) = (&weekday(line)[..3], &month(line)[..3]);
                write!(out, "{day} {month} {} ", line.time.day())?;
                clock(line, out)?;
                write!(out, " {}", line.time.year())
            },
            'C' => |line, out| write!(out, "{:02}", year_of_century(line)),
            'Y' => |line, out| write!(out, "{}", line.time.year()),
            'D' | 'x' => |line, out| {
                let (month, day) = (line.time.month(), line.time.day());
                write!(out, "{month:02}/{day:02}/{:02}", year_of_century(line))
            },
            'm' => |line, out| write!(out, "{:02}", line.time.month()),
            'd' => |line, out| write!(out, "{:02}", line.time.day()),
            'H' => |line, out| write!(out, "{:02}", line.time.hour()),
            'I' => |line, out| write!(out, "{:02}", hour_of_12(line)),
            'M' => |line, out| write!(out, "{:02}", line.time.minute()),
            'S' => |line, out| write!(out, "{:02}", line.time.second()),
            'e' => |line, out| write!(out, "{:03}", line.time.subsec_nanosecond() / 1_000_000),
            'f' => |line, out| write!(out, "{:06}", line.time.subsec_nanosecond() / 1_000),
            'F' => |line, out| write!(out, "{:09}", line.time.subsec_nanosecond()),
            'p' => |line, out| out.write_str(half_of_day(line)),
            'r' => |line, out| {
                let (hour, half) = (hour_of_12(line), half_of_day(line));
                let (minute, second) = (line.time.minute(), line.time.second());
                write!(out, "{hour:02}:{minute:02}:{second:02} {half}")
            },
            'R' => |line, out| write!(out, "{:02}:{:02}", line.time.hour(), line.time.minute()),
            'T' | 'X' => clock,
            'z' => |line, out| {
                let minutes = line.time.offset().seconds() / 60;
                let sign = if minutes < 0 { '-' } else { '+' };
                let minutes = minutes.abs();
                write!(out, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            },
            'E' => |line, out| write!(out, "{}", line.time.timestamp().as_second()),
            '@' => |line, out| match line.source {
                Some((file, number)) => write!(out, "{file}:{number}"),
                None => Ok(()),
            },
            's' => |line, out| {
                let file = line.source.map_or("", |(file, _)| file);
                out.write_str(file.rsplit('/').next().unwrap_or(file))
            },
            'g' => |line, out| out.write_str(line.source.map_or("", |(file, _)| file)),
            '#' => |line, out| match line.source {
                Some((_, number)) => write!(out, "{number}"),
                None => Ok(()),
            },
            // spdlog shows the function. `tracing` does not know it, but the module.
            '!' => |line, out| out.write_str(line.module.unwrap_or("")),
            'o' => |line, out| write!(out, "{}", line.since_previous.as_millis()),
            'i' => |line, out| write!(out, "{}", line.since_previous.as_micros()),
            'u' => |line, out| write!(out, "{}", line.since_previous.as_nanos()),
            'O' => |line, out| write!(out, "{}", line.since_previous.as_secs()),
            _ => return None,
        }))
    }

    /// Appends the field of `line` to `out`.
    pub(super) fn write(self, line: &Line<'_>, out: &mut String) {
        // Writing to a `String` does not fail.
        let _ = self.0(line, out);
    }
}

fn weekday(line: &Line<'_>) -> &'static str {
    match line.time.weekday() {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

fn month(line: &Line<'_>) -> &'static str {
    match line.time.month() {
        1 => "January",
        2 => "February",
        3 => "March",
        4 => "April",
        5 => "May",
        6 => "June",
        7 => "July",
        8 => "August",
        9 => "September",
        10 => "October",
        11 => "November",
        _ => "December",
    }
}

fn year_of_century(line: &Line<'_>) -> i16 {
    line.time.year().rem_euclid(100)
}

fn hour_of_12(line: &Line<'_>) -> i8 {
    match line.time.hour() % 12 {
        0 => 12,
        hour => hour,
    }
}

fn half_of_day(line: &Line<'_>) -> &'static str {
    if line.time.hour() < 12 { "AM" } else { "PM" }
}

fn clock(line: &Line<'_>, out: &mut String) -> fmt::Result {
    let time = line.time;
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    write!(out, "{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::{civil, tz};

    use super::*;
    use crate::log::Pattern;

    pub(in crate::log) fn line<'a>(time: &'a Zoned, level: Level, message: &'a str) -> Line<'a> {
        Line {
            name: "driver",
            level,
            time,
            since_previous: Duration::from_nanos(3_004_005_006),
            thread: 1234,
            source: Some(("src/ws/session.rs", 88)),
            module: Some("vscpl2drv_websocksrv::ws::session"),
            message,
        }
    }

    pub(in crate::log) fn text(pattern: &str, line: &Line<'_>, colours: bool) -> String {
        let mut out = String::new();
        Pattern::parse(pattern).format(line, colours, &mut out);
        out
    }

    fn at(time: civil::DateTime, offset: tz::Offset) -> Zoned {
        time.to_zoned(offset.to_time_zone()).unwrap()
    }

    #[test]
    fn every_flag_prints_what_spdlog_prints() {
        let time = at(
            civil::date(2014, 8, 3).at(15, 5, 46, 78_009_012),
            tz::offset(2),
        );
        let line = line(&time, Level::Info, "some text");
        let pid = std::process::id().to_string();
        for (pattern, expected) in [
            ("%v", "some text"),
            ("%t", "1234"),
            ("%P", pid.as_str()),
            ("%n", "driver"),
            ("%l", "info"),
            ("%L", "I"),
            ("%a", "Sun"),
            ("%A", "Sunday"),
            ("%b", "Aug"),
            ("%h", "Aug"),
            ("%B", "August"),
            ("%c", "Sun Aug 3 15:05:46 2014"),
            ("%C", "14"),
            ("%Y", "2014"),
            ("%D", "08/03/14"),
            ("%x", "08/03/14"),
            ("%m", "08"),
            ("%d", "03"),
            ("%H", "15"),
            ("%I", "03"),
            ("%M", "05"),
            ("%S", "46"),
            ("%e", "078"),
            ("%f", "078009"),
            ("%F", "078009012"),
            ("%p", "PM"),
            ("%r", "03:05:46 PM"),
            ("%R", "15:05"),
            ("%T", "15:05:46"),
            ("%X", "15:05:46"),
            ("%z", "+02:00"),
            ("%E", "1407071146"),
            ("%@", "src/ws/session.rs:88"),
            ("%s", "session.rs"),
            ("%g", "src/ws/session.rs"),
            ("%#", "88"),
            ("%!", "vscpl2drv_websocksrv::ws::session"),
            ("%o", "3004"),
            ("%i", "3004005"),
            ("%u", "3004005006"),
            ("%O", "3"),
            ("%%", "%"),
            ("%^%l%$", "info"),
            ("%+", "[2014-08-03 15:05:46.078] [driver] [info] some text"),
            ("", ""),
            (
                "[file %c] [%^%l%$] %v",
                "[file Sun Aug 3 15:05:46 2014] [info] some text",
            ),
        ] {
            assert_eq!(text(pattern, &line, false), expected, "{pattern}");
        }
    }

    #[test]
    fn levels_have_the_names_of_spdlog() {
        let time = Zoned::default();
        for (level, expected) in [
            (Level::Trace, "trace T"),
            (Level::Debug, "debug D"),
            (Level::Info, "info I"),
            (Level::Warn, "warning W"),
            (Level::Error, "error E"),
            (Level::Critical, "critical C"),
            (Level::Off, "off O"),
        ] {
            assert_eq!(text("%l %L", &line(&time, level, ""), false), expected);
        }
    }

    #[test]
    fn days_months_hours_and_zones_are_right_at_their_limits() {
        let seconds = tz::Offset::from_seconds;
        for (time, offset, pattern, expected) in [
            (
                civil::datetime(2024, 1, 1, 0, 0, 0, 0),
                0,
                "%a %A %b %B %I %p %z",
                "Mon Monday Jan January 12 AM +00:00",
            ),
            (
                civil::datetime(2024, 9, 3, 11, 59, 0, 0),
                -12_600,
                "%a %b %r %z",
                "Tue Sep 11:59:00 AM -03:30",
            ),
            (
                civil::datetime(2000, 5, 31, 12, 0, 0, 0),
                20_700,
                "%a %b %r %C %z",
                "Wed May 12:00:00 PM 00 +05:45",
            ),
            (
                civil::datetime(2099, 12, 31, 23, 59, 59, 999_999_999),
                -1_800,
                "%a %B %I %C %e %f %F %z",
                "Thu December 11 99 999 999999 999999999 -00:30",
            ),
        ] {
            let time = at(time, seconds(offset).unwrap());
            let line = line(&time, Level::Info, "");
            assert_eq!(text(pattern, &line, false), expected);
        }
    }

    #[test]
    fn a_line_without_source_leaves_its_fields_empty() {
        let time = Zoned::default();
        let line = Line {
            source: None,
            module: None,
            ..line(&time, Level::Info, "text")
        };
        assert_eq!(text("[%@%s%g%#%!] %3#|", &line, false), "[]    |");
    }
}

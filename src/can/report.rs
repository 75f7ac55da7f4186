//! The meaning of error frames (`linux/can/error.h`), and how often it is logged.

use std::{fmt, time::Instant};

use libc::{
    CAN_ERR_ACK, CAN_ERR_BUSOFF, CAN_ERR_CNT, CAN_ERR_CRTL, CAN_ERR_LOSTARB, CAN_ERR_RESTARTED,
    CAN_ERR_TX_TIMEOUT,
};

use super::frame::Frame;
use crate::metrics::LogLimit;

/// The data byte with details of CAN_ERR_CRTL.
const CONTROLLER: usize = 1;

/// Bits of that byte: CAN_ERR_CRTL_RX_OVERFLOW and _TX_OVERFLOW, _RX_WARNING and _TX_WARNING,
/// _RX_PASSIVE and _TX_PASSIVE, _ACTIVE.
const OVERFLOW: u8 = 0x03;
const WARNING: u8 = 0x0C;
const PASSIVE: u8 = 0x30;
const ACTIVE: u8 = 0x40;

/// A condition that an error frame reports. Shown as a part of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    BusOff,
    Restarted,
    Overflow,
    Passive,
    Warning,
    Active,
    NoAcknowledge,
    TxTimeout,
    /// Any other error, for example of the protocol or the transceiver.
    Other,
}

impl Report {
    const COUNT: usize = Self::Other as usize + 1;

    /// Returns the conditions that an error frame reports, often several.
    pub(super) fn of(frame: &Frame) -> impl Iterator<Item = Self> {
        let class = frame.error_class().unwrap_or_default();
        let has = |bit| class & bit != 0;
        let controller = match frame.data().get(CONTROLLER) {
            Some(controller) if has(CAN_ERR_CRTL) => *controller,
            _ => 0,
        };
        let known = [
            (has(CAN_ERR_BUSOFF), Self::BusOff),
            (has(CAN_ERR_RESTARTED), Self::Restarted),
            (controller & OVERFLOW != 0, Self::Overflow),
            (controller & PASSIVE != 0, Self::Passive),
            (controller & WARNING != 0, Self::Warning),
            (controller & ACTIVE != 0, Self::Active),
            (has(CAN_ERR_ACK), Self::NoAcknowledge),
            (has(CAN_ERR_TX_TIMEOUT), Self::TxTimeout),
        ];
        // Lost arbitration is normal on a busy bus, and error counters come with other errors.
        let usual = CAN_ERR_LOSTARB | CAN_ERR_CNT;
        let none = !known.iter().any(|(is, _)| *is) && class & !usual != 0;
        known
            .into_iter()
            .chain([(none, Self::Other)])
            .filter_map(|(is, report)| is.then_some(report))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BusOff => "the controller is bus-off",
            Self::Restarted => "the controller has restarted",
            Self::Overflow => "a buffer of the controller was full, frames are lost",
            Self::Passive => "the controller is error-passive",
            Self::Warning => "the controller has reached the warning level of errors",
            Self::Active => "the controller is error-active again",
            Self::NoAcknowledge => "no node acknowledges; check cable and bit rate",
            Self::TxTimeout => "a frame could not be sent in time",
            Self::Other => "error on the bus",
        })
    }
}

/// The rate limits of log lines about reports, one for each.
#[derive(Debug, Default)]
pub(super) struct ReportLimits([LogLimit; Report::COUNT]);

impl ReportLimits {
    /// Counts `count` more of a report. Returns their number since the last log line if the next is
    /// allowed now.
    pub(super) fn allow(&self, report: Report, count: u64, now: Instant) -> Option<u64> {
        self.0[report as usize].allow(count, now)
    }
}

#[cfg(test)]
mod tests {
    use libc::CAN_ERR_FLAG;

    use super::*;

    #[test]
    fn an_error_frame_reports_what_its_bits_say() {
        for (class, controller, expected) in [
            (0x40, 0, &[Report::BusOff][..]),
            (0x100, 0, &[Report::Restarted]),
            (0x04, 0x01, &[Report::Overflow]),
            (0x04, 0x04, &[Report::Warning]),
            (0x04, 0x08, &[Report::Warning]),
            (0x04, 0x10, &[Report::Passive]),
            (0x04, 0x20, &[Report::Passive]),
            (0x04, 0x40, &[Report::Active]),
            (0x20, 0xFF, &[Report::NoAcknowledge]),
            (0x01, 0, &[Report::TxTimeout]),
            (0x88, 0, &[Report::Other]),
            (0x02, 0, &[]),
            (0x202, 0, &[]),
            (0x44, 0x20, &[Report::BusOff, Report::Passive]),
        ] {
            let mut wire = [0; 16];
            wire[..4].copy_from_slice(&(class | CAN_ERR_FLAG).to_ne_bytes());
            wire[4] = 8;
            wire[8 + CONTROLLER] = controller;
            let frame = Frame::from_wire(&wire).unwrap();
            assert!(
                Report::of(&frame).eq(expected.iter().copied()),
                "{class:#x}"
            );
        }
    }

    #[test]
    fn each_report_has_its_own_rate_limit() {
        let reports = ReportLimits::default();
        let now = Instant::now();
        assert_eq!(reports.allow(Report::BusOff, 1, now), Some(1));
        assert_eq!(reports.allow(Report::Restarted, 1, now), Some(1));
        assert_eq!(reports.allow(Report::BusOff, 1, now), None);
        assert_eq!(reports.allow(Report::Other, 1, now), Some(1));
    }
}

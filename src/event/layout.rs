//! The two layouts of an event at the C interface.

/// The layout of an event at the C interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The layout of daemons 14 and 15.0.
    Classic,
    /// The layout of daemons from 2026, with nanoseconds since 1970.
    UnixNs,
}

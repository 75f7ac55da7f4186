//! The JSON form of an event: the object behind `event` in ws2 messages.

mod encode;
mod parse;

pub use self::{encode::encode, parse::parse};

/// The keys that [`encode`] writes: clients in the field read one family or the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Keys {
    /// First [`Keys::Vscp`], then [`Keys::Short`], with the same values.
    #[default]
    Both,
    /// `vscpHead`, `vscpClass` and so on.
    Vscp,
    /// `head`, `class` and so on.
    Short,
}

#[cfg(test)]
mod tests;

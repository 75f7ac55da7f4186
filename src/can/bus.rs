//! The settings of a CAN bus.

use std::time::Duration;

use crate::event::{Filter, Guid};

/// The longest name of a network interface: IFNAMSIZ of `linux/if.h` without the NUL.
const MAX_NAME_LENGTH: usize = 15;

/// The settings of a CAN bus.
#[derive(Clone, Debug)]
pub struct Bus {
    /// Name of the network interface.
    pub interface: String,
    /// The configured GUID of the bus.
    pub guid: Option<Guid>,
    /// The index in a list of buses, which becomes byte 14 of the GUID if none is configured.
    /// `None` for a single bus, which has the GUID of the driver.
    pub index: Option<u8>,
    /// The filter of received events.
    pub filter: Filter,
    /// True if the configuration has a mask for `filter`.
    pub has_mask: bool,
    /// The filter of sent events.
    pub out_filter: Filter,
    /// True if CAN FD frames are received and sent.
    pub fd: bool,
    /// The largest number of frames that wait to be sent.
    pub queue_size: usize,
    /// The delay between the first two attempts to open the interface.
    pub restart_delay: Duration,
}

#[cfg(test)]
impl Default for Bus {
    fn default() -> Self {
        Self {
            interface: "vcan0".into(),
            guid: None,
            index: None,
            filter: Filter::default(),
            has_mask: false,
            out_filter: Filter::default(),
            fd: false,
            queue_size: 4096,
            restart_delay: Duration::from_millis(500),
        }
    }
}

impl Bus {
    /// Returns the GUID of the bus: the configured one, else `driver` with the index in byte 14.
    pub fn guid(&self, driver: Guid) -> Guid {
        self.guid.unwrap_or_else(|| {
            let mut guid = driver;
            guid.0[14] = self.index.unwrap_or(guid.0[14]);
            guid
        })
    }
}

/// Checks the name of a network interface.
///
/// # Errors
/// The text says what is expected.
pub(crate) fn parse_interface_name(name: &str) -> Result<String, &'static str> {
    let plain = |c: char| c.is_ascii_graphic() && c != '/';
    if (1..=MAX_NAME_LENGTH).contains(&name.len()) && name.chars().all(plain) {
        Ok(name.to_owned())
    } else {
        Err("the name of a network interface, as in \"can0\"")
    }
}

/// Checks that no other bus has the interface: each of the two would receive the frames that the
/// other sends.
///
/// # Errors
/// The text says what is expected.
pub(crate) fn check_unused(
    interface: String,
    others: impl IntoIterator<Item: AsRef<str>>,
) -> Result<String, &'static str> {
    if others.into_iter().any(|other| other.as_ref() == interface) {
        Err("an interface that no other bus has")
    } else {
        Ok(interface)
    }
}

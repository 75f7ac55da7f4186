//! A CAN bus that goes down, where the kernel has virtual ones.

use std::process::{Command, Stdio};

/// The name of the bus.
pub(crate) const NAME: &str = "vsoak0";

/// A virtual bus; removed with its drop.
pub(crate) struct Bus(());

impl Bus {
    /// Adds the bus. Returns `None` if the kernel has none, or this is not root.
    pub(crate) fn add() -> Option<Self> {
        // A soak that has failed leaves it.
        ip(&["link", "del", "dev", NAME]);
        if !ip(&["link", "add", "dev", NAME, "type", "vcan"]) {
            println!("soak: this machine has no virtual CAN buses, none goes down");
            return None;
        }
        let bus = Self(());
        bus.set("up");
        Some(bus)
    }

    /// Changes the bus: `up` or `down`.
    pub(crate) fn set(&self, state: &str) {
        assert!(ip(&["link", "set", "dev", NAME, state]), "{NAME} {state}");
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        ip(&["link", "del", "dev", NAME]);
    }
}

fn ip(args: &[&str]) -> bool {
    let mut command = Command::new("ip");
    let status = command.args(args).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

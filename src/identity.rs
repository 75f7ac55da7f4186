//! The GUID of the driver.

use std::{fs, path::Path};

use crate::event::Guid;

const NETWORK_INTERFACES: &str = "/sys/class/net";

/// The `type` of an Ethernet interface: `ARPHRD_ETHER` of `linux/if_arp.h`.
const ETHERNET: &str = "1";

/// Returns the GUID of the driver and its origin in words. It is that of the host, or else that of
/// the configuration, or else made from the first Ethernet address of the machine (the VSCP
/// specification's form `FF:FF:FF:FF:FF:FF:FF:FE`, the address, `00:00`), or else zeros.
pub fn guid(host: Option<Guid>, configured: Option<Guid>) -> (Guid, &'static str) {
    if let Some(guid) = host.filter(|guid| !guid.is_zero()) {
        return (guid, "from the host");
    }
    if let Some(guid) = configured.filter(|guid| !guid.is_zero()) {
        return (guid, "from the configuration");
    }
    match ethernet_address(Path::new(NETWORK_INTERFACES)) {
        Some(address) => {
            let mut guid = [0xFF; 16];
            guid[7] = 0xFE;
            guid[8..14].copy_from_slice(&address);
            guid[14..].fill(0);
            (Guid(guid), "from the Ethernet address")
        }
        None => (Guid::ZERO, "not set, there is no Ethernet interface"),
    }
}

/// Returns the address of the Ethernet interface with the lowest index, `None` if there is none.
fn ethernet_address(interfaces: &Path) -> Option<[u8; 6]> {
    let read = |folder: &Path, name| fs::read_to_string(folder.join(name)).ok();
    fs::read_dir(interfaces)
        .ok()?
        .filter_map(|entry| {
            let folder = entry.ok()?.path();
            if read(&folder, "type")?.trim() != ETHERNET {
                return None;
            }
            let index: u32 = read(&folder, "ifindex")?.trim().parse().ok()?;
            let digits = read(&folder, "address")?.trim().replace(':', "");
            let mut address = [0; 6];
            hex::decode_to_slice(digits, &mut address).ok()?;
            (address != [0; 6]).then_some((index, address))
        })
        .min()
        .map(|(_, address)| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_wins_over_the_configuration_unless_it_gives_zeros() {
        let (host, configured) = (Guid([1; 16]), Guid([2; 16]));
        assert_eq!(guid(Some(host), Some(configured)).0, host);
        assert_eq!(guid(Some(Guid::ZERO), Some(configured)).0, configured);
        assert_eq!(guid(None, Some(configured)).0, configured);
    }

    #[test]
    fn the_first_ethernet_interface_with_an_address_is_used() {
        let folder = tempfile::tempdir().unwrap();
        for (name, kind, index, address) in [
            ("lo", "772", "1", "00:00:00:00:00:00"),
            ("tunnel", "65534", "2", ""),
            ("empty", "1", "3", "00:00:00:00:00:00"),
            ("a", "1", "12", "02:00:00:00:00:0c"),
            ("b", "1", "4", "02:00:00:00:00:04"),
        ] {
            let interface = folder.path().join(name);
            fs::create_dir(&interface).unwrap();
            fs::write(interface.join("type"), kind).unwrap();
            fs::write(interface.join("ifindex"), index).unwrap();
            fs::write(interface.join("address"), address).unwrap();
        }
        assert_eq!(ethernet_address(folder.path()), Some([2, 0, 0, 0, 0, 4]));
        assert_eq!(ethernet_address(&folder.path().join("lo")), None);
    }
}

//! The driver under test, and its events.

use std::{error::Error, fs, io, net::TcpListener};

use md5::{Digest, Md5};
use rcgen::generate_simple_self_signed;
use tempfile::TempDir;
use vscp_driver_host::{Library, OpenDriver};
use vscpl2drv_websocksrv::event::{Data, Date, Event, Guid, Layout};

/// The password of all users.
pub(crate) const PASSWORD: &str = "secret";

/// Sequence numbers are counted modulo this: frames of so many numbers stay in the cache, which
/// is in favour of the raw program.
pub(crate) const NUMBERS: u32 = 4096;

/// An open driver, and its address. `more` is added to its configuration.
pub(crate) fn open<'l>(
    library: &'l Library,
    more: &str,
) -> Result<(OpenDriver<'l>, String), Box<dyn Error>> {
    let address = free_address()?;
    let configuration = configuration(&address, more);
    let driver = library.open(&configuration, None, Some(Layout::Classic))?;
    Ok((driver, address))
}

/// A driver with both kinds of interface: the address with TLS, and the one without. `more` is added to
/// its configuration.
pub(crate) fn open_with_tls<'l>(
    library: &'l Library,
    folder: &TempDir,
    more: &str,
) -> Result<(OpenDriver<'l>, String, String), Box<dyn Error>> {
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    let pair = generate_simple_self_signed(["localhost".into()])?;
    fs::write(&certificate, pair.cert.pem())?;
    fs::write(&key, pair.signing_key.serialize_pem())?;
    let secure = free_address()?;
    let plain = free_address()?;
    let (certificate, key) = (certificate.display(), key.display());
    let more = format!(
        r#""interface": ["ws://{plain}", "wss://{secure}"], "ping-interval": 0,
           "tls": {{"cert": "{certificate}", "key": "{key}"}}{}{more}"#,
        if more.is_empty() { "" } else { ", " },
    );
    let configuration = configuration(&plain, &more);
    let driver = library.open(&configuration, None, Some(Layout::Classic))?;
    Ok((driver, format!("{secure}{certificate}"), plain))
}

/// An address with a port that is free.
pub(crate) fn free_address() -> io::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// A configuration for many clients that come at once, without a log.
pub(crate) fn configuration(address: &str, more: &str) -> String {
    let user = |name: &str, rights: &str| {
        let password = hex::encode(Md5::digest(format!("{name}:{PASSWORD}")));
        format!(r#"{{"name": "{name}", "password": "{password}", "rights": "{rights}"}}"#)
    };
    format!(
        r#"{{
            "interface": "ws://{address}", "event-layout": "classic", "allow-default-key": true,
            "enable-static": false, "max-clients": 0, "logging": {{"console-enable-log": false}},
            "users": [{}, {}]{}{more}
        }}"#,
        user("admin", "admin"),
        user("sender", "send-events"),
        if more.is_empty() { "" } else { ", " },
    )
}

/// A measurement as sensors send it, 116 bytes as a ws1 frame: `data` at its end, which is
/// either a sequence number of 4 bytes or a time of 8.
pub(crate) fn event(data: &[u8]) -> Event {
    Event {
        head: 0x60,
        class: 10,
        kind: 6,
        obid: 0,
        date: Date::new(2026, 1, 27, 20, 47, 55),
        timestamp: 3_906_069_311,
        unix_ns: None,
        guid: Guid([
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xF5, 0, 0, 0, 0, 0, 5, 0, 1,
        ]),
        data: Data::copy_from(data).unwrap_or_default(),
    }
}

/// The event with a sequence number.
pub(crate) fn numbered(number: u32) -> Event {
    event(&(number % NUMBERS).to_be_bytes())
}

//! The changes while the driver runs: users, certificates, a bus.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use rustls::pki_types::{CertificateDer, pem::PemObject};
use vscpl2drv_websocksrv::ws::Protocol::{Ws1, Ws2};

use crate::{
    churn::{Seen, count},
    common::{messages::Heard, wait_until},
    site::Site,
};

/// The password of a user changes: who is logged in as that is sent away, and may come back with
/// the new one.
pub(crate) fn change_users(site: &Site, _: &AtomicBool, seen: &Seen) {
    let passwords = ["secret", "other"];
    for (old, new) in [(passwords[0], passwords[1]), (passwords[1], passwords[0])] {
        let mut client = site.connect(Ws1, false);
        assert_eq!(client.try_login("changing", old), Heard::success("AUTH1"));
        site.write_users(new);
        assert_eq!(client.close_code(), 1008);
        let mut client = site.connect(Ws2, true);
        assert_eq!(client.try_login("changing", new), Heard::success("AUTH"));
        client.send_frame(0x88, b"");
        while client.frame().is_some() {}
        count(&seen.users_changed);
    }
}

/// The certificate changes: new connections see the new one, and those that are there go on.
pub(crate) fn change_certificates(site: &Site, _: &AtomicBool, seen: &Seen) {
    let mut old = site.connect(Ws1, true);
    let certificate = site.write_certificate();
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    wait_until("the new certificate", || {
        let page = site.peer.get(site.secure).unwrap();
        page.certificate() == &*certificate
    });
    old.command("NOOP");
    old.send_frame(0x88, b"");
    while old.frame().is_some() {}
    count(&seen.certificates_changed);
}

/// The bus goes down and comes up again.
pub(crate) fn change_bus(site: &Site, ends: &AtomicBool, seen: &Seen) {
    let Some(bus) = &site.bus else {
        wait_until("the end", || ends.load(Relaxed));
        return;
    };
    bus.set("down");
    thread::sleep(Duration::from_millis(300));
    bus.set("up");
    thread::sleep(Duration::from_millis(300));
    count(&seen.bus_downs);
}

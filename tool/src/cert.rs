//! `cert`: makes a self-signed certificate.

use std::{
    error::Error,
    fs::{self, File},
    io::Write,
    net::IpAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use serde_json::json;

use crate::message;

/// Makes a self-signed certificate, so that clients can connect with wss:// and https://
///
/// Writes cert.pem and key.pem, and prints what the configuration needs to use them.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vscpl2drv-websocksrv cert
  vscpl2drv-websocksrv cert --out /etc/vscp vscp.example.org 192.168.1.10

Clients must be told to trust cert.pem (in browsers: import it as an authority, or accept it once).
There is no harm in that: it can sign nothing but itself.")]
pub(crate) struct Args {
    /// Names and addresses of the server, as clients use them [default: the name of this machine,
    /// localhost, 127.0.0.1 and ::1]
    names: Vec<String>,
    /// Days until it expires (devices of Apple refuse more than 825)
    #[arg(long, default_value_t = DAYS, value_parser = clap::value_parser!(u16).range(1..))]
    days: u16,
    /// The folder for the files
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

/// Days until a certificate expires; devices of Apple refuse more.
pub(crate) const DAYS: u16 = 825;

/// A certificate and its key.
pub(crate) struct Made {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// The first day on which it is not valid.
    pub(crate) expires: Date,
}

pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let names = match &*args.names {
        [] => default_names(),
        names => names.to_vec(),
    };
    let made = make(&names, args.days, &args.out)?;
    let tls = json!({"cert": made.certificate, "key": made.key});
    writeln!(anstream::stdout(), "\"tls\": {tls}")?;
    message::note(format_args!(
        "for {}; expires on {}",
        names.join(", "),
        made.expires
    ));
    message::note(
        "add the line above to the configuration, and let \"interface\" start with wss://; only \
         you can read the key, so give it to the user that the daemon runs as (chown)",
    );
    Ok(())
}

/// Makes a certificate for `names` and writes it to `folder`, with absolute paths as the result.
/// Files that are there are left alone.
pub(crate) fn make(names: &[String], days: u16, folder: &Path) -> Result<Made, Box<dyn Error>> {
    let key = KeyPair::generate()?;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let expires = today.checked_add(i32::from(days).days())?;
    if let Some(wrong) = names.iter().find(|name| !name_of_server(name)) {
        return Err(format!("{wrong:?} is no name or address of a server").into());
    }
    let common_name = names.first().ok_or("a certificate needs a name")?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    let midnight = |day: Date| date_time_ymd(day.year().into(), day.month() as u8, day.day() as u8);
    // Clocks of clients may be slow.
    params.not_before = midnight(today.yesterday()?);
    params.not_after = midnight(expires);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key)?;

    let folder = folder
        .canonicalize()
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let made = Made {
        certificate: folder.join("cert.pem"),
        key: folder.join("key.pem"),
        expires,
    };
    let mut certificate_file = create(&made.certificate, 0o644)?;
    // Half of it is of no use, and would be in the way of the next try.
    let forget = |path| _ = fs::remove_file(path);
    let mut key_file = create(&made.key, 0o600).inspect_err(|_| forget(&made.certificate))?;
    key_file
        .write_all(key.serialize_pem().as_bytes())
        .and_then(|()| certificate_file.write_all(certificate.pem().as_bytes()))
        .inspect_err(|_| [&made.certificate, &made.key].into_iter().for_each(forget))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(made)
}

fn name_of_server(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '*');
    !name.is_empty() && name.chars().all(plain) || name.parse::<IpAddr>().is_ok()
}

/// Returns names and addresses of this machine.
pub(crate) fn default_names() -> Vec<String> {
    let mut names = Vec::new();
    if let Ok(name) = fs::read_to_string("/proc/sys/kernel/hostname") {
        names.push(name.trim().to_owned());
    }
    names.extend(["localhost", "127.0.0.1", "::1"].map(String::from));
    names
}

fn create(path: &Path, mode: u32) -> Result<File, String> {
    File::options()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(|error| format!("{}: {error}", path.display()))
}

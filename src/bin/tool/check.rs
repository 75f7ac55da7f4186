//! `check`: says what a configuration is, or what is wrong with it.

use std::{
    error::Error,
    io::{self, Write},
};

use anstyle::AnsiColor;
use vscpl2drv_websocksrv::{
    auth::{Key, Rights, User},
    can::{InterfaceState, interface_state},
    config::{Bus, Config},
    http::listen,
};

use crate::message;

/// Checks a configuration and the files that it names
///
/// The exit status is 0 where they are right (there may be warnings), 1 where the driver would
/// refuse them. Nothing is changed.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vscpl2drv-websocksrv check /etc/vscp/websocksrv.json
  vscpl2drv-websocksrv check /etc/vscp/websocksrv.json && systemctl restart vscpd")]
pub(crate) struct Args {
    /// The path of a JSON configuration file (or JSON text)
    config: String,
}

pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let config = Config::load(&args.config)?;
    let warnings = config.warnings.iter().cloned();
    warnings
        .chain(config.users.warnings())
        .chain(in_use(&config)?)
        .for_each(message::warning);
    config.notes.iter().for_each(message::note);
    print_summary(&config, &mut anstream::stdout().lock())?;
    Ok(())
}

/// Whether the addresses are free; a driver that runs already has them.
fn in_use(config: &Config) -> io::Result<Option<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let bound = runtime.block_on(listen::bind(&config.listen, config.tls.as_ref()));
    Ok(bound.err().map(|error| {
        format!("cannot listen on {error} (does the driver, or something else, run already?)")
    }))
}

fn print_summary(config: &Config, out: &mut impl Write) -> io::Result<()> {
    let green = AnsiColor::Green.on_default().bold();
    writeln!(out, "{green}OK{green:#} {}", config.name)?;
    for listen in &config.listen {
        writeln!(out, "  listens on  {listen}")?;
    }
    for (name, path) in [
        ("ws1", &config.urls.ws1),
        ("ws2", &config.urls.ws2),
        ("REST", &config.web.rest),
        ("metrics", &config.web.metrics),
    ] {
        let path = path.as_deref().unwrap_or("off");
        writeln!(out, "  {name:10}  {path}")?;
    }
    let root = config.web.root.as_ref();
    let root = root.map_or("off".to_owned(), |root| root.display().to_string());
    writeln!(out, "  {:10}  {root}", "files")?;
    for bus in &config.buses {
        let Bus { interface, .. } = bus;
        let state = state_of(interface);
        writeln!(out, "  {:10}  {interface}: {state}", "CAN bus")?;
    }
    let key = match config.key == Key::WELL_KNOWN {
        true => "the one that everybody knows",
        false => "from the key file",
    };
    writeln!(out, "  {:10}  {key}", "login key")?;
    for user in config.users.iter() {
        let User { name, remotes, .. } = &**user;
        writeln!(
            out,
            "  {:10}  {name}: {}; from {remotes}",
            "user",
            rights(user)
        )?;
    }
    Ok(())
}

/// How a CAN interface is now. It may come and go while the driver runs.
fn state_of(interface: &str) -> &'static str {
    match interface_state(interface) {
        InterfaceState::Missing => "there is no such interface now",
        InterfaceState::NotCan => "this is no CAN interface",
        InterfaceState::Down => "it is down (ip link set it up)",
        InterfaceState::NoCarrier => "it is up but bus-off, or not connected",
        InterfaceState::Up => "it is up",
    }
}

/// What the user may do with this driver.
fn rights(user: &User) -> String {
    if user.rights == Rights::ADMIN {
        return "may do everything".to_owned();
    }
    let has = |right| user.rights.contains(right);
    let may_send = has(Rights::SEND_EVENT);
    let words: Vec<_> = [
        (has(Rights::RCV_EVENT), "receive"),
        (may_send, "send"),
        (
            may_send && has(Rights::SEND_L1CTRL),
            "send level I protocol",
        ),
        (
            may_send && has(Rights::SEND_L2CTRL),
            "send level II protocol",
        ),
        (may_send && has(Rights::SEND_HLO), "send HLO"),
        (has(Rights::SETFILTER), "set the filter"),
    ]
    .into_iter()
    .filter_map(|(has, word)| has.then_some(word))
    .collect();
    match words.is_empty() {
        true => "may do nothing".to_owned(),
        false => format!("may {}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn rights_are_shown_as_far_as_they_have_an_effect() {
        for (rights, expected) in [
            ("admin", "may do everything"),
            (
                "user",
                "may receive, send, send level I protocol, send level II protocol",
            ),
            ("receive-events/set-filter", "may receive, set the filter"),
            ("send-events/hlo-events", "may send, send HLO"),
            ("l1ctrl-events", "may do nothing"),
        ] {
            let config = format!(
                r#"{{"allow-default-key":true,"users":[{{"name":"u","rights":"{rights}",
                "password":"00000000000000000000000000000000"}}]}}"#
            );
            let config = Config::load(&config).unwrap();
            assert_eq!(super::rights(config.users.get("u").unwrap()), expected);
        }
    }
}

//! `serve`: a host for drivers that are to be connected to an MQTT broker.

mod bridge;
mod broker;
mod counters;
mod discovery;
mod driver;
mod entry;
mod notify;
mod outbox;
mod payload;
mod recent;
mod settings;
mod signals;
mod supervisor;
mod topic;

use std::{
    error::Error,
    io,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{select, time::sleep};
use vscpl2drv_websocksrv::event::Guid;

use self::{
    broker::Ending,
    driver::{Driver, Legacy, Plan},
    entry::Entry,
    notify::Notifier,
    signals::{Order, Signals},
};
use crate::message;

/// The line that the process of a driver prints when it is open.
const READY: &str = "ready";

/// How often losses are looked for, and systemd is told the state.
const TICK: Duration = Duration::from_secs(1);

/// Runs drivers without a daemon and connects them to an MQTT broker
///
/// What a driver gives is published, and what is subscribed to is given to it. Settings are those
/// of the object mqtt in vscpd.json. SIGTERM ends it, SIGHUP reads the configuration again.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vscpl2drv-websocksrv serve /etc/vscp/websocksrv/host.json
  vscpl2drv-websocksrv serve --vscpd /etc/vscp/vscpd.json --driver-name websocksrv
  vscpl2drv-websocksrv serve examples/demo.json --mqtt mqtt://localhost \\
      --publish 'vscp/{{guid}}/{{class}}/{{type}}/{{nickname}}' --subscribe 'vscp/#'
  vscpl2drv-websocksrv serve --driver web.json --driver other.json")]
pub(crate) struct Args {
    /// A file (or JSON text) with an entry of a driver, as vscpd.json has them, or with a list
    /// drivers; or, beside --mqtt, the configuration of the driver itself
    config: Option<String>,

    /// Take entries out of a vscpd.json: all that are enabled
    #[arg(long, value_name = "FILE")]
    vscpd: Option<PathBuf>,

    /// Take only the entry with this name out of it
    #[arg(long, value_name = "NAME", requires = "vscpd")]
    driver_name: Vec<String>,

    /// A file (or JSON text) with an entry of one more driver
    #[arg(long, value_name = "ENTRY")]
    driver: Vec<String>,

    /// The library of drivers whose entry names none; else that of this project is looked for
    /// beside this program, then in /var/lib/vscp/drivers/level2
    #[arg(long, value_name = "PATH")]
    library: Option<PathBuf>,

    /// The GUID of drivers whose entry has none
    #[arg(long, value_name = "GUID", allow_hyphen_values = true)]
    guid: Option<Guid>,

    /// The broker: mqtt://, mqtts://, ws:// or wss://[USER@]HOST[:PORT]
    #[arg(long, value_name = "URL")]
    mqtt: Option<String>,

    /// Publish events to this topic, with names like {{class}} in it
    #[arg(long, value_name = "TOPIC", requires = "mqtt")]
    publish: Vec<String>,

    /// Give the driver what comes with this topic
    #[arg(long, value_name = "TOPIC", requires = "mqtt")]
    subscribe: Vec<String>,

    /// Publish as json, xml, string or binary
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    format: String,

    /// Publish with the names of daemons before 2026 (legacy), from then on (ns), or both
    #[arg(long, value_name = "DIALECT", default_value = "legacy")]
    dialect: String,

    /// Quality of service of all topics
    #[arg(long, value_name = "0-2", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    qos: u8,

    /// A file with the password of the user in its first line
    #[arg(long, value_name = "FILE", requires = "mqtt")]
    password_file: Option<PathBuf>,

    /// Trust the authorities in this PEM file instead of those of the system
    #[arg(long, value_name = "FILE", requires = "mqtt")]
    ca_file: Option<PathBuf>,

    /// The client id, which makes the session last; {{rnd}} in it is a random number
    #[arg(long, value_name = "ID", requires = "mqtt")]
    client_id: Option<String>,

    /// Check the configuration and end
    #[arg(long)]
    check: bool,

    /// Run each driver in a process of its own, also if there is one only
    #[arg(long)]
    isolate: bool,

    /// Run this driver only, in this process
    #[arg(long, hide = true, value_name = "NAME")]
    only: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let (mut entries, warnings) = entry::read(args)?;
    if args.only.is_none() {
        warnings.iter().for_each(message::warning);
    }
    if args.check {
        for entry in entries {
            let name = entry.name.clone();
            println!("OK {name}: {}", check(entry)?);
        }
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if let Some(name) = &args.only {
        entries.retain(|entry| entry.name == *name);
    } else if entries.len() > 1 || args.isolate {
        let names = entries.into_iter().map(|entry| entry.name).collect();
        return runtime.block_on(supervisor::run(names));
    }
    let Some(entry) = entries.pop() else {
        return Err("the driver is not in the configuration any more".into());
    };
    runtime.block_on(serve(args, entry))
}

/// Returns where an entry connects to. Fails if it cannot be opened; tells all that is wrong in the
/// configuration of its driver.
fn check(entry: Entry) -> Result<String, Box<dyn Error>> {
    let findings = driver::findings(&entry);
    if let Some(findings) = &findings {
        findings.warnings.iter().for_each(message::warning);
        findings.errors.iter().for_each(message::problem);
        if !findings.errors.is_empty() {
            let name = entry.name;
            return Err(format!("{name}: the configuration of the driver is not in order").into());
        }
    }
    Ok(Plan::with(entry, findings)?.bridge.to_string())
}

/// Opens a driver and serves it until a signal ends it.
async fn serve(args: &Args, entry: Entry) -> Result<(), Box<dyn Error>> {
    let notifier = Notifier::new();
    let mut signals = Signals::new()?;
    let mut driver = Driver::open(Plan::of(entry)?, &mut Legacy::default())?;
    notifier.tell("READY=1");
    if args.only.is_some() {
        println!("{READY}");
        thread::spawn(end_with_supervisor);
    }
    let mut fed = Instant::now();
    let mut state = None;
    loop {
        select! {
            order = signals.next() => match order {
                Order::Stop => break,
                Order::Reload => {
                    notifier.tell("RELOADING=1");
                    driver = reload(args, driver).await?;
                    notifier.tell("READY=1");
                }
            },
            () = sleep(TICK) => {
                driver.shared.tell_losses();
                let is_connected = driver.shared.is_connected();
                if state.replace(is_connected) != Some(is_connected) {
                    let word = if is_connected { "connected" } else { "not connected" };
                    notifier.tell(&format!("STATUS={word} to the broker"));
                }
                if notifier.watchdog.is_some_and(|interval| fed.elapsed() >= interval.min(TICK)) {
                    notifier.tell("WATCHDOG=1");
                    fed = Instant::now();
                }
            }
        }
    }
    notifier.tell("STOPPING=1");
    driver.close(Ending::Host).await;
    Ok(())
}

/// Ends this process when the one that has started it is gone, which closes the standard input.
fn end_with_supervisor() {
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    let _ = kill(Pid::this(), Signal::SIGTERM);
}

/// Reads the configuration again. The driver stays open if only its broker is another; all stays
/// as it was if the configuration is wrong.
async fn reload(args: &Args, mut driver: Driver) -> Result<Driver, Box<dyn Error>> {
    let plan = match read_again(args, &driver.shared.name) {
        Ok(plan) => plan,
        Err(error) => {
            tell_unchanged(&driver, &*error);
            return Ok(driver);
        }
    };
    if plan.opening == driver.opening && plan.name == driver.shared.name {
        driver.reconnect(plan.bridge).await;
        driver.shared.note("the configuration was read again");
        return Ok(driver);
    }
    let old = driver.plan();
    let ending = driver.ending_before(&plan.bridge);
    let mut legacy = driver.close(ending).await;
    let error = match Driver::open(plan, &mut legacy) {
        Ok(driver) => {
            driver.shared.note("the configuration was read again");
            return Ok(driver);
        }
        Err(error) => error,
    };
    // Only the driver itself knows all that it refuses.
    match Driver::open(old, &mut legacy) {
        Ok(driver) => {
            tell_unchanged(&driver, &*error);
            Ok(driver)
        }
        Err(again) => Err(format!("{error}; nor does the old one open again: {again}").into()),
    }
}

/// Reads what a driver is to be opened with now. Fails if the configuration is wrong.
fn read_again(args: &Args, name: &str) -> Result<Plan, Box<dyn Error>> {
    let (entries, warnings) = entry::read(args)?;
    warnings.iter().for_each(message::warning);
    let entry = entries
        .into_iter()
        .find(|entry| args.only.is_none() || entry.name == name);
    Plan::checked(entry.ok_or("the driver is not in the configuration any more")?)
}

fn tell_unchanged(driver: &Driver, error: &dyn Error) {
    driver
        .shared
        .warning(format_args!("nothing is changed: {error}"));
}

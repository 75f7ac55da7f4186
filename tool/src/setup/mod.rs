//! `setup`: from an installed library to a running server.

mod answers;
mod change;
mod daemon;
mod existing;
mod json;
mod plan;
mod root;
mod xml;

use std::{error::Error, io::Write, path::PathBuf};

use qrcode::{QrCode, render::unicode::Dense1x2};

use self::{answers::Answers, daemon::Daemon, plan::Plan, root::Root};
use crate::{check, message, password};

/// Sets the driver up: key, first user, certificate, configuration, and its place in the daemon
///
/// Asks for what the options do not say if the standard input is a terminal. What exists is kept:
/// nothing in a configuration changes that is not asked for, a file is changed only if that is agreed
/// to, and the old one stays beside it as FILE.bak.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vscpl2drv-websocksrv setup
  vscpl2drv-websocksrv setup --dry-run
  vscpl2drv-websocksrv setup --interface '*:8884' --tls --user anna \\
      --password-file /run/secrets/anna --change")]
pub(crate) struct Args {
    /// The address to listen on: HOST:PORT, * for all addresses of the machine [default: as the
    /// configuration has it, *:8884 if there is none]
    #[arg(long, value_name = "ADDRESS")]
    interface: Option<String>,
    /// Serve wss:// and https:// with a certificate, which is made if there is none
    #[arg(long, conflicts_with = "no_tls")]
    tls: bool,
    /// Serve without TLS
    #[arg(long)]
    no_tls: bool,
    /// A user to add, who may do everything [default: admin if there is no user yet]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    password: password::Source,
    /// The configuration [default: the one that the daemon names for the driver, else
    /// /etc/vscp/websocksrv/websocksrv.json]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The configuration of the daemon [default: /etc/vscp/vscpd.json or vscpd.conf, or that of the
    /// running one]
    #[arg(long, value_name = "FILE")]
    daemon_config: Option<PathBuf>,
    /// The user that the daemon runs as, who may read the files [default: that of the running one,
    /// else vscp if there is such a user]
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// Change files that exist: the configuration, and that of the daemon
    #[arg(long)]
    change: bool,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
    /// The folder that all paths start from, for packagers
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    root: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let root = Root::new(&args.root)?;
    let daemon = Daemon::find(&root, args.daemon_config.as_deref())?;
    match &daemon {
        Some(daemon) => message::note(format_args!("the daemon: {daemon}")),
        None => {
            message::note("no daemon is found; its configuration can be named by --daemon-config")
        }
    }
    let answers = Answers::ask(args, &root, daemon.as_ref())?;
    let mut plan = Plan::make(&root, &answers, daemon.as_ref())?;
    let mut out = anstream::stdout().lock();
    if args.dry_run {
        plan.show(args.change, &mut out)?;
    } else {
        plan.carry_out(|path, diff| answers.agrees_to_change(path, diff))?;
    }
    if let (Some(daemon), false) = (&daemon, plan.is_registered()) {
        message::note(format_args!(
            "put this into {} and restart the daemon:",
            daemon.config.display()
        ));
        writeln!(out, "{}", daemon.block(&answers.config))?;
    }
    if !root.is_whole_machine() {
        message::note("not checked: the paths in the configuration are those of another machine");
    } else if !args.dry_run {
        check::run(&check::Args::of(&answers.config.to_string_lossy()))?;
    }
    message::note(match (args.dry_run, &daemon) {
        (true, _) => "the panel would be at:",
        (false, Some(_)) => "restart the daemon, then open the panel:",
        (false, None) => "when the daemon has loaded the driver, open the panel:",
    });
    let Some(listen) = plan.listen() else {
        return Err("the addresses in the configuration are not understood".into());
    };
    let url = answers::url(&listen);
    writeln!(out, "{url}")?;
    writeln!(out, "{}", QrCode::new(&url)?.render::<Dense1x2>().build())?;
    Ok(())
}

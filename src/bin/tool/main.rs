//! The command line tool: tries the driver without a daemon, checks a configuration, makes
//! passwords, keys and certificates.

mod cert;
mod check;
mod key;
mod library;
mod message;
mod passwd;
mod run;
mod simulate;

use std::{error::Error, io, process::ExitCode};

use clap::{Parser, Subcommand};

/// Tries and sets up vscpl2drv-websocksrv, the websocket driver for the VSCP daemon.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Examples:
  vscpl2drv-websocksrv run examples/demo.json --simulate 2
  vscpl2drv-websocksrv check /etc/vscp/websocksrv.json
  vscpl2drv-websocksrv passwd admin
  vscpl2drv-websocksrv key
  vscpl2drv-websocksrv cert

The manual: man vscpl2drv-websocksrv"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Args),
    Check(check::Args),
    Passwd(passwd::Args),
    Key(key::Args),
    Cert(cert::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Passwd(args) => passwd::run(&args),
        Command::Key(_) => key::run(),
        Command::Cert(args) => cert::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            message::error(&*error);
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

//! The command line tool: tries the driver without a daemon, checks a configuration, makes
//! passwords, keys and certificates.

mod cert;
mod check;
mod client;
mod completions;
mod key;
mod message;
mod passwd;
mod password;
mod paths;
mod rights;
mod run;
mod send;
mod serve;
mod setup;
mod simulate;
mod user;
mod watch;

use std::{error::Error, io, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};

use self::client::ClientError;

/// Tries and sets up vscpl2drv-websocksrv, the websocket driver for the VSCP daemon.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Examples:
  vscpl2drv-websocksrv run examples/demo.json --simulate 2
  vscpl2drv-websocksrv setup
  vscpl2drv-websocksrv check /etc/vscp/websocksrv/websocksrv.json
  vscpl2drv-websocksrv user add anna
  vscpl2drv-websocksrv key
  vscpl2drv-websocksrv cert

The manuals: man vscpl2drv-websocksrv, man websocksrv.json"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Setup(setup::Args),
    Run(run::Args),
    Serve(serve::Args),
    Check(check::Args),
    Send(send::Args),
    Watch(watch::Args),
    User(user::Args),
    Passwd(passwd::Args),
    Key(key::Args),
    Cert(cert::Args),
    Completions(completions::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Setup(args) => setup::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Send(args) => send::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::User(args) => user::run(&args),
        Command::Passwd(args) => passwd::run(&args),
        Command::Key(_) => key::run(),
        Command::Cert(args) => cert::run(&args),
        Command::Completions(args) => completions::run(&args, Cli::command()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has closed the pipe: not an error.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            message::error(&*error);
            status(&*error)
        }
    }
}

/// Returns the exit status of an error.
fn status(error: &(dyn Error + 'static)) -> ExitCode {
    match error.downcast_ref() {
        Some(ClientError::TimeOver(_)) => ExitCode::from(3),
        Some(ClientError::Refused { .. }) => ExitCode::from(4),
        _ => ExitCode::FAILURE,
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

//! `completions`: what shells need to complete the command line.

use std::error::Error;

use clap_complete::{Shell, generate};

/// Prints completions for a shell; the package installs them
#[derive(clap::Args)]
#[command(hide = true)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args, mut command: clap::Command) -> Result<(), Box<dyn Error>> {
    generate(
        args.shell,
        &mut command,
        env!("CARGO_BIN_NAME"),
        &mut anstream::stdout(),
    );
    Ok(())
}

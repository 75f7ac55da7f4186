//! Where programs that need CAN can run: on this machine, or in a guest with a kernel of its own.

use std::{
    env,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

/// Set for programs in the guest.
const IN_GUEST: &str = "VSCP_CAN_TESTS_IN_GUEST";

/// Set if it is an error that there is no place to run.
const REQUIRED: &str = "CAN_TESTS";

/// A place to run.
pub(crate) enum Place {
    /// This machine.
    Here,
    /// A guest of this machine.
    Guest,
    /// None, and why.
    Nowhere(String),
}

impl Place {
    /// The first place that will do.
    pub(crate) fn find() -> Self {
        if env::var_os(IN_GUEST).is_some() {
            return Self::Here;
        }
        let Err(here) = machine_will_do() else {
            return Self::Here;
        };
        if guest_is_set_up() {
            return Self::Guest;
        }
        Self::Nowhere(format!(
            "{here}; and tests/vcan-vm/vcan-vm is not set up (run tests/vcan-vm/vcan-vm setup)"
        ))
    }

    /// Runs `main` here, or this program with the same arguments in the guest, or nothing, and
    /// says on standard error which. `what` is the name of the whole.
    pub(crate) fn run(self, what: &str, seconds: u32, main: impl FnOnce() -> ExitCode) -> ExitCode {
        match self {
            Self::Here => {
                if env::var_os(IN_GUEST).is_none() {
                    eprintln!("{what}: on the kernel of this machine");
                }
                main()
            }
            Self::Guest => {
                eprintln!("{what}: this machine has no CAN, in a guest (tests/vcan-vm)");
                let Ok(program) = env::current_exe() else {
                    return ExitCode::FAILURE;
                };
                let error = Command::new(vm())
                    .args(["-t", &seconds.to_string(), "--"])
                    .arg(program)
                    .args(env::args_os().skip(1))
                    .env(IN_GUEST, "1")
                    .exec();
                eprintln!("{what}: {error}");
                ExitCode::FAILURE
            }
            Self::Nowhere(why) => {
                eprintln!("{what}: SKIPPED: {why}");
                match env::var_os(REQUIRED) {
                    Some(_) => ExitCode::FAILURE,
                    None => ExitCode::SUCCESS,
                }
            }
        }
    }
}

/// Returns true if interfaces can be made here, and the programs are there that the tests use.
fn machine_will_do() -> Result<(), &'static str> {
    const NAME: &str = "vt-probe";

    for program in ["candump", "cansend"] {
        let found = Command::new(program)
            .arg("-h")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if found.is_err() {
            return Err("this machine has no can-utils");
        }
    }
    let ip = |args: &[&str]| {
        let status = Command::new("ip").args(args).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    if !ip(&["link", "add", "dev", NAME, "type", "vcan"]) {
        return Err("this kernel has no vcan, or this user may not add interfaces");
    }
    ip(&["link", "del", "dev", NAME]);
    Ok(())
}

fn guest_is_set_up() -> bool {
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = match env::var_os("VCAN_VM_CACHE") {
        Some(folder) => Some(PathBuf::from(folder)),
        None => env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(home)
            .map(|folder| folder.join("vcan-vm")),
    };
    vm().exists() && cache.is_some_and(|cache| cache.join("current/kind").exists())
}

fn vm() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vcan-vm/vcan-vm")
}

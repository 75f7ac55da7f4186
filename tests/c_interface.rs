//! The library as C and C++ hosts see it: compiles the programs of `c-tests/` and runs them.
//!
//! In the environment: `CC` and `CXX` name the compilers, `C_TEST_FLAGS` adds options for them,
//! `C_TEST_LIBRARY` is a library in place of the one just built, `C_TEST_WRAPPER` is put in front of each program (`valgrind -q --error-exitcode=9`), and
//! `C_TEST_SLOWDOWN` (a whole number) stretches all time limits.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    env,
    fs::{self, File},
    io::ErrorKind,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use vscp_driver_host::find;

const TIME_LIMIT: Duration = Duration::from_secs(120);

/// The name that the library is installed under, and its soname.
const LIBRARY: &str = "libvscpl2drv-websocksrv.so";

const UNIX_NS: &str = "-DVSCP_EVENT_UNIX_NS";

#[test]
fn layout_classic_in_c() {
    Host::compile("layout.c", Language::C, &[]).run();
}

#[test]
fn layout_classic_in_cpp() {
    Host::compile("layout.c", Language::Cpp, &[]).run();
}

#[test]
fn layout_unix_ns_in_c() {
    Host::compile("layout.c", Language::C, &[UNIX_NS]).run();
}

#[test]
fn layout_unix_ns_in_cpp() {
    Host::compile("layout.c", Language::Cpp, &[UNIX_NS]).run();
}

#[test]
fn arguments() {
    let version = concat!("-DDRIVER_VERSION=\"", env!("CARGO_PKG_VERSION"), "\"");
    Host::compile("arguments.c", Language::C, &[version]).run();
}

#[test]
fn closing() {
    Host::compile("closing.c", Language::C, &[]).run();
}

#[test]
fn reload() {
    Host::compile("reload.c", Language::C, &[]).run();
}

#[test]
fn sigpipe() {
    Host::compile("sigpipe.c", Language::C, &[]).run();
}

#[test]
fn forked() {
    Host::compile("forked.c", Language::C, &[]).run();
}

#[test]
fn standard() {
    Host::compile("standard.c", Language::C, &[]).run();
}

/// Lets the library call functions of the program in place of those of the C library.
const EXPORTS: &[&str] = &["-rdynamic"];

#[test]
fn resolver_that_does_not_answer() {
    Host::compile("resolver.c", Language::C, EXPORTS).run();
}

#[test]
fn machine_without_threads() {
    Host::compile("threads.c", Language::C, EXPORTS).run();
}

#[test]
fn machine_without_memory() {
    Host::compile("memory.c", Language::C, EXPORTS).run();
}

#[test]
fn clock_that_is_set() {
    Host::compile("clock.c", Language::C, EXPORTS).run();
}

#[test]
fn threads_that_are_joined_twice() {
    Host::compile("joined.c", Language::C, &[]).run();
}

#[test]
fn daemon_14() {
    Host::compile("host14.cpp", Language::Cpp, &[]).run();
}

#[test]
fn daemon_15_from_2026() {
    Host::compile("host15.cpp", Language::Cpp, &[UNIX_NS]).run();
}

#[test]
fn daemon_15_0() {
    Host::compile("host15.cpp", Language::Cpp, &["-DDAEMON_15_0"]).run();
}

#[test]
fn host_that_is_no_known_daemon() {
    Host::compile("host15.cpp", Language::Cpp, &[]).run();
}

#[test]
fn linked_program() {
    let link = [
        "-L.",
        "-lvscpl2drv-websocksrv",
        "-Wl,-rpath,$ORIGIN",
        "-Wl,--no-undefined",
    ];
    Host::compile("linked.c", Language::C, &link).run();
}

#[test]
fn linked_program_unix_ns() {
    let link = [
        UNIX_NS,
        "-L.",
        "-l:libvscpl2drv-websocksrv.so",
        "-Wl,-rpath,$ORIGIN",
    ];
    Host::compile("linked.c", Language::C, &link).run();
}

#[test]
fn example_host_compiles_in_both_layouts() {
    Host::compile("../examples/host.cpp", Language::Cpp, &[]);
    Host::compile("../examples/host.cpp", Language::Cpp, &[UNIX_NS]);
}

#[test]
fn only_the_six_functions_are_exported() {
    let mut nm = Command::new("nm");
    nm.args(["-D", "--defined-only", "--format=just-symbols"])
        .arg(find::built().unwrap());
    let output = output_of(&mut nm, "binutils");
    assert!(output.status.success(), "{}", text_of(&output));
    let mut names: Vec<_> = str::from_utf8(&output.stdout).unwrap().lines().collect();
    names.sort_unstable();
    let expected = [
        "VSCPClose",
        "VSCPGetVendorString",
        "VSCPGetVersion",
        "VSCPOpen",
        "VSCPRead",
        "VSCPWrite",
    ];
    assert_eq!(names, expected);
}

#[test]
fn the_library_has_its_installed_name_as_soname() {
    let mut readelf = Command::new("readelf");
    readelf.arg("-dW").arg(find::built().unwrap());
    let output = output_of(&mut readelf, "binutils");
    let text = text_of(&output);
    let soname = format!("Library soname: [{LIBRARY}]");
    assert!(text.contains(&soname), "{soname} not in\n{text}");
}

#[derive(Clone, Copy)]
enum Language {
    C,
    Cpp,
}

/// A compiled program in a folder of its own, the library beside it.
struct Host {
    folder: TempDir,
    program: PathBuf,
}

impl Host {
    /// Compiles a file of `c-tests/` without a single warning.
    fn compile(source: &str, language: Language, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        symlink(library(), folder.path().join(LIBRARY)).unwrap();
        let program = folder.path().join("host");

        let (variable, usual, package, selected) = match language {
            Language::C => ("CC", "cc", "gcc", ["-xc", "-std=c11"]),
            Language::Cpp => ("CXX", "c++", "g++", ["-xc++", "-std=c++17"]),
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut compiler = words(variable, usual).command();
        compiler
            .args(["-Wall", "-Wextra", "-Werror", "-g", "-O1", "-D_GNU_SOURCE"])
            .args(selected)
            .arg("-I")
            .arg(root.join("include"))
            .arg(root.join("c-tests").join(source))
            .arg("-xnone")
            .arg("-o")
            .arg(&program)
            .args(options)
            .args(["-pthread", "-ldl"])
            .args(words("C_TEST_FLAGS", "").0)
            .current_dir(folder.path());
        let output = output_of(&mut compiler, package);
        assert!(
            output.status.success(),
            "{compiler:?}\n{}",
            text_of(&output)
        );
        Self { folder, program }
    }

    /// Runs the program with the path of the library as its argument. It must end with 0 in time.
    fn run(&self) {
        let log = self.folder.path().join("output");
        let output = File::create(&log).unwrap();
        let mut wrapped = words("C_TEST_WRAPPER", "");
        wrapped.0.push(self.program.to_str().unwrap().to_owned());
        let mut child = wrapped
            .command()
            .arg(self.folder.path().join(LIBRARY))
            .current_dir(self.folder.path())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();

        let slowdown = env::var("C_TEST_SLOWDOWN").map_or(1, |text| text.parse().unwrap());
        let deadline = Instant::now() + TIME_LIMIT * slowdown;
        let ended = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status.to_string(),
                None if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
                None => {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    break format!("killed after {:?}", TIME_LIMIT * slowdown);
                }
            }
        };
        let text = String::from_utf8_lossy(&fs::read(&log).unwrap()).into_owned();
        assert!(
            ended == "exit status: 0",
            "{ended}; the program said:\n{text}"
        );
    }
}

/// Returns the path of the library to test.
fn library() -> PathBuf {
    match env::var_os("C_TEST_LIBRARY") {
        Some(path) => fs::canonicalize(path).unwrap(),
        None => find::built().unwrap(),
    }
}

/// A command line, split at blanks.
struct Words(Vec<String>);

impl Words {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.0[0]);
        command.args(&self.0[1..]);
        command
    }
}

fn words(variable: &str, default: &str) -> Words {
    let line = env::var(variable).unwrap_or_else(|_| default.to_owned());
    Words(line.split_whitespace().map(str::to_owned).collect())
}

fn output_of(command: &mut Command, package: &str) -> Output {
    command.output().unwrap_or_else(|error| match error.kind() {
        ErrorKind::NotFound => {
            let name = command.get_program().display();
            panic!("no {name} on this machine: install the package {package}")
        }
        _ => panic!("{command:?}: {error}"),
    })
}

fn text_of(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

//! Where the library of this project is.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// The name that it is installed with.
pub const INSTALLED_NAME: &str = "libvscpl2drv-websocksrv.so";

/// The name that cargo gives it.
const CARGO_NAME: &str = "libvscpl2drv_websocksrv.so";

/// Where the daemon's drivers are.
const INSTALLED: &str = "/var/lib/vscp/drivers/level2";

/// Why there is no library.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The one that was asked for cannot be reached.
    #[error("{} cannot be reached", path.display())]
    Given {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is none in any of the usual places.
    #[error(
        "there is no driver library; looked for{}\nname it (run --driver PATH, serve --library PATH), or \
         build it with: cargo build --release",
        lines(looked_for)
    )]
    Nowhere {
        /// The places.
        looked_for: Vec<PathBuf>,
    },
}

/// Returns the library to load: the one that is given, or else the first that is beside this
/// program, where cargo builds it, or where it is installed.
pub fn library(given: Option<&Path>) -> Result<PathBuf, FindError> {
    if let Some(path) = given {
        return fs::canonicalize(path).map_err(|source| FindError::Given {
            path: path.to_owned(),
            source,
        });
    }
    let mut places = beside().map_or(Vec::new(), |beside| places(&beside));
    places.push(Path::new(INSTALLED).join(INSTALLED_NAME));
    first(places)
}

/// Returns the library that cargo has built together with this program, a test or a benchmark.
pub fn built() -> Result<PathBuf, FindError> {
    first(beside().map_or(Vec::new(), |beside| built_places(&beside).into()))
}

/// The folder of this program.
fn beside() -> Option<PathBuf> {
    Some(env::current_exe().ok()?.parent()?.to_owned())
}

fn places(beside: &Path) -> Vec<PathBuf> {
    let mut places = vec![beside.join(INSTALLED_NAME)];
    places.extend(built_places(beside));
    places
}

/// Cargo builds it in `deps` for whatever depends on it; the one beside the executables is only
/// renewed where it was itself asked for, and may be an older one.
fn built_places(beside: &Path) -> [PathBuf; 2] {
    [
        beside.join("deps").join(CARGO_NAME),
        beside.join(CARGO_NAME),
    ]
}

fn first(places: Vec<PathBuf>) -> Result<PathBuf, FindError> {
    let found = places.iter().find(|path| path.is_file()).cloned();
    found.ok_or(FindError::Nowhere { looked_for: places })
}

fn lines(paths: &[PathBuf]) -> String {
    let lines = paths.iter().map(|path| format!("\n  {}", path.display()));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_beside_the_program_comes_before_what_cargo_builds() {
        let folder = tempfile::tempdir().unwrap();
        let beside = folder.path();
        fs::create_dir(beside.join("deps")).unwrap();
        for name in [
            "libvscpl2drv_websocksrv.so",
            "deps/libvscpl2drv_websocksrv.so",
            "libvscpl2drv-websocksrv.so",
        ] {
            fs::write(beside.join(name), "").unwrap();
            assert_eq!(first(places(beside)).unwrap(), beside.join(name));
        }
    }

    #[test]
    fn where_none_is_found_all_places_are_said() {
        let folder = tempfile::tempdir().unwrap();
        let missing = [folder.path().join("a"), folder.path().join("b")];
        let error = first(missing.to_vec()).unwrap_err().to_string();
        for path in missing {
            assert!(
                error.contains(&format!("\n  {}\n", path.display())),
                "{error}"
            );
        }
        assert!(error.contains("--driver PATH"), "{error}");
    }
}

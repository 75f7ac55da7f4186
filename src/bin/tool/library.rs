//! Where the driver's library is.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

const NAME: &str = "libvscpl2drv-websocksrv.so";

/// What cargo calls it.
const CARGO_NAME: &str = "libvscpl2drv_websocksrv.so";

/// Where the daemon's drivers are.
const INSTALLED: &str = "/var/lib/vscp/drivers/level2";

/// The library to load: the one given, else the first that is there.
pub(crate) fn find(given: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(path) = given {
        return fs::canonicalize(path).map_err(|error| format!("{}: {error}", path.display()));
    }
    let executable = env::current_exe().ok();
    first(places(executable.as_deref().and_then(Path::parent)))
}

/// Where it may be, the best place first.
fn places(beside: Option<&Path>) -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Some(beside) = beside {
        places.push(beside.join(NAME));
        // `cargo run` builds it there, and leaves an older one beside the executable as it is.
        places.push(beside.join("deps").join(CARGO_NAME));
        places.push(beside.join(CARGO_NAME));
    }
    places.push(Path::new(INSTALLED).join(NAME));
    places
}

fn first(places: Vec<PathBuf>) -> Result<PathBuf, String> {
    if let Some(path) = places.iter().find(|path| path.is_file()) {
        return Ok(path.clone());
    }
    let looked_for: Vec<_> = places
        .iter()
        .map(|path| format!("\n  {}", path.display()))
        .collect();
    Err(format!(
        "there is no driver library; looked for{}\nname it with --driver PATH, or build it with: \
         cargo build --release",
        looked_for.concat()
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

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
            assert_eq!(first(places(Some(beside))), Ok(beside.join(name)));
        }
    }

    #[test]
    fn the_daemons_folder_is_the_last_resort() {
        let installed = Path::new("/var/lib/vscp/drivers/level2/libvscpl2drv-websocksrv.so");
        assert_eq!(places(None), [installed]);
        assert_eq!(
            places(Some(Path::new("/usr/bin"))).last().unwrap(),
            installed
        );
    }

    #[test]
    fn where_none_is_found_all_places_are_said() {
        let folder = tempfile::tempdir().unwrap();
        let missing = [folder.path().join("a"), folder.path().join("b")];
        let error = first(missing.to_vec()).unwrap_err();
        for path in missing {
            assert!(
                error.contains(&format!("\n  {}\n", path.display())),
                "{error}"
            );
        }
        assert!(error.contains("--driver PATH"), "{error}");
    }
}

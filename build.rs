//! Generates the C header and names the shared library.
//!
//! The header goes to the build folder; the one in `include/` is a committed copy, which a test
//! compares with it.

use std::{env, error::Error, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/ffi");
    println!("cargo::rerun-if-changed=cbindgen.toml");
    println!("cargo::rerun-if-changed=build.rs");

    let root = env::var("CARGO_MANIFEST_DIR")?;
    let header = PathBuf::from(env::var("OUT_DIR")?).join("vscpl2drv-websocksrv.h");
    cbindgen::generate(root)?.write_to_file(&header);
    println!("cargo::rustc-env=GENERATED_HEADER={}", header.display());

    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libvscpl2drv-websocksrv.so");
    // The host unloads the library with threads of its own still alive: statics and code stay.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    Ok(())
}

//! Generates the C header and names the shared library.
//!
//! The header goes to the build folder; the one in `include/` is a committed copy, which a test
//! compares with it.

use std::{env, error::Error, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/ffi");
    println!("cargo::rerun-if-changed=cbindgen.toml");
    println!("cargo::rerun-if-changed=build.rs");

    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let header = PathBuf::from(env::var("OUT_DIR")?).join("vscpl2drv-websocksrv.h");
    let mut builder = cbindgen::Builder::new()
        .with_config(cbindgen::Config::from_file(root.join("cbindgen.toml"))?);
    // The rest of the crate is not for C.
    for source in ["status.rs", "layout.rs", "mod.rs"] {
        builder = builder.with_src(root.join("src/ffi").join(source));
    }
    builder.generate()?.write_to_file(&header);
    println!("cargo::rustc-env=GENERATED_HEADER={}", header.display());

    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libvscpl2drv-websocksrv.so");
    // The host unloads the library with threads of its own still alive: statics and code stay.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    Ok(())
}

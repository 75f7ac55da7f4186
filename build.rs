//! Generates the C header, names the shared library, and puts the panel into it.
//!
//! The header goes to the build folder; the one in `include/` is a committed copy, which a test
//! compares with it.

use std::{
    collections::BTreeSet,
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// The files of the panel.
const PANEL: &str = "examples/www";

/// The modules for pages of others: they are served beside the files of a `web-root`, too, with all
/// that they import.
const CLIENT_MODULES: [&str; 2] = ["vscp.js", "vscp-widgets.js"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/ffi");
    println!("cargo::rerun-if-changed=cbindgen.toml");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={PANEL}");

    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let output = PathBuf::from(env::var("OUT_DIR")?);
    let header = output.join("vscpl2drv-websocksrv.h");
    let mut builder = cbindgen::Builder::new()
        .with_config(cbindgen::Config::from_file(root.join("cbindgen.toml"))?);
    // The rest of the crate is not for C.
    for source in ["status.rs", "layout.rs", "mod.rs"] {
        builder = builder.with_src(root.join("src/ffi").join(source));
    }
    builder.generate()?.write_to_file(&header);
    println!("cargo::rustc-env=GENERATED_HEADER={}", header.display());
    embed_panel(&root.join(PANEL), &output)?;

    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libvscpl2drv-websocksrv.so");
    // The host unloads the library with threads of its own still alive: statics and code stay.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    Ok(())
}

/// Writes the table of the panel's files, which `src/http/files/panel.rs` includes, and each file
/// compressed.
fn embed_panel(panel: &Path, output: &Path) -> Result<(), Box<dyn Error>> {
    let entries = fs::read_dir(panel)?.collect::<Result<Vec<_>, _>>()?;
    let mut paths: Vec<_> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    let client_files = client_files(panel)?;
    let mut table = format!("static FILES: [File; {}] = [\n", paths.len());
    for path in paths {
        let name = path.file_name().ok_or("no name")?;
        let name = name.to_str().ok_or("a name that is not UTF-8")?;
        let kind =
            content_type(&path).ok_or_else(|| format!("{name}: no content type is known"))?;
        let is_for_clients = client_files.contains(name);
        let plain = fs::read(&path)?;
        let compressed = output.join(format!("{name}.gz"));
        // Without name and time, so that each build makes the same.
        let mut encoder = GzEncoder::new(fs::File::create(&compressed)?, Compression::best());
        encoder.write_all(&plain)?;
        encoder.finish()?;
        let mut tag = String::new();
        for byte in &Sha256::digest(&plain)[..8] {
            write!(tag, "{byte:02x}")?;
        }
        let gzip_tag = format!("\"{tag}-gzip\"");
        let tag = format!("\"{tag}\"");
        writeln!(
            table,
            "    File {{\n        name: {name:?},\n        content_type: {kind:?},\n        \
             is_for_clients: {is_for_clients},\n        \
             plain: Content {{ bytes: include_bytes!({path:?}), tag: {tag:?} }},\n        \
             gzip: Content {{ bytes: include_bytes!({compressed:?}), tag: {gzip_tag:?} }},\n    }},"
        )?;
    }
    table.push_str("];\n");
    fs::write(output.join("panel.rs"), table)?;
    Ok(())
}

/// Returns the names of the modules for clients and of the files that they name as `"./file"`.
fn client_files(panel: &Path) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let mut found = BTreeSet::new();
    let mut names = CLIENT_MODULES.map(str::to_owned).to_vec();
    while let Some(name) = names.pop() {
        if found.contains(&name) {
            continue;
        }
        let text = fs::read_to_string(panel.join(&name))?;
        let imports = text.split("\"./").skip(1);
        let imports = imports.filter_map(|rest| rest.split('"').next());
        names.extend(
            imports
                .filter(|name| panel.join(name).is_file())
                .map(str::to_owned),
        );
        found.insert(name);
    }
    Ok(found)
}

fn content_type(path: &Path) -> Option<&'static str> {
    Some(match path.extension()?.to_str()? {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

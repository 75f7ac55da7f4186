//! The committed header is the generated one.

#![allow(clippy::unwrap_used)]

use std::fs;

#[test]
fn the_committed_header_is_up_to_date() {
    let committed = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/include/vscpl2drv-websocksrv.h"
    );
    let generated = env!("GENERATED_HEADER");
    assert!(
        fs::read(committed).unwrap_or_default() == fs::read(generated).unwrap(),
        "the C interface has changed: cp {generated} {committed}"
    );
}

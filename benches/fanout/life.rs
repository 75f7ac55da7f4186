//! Opening, closing, and the size of the library.

use std::{env, error::Error, fs, process::Command, time::Instant};

use vscp_driver_host::{Library, find};

use crate::{
    RUNS,
    clients::{Clients, Role},
    server,
    stats::median,
};

pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    println!("\nOpen, close, size");
    let path = find::built()?;
    let library = Library::load(&path)?;
    let mut open = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        let _driver = server::open(&library, "")?;
        open.push(start.elapsed().as_secs_f64() * 1e3);
    }
    println!("VSCPOpen: {:.1} ms", median(open));
    close(&library, 0, Role::Mute, "without clients")?;
    close(&library, 1000, Role::Numbered, "1000 clients that go")?;
    close(&library, 1000, Role::Mute, "1000 clients that do not react")?;

    let stripped = env::temp_dir().join(format!("fanout-{}.so", std::process::id()));
    let status = Command::new("strip")
        .arg("-o")
        .args([&stripped, &path])
        .status()?;
    if !status.success() {
        return Err("strip fails".into());
    }
    let size = fs::metadata(&stripped)?.len();
    fs::remove_file(&stripped)?;
    println!("stripped library: {:.2} MiB", size as f64 / 1024.0 / 1024.0);
    Ok(())
}

fn close(library: &Library, count: usize, role: Role, name: &str) -> Result<(), Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let (driver, address) = server::open(library, "")?;
        let _clients = Clients::start(role, count, &address)?;
        let start = Instant::now();
        driver
            .close()
            .map_err(|status| format!("VSCPClose gives {status}"))?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    println!("VSCPClose, {name}: {:.1} ms", median(times));
    Ok(())
}

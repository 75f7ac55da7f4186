//! The cost of idle clients.

use std::{collections::HashMap, error::Error, ffi::OsString, fs, thread, time::Duration};

use vscp_driver_host::{Library, find};

use crate::{
    RUNS,
    clients::{Clients, Role},
    server,
    stats::median,
};

pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    println!("\nIdle clients");
    let library = Library::load(&find::built()?)?;
    {
        let (_driver, address) = server::open(&library, r#""ping-interval": 0"#)?;
        memory(&address)?;
    }
    for (name, seconds, more) in [
        ("no pings", 10, r#""ping-interval": 0"#),
        ("a ping every 10 s", 20, r#""ping-interval": 10"#),
    ] {
        processor(&library, name, seconds, more)?;
    }
    Ok(())
}

pub(crate) fn memory(address: &str) -> Result<(), Box<dyn Error>> {
    let _first = Clients::start(Role::Numbered, 100, address)?;
    let mut before = resident()?;
    let mut all = Vec::new();
    let mut growth = Vec::new();
    for _ in 0..RUNS {
        all.push(Clients::start(Role::Numbered, 1000, address)?);
        let after = resident()?;
        growth.push((after as f64 - before as f64) / 1000.0);
        before = after;
    }
    let total = growth.iter().sum::<f64>() / RUNS as f64;
    println!(
        "memory of the server, KiB a client: {:.1} (1000 clients more, median of {RUNS}; mean \
         {total:.1})",
        median(growth)
    );
    Ok(())
}

fn processor(
    library: &Library,
    name: &str,
    seconds: u64,
    more: &str,
) -> Result<(), Box<dyn Error>> {
    let (_driver, address) = server::open(library, more)?;
    let _clients = Clients::start(Role::Numbered, 100, &address)?;
    // The threads that have checked the logins end after 10 s.
    thread::sleep(Duration::from_secs(12));
    let before = threads_of_driver()?;
    thread::sleep(Duration::from_secs(seconds));
    let after = threads_of_driver()?;
    let mut switches = 0;
    let mut ticks = 0;
    for (id, used) in &after {
        let before = before.get(id).copied().unwrap_or_default();
        switches += used.switches - before.switches;
        ticks += used.ticks - before.ticks;
    }
    println!(
        "100 clients, {name}, {seconds} s: {switches} wake-ups and {} ms of the driver's {} threads",
        ticks * 10,
        after.len(),
    );
    Ok(())
}

/// KiB that the process has in memory.
fn resident() -> Result<u64, Box<dyn Error>> {
    // What was freed by logins is still on its way back.
    thread::sleep(Duration::from_millis(200));
    field(&fs::read_to_string("/proc/self/status")?, "VmRSS:")
}

/// What a thread has used.
#[derive(Clone, Copy, Default)]
struct Used {
    /// Voluntary context switches.
    switches: u64,
    /// Processor time, in hundredths of a second.
    ticks: u64,
}

/// All threads of the process but the first, by their ids.
fn threads_of_driver() -> Result<HashMap<OsString, Used>, Box<dyn Error>> {
    let mut threads = HashMap::new();
    for thread in fs::read_dir("/proc/self/task")? {
        let thread = thread?;
        if thread.file_name() == *std::process::id().to_string() {
            continue;
        }
        let status = fs::read_to_string(thread.path().join("status"))?;
        let stat = fs::read_to_string(thread.path().join("stat"))?;
        // Behind the name, which may have blanks.
        let (_, rest) = stat.rsplit_once(')').ok_or("no stat")?;
        let times = rest.split_whitespace().skip(11).take(2);
        let used = Used {
            switches: field(&status, "voluntary_ctxt_switches:")?,
            ticks: times.map(|time| time.parse().unwrap_or(0)).sum(),
        };
        threads.insert(thread.file_name(), used);
    }
    Ok(threads)
}

fn field(status: &str, name: &str) -> Result<u64, Box<dyn Error>> {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no such field")?.parse()?)
}

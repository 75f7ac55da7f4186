//! Numbers of the process, under the names that Prometheus gives them
//! (<https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>).

use nix::sys::resource::{Resource, getrlimit};
use procfs::{ProcResult, process::Process};

use crate::metrics::{MetricKind, Page};

/// Adds the numbers that the system tells; without `/proc` there are none.
pub(super) fn show_on(page: &mut Page) {
    // Numbers that cannot be read are not shown.
    let _ = show(page);
}

fn show(page: &mut Page) -> ProcResult<()> {
    let process = Process::myself()?;
    let stat = process.stat()?;
    let ticks = procfs::ticks_per_second() as f64;
    let mut gauge = |name, help, value| page.common(name, MetricKind::Gauge, help, value);
    gauge(
        "process_resident_memory_bytes",
        "Resident memory of the process.",
        (stat.rss * procfs::page_size()) as f64,
    );
    gauge(
        "process_virtual_memory_bytes",
        "Virtual memory of the process.",
        stat.vsize as f64,
    );
    gauge(
        "process_threads",
        "Threads of the process.",
        stat.num_threads as f64,
    );
    gauge(
        "process_start_time_seconds",
        "When the process has started, in seconds since 1970.",
        procfs::boot_time_secs()? as f64 + stat.starttime as f64 / ticks,
    );
    // The folder itself is open while it is read.
    let open = process.fd_count()?.saturating_sub(1);
    gauge(
        "process_open_fds",
        "Open files of the process.",
        open as f64,
    );
    if let Ok((soft, _)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let help = "The largest number of open files.";
        gauge("process_max_fds", help, soft as f64);
    }
    let seconds = (stat.utime + stat.stime) as f64 / ticks;
    page.common(
        "process_cpu_seconds_total",
        MetricKind::Counter,
        "Processor time of the process, in seconds.",
        seconds,
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs::File, time::SystemTime};

    use super::*;

    fn value(name: &str) -> f64 {
        let mut page = Page::default();
        show_on(&mut page);
        let page = page.into_string();
        let sample = |line: &str| line.strip_prefix(name)?.trim().parse().ok();
        page.lines().find_map(sample).unwrap()
    }

    #[test]
    fn the_numbers_are_those_of_this_process() {
        let files: Vec<_> = (0..500).map(|_| File::open("/").unwrap()).collect();
        let open = value("process_open_fds");
        assert!((500.0..value("process_max_fds")).contains(&open), "{open}");
        drop(files);

        let memory = value("process_resident_memory_bytes");
        assert!((1e6..value("process_virtual_memory_bytes")).contains(&memory));
        assert!(value("process_threads") >= 1.0);
        assert!(value("process_cpu_seconds_total") >= 0.0);
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
        let age = now - value("process_start_time_seconds");
        assert!((-5.0..86_400.0).contains(&age), "{age}");
    }
}

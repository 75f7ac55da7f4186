//! One situation: what was measured, as a row of the table.

use std::{
    error::Error,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use vscp_driver_host::{Library, find};

use crate::{
    host, peers::Dialect, process::Process, rest::metrics, server, situations::SITUATIONS,
    stats::percentile,
};

/// Time until the situation is as it will be.
const WARMING_UP: Duration = Duration::from_secs(1);

/// The aims: 99 of 100 switches in so many ms, and ms that VSCPWrite waits within a second.
const AIM_P99: f64 = 20.0;
const AIM_HELD: f64 = 50.0;

pub(crate) fn show_head(seconds: u64) {
    println!(
        "Switches beside others, {seconds} s each; times in ms, p50/p99/max. Peers: events that \
         they read or sent a second.\n\
         {:<38} {:>18} {:>18} {:>4} {:>5} {:>6} {:>6} {:>4} {:>9} {:>7}  dropped",
        "",
        "to a client",
        "to the host",
        "lost",
        "error",
        "held",
        "in 1 s",
        "full",
        "host/s",
        "peers/s"
    );
}

/// Measures the situation with this index, and shows its row.
pub(crate) fn measure(index: usize, seconds: u64) -> Result<(), Box<dyn Error>> {
    let situation = SITUATIONS.get(index).ok_or("no such situation")?;
    let library = Library::load(&find::built()?)?;
    let folder = tempfile::tempdir()?;
    let more = r#""metrics": "/metrics""#;
    let (driver, secure, plain) = server::open_with_tls(&library, &folder, more)?;
    let rest = if situation.rest { "rest" } else { "" };
    let mut good = Process::start(&["good", &plain, rest])?;
    let peers = situation.peers.iter().enumerate();
    let peers = peers.map(|(group, peers)| {
        let address = match peers.dialect {
            Dialect::Ws1 | Dialect::Ws2 => &plain,
            Dialect::Wss => &secure,
        };
        Process::start(&["peers", &index.to_string(), &group.to_string(), address])
    });
    let mut peers = peers.collect::<Result<Vec<_>, _>>()?;

    let end = AtomicBool::new(false);
    let (answer, written, to_host, done, dropped) = thread::scope(|scope| {
        let writer = scope.spawn(|| host::write(&driver, situation.writing, &end));
        let reader = situation
            .reads
            .then(|| scope.spawn(|| host::read(&driver, &end)));
        let mut clients = || -> Result<_, Box<dyn Error>> {
            thread::sleep(WARMING_UP);
            let before = done_by(&mut peers)?;
            let dropped_before = dropped(&metrics(&plain)?);
            let answer = good.ask(&[seconds * 1000])?;
            let after = done_by(&mut peers)?;
            let mut dropped = dropped(&metrics(&plain)?);
            for ((_, count), (_, before)) in dropped.iter_mut().zip(dropped_before) {
                *count -= before;
            }
            Ok((answer, after - before, dropped))
        };
        let result = clients();
        end.store(true, Ordering::Relaxed);
        let written = writer.join().map_err(|_| "panic")?;
        let to_host = reader.map(|reader| reader.join()).transpose();
        let to_host = to_host.map_err(|_| "panic")?;
        let (answer, done, dropped) = result?;
        Ok::<_, Box<dyn Error>>((answer, written, to_host, done, dropped))
    })?;

    let [accepted, refused, came, ref times @ ..] = answer[..] else {
        return Err("no answer".into());
    };
    let (times, rest_times) = times.split_at(came as usize);
    let to_host_count = to_host
        .as_ref()
        .map_or(accepted, |times| times.len() as u64);
    let lost = accepted.saturating_sub(came) + accepted.saturating_sub(to_host_count);
    let in_a_second = milliseconds(written.longest_in_a_second());
    let dropped = dropped.iter().filter(|(_, count)| *count > 0);
    let dropped: Vec<_> = dropped
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    let whole = seconds + WARMING_UP.as_secs();
    println!(
        "{:<38} {:>18} {:>18} {lost:>4} {refused:>5} {:>6.1} {:>6} {:>4} {:>9} {:>7}  {}",
        situation.name,
        latency(times),
        to_host.map_or_else(String::new, |times| latency(&times)),
        milliseconds(written.longest()),
        marked(format!("{in_a_second:.1}"), in_a_second > AIM_HELD),
        marked(written.full.to_string(), written.full > 0),
        written.events / whole,
        done / seconds,
        dropped.join(", "),
    );
    if !rest_times.is_empty() {
        println!(
            "{:>38} {:>18}",
            "requests of REST beside it",
            latency(rest_times)
        );
    }
    Ok(())
}

/// Events that the peers have read or sent in all.
fn done_by(peers: &mut [Process]) -> Result<u64, Box<dyn Error>> {
    let mut sum = 0;
    for peers in peers {
        sum += peers.ask(&[])?.first().ok_or("no answer")?;
    }
    Ok(sum)
}

/// The counters of what was dropped or refused, by whom it did not reach and the reason.
fn dropped(page: &str) -> Vec<(String, u64)> {
    let lines = page.lines().filter_map(|line| {
        let rest = line.strip_prefix("websocksrv_events_")?;
        let (_, rest) = rest.split_once("ed_total{")?;
        let (labels, count) = rest.split_once("} ")?;
        let values: Vec<_> = labels.split('"').skip(1).step_by(2).collect();
        Some((values.join(" "), count.trim().parse().ok()?))
    });
    lines.collect()
}

/// p50, p99 and the longest of times in ns, in ms.
fn latency(times: &[u64]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let [p50, p99, max] = [50.0, 99.0, 100.0].map(|part| milliseconds(percentile(&sorted, part)));
    format!(
        "{p50:.2}/{}/{max:.1}",
        marked(format!("{p99:.2}"), p99 > AIM_P99)
    )
}

fn marked(text: String, missed: bool) -> String {
    if missed { text + "!" } else { text }
}

fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

//! `run`: loads the driver as a daemon does, and shows what it gets.

use std::{
    error::Error,
    io::{self, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use anstyle::Style;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};
use vscp_driver_host::{Library, OpenDriver, Status, find};
use vscpl2drv_websocksrv::{
    config::Config,
    event::Event,
    ffi::status::CANAL_ERROR_TIMEOUT,
    http::{Listen, StaticFiles},
    identity,
};

use crate::{message, simulate};

/// How long a signal may go unnoticed.
const POLL: Duration = Duration::from_millis(100);

/// Events of clients that wait for the simulated house.
const MAX_TOLD: usize = 100;

/// Runs the driver without a daemon and prints the events that clients send
///
/// It loads the library through the same functions as the daemon. Ctrl-C ends it.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vscpl2drv-websocksrv run examples/demo.json
  vscpl2drv-websocksrv run examples/demo.json --simulate 2
  vscpl2drv-websocksrv run /etc/vscp/websocksrv.json --simulate 0.1 > events.txt")]
pub(crate) struct Args {
    /// The path of a JSON configuration file (or JSON text)
    config: String,

    /// Write so many events a second, as a house would, whose lights and heating do what clients send
    #[arg(long, value_name = "RATE", value_parser = simulate::rate)]
    simulate: Option<f64>,

    /// The driver library; else it is looked for beside this program, then in
    /// /var/lib/vscp/drivers/level2
    #[arg(long, value_name = "PATH")]
    driver: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let config = Config::load(&args.config)?;
    let path = find::library(args.driver.as_deref())?;
    let stop = stop_at_signals()?;
    let library = Library::load(&path)?;
    let driver = library.open(&args.config, None, config.layout)?;
    message::note(format_args!("{} is open", path.display()));
    for line in addresses(&config) {
        message::note(line);
    }

    let (tell, told) = mpsc::sync_channel(MAX_TOLD);
    let (read, written) = thread::scope(|scope| {
        let simulation = args.simulate.map(|rate| {
            message::note(format_args!(
                "{rate} events a second from a simulated house"
            ));
            let guid = identity::guid(None, config.guid).0;
            let driver = &driver;
            scope.spawn(move || simulate::simulate(driver, rate, guid, &told))
        });
        let is_simulated = simulation.is_some();
        let read = print_events(&driver, &stop, |event| {
            if is_simulated {
                // A house that is told more than it can do misses some of it.
                _ = tell.try_send(event);
            }
        });
        drop(tell);
        let written = simulation.map_or(0, |thread| thread.join().unwrap_or(0));
        (read, written)
    });
    driver
        .close()
        .map_err(|status| format!("VSCPClose: {status}"))?;
    let read = read?;
    message::note(format_args!(
        "closed; {read} events read, {written} events written"
    ));
    Ok(())
}

/// Returns a flag that Ctrl-C or SIGTERM sets; the second one ends the program.
fn stop_at_signals() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 1, stop.clone())?;
        flag::register(signal, stop.clone())?;
    }
    Ok(stop)
}

/// Returns the addresses for clients, a line for each address.
fn addresses(config: &Config) -> Vec<String> {
    let paths = [
        ("ws1, text", &config.http.urls.ws1),
        ("ws2, JSON", &config.http.urls.ws2),
    ];
    let mut lines = Vec::new();
    for listen in &config.listen {
        if listen.port == 0 {
            lines.push("clients connect to the port that the log shows".to_owned());
            continue;
        }
        let reachable = Listen {
            host: Some(listen.host.clone().unwrap_or_else(|| "localhost".into())),
            ..listen.clone()
        };
        if config.http.files != StaticFiles::Off {
            // wss becomes https.
            let address = reachable.to_string().replacen("ws", "http", 1);
            lines.push(format!("browsers open {address}"));
        }
        for (protocol, path) in paths {
            if let Some(path) = path {
                lines.push(format!("clients connect to {reachable}{path} ({protocol})"));
            }
        }
    }
    lines
}

/// Prints the events that clients send and gives each to `then`, until `stop` is set. Returns their
/// number. Fails if the driver fails or the output is closed.
fn print_events(
    driver: &OpenDriver<'_>,
    stop: &AtomicBool,
    mut then: impl FnMut(Event),
) -> Result<u64, Box<dyn Error>> {
    let mut out = anstream::stdout().lock();
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        match driver.read(POLL) {
            Ok(event) => {
                if count == 0 {
                    print_heading(&mut out)?;
                }
                print_event(&event, &mut out)?;
                count += 1;
                then(event);
            }
            Err(Status(CANAL_ERROR_TIMEOUT)) => {}
            Err(status) => return Err(format!("VSCPRead: {status}").into()),
        }
    }
    Ok(count)
}

fn print_heading(out: &mut impl Write) -> io::Result<()> {
    let bold = Style::new().bold();
    writeln!(
        out,
        "{bold}{:20} {:>5} {:>5} {:>4}  {:47}  DATA{bold:#}",
        "DATE AND TIME (UTC)", "CLASS", "TYPE", "PRIO", "GUID",
    )
}

fn print_event(event: &Event, out: &mut impl Write) -> io::Result<()> {
    let date = event.date.map_or(String::new(), |date| date.to_string());
    let data: Vec<_> = event.data.iter().map(|b| format!("0x{b:02X}")).collect();
    writeln!(
        out,
        "{date:20} {:>5} {:>5} {:>4}  {}  {}",
        event.class,
        event.kind,
        event.priority(),
        event.guid,
        data.join(","),
    )
}

#[cfg(test)]
mod tests {
    use vscpl2drv_websocksrv::event::text;

    use super::*;

    #[test]
    fn events_are_in_columns_below_the_heading() {
        let guid = "FF:FF:FF:FF:FF:FF:FF:FE:00:01:02:03:04:05:00:01";
        let events = [
            (
                format!("96,10,6,0,2020-01-27T20:47:55Z,1,{guid},0x88,1"),
                format!("2020-01-27T20:47:55Z    10     6    3  {guid}  0x88,0x01\n"),
            ),
            (
                format!("0,65535,65535,0,,1,{guid}"),
                format!("                     65535 65535    0  {guid}  \n"),
            ),
        ];
        let mut heading = Vec::new();
        print_heading(&mut anstream::StripStream::new(&mut heading)).unwrap();
        let heading = String::from_utf8(heading).unwrap();
        for (event, line) in events {
            let mut out = Vec::new();
            print_event(&text::parse(&event).unwrap(), &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), line);
            assert_eq!(heading.find("GUID"), line.find(guid));
        }
        assert_eq!(heading.find("CLASS"), Some(21));
    }

    #[test]
    fn clients_are_shown_an_address_that_they_can_use() {
        for (configuration, expected) in [
            (
                r#""interface":"*:1""#,
                &[
                    "browsers open http://localhost:1",
                    "clients connect to ws://localhost:1/ws1 (ws1, text)",
                    "clients connect to ws://localhost:1/ws2 (ws2, JSON)",
                ][..],
            ),
            (
                r#""interface":["[::1]:2","ws://a:0"],"enable-ws2":false,"url-ws1":"x","enable-static":false"#,
                &[
                    "clients connect to ws://[::1]:2/x (ws1, text)",
                    "clients connect to the port that the log shows",
                ],
            ),
        ] {
            let text = format!(r#"{{"allow-default-key":true,{configuration}}}"#);
            assert_eq!(addresses(&Config::load(&text).unwrap()), expected);
        }
    }
}

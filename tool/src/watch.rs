//! `watch`: shows the events that a driver sends.

use std::{
    error::Error,
    io::{self, Write},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use vscpl2drv_websocksrv::event::{
    Event, Filter, json as event_json, measurement::Measurement, names,
};

use crate::client::{self, ClientError, Connection, Options};

/// Without a time limit: longer than any connection lasts.
const NO_LIMIT: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Shows the events of a driver that runs, in words
///
/// It runs until --count, --wait or Ctrl-C ends it. The exit status is 0 after --count events, or
/// after --wait without --count; 1 if the server cannot be reached or closes the connection, 3 if
/// the time was over before --count events had come, 4 if the server refuses the login.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vscpl2drv-websocksrv watch
  vscpl2drv-websocksrv watch --class 10 --type 6
  vscpl2drv-websocksrv watch --filter '3,0,0,-;7,0,0,-'
  vscpl2drv-websocksrv watch --json -n 1 -W 60 | jq .measurement.value

The settings may also stand in the environment (VSCP_URL, VSCP_USER, VSCP_PASSWORD,
VSCP_PASSWORD_FILE, VSCP_KEY, VSCP_KEY_FILE, VSCP_CA), or in ~/.config/vscp/client.json.")]
pub(crate) struct Args {
    /// Only events of this class
    #[arg(long, value_name = "NUMBER", value_parser = client::number)]
    class: Option<u16>,
    /// Only events of this type
    #[arg(long = "type", value_name = "NUMBER", value_parser = client::number)]
    kind: Option<u16>,
    /// Only events that pass it: priority,class,type,GUID, and behind a ; the same for the mask.
    /// Without a mask every bit of the fields that are given counts
    #[arg(long, value_parser = filter)]
    filter: Option<Filter>,
    /// A JSON object a line
    #[arg(long)]
    json: bool,
    /// End after so many events
    #[arg(short = 'n', long, value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after so many seconds
    #[arg(short = 'W', long, value_name = "SECONDS", value_parser = seconds)]
    wait: Option<Duration>,
    #[command(flatten)]
    options: Options,
}

pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let deadline = Instant::now() + args.wait.unwrap_or(NO_LIMIT);
    let mut connection = Connection::open(args.options.settings()?)?;
    let mut out = anstream::stdout().lock();
    let mut count = 0;
    while args.count.is_none_or(|limit| count < limit) {
        let Some(event) = connection.next(deadline)? else {
            return match args.count {
                None => Ok(()),
                Some(limit) => {
                    let text = format!("the time is over after {count} of {limit} events");
                    Err(ClientError::TimeOver(text).into())
                }
            };
        };
        if args.passes(&event) {
            show(&event, args.json, &mut out)?;
            count += 1;
        }
    }
    Ok(())
}

impl Args {
    fn passes(&self, event: &Event) -> bool {
        self.class.is_none_or(|class| class == event.class)
            && self.kind.is_none_or(|kind| kind == event.kind)
            && self.filter.is_none_or(|filter| filter.passes_event(event))
    }
}

fn show(event: &Event, as_json: bool, out: &mut impl Write) -> io::Result<()> {
    match as_json {
        true => writeln!(out, "{}", as_value(event)),
        false => writeln!(out, "{}", in_words(event)),
    }?;
    out.flush()
}

/// Returns a line for people: time, sender, what it is, value or data.
fn in_words(event: &Event) -> String {
    let date = event.date.map_or(String::new(), |date| date.to_string());
    let class = names::class(event.class).map(str::to_owned);
    let class = class.unwrap_or_else(|| format!("class {}", event.class));
    let kind = names::kind(event.class, event.kind).map(str::to_owned);
    let kind = kind.unwrap_or_else(|| format!("type {}", event.kind));
    let content = match Measurement::of(event) {
        Some(measurement) => measured(&measurement),
        None => {
            let bytes = event.data.iter().map(|byte| format!("{byte:02X}"));
            bytes.collect::<Vec<_>>().join(" ")
        }
    };
    format!("{date:20}  {}  {class}, {kind}: {content}", event.guid)
        .trim_end_matches([':', ' '])
        .to_owned()
}

fn measured(measurement: &Measurement) -> String {
    let Measurement {
        kind,
        value,
        unit,
        sensor,
        zone,
        subzone,
    } = *measurement;
    let unit = names::unit(kind, unit).unwrap_or_default();
    let mut text = format!("{value} {unit}").trim_end().to_owned();
    for (label, number) in [("sensor", sensor), ("zone", zone), ("subzone", subzone)] {
        if number > 0 {
            text += &format!(", {label} {number}");
        }
    }
    text
}

/// Returns the event in JSON, with names and the measurement.
fn as_value(event: &Event) -> Value {
    let mut bytes = Vec::new();
    event_json::encode(event, event_json::Keys::Short, &mut bytes);
    let mut value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    value["class-name"] = names::class(event.class).into();
    value["type-name"] = names::kind(event.class, event.kind).into();
    if let Some(measurement) = Measurement::of(event) {
        value["measurement"] = json!({
            "value": measurement.value,
            "unit": names::unit(measurement.kind, measurement.unit),
            "sensor": measurement.sensor,
            "zone": measurement.zone,
            "subzone": measurement.subzone,
        });
    }
    value
}

fn filter(text: &str) -> Result<Filter, String> {
    let parsed = Filter::parse_config(text).map(|(filter, _)| filter);
    parsed.map_err(|error| error.to_string())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok();
    let wait = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    wait.filter(|wait| *wait <= NO_LIMIT)
        .ok_or_else(|| "expected a number of seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use vscpl2drv_websocksrv::event::text;

    use super::*;

    #[test]
    fn events_are_shown_in_words_and_in_json() {
        let guid = "FF:FF:FF:FF:FF:FF:FF:FE:00:01:02:03:04:05:00:01";
        let of = |rest: &str| text::parse(&rest.replace("GUID", guid)).unwrap();
        for (event, words) in [
            (
                "96,10,6,0,2020-01-27T20:47:55Z,1,GUID,0x8A,0x82,0x08,0x34",
                "2020-01-27T20:47:55Z  GUID  Measurement, Temperature: 21 °C, sensor 2",
            ),
            (
                "0,20,3,0,2020-01-27T20:47:55Z,1,GUID,0,1,0xff",
                "2020-01-27T20:47:55Z  GUID  Information, On: 00 01 FF",
            ),
            (
                "0,9999,65535,0,,1,GUID",
                "                      GUID  class 9999, type 65535",
            ),
        ] {
            assert_eq!(in_words(&of(event)), words.replace("GUID", guid));
        }
        let value = as_value(&of(
            "96,1060,6,0,2020-01-27T20:47:55Z,1,GUID,2,3,4,1,0x40,0x35,0x80,0,0,0,0,0",
        ));
        assert_eq!(value["class"], 1060);
        assert_eq!(value["type-name"], "Temperature");
        let measurement =
            json!({"value": 21.5, "unit": "°C", "sensor": 2, "zone": 3, "subzone": 4});
        assert_eq!(value["measurement"], measurement);
    }
}

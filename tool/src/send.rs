//! `send`: sends events over a websocket.

use std::{
    error::Error,
    io::{self, BufRead},
};

use vscpl2drv_websocksrv::event::{
    Event, Guid,
    measurement::{Form, Measurement},
    names, text,
};

use crate::{
    client::{self, Connection, Options},
    message,
};

/// Sends events to a driver that runs
///
/// The exit status is 0 if all were taken, 1 if the server cannot be reached, 4 if it refuses the
/// login or an event.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vscpl2drv-websocksrv send 96,20,3,0,,,-,0,1,2
  vscpl2drv-websocksrv send --class 30 --type 5 --data 0,1,2
  vscpl2drv-websocksrv send --measurement temperature --value 21.5 --unit 1
  grep ,20, events.txt | vscpl2drv-websocksrv send --url wss://vscp.example.org:8884/ws2 -

The settings may also stand in the environment (VSCP_URL, VSCP_USER, VSCP_PASSWORD,
VSCP_PASSWORD_FILE, VSCP_KEY, VSCP_KEY_FILE, VSCP_CA), or in ~/.config/vscp/client.json.")]
pub(crate) struct Args {
    /// Events: head,class,type,obid,datetime,timestamp,GUID,data...; - for lines of the standard
    /// input
    #[arg(required_unless_present_any = ["class", "measurement"], allow_hyphen_values = true)]
    events: Vec<String>,
    /// The class of an event that is made of options
    #[arg(
        long,
        value_name = "NUMBER",
        value_parser = client::number,
        requires = "type",
        conflicts_with_all = ["events", "measurement"]
    )]
    class: Option<u16>,
    /// The type
    #[arg(
        long = "type",
        id = "type",
        value_name = "NUMBER",
        value_parser = client::number,
        requires = "class"
    )]
    kind: Option<u16>,
    /// The data bytes, separated by commas
    #[arg(long, requires = "class", value_name = "BYTES", default_value = "")]
    data: String,
    /// The priority, 0 (highest) to 7
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=7))]
    priority: u8,
    /// The GUID [default: that of the driver]
    #[arg(long)]
    guid: Option<String>,
    /// A measurement (class 1060): its type by name or number
    #[arg(
        long,
        value_name = "TYPE",
        requires = "value",
        conflicts_with = "events"
    )]
    measurement: Option<String>,
    /// The measured value
    #[arg(long, allow_hyphen_values = true)]
    value: Option<f64>,
    /// The code of the unit
    #[arg(long, default_value_t = 0)]
    unit: u8,
    /// The index of the sensor
    #[arg(long, default_value_t = 0)]
    sensor: u8,
    #[command(flatten)]
    options: Options,
}

pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let mut events = match args.of_options()? {
        Some(event) => vec![event],
        None => Vec::new(),
    };
    let mut takes_lines = false;
    for text in &args.events {
        match text.as_str() {
            "-" => takes_lines = true,
            text => events.push(parse(text)?),
        }
    }
    let mut connection = Connection::open(args.options.settings()?)?;
    let mut count = events.len();
    for event in &events {
        connection.send(event)?;
    }
    if takes_lines {
        for line in io::stdin().lock().lines() {
            let line = line?;
            if !line.trim().is_empty() {
                connection.send(&parse(&line)?)?;
                count += 1;
            }
        }
    }
    let noun = if count == 1 { "event" } else { "events" };
    message::note(format_args!("{count} {noun} sent"));
    Ok(())
}

impl Args {
    /// Makes the event that options describe, `None` if they describe none.
    fn of_options(&self) -> Result<Option<Event>, Box<dyn Error>> {
        let mut event = match (self.class, self.kind, &self.measurement, self.value) {
            (Some(class), Some(kind), _, _) => parse(&format!(
                "0,{class},{kind},0,,0,-{}{}",
                if self.data.is_empty() { "" } else { "," },
                self.data
            ))?,
            (_, _, Some(name), Some(value)) => self.measured(name, value)?,
            _ => return Ok(None),
        };
        event.set_priority(self.priority);
        if let Some(guid) = &self.guid {
            event.guid = Guid::parse_wire(guid)
                .ok_or_else(|| format!("--guid: found {guid:?}, expected 16 pairs with colons"))?;
        }
        Ok(Some(event))
    }

    fn measured(&self, name: &str, value: f64) -> Result<Event, String> {
        let kind = name.parse().ok().or_else(|| names::measurement(name));
        let kind = kind.ok_or_else(|| {
            format!("--measurement: found {name:?}, expected the name or number of a type")
        })?;
        let measurement = Measurement {
            kind,
            value,
            unit: self.unit,
            sensor: self.sensor,
            zone: 0,
            subzone: 0,
        };
        let event = measurement.to_event(Form::Float);
        event.ok_or_else(|| format!("--value: found {value}, expected a number"))
    }
}

/// Reads an event; the driver fills in an empty time and GUID.
fn parse(text: &str) -> Result<Event, Box<dyn Error>> {
    text::parse(text).map_err(|error| format!("{text:?}: {error}").into())
}

//! Events and their text.

use vscpl2drv_websocksrv::event::{Date, Event, Guid, text};

use super::GUID;

pub(crate) fn event_of(text: &str) -> Event {
    text::parse(text).unwrap()
}

pub(crate) fn text_of(event: &Event) -> String {
    let mut out = Vec::new();
    text::encode(event, &mut out);
    String::from_utf8(out).unwrap()
}

/// An event of about 2 KB as text, of which a few thousand fill sockets and queues.
pub(crate) fn large_event() -> Event {
    event_of(&format!(
        "0,20,3,0,2020-01-01T00:00:00Z,1,-{}",
        ",255".repeat(400)
    ))
}

/// Splits a line of expected fields.
pub(crate) fn fields_of<const N: usize>(line: &str) -> [&str; N] {
    let fields: Vec<&str> = line.split('|').collect();
    fields
        .try_into()
        .unwrap_or_else(|_| panic!("not {N} fields: {line}"))
}

/// Compares an event of a client, as the host reads it, with its expected fields: head, class,
/// type, date (`now` for one that the driver sets), time stamp (`clock` for one of its clock),
/// GUID (`driver` for its own) and data in hex. `what` is the message that the client sent.
pub(crate) fn assert_fields(event: &Event, fields: [&str; 7], what: &str) {
    let [head, class, kind, date, time_stamp, guid, data] = fields;
    assert_eq!(event.head.to_string(), head, "{what}");
    assert_eq!(event.class.to_string(), class, "{what}");
    assert_eq!(event.kind.to_string(), kind, "{what}");
    let set = event.date.expect("the driver sets the date");
    match date {
        "now" => assert!(set >= Date::new(2025, 1, 1, 0, 0, 0).unwrap(), "{what}"),
        date => assert_eq!(set.to_string(), date, "{what}"),
    }
    match time_stamp {
        "clock" => assert_ne!(event.timestamp, 0, "{what}"),
        time_stamp => assert_eq!(event.timestamp.to_string(), time_stamp, "{what}"),
    }
    let guid: Guid = match guid {
        "driver" => GUID.parse().unwrap(),
        guid => guid.parse().unwrap(),
    };
    assert_eq!(event.guid, guid, "{what}");
    assert_eq!(hex::encode_upper(&*event.data), data, "{what}");
}

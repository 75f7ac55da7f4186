//! Encodes events as JSON.

use super::Keys;
use crate::event::Event;

/// Appends an event as an object. A date that is not set is `""`.
pub fn encode(event: &Event, keys: Keys, out: &mut Vec<u8>) {
    let families: &[_] = match keys {
        Keys::Both => &[VSCP_KEYS, SHORT_KEYS],
        Keys::Vscp => &[VSCP_KEYS],
        Keys::Short => &[SHORT_KEYS],
    };
    out.reserve(families.len() * (LONGEST_WITHOUT_DATA + 4 * event.data.len()));
    out.push(b'{');
    for (index, family) in families.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        encode_family(event, family, out);
    }
    out.push(b'}');
}

/// The keys of one family, with the punctuation in front of each value.
struct Family {
    head: &'static str,
    obid: &'static str,
    datetime: &'static str,
    timestamp: &'static str,
    class: &'static str,
    kind: &'static str,
    guid: &'static str,
    data: &'static str,
    note: &'static str,
}

const VSCP_KEYS: Family = Family {
    head: r#""vscpHead":"#,
    obid: r#","vscpObId":"#,
    datetime: r#","vscpDateTime":""#,
    timestamp: r#"","vscpTimeStamp":"#,
    class: r#","vscpClass":"#,
    kind: r#","vscpType":"#,
    guid: r#","vscpGuid":""#,
    data: r#"","vscpData":["#,
    note: r#"],"vscpNote":"""#,
};

const SHORT_KEYS: Family = Family {
    head: r#""head":"#,
    obid: r#","obid":"#,
    datetime: r#","datetime":""#,
    timestamp: r#"","timestamp":"#,
    class: r#","class":"#,
    kind: r#","type":"#,
    guid: r#","guid":""#,
    data: r#"","data":["#,
    note: r#"],"note":"""#,
};

/// The most bytes of one family without data: keys (119), numbers (35), date (20) and GUID (47).
const LONGEST_WITHOUT_DATA: usize = 224;

fn encode_family(event: &Event, keys: &Family, out: &mut Vec<u8>) {
    let mut number = itoa::Buffer::new();
    out.extend_from_slice(keys.head.as_bytes());
    out.extend_from_slice(number.format(event.head).as_bytes());
    out.extend_from_slice(keys.obid.as_bytes());
    out.extend_from_slice(number.format(event.obid).as_bytes());
    out.extend_from_slice(keys.datetime.as_bytes());
    if let Some(date) = &event.date {
        date.encode(out);
    }
    out.extend_from_slice(keys.timestamp.as_bytes());
    out.extend_from_slice(number.format(event.timestamp).as_bytes());
    out.extend_from_slice(keys.class.as_bytes());
    out.extend_from_slice(number.format(event.class).as_bytes());
    out.extend_from_slice(keys.kind.as_bytes());
    out.extend_from_slice(number.format(event.kind).as_bytes());
    out.extend_from_slice(keys.guid.as_bytes());
    event.guid.encode(out);
    out.extend_from_slice(keys.data.as_bytes());
    for (index, byte) in event.data.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(number.format(*byte).as_bytes());
    }
    out.extend_from_slice(keys.note.as_bytes());
}

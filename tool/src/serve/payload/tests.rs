use proptest::{collection::vec, option, prelude::*};
use vscpl2drv_websocksrv::event::{Data, Date, Guid, text};

use super::*;

const G: &str = "FF:FF:FF:FF:FF:FF:FF:FE:B8:27:EB:CF:3A:15:00:01";

/// The event of the worked examples.
fn example() -> Event {
    let data = "0x48,0x38,0x35,0x2E,0x32,0x36";
    text::parse(&format!("96,10,6,0,2026-11-20T12:30:15Z,1234,{G},{data}")).unwrap()
}

fn encoded(format: Format, dialect: Dialect) -> Vec<u8> {
    let encoding = Encoding {
        format,
        dialect,
        has_measurement: true,
    };
    encoding.encode(&example())
}

const JSON_LEGACY: &str = r#"{"measurement":{"sensorindex":0,"subzone":0,"unit":1,"value":85.26,"zone":0},"vscpClass":10,"vscpData":[72,56,53,46,50,54],"vscpDateTime":"2026-11-20T12:30:15Z","vscpGuid":"G","vscpHead":96,"vscpNote":"","vscpObId":0,"vscpTimeStamp":1234,"vscpType":6}"#;
const JSON_NS: &str = r#"{"class":10,"data":[72,56,53,46,50,54],"datetime":"2026-11-20T12:30:15Z","guid":"G","head":352,"measurement":{"sensorindex":0,"subzone":0,"unit":1,"value":85.26,"zone":0},"note":"","obid":0,"timestamp_ns":"0x18e9c0b623cf7a50","type":6}"#;
const XML_LEGACY: &str = r#"<event vscpHead="96" vscpObId="0" vscpDateTime="2026-11-20T12:30:15Z" vscpTimeStamp="1234" vscpClass="10" vscpType="6" vscpGuid="G" vscpData="0x48,0x38,0x35,0x2E,0x32,0x36" />"#;
const XML_NS: &str = r#"<event head="352" obid="0" datetime="2026-11-20T12:30:15Z" timestamp="1795177815001234000" class="10" type="6" guid="G" data="0x48,0x38,0x35,0x2E,0x32,0x36" />"#;
const STRING_LEGACY: &str = "96,10,6,0,2026-11-20T12:30:15Z,1234,G,0x48,0x38,0x35,0x2E,0x32,0x36";
const STRING_NS: &str = "352,10,6,0,,1795177815001234000,G,0x48,0x38,0x35,0x2E,0x32,0x36";
const STRING_SHORT: &str = "352,10,6,0,1795177815001234000,G,0x48,0x38,0x35,0x2E,0x32,0x36";
const BINARY_LEGACY: &str = "00 00 0060 000004D2 07EA0B140C1E0F 000A0006 \
    FFFFFFFFFFFFFFFEB827EBCF3A150001 0006 4838352E3236 7FDB";
const BINARY_NS: &str = "00 10 0160 18E9C0B623CF7A50 000000 000A0006 \
    FFFFFFFFFFFFFFFEB827EBCF3A150001 0006 4838352E3236 57CD";

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).unwrap()
}

#[test]
fn the_example_is_written_byte_by_byte_as_daemons_write_it() {
    use Dialect::{Legacy, Ns};
    use Format::{Json, Xml};
    for (format, dialect, expected) in [
        (Json, Legacy, JSON_LEGACY),
        (Json, Ns, JSON_NS),
        (Xml, Legacy, XML_LEGACY),
        (Xml, Ns, XML_NS),
        (Format::String, Legacy, STRING_LEGACY),
        (Format::String, Ns, STRING_NS),
    ] {
        let expected = expected
            .replace('G', G)
            .replacen(&format!("vscp{G}uid"), "vscpGuid", 1);
        assert_eq!(
            String::from_utf8(encoded(format, dialect)).unwrap(),
            expected
        );
    }
    assert_eq!(encoded(Format::Binary, Legacy), hex(BINARY_LEGACY));
    assert_eq!(encoded(Format::Binary, Ns), hex(BINARY_NS));
    assert_eq!(hex(BINARY_NS).len(), 45);
}

#[test]
fn the_example_is_read_in_each_form_that_daemons_write() {
    let with_guid = |text: &str| {
        text.replace("\"G\"", &format!("\"{G}\""))
            .replace(",G,", &format!(",{G},"))
            .into_bytes()
    };
    let legacy = example();
    let mut ns = legacy.clone();
    ns.set_unix_ns(1_795_177_815_001_234_000.try_into().unwrap());
    for (payload, expected) in [
        (with_guid(JSON_LEGACY), &legacy),
        (with_guid(XML_LEGACY), &legacy),
        (with_guid(STRING_LEGACY), &legacy),
        (hex(BINARY_LEGACY), &legacy),
        (with_guid(JSON_NS), &ns),
        (with_guid(XML_NS), &ns),
        (with_guid(STRING_NS), &ns),
        (with_guid(STRING_SHORT), &ns),
        (hex(BINARY_NS), &ns),
        (encoded(Format::Json, Dialect::Both), &ns),
        (
            [b"\xEF\xBB\xBF \r\n", &*with_guid(JSON_NS), b"\n"].concat(),
            &ns,
        ),
        (with_guid(JSON_LEGACY).to_ascii_lowercase_guid(), &legacy),
    ] {
        let decoded = decode(&payload, None);
        let shown = String::from_utf8_lossy(&payload).into_owned();
        let expected = Decoded {
            event: expected.clone(),
            has_kind: true,
        };
        assert_eq!(decoded, Ok(expected), "{shown}");
    }
}

trait LowercaseGuid {
    fn to_ascii_lowercase_guid(self) -> Vec<u8>;
}

impl LowercaseGuid for Vec<u8> {
    fn to_ascii_lowercase_guid(self) -> Vec<u8> {
        let text = String::from_utf8(self).unwrap();
        text.replace(G, &G.to_lowercase()).into_bytes()
    }
}

#[test]
fn both_dialects_say_the_same() {
    let value: serde_json::Value =
        serde_json::from_slice(&encoded(Format::Json, Dialect::Both)).unwrap();
    for (new, old) in [
        ("class", "vscpClass"),
        ("type", "vscpType"),
        ("data", "vscpData"),
        ("guid", "vscpGuid"),
        ("datetime", "vscpDateTime"),
        ("obid", "vscpObId"),
    ] {
        assert_eq!(value[new], value[old], "{new}");
    }
    assert_eq!(value["measurement"]["value"], 85.26);
    assert_eq!(value["timestamp_ns"], "0x18e9c0b623cf7a50");
    assert_eq!(value["vscpTimeStamp"], 1234);
}

#[test]
fn events_that_measure_nothing_have_no_measurement() {
    let event = text::parse(&format!("0,20,3,0,,1,{G},1,2,3")).unwrap();
    let encoding = Encoding {
        format: Format::Json,
        dialect: Dialect::Legacy,
        has_measurement: true,
    };
    let text = String::from_utf8(encoding.encode(&event)).unwrap();
    assert!(text.starts_with(r#"{"vscpClass":20,"vscpData":[1,2,3],"vscpDateTime":"","#));
    let without = Encoding {
        has_measurement: false,
        ..encoding
    };
    assert!(
        !String::from_utf8(without.encode(&example()))
            .unwrap()
            .contains("measurement")
    );
}

#[test]
fn an_event_that_had_nanoseconds_keeps_them_to_the_microsecond() {
    let mut ns = example();
    ns.set_unix_ns(1_795_177_815_001_234_567.try_into().unwrap());
    let classic = Event {
        unix_ns: None,
        ..ns
    };
    assert_eq!(unix_ns(&classic), 1_795_177_815_001_234_000);
    // The time stamp of another clock tells nothing of this second.
    let other = Event {
        timestamp: 1_000_000,
        ..classic
    };
    assert_eq!(unix_ns(&other), 1_795_177_815_000_000_000);
}

#[test]
fn json_takes_numbers_as_text_and_leaves_class_and_type_to_the_topic() {
    let read = |text: &str| decode(text.as_bytes(), None).unwrap();
    for stamp in [
        r#""0x18e9c0b623cf7a50""#,
        r#""1795177815001234000""#,
        "1795177815001234000",
    ] {
        let decoded = read(&format!(
            r#"{{"class":"0xA","type":6,"timestamp_ns":{stamp}}}"#
        ));
        assert_eq!(
            decoded.event.unix_ns.unwrap().get(),
            1_795_177_815_001_234_000
        );
        assert_eq!(decoded.event.class, 10);
        assert!(decoded.has_kind);
    }
    let decoded = read(r#"{"data":"1, 0xFF","guid":"-","datetime":"2026-11-20 12:30:15.25"}"#);
    assert!(!decoded.has_kind);
    assert_eq!(decoded.event.data[..], [1, 255]);
    assert_eq!(decoded.event.date, Date::new(2026, 11, 20, 12, 30, 15));
    let decoded = read(
        r#"{"class":70000000000,"vscpClass":1,"type":1}"#.replace("70000000000", "7").as_str(),
    );
    assert_eq!(decoded.event.class, 7);
}

#[test]
fn what_is_no_event_is_refused_with_its_reason() {
    let long = "x".repeat(MAX_BYTES + 1);
    for (payload, expected) in [
        (&b""[..], "an empty payload"),
        (
            long.as_bytes(),
            "a payload of 65537 bytes or more, expected at most 65536",
        ),
        (b"online", "text without six commas, expected an event"),
        (b"1,2,3,4,5,6", "text without six commas, expected an event"),
        (
            b"1,2,x,4,,6,-",
            "text: found type \"x\", expected a number from 0 to 65535",
        ),
        (b"{\"class\":", "JSON: found EOF while parsing a value"),
        (
            b"{\"class\":-1,\"type\":1}",
            "JSON: found class -1, expected a number in its range",
        ),
        (b"{\"class\":1.5,\"type\":1}", "JSON: found class 1.5"),
        (
            b"{\"data\":[1,\"x\"]}",
            "JSON: found data [1,\"x\"], expected at most 512 numbers",
        ),
        (b"{\"data\":[256]}", "JSON: found data [256]"),
        (
            b"{\"guid\":\"FF\"}",
            "JSON: found guid FF, expected 16 hexadecimal pairs",
        ),
        (
            b"{\"datetime\":\"2026-13-01T00:00:00Z\"}",
            "JSON: found datetime 2026-13-01",
        ),
        (b"<event", "XML: found"),
        (
            b"<other/>",
            "XML: found the element other, expected an element event",
        ),
        (
            b"<event timestamp='x'/>",
            "XML: found timestamp x, expected a number",
        ),
        (b"\xFF,1,2,3,4,5,6", "text: found byte 0 is not UTF-8"),
        (
            b"\0\0\0",
            "a binary frame: found 3 bytes, expected 39 bytes and the data",
        ),
    ] {
        let error = decode(payload, None).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let frame = hex(BINARY_LEGACY);
    for (index, byte, expected) in [
        (1, 0x20, "0x00 0x20 at the start"),
        (1, 0x01, "0x00 0x01 at the start"),
        (10, 13, "check sum 0x7fdb, computed"),
        (36, 7, "size 7 and 8 bytes behind it"),
        (44, 0, "check sum 0x7f00, computed 0x7fdb"),
    ] {
        let mut frame = frame.clone();
        frame[index] = byte;
        let error = decode(&frame, None).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_frame_may_say_that_it_has_no_check_sum() {
    let mut frame = hex(BINARY_LEGACY);
    frame[3] |= 0x08;
    assert!(decode(&frame, None).is_err());
    let end = frame.len() - 2;
    frame[end..].copy_from_slice(&[0xAA, 0x55]);
    assert_eq!(decode(&frame, None).unwrap().event.head, 0x68);
}

fn any_event() -> impl Strategy<Value = Event> {
    // From 1971 on: XML takes smaller time stamps for microseconds.
    let date = (31_536_000..4_000_000_000_u64).prop_map(|s| Date::from_unix_ns(s * 1_000_000_000));
    (
        any::<(u16, u16, u16, u32, u32)>(),
        option::of(date),
        any::<[u8; 16]>(),
        vec(any::<u8>(), 0..520),
    )
        .prop_map(
            |((head, class, kind, obid, timestamp), date, guid, data)| Event {
                head: head & !HEAD_FRAME_VERSION,
                class,
                kind,
                obid,
                date,
                timestamp,
                unix_ns: None,
                guid: Guid(guid),
                data: Data::copy_from(&data[..data.len().min(512)]).unwrap(),
            },
        )
}

fn any_format() -> impl Strategy<Value = Format> {
    prop::sample::select(Format::WORDS.map(|(_, format)| format).to_vec())
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(event in any_event(), format in any_format(), measured: bool) {
        let encoding = |dialect| Encoding { format, dialect, has_measurement: measured };
        let bytes = encoding(Dialect::Legacy).encode(&event);
        let read = decode(&bytes, None).unwrap();
        let expected = match format {
            Format::Binary => Event { obid: 0, ..event.clone() },
            _ => event.clone(),
        };
        prop_assert_eq!(&read.event, &expected);
        prop_assert_eq!(&decode(&bytes, Some(format)).unwrap().event, &expected);
        let read = decode(&encoding(Dialect::Ns).encode(&event), None).unwrap().event;
        prop_assert_eq!(read.unix_ns.map_or(0, |ns| ns.get()), unix_ns(&event));
        prop_assert_eq!((read.class, read.kind, read.head), (event.class, event.kind, event.head));
        prop_assert_eq!(&read.data, &event.data);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200), format in any_format()) {
        let _ = decode(&bytes, None);
        let _ = decode(&bytes, Some(format));
    }

    #[test]
    fn damaged_payloads_are_read_or_refused(
        event in any_event(),
        format in any_format(),
        index: usize,
        byte: u8,
    ) {
        let encoding = Encoding { format, dialect: Dialect::Both, has_measurement: true };
        let mut bytes = encoding.encode(&event);
        let index = index % bytes.len();
        bytes[index] = byte;
        let _ = decode(&bytes, None);
        bytes.truncate(index);
        let _ = decode(&bytes, Some(format));
    }
}

use std::num::NonZeroU64;

use proptest::prelude::*;

use super::*;
use crate::event::{
    Date, Event, EventError,
    tests::{any_event, mutate},
    text,
};

fn encoded(event: &Event, keys: Keys) -> String {
    let mut out = Vec::new();
    encode(event, keys, &mut out);
    String::from_utf8(out).unwrap()
}

fn with(fields: &str) -> Result<Event, EventError> {
    parse(&format!(r#"{{"class":10,"type":6,{fields}}}"#))
}

const VSCP: &str = r#""vscpHead":96,"vscpObId":17,"vscpDateTime":"2020-01-27T20:47:55Z","vscpTimeStamp":3906069311,"vscpClass":10,"vscpType":6,"vscpGuid":"FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:00","vscpData":[15,0,255],"vscpNote":"""#;
const SHORT: &str = r#""head":96,"obid":17,"datetime":"2020-01-27T20:47:55Z","timestamp":3906069311,"class":10,"type":6,"guid":"FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:00","data":[15,0,255],"note":"""#;

#[test]
fn an_event_is_written_with_the_keys_that_are_wanted() {
    let event = text::parse("96,10,6,17,2020-01-27T20:47:55Z,3906069311,FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:00,15,0,255").unwrap();
    assert_eq!(encoded(&event, Keys::Both), format!("{{{VSCP},{SHORT}}}"));
    assert_eq!(encoded(&event, Keys::Vscp), format!("{{{VSCP}}}"));
    assert_eq!(encoded(&event, Keys::Short), format!("{{{SHORT}}}"));
}

#[test]
fn fields_that_are_not_set_are_encoded_empty() {
    let event = parse(r#"{"class":10,"type":6}"#).unwrap();
    assert_eq!(
        encoded(&event, Keys::Short),
        r#"{"head":0,"obid":0,"datetime":"","timestamp":0,"class":10,"type":6,"guid":"00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00","data":[],"note":""}"#
    );
}

#[test]
fn all_keys_of_a_field_are_known() {
    let event = text::parse(
        "96,10,6,17,2020-01-27T20:47:55Z,3906069311,FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:00,15,0,255",
    )
    .unwrap();
    for (name, others) in [
        ("head", &["vscpHead"][..]),
        ("obid", &["vscpObId"]),
        ("datetime", &["dateTime", "vscpDateTime"]),
        ("timestamp", &["timeStamp", "vscpTimeStamp"]),
        ("class", &["vscpClass"]),
        ("type", &["vscpType"]),
        ("guid", &["vscpGuid", "GUID"]),
        ("data", &["vscpData"]),
        ("note", &["vscpNote"]),
    ] {
        for other in others {
            let mixed = SHORT.replace(&format!("{name:?}:"), &format!("{other:?}:"));
            assert_ne!(mixed, SHORT);
            assert_eq!(
                parse(&format!("{{{mixed}}}")).as_ref(),
                Ok(&event),
                "{mixed}"
            );
        }
    }
}

#[test]
fn numbers_and_data_may_have_several_json_types() {
    let plain = with(r#""head":96,"obid":17,"timestamp":7,"data":[15,1]"#).unwrap();
    for fields in [
        r#""head":"0x60","obid":"17","timestamp":" 7 ","data":"0x0F, 1""#,
        r#""head":96.0,"obid":1.7e1,"timestamp":7.0,"data":["15",1.0]"#,
        r#""head":96,"obid":17,"timestamp":7,"data":"15,0b1,""#,
        r#""h\u0065ad":"\u0039\u0036","obid":17,"timestamp":7,"data":"\u0031\u0035,1""#,
    ] {
        assert_eq!(with(fields).as_ref(), Ok(&plain), "{fields}");
    }
    let unset = parse(r#"{"class":"0x0A","type":" 6 "}"#).unwrap();
    for fields in [
        r#""head":null,"obid":null,"datetime":null,"timestamp":null,"timestamp_ns":null,"guid":null,"data":null,"note":null"#,
        r#""head":"","obid":"","datetime":"","timestamp":"","timestamp_ns":"","guid":"","data":"","note":7"#,
        r#""head":0,"obid":0,"datetime":"0","timestamp":0,"timestamp_ns":0,"guid":"-","data":[],"note":{"a":[]}"#,
        r#""datetime":0"#,
    ] {
        assert_eq!(with(fields).as_ref(), Ok(&unset), "{fields}");
    }
}

#[test]
fn refusals_name_the_field() {
    for (fields, field) in [
        (r#""head":65536"#, "head"),
        (r#""head":-1"#, "head"),
        (r#""head":[]"#, "head"),
        (r#""head":true"#, "head"),
        (r#""head":"0b1""#, "head"),
        (r#""obid":4294967296"#, "obid"),
        (r#""datetime":"yesterday""#, "datetime"),
        (r#""datetime":20200127"#, "datetime"),
        (r#""timestamp":-1"#, "timestamp"),
        (r#""timestamp":0.5"#, "timestamp"),
        (r#""timestamp":18446744073709551616"#, "timestamp"),
        (r#""timestamp_ns":"now""#, "timestamp_ns"),
        (r#""class":null"#, "class"),
        (r#""class":"""#, "class"),
        (r#""type":65536"#, "type"),
        (r#""vscpType":{}"#, "type"),
        (r#""guid":"FF:FF""#, "GUID"),
        (r#""guid":"::1""#, "GUID"),
        (r#""guid":0"#, "GUID"),
        (r#""data":[256]"#, "data"),
        (r#""data":[1,null]"#, "data"),
        (r#""data":[[1]]"#, "data"),
        (r#""data":"1,,2""#, "data"),
        (r#""data":1"#, "data"),
        (r#""data":{}"#, "data"),
    ] {
        assert_eq!(with(fields).unwrap_err().field, field, "{fields}");
    }
    for (json, field) in [
        (r#"{"class":10}"#, "type"),
        (r#"{"type":6}"#, "class"),
        ("{}", "class"),
        ("", "event"),
        ("[]", "event"),
        ("null", "event"),
        (r#"{"class":10,"type":6"#, "event"),
        (r#"{"class":10,"type":6}}"#, "event"),
        (r#"{"class":10,"type":6,}"#, "event"),
        (r#"{"class":10,"type":6,"x":"\ud800"#, "event"),
    ] {
        assert_eq!(parse(json).unwrap_err().field, field, "{json}");
    }
    let error = with(r#""data":[1,"x"]"#).unwrap_err().to_string();
    assert_eq!(
        error,
        r#"data: found "x", expected at most 512 numbers from 0 to 255"#
    );
}

#[test]
fn the_last_of_a_repeated_key_counts() {
    let event = with(
        r#""head":[1],"vscpHead":32,"head":64,"class":"x","vscpClass":20,"data":[999],"vscpData":[1],"data":"2""#,
    )
    .unwrap();
    assert_eq!((event.head, event.class), (64, 20));
    assert_eq!(event.data[..], [2]);
}

#[test]
fn nanoseconds_come_from_either_key() {
    let ns = 1_580_158_075_123_456_789;
    let date = Date::new(2020, 1, 27, 20, 47, 55);
    for fields in [
        r#""head":352,"timestamp_ns":1580158075123456789"#,
        r#""head":352,"timestamp":1580158075123456789"#,
        r#""head":96,"timestamp":4294967296,"timestamp_ns":"1580158075123456789""#,
        r#""head":96,"timestamp_ns":1580158075123456789,"timestamp":7"#,
    ] {
        let event = with(fields).unwrap();
        assert_eq!(event.unix_ns, NonZeroU64::new(ns), "{fields}");
        assert_eq!(event.timestamp, (ns / 1000) as u32, "{fields}");
        assert_eq!((event.head, event.date), (96, date), "{fields}");
    }
    let event = with(r#""head":352,"timestamp":4294967295,"timestamp_ns":0"#).unwrap();
    assert_eq!((event.unix_ns, event.head), (None, 96));
    assert_eq!(event.timestamp, u32::MAX);
}

#[test]
fn deep_and_long_values_do_no_harm() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_objects = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    assert!(with(&format!(r#""x":{deep},"y":{deep_objects}"#)).is_ok());
    assert!(with(&format!(r#""note":{deep}"#)).is_ok());
    assert!(with(&format!(r#""data":{deep}"#)).is_err());
    assert!(with(&format!(r#""class":{deep_objects}"#)).is_err());
    assert!(with(&format!(r#""class":{}"#, "9".repeat(100_000))).is_err());
    assert!(with(&format!(r#""data":[{}1]"#, "1,".repeat(100_000))).is_err());
}

proptest! {
    #[test]
    fn encoded_events_parse_to_the_same(event in any_event()) {
        for keys in [Keys::Both, Keys::Vscp, Keys::Short] {
            let read = parse(&encoded(&event, keys));
            prop_assert_eq!(read.as_ref(), Ok(&event));
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(json in r#"[\[\]{}",:0-9a-e.-]{0,60}|\PC*"#) {
        let _ = parse(&json);
    }

    #[test]
    fn events_parsed_from_damaged_json_can_be_encoded(
        event in any_event(),
        changes: Vec<(usize, u8, char)>,
    ) {
        if let Ok(mut read) = parse(&mutate(&encoded(&event, Keys::Short), &changes)) {
            let again = parse(&encoded(&read, Keys::Both));
            read.unix_ns = None;
            prop_assert_eq!(again, Ok(read));
        }
    }
}

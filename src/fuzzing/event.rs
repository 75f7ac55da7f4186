//! Events, filters and GUIDs as text and JSON.

use super::text;
use crate::event::{
    Event, Filter, Guid, filter::FilterChange, filter::Pattern, json, json::Keys, text as form,
};

/// Parses the text of an event; what is written of it parses to the same event.
pub fn event_text(data: &[u8]) {
    let Some(Ok(event)) = text(data).map(form::parse) else {
        return;
    };
    let mut written = Vec::new();
    form::encode(&event, &mut written);
    let again = form::parse(text(&written).expect("UTF-8")).expect("an event");
    assert_eq!(again, without_ns(event));
}

/// Parses the JSON of an event; what is written of it, with each family of keys, is JSON and parses
/// to the same event.
pub fn event_json(data: &[u8]) {
    let Some(Ok(event)) = text(data).map(json::parse) else {
        return;
    };
    let event = without_ns(event);
    for keys in [Keys::Both, Keys::Vscp, Keys::Short] {
        let mut written = Vec::new();
        json::encode(&event, keys, &mut written);
        let written = text(&written).expect("UTF-8");
        assert!(serde_json::from_str::<serde_json::Value>(written).is_ok());
        assert_eq!(json::parse(written).expect("an event"), event);
    }
}

/// Nanoseconds are not in what is written for clients.
fn without_ns(event: Event) -> Event {
    Event {
        unix_ns: None,
        ..event
    }
}

/// Parses a filter in each of its forms; as it is shown, it parses to the same filter.
pub fn filter(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok((filter, _)) = Filter::parse_config(text) {
        let shown = format!("{};{}", filter.value, filter.mask);
        assert_eq!(Filter::parse_config(&shown), Ok((filter, false)));
    }
    if let Ok(pattern) = text.parse::<Pattern>() {
        assert_eq!(pattern.to_string().parse(), Ok(pattern));
    }
    if let Ok(change) = serde_json::from_str::<FilterChange>(text) {
        let mut filter = Filter::default();
        change.apply(&mut filter);
        let once = filter;
        change.apply(&mut filter);
        assert_eq!(filter, once);
    }
}

/// Parses a GUID in the forms of people and of the protocols: what both know is the same GUID.
pub fn guid(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(guid) = text.parse::<Guid>() {
        assert_eq!(guid.to_string().parse(), Ok(guid));
    }
    if let Some(guid) = Guid::parse_wire(text) {
        assert_eq!(Guid::parse_wire(&guid.to_string()), Some(guid));
        assert!(text.is_empty() || text.parse() == Ok(guid));
    }
}

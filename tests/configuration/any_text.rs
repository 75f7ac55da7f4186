//! Configurations made at random.

use proptest::{collection::vec, prelude::*};
use serde_json::json;
use vscpl2drv_websocksrv::config::Config;

/// A JSON value as text; the strings are such as mean something somewhere.
fn any_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        (0u32..600).prop_map(|value| value.to_string()),
        any::<f64>().prop_map(|value| json!(value).to_string()),
        "[a-z0-9,;:/*.\\[\\]+\\-]{0,14}|\\PC{0,6}".prop_map(|value| json!(value).to_string()),
        proptest::sample::select(&["ws://*:0", "sid", "any", "admin", "10:*", "info", "0,0,0,-"])
            .prop_map(|value| json!(value).to_string()),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| format!("[{}]", values.join(","))),
            vec((any_key(), inner), 0..5).prop_map(|entries| object(&entries)),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    let known = "debug write interface enable-ws1 enable-ws2 url-ws1 url-ws2 key-file path-users \
        users rx-filter max-clients max-in-queue max-out-queue auth-timeout ping-interval \
        ws1-iv ws2-event-keys origins event-layout threads socketcan remote-variables tls \
        logging guid encryption name password rights remotes events filter mask max-priority \
        cert min-version log-level file-path file-pattern console-pattern enable";
    prop_oneof![
        8 => proptest::sample::select(known.split(' ').collect::<Vec<_>>()).prop_map(str::to_owned),
        1 => "\\PC{0,8}",
    ]
}

fn object(entries: &[(String, String)]) -> String {
    let entries = entries
        .iter()
        .map(|(key, value)| format!("{}: {value}", json!(key)));
    format!("{{{}}}", entries.collect::<Vec<_>>().join(",\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_configuration_or_an_error_of_one_line(
        entries in vec((any_key(), any_value()), 0..12),
        cut in any::<proptest::sample::Index>(),
        junk in "\\PC{0,3}",
        mutate: bool,
    ) {
        let mut entries = entries;
        entries.insert(0, ("allow-default-key".into(), "true".into()));
        let mut text = object(&entries);
        if mutate {
            // Not in front, where it would make a path of it.
            let place = text.floor_char_boundary(1 + cut.index(text.len()));
            text.insert_str(place, &junk);
        }
        if let Err(error) = Config::load(&text) {
            prop_assert!(!error.to_string().contains('\n'), "{}", error);
        }
    }
}

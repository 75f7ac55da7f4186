//! Users in words.

use vscpl2drv_websocksrv::auth::{Rights, User};

/// Describes what the user may do with this driver.
pub(crate) fn in_words(user: &User) -> String {
    if user.rights == Rights::ADMIN {
        return "may do everything".to_owned();
    }
    let has = |right| user.rights.contains(right);
    let may_send = has(Rights::SEND_EVENT);
    let words: Vec<_> = [
        (has(Rights::RCV_EVENT), "receive"),
        (may_send, "send"),
        (
            may_send && has(Rights::SEND_L1CTRL),
            "send level I protocol",
        ),
        (
            may_send && has(Rights::SEND_L2CTRL),
            "send level II protocol",
        ),
        (may_send && has(Rights::SEND_HLO), "send HLO"),
        (has(Rights::SETFILTER), "set the filter"),
    ]
    .into_iter()
    .filter_map(|(has, word)| has.then_some(word))
    .collect();
    match words.is_empty() {
        true => "may do nothing".to_owned(),
        false => format!("may {}", words.join(", ")),
    }
}

/// Describes how the password of a user is stored.
pub(crate) fn password_in_words(user: &User) -> String {
    match user.password.rounds() {
        0 => "stored as MD5, which is easily guessed".to_owned(),
        rounds => format!("stored as PBKDF2 with {rounds} rounds"),
    }
}

#[cfg(test)]
mod tests {
    use vscpl2drv_websocksrv::config::Config;

    use super::*;

    #[test]
    fn rights_are_shown_as_far_as_they_have_an_effect() {
        for (rights, expected) in [
            ("admin", "may do everything"),
            (
                "user",
                "may receive, send, send level I protocol, send level II protocol",
            ),
            ("receive-events/set-filter", "may receive, set the filter"),
            ("send-events/hlo-events", "may send, send HLO"),
            ("l1ctrl-events", "may do nothing"),
        ] {
            let config = format!(
                r#"{{"allow-default-key":true,"users":[{{"name":"u","rights":"{rights}",
                "password":"00000000000000000000000000000000"}}]}}"#
            );
            let config = Config::load(&config).unwrap();
            assert_eq!(in_words(config.users.get("u").unwrap()), expected);
        }
    }
}

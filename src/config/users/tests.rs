//! Users files as people have them.

use super::*;
use crate::{
    auth::{Rights, log_summary},
    event::Filter,
    test_log::TestLog,
};

const PBKDF2: &str = "487636FDE3637C7C853AAC9EAF6FA062;\
    357C71CA59F760C08C4125C444A22A91FD1FE1FB0E5628771A572BAF6F61B71F";
const MD5: &str = "2d1e4f91dae49cd08eaba2293e422273";

fn parse(json: &str) -> Result<(Users, Vec<String>), String> {
    let mut warnings = Warnings::default();
    match super::parse(&Source::new("u.json", json), &mut warnings) {
        Ok(users) => Ok((users, warnings.into_lines())),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn a_file_as_it_is_installed_loads() {
    let json = format!(
        r#"{{
        "users" : [
            {{
                "name" : "admin",
                "password" : "{PBKDF2}",
                "fullname" : "Miss. Super User",
                "rights" : "admin",
                "remotes" : [
                    "+127.0.0.0/24",
                    "+192.168.0.0/16"
                ],
                "events" : "",
                "filter" : "",
                "mask" : "",
                "note" : "A normal user."
            }},
            {{
                "name" : "special1",
                "password" : "{MD5}",
                "fullname" : "Mrs. Special user",
                "rights" : [ "user", "" ],
                "remotes" : [ "+127.0.0.1", "+fe80::/64" ],
                "events" : [ "10:*", "30:9" ],
                "filter" : "",
                "mask" : "",
                "note" : ""
            }}
        ]
    }}"#
    );
    let (users, warnings) = parse(&json).unwrap();
    assert_eq!(warnings, [""; 0]);
    assert_eq!(users.len(), 2);
    assert_eq!(users.max_rounds(), 70_000);
    let names: Vec<_> = users.iter().map(|user| (user.index, &*user.name)).collect();
    assert_eq!(names, [(0, "admin"), (1, "special1")]);
    let admin = users.get("admin").unwrap();
    assert_eq!(admin.rights, Rights::ADMIN);
    assert_eq!(admin.filter, Filter::default());
    assert!(!admin.remotes.allows([10, 0, 0, 1].into()));
    assert!(admin.password.matches("admin", "secret"));
    let special = users.get("special1").unwrap();
    assert_eq!(special.rights, Rights::USER);
    assert!(special.may_send(30, 9) && !special.may_send(30, 8));
    assert!(users.get("Admin").is_none());
}

#[test]
fn an_error_names_file_line_record_and_key_but_no_password() {
    let good = format!(r#"{{"name":"a","password":"{MD5}"}}"#);
    let wanted = "expected an object {...} with at least \"name\" and \"password\"";
    let stored = "expected 32 hex digits (MD5), SALT;HASH or SALT;HASH;ROUNDS";
    for (record, error) in [
        (
            good.clone(),
            "users[1]: found the \"name\" \"a\" of users[0] again, \
            expected a name that no other user has"
                .into(),
        ),
        (
            "\"c0ffee\"".into(),
            format!("users[1]: found none, {wanted}"),
        ),
        (
            "[\"c0ffee\"]".into(),
            format!("users[1]: found none, {wanted}"),
        ),
        (
            "{\"password\":\"c0ffee\"}".into(),
            format!("users[1]: found no \"name\", {wanted}"),
        ),
        (
            "{\"name\":\"b\"}".into(),
            format!("users[1]: found no \"password\", {wanted}"),
        ),
        (
            "{\"name\":\"b\",\"password\":null}".into(),
            format!("users[1]: found no \"password\", {wanted}"),
        ),
        (
            "{\"name\":\"b\",\"password\":\"c0ffee\"}".into(),
            format!("users[1].password: found one field that is not 32 hex digits, {stored}"),
        ),
        (
            "{\"name\":\"b\",\"password\":[\"c0ffee\"]}".into(),
            format!("users[1].password: found no string, {stored}"),
        ),
        (
            "{\"name\":\"b\",\"credentials\":\"c0ffee;c0ffee\"}".into(),
            format!("users[1].credentials: found a hash that is not 64 hex digits, {stored}"),
        ),
        (
            "{\"name\":\"\"}".into(),
            "users[1].name: found \"\", \
            expected a name, without ; and control characters"
                .into(),
        ),
        (
            "{\"name\":\"a;b\"}".into(),
            "users[1].name: found \"a;b\", \
            expected a name, without ; and control characters"
                .into(),
        ),
        (
            "{\"name\":\"a\\nb\"}".into(),
            "users[1].name: found \"a\\nb\", \
            expected a name, without ; and control characters"
                .into(),
        ),
        (
            "{\"name\":1}".into(),
            "users[1].name: found 1, expected a string".into(),
        ),
        (
            good.replace('}', ",\"note\":2}"),
            "users[1].note: found 2, expected a string".into(),
        ),
        (
            good.replace('}', ",\"max-priority\":8}"),
            "users[1].max-priority: found 8, \
            expected a whole number from 0 to 7"
                .into(),
        ),
    ] {
        let found = parse(&format!("{{\"users\":[\n{good},\n{record}]}}")).unwrap_err();
        assert_eq!(found, format!("u.json:3: {error}"));
    }
    for (key, value, start) in [
        (
            "rights",
            "\"bogus\"",
            "users[0].rights: found \"bogus\", expected",
        ),
        ("remotes", "[1]", "users[0].remotes[0]: found 1, expected"),
        ("events", "\"1\"", "users[0].events: found \"1\", expected"),
        ("filter", "\"x\"", "users[0].filter: found \"x\", expected"),
        (
            "mask",
            "\"1,65536\"",
            "users[0].mask: found \"1,65536\", expected",
        ),
        ("mask", "{}", "users[0].mask: found {}, expected"),
    ] {
        let record = good.replace('}', &format!(",\n\"{key}\":{value}}}"));
        let found = parse(&format!("{{\"users\":[{record}]}}")).unwrap_err();
        assert!(found.starts_with(&format!("u.json:2: {start}")), "{found}");
    }
}

#[test]
fn a_file_of_another_shape_is_an_error_that_shows_none_of_it() {
    for (json, error) in [
        (
            "[\"c0ffee\"]",
            "found none, expected an object {\"users\": [...]}",
        ),
        (
            "{}",
            "found no \"users\", expected an object {\"users\": [...]}",
        ),
        (
            "{\"users\":{\"password\":\"c0ffee\"}}",
            "users: found none, expected a list [...] of users",
        ),
    ] {
        assert_eq!(parse(json).unwrap_err(), format!("u.json:1: {error}"));
    }
    let error = parse("{\"users\":[{\"password\":\"c0ffee}]}").unwrap_err();
    assert!(error.contains("expected valid JSON"), "{error}");
    assert!(!error.contains("c0ffee"), "{error}");
}

#[test]
fn unknown_keys_and_names_that_cannot_log_in_are_warnings() {
    let json = format!(
        "{{\"users\":[{{\"name\":\"a:b\",\"password\":\"{MD5}\",\"right\":\"user\"}}],\n\"user\":1}}"
    );
    let (_, warnings) = parse(&json).unwrap();
    assert_eq!(
        warnings,
        [
            "u.json:2: user: unknown key; did you mean \"users\"?",
            "u.json:1: users[0].right: unknown key; did you mean \"rights\"?",
            "u.json:1: users[0].name: a user with : in the name can never log in",
        ]
    );
}

#[test]
fn the_summary_names_users_with_md5_and_where_each_may_come_from() {
    let log = TestLog::start();
    log_summary(&Users::default());
    assert_eq!(
        log.take(),
        ["WARN no users are configured, so nobody can log in"]
    );
    let json = format!(
        r#"{{"users":[{{"name":"a","password":"{PBKDF2}","remotes":"-::1"}},
        {{"name":"b","password":"{MD5}"}}]}}"#
    );
    log_summary(&parse(&json).unwrap().0);
    assert_eq!(
        log.take(),
        [
            "WARN 1 of 2 users has a password stored as MD5, which is easily guessed (b): \
             replace each with the output of: vscpl2drv-websocksrv passwd USER",
            "INFO user a may log in from any address but ::1",
            "INFO user b may log in from any address",
        ]
    );
}

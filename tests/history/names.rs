//! Names are read, changed and told.

use std::{fs, thread};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    common::{Server, files::replace_file, user, wait_until},
    page::Page,
};

const NODE: &str = "FF:FF:FF:FF:FF:FF:FF:FE:00:00:00:00:00:00:00:01";

/// All bits of a GUID.
const ONES: &str = "FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF";

fn start(folder: &TempDir) -> Server {
    Server::start(json!({
        "names": folder.path().join("names.json"),
        "users": [
            user("admin", json!({"rights": "admin"})),
            user("user", json!({})),
            user("namer", json!({"rights": "web/names"})),
            user("one", json!({"filter": format!("0,0,0,{NODE}"), "mask": format!("0,0,0,{ONES}")})),
            user("none", json!({"rights": "ws"})),
        ],
    }))
}

fn tag(page: &Page<'_>) -> String {
    page.get("/api/names").header("etag").unwrap().to_owned()
}

#[test]
fn a_name_that_one_page_gives_is_told_to_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder);
    let (namer, other) = (Page::login(&server, "namer"), Page::login(&server, "user"));
    let before = other.get("/api/names");
    assert_eq!(before.json(), json!({"names": {}}));
    let before = before.header("etag").unwrap().trim_matches('"').to_owned();
    let told = thread::scope(|scope| {
        let waits = scope.spawn(|| other.get(&format!("/api/names?after={before}")));
        let entry = json!({"name": "Boiler", "room": "Cellar"});
        let path = format!("/api/names/{NODE}");
        let changed = namer.change("PATCH", &path, Some(&tag(&namer)), &entry);
        assert_eq!(changed.status, 200, "{changed:?}");
        waits.join().unwrap()
    });
    let names = json!({"names": {NODE: {"name": "Boiler", "room": "Cellar"}}});
    assert_eq!(told.json(), names);
    assert_eq!(told.header("etag"), Some(&*tag(&other)));
    let text = fs::read_to_string(folder.path().join("names.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), names);
    drop(server);
    assert_eq!(
        Page::login(&start(&folder), "user").json("/api/names"),
        names
    );
}

#[test]
fn a_page_that_waits_for_names_gets_none_when_its_login_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder);
    let (namer, other) = (Page::login(&server, "namer"), Page::login(&server, "user"));
    let before = tag(&other);
    let after = format!("/api/names?after={}", before.trim_matches('"'));
    let told = thread::scope(|scope| {
        let waits = scope.spawn(|| other.get(&after));
        let reply = other.change("POST", "/api/logout", None, &json!({}));
        assert_eq!(reply.status, 200, "{reply:?}");
        let path = format!("/api/names/{NODE}");
        let changed = namer.change("PATCH", &path, Some(&before), &json!({"name": "a"}));
        assert_eq!(changed.status, 200, "{changed:?}");
        waits.join().unwrap()
    });
    assert_eq!(told.status, 401, "{told:?}");
}

#[test]
fn a_change_must_name_the_version_that_it_is_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder);
    let page = Page::login(&server, "admin");
    let path = format!("/api/names/{NODE}/2/6");
    let all = json!({"names": {NODE: {"name": "a"}}, "comment": 1});
    let old = tag(&page);
    for (method, path, tag, body, status) in [
        ("PATCH", &*path, None, json!({"name": "x"}), 428),
        ("PUT", "/api/names", None, all.clone(), 428),
        ("PUT", "/api/names", Some("\"other\""), all.clone(), 412),
        ("PUT", "/api/names", Some(&*old), all.clone(), 200),
        ("PUT", "/api/names", Some(&*old), all.clone(), 412),
        ("PATCH", &*path, Some(&*old), json!({"name": "x"}), 412),
        ("PATCH", &*path, Some("*"), json!({"name": "x"}), 200),
        ("PATCH", &*path, Some("*"), json!({"name": 7}), 400),
        ("PATCH", &*path, Some("*"), json!([]), 400),
        ("PATCH", "/api/names/x", Some("*"), json!({}), 400),
        ("PUT", "/api/names", Some("*"), json!({}), 400),
        ("POST", "/api/names", Some("*"), json!({}), 405),
        ("PUT", "/api/names/-", Some("*"), json!({}), 405),
    ] {
        let reply = page.change(method, path, tag, &body);
        assert_eq!(reply.status, status, "{method} {path} {tag:?}: {reply:?}");
    }
    let expected = json!({
        "names": {NODE: {"name": "a"}, format!("{NODE}/2/6"): {"name": "x"}},
        "comment": 1,
    });
    assert_eq!(page.json("/api/names"), expected);
    let wrong = page.change("PATCH", &path, Some("*"), &json!({"name": 7}));
    let error = "the body:1: name: found 7, expected a string.";
    assert_eq!(wrong.json()["error"], error);
}

#[test]
fn who_has_not_the_right_changes_nothing_and_sees_what_its_filter_lets_through() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder);
    let all = json!({"names": {NODE: {"name": "a"}, NODE.replace("01", "02"): {"name": "b"}}});
    let namer = Page::login(&server, "namer");
    assert_eq!(
        namer.change("PUT", "/api/names", Some("*"), &all).status,
        200
    );
    for (name, names) in [("user", 2), ("one", 1)] {
        let page = Page::login(&server, name);
        let refused = page.change("PATCH", "/api/names/-", Some("*"), &json!({}));
        assert_eq!(refused.status, 403, "{name}");
        let seen = page.json("/api/names");
        assert_eq!(seen["names"].as_object().unwrap().len(), names, "{name}");
    }
    assert_eq!(Page::login(&server, "none").get("/api/names").status, 403);
    assert_eq!(server.get("/api/names").status, 401);
    // More than other bodies may have, but not of strangers.
    let large = json!({"names": {}, "x": "x".repeat(100_000)});
    let put = |name| Page::login(&server, name).change("PUT", "/api/names", Some("*"), &large);
    assert_eq!(put("namer").status, 200);
    assert_eq!(put("user").status, 413);
}

#[test]
fn a_file_that_somebody_edits_is_read_and_a_broken_one_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("names.json");
    let server = start(&folder);
    let page = Page::login(&server, "admin");
    replace_file(
        &path,
        &json!({"names": {NODE: {"name": "edited"}}}).to_string(),
    );
    page.wait_for("/api/names", |names| {
        names["names"][NODE]["name"] == "edited"
    });
    replace_file(&path, "{\n\"names\": 7}");
    server.wait_for_log("names.json:2: names: found 7, expected an object {...}; the names stay");
    let refused = page.change("PATCH", "/api/names/-", Some("*"), &json!({"name": "x"}));
    assert_eq!(refused.status, 409, "{refused:?}");
    assert_eq!(page.json("/api/names")["names"][NODE]["name"], "edited");
    replace_file(&path, &json!({"names": {}}).to_string());
    wait_until("the file is read", || {
        let reply = page.change("PATCH", "/api/names/-", Some("*"), &json!({"name": "x"}));
        reply.status == 200
    });
}

#[test]
fn without_the_key_there_are_no_names_and_the_answer_says_how_to_have_some() {
    let server = Server::start(json!({}));
    let page = Page::login(&server, "admin");
    assert_eq!(page.json("/api/names"), json!({"names": {}}));
    let refused = page.change("PATCH", "/api/names/-", Some("*"), &json!({"name": "x"}));
    assert_eq!(refused.status, 409);
    let text = refused.json()["error"].as_str().unwrap().to_owned();
    assert!(text.contains("set the key names to its path"), "{text}");
}

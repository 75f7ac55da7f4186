//! A users file that changes.

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{
    BOTH, Server,
    messages::Heard,
    user,
    users::{UsersFile, md5},
    wait_until,
};

/// A server whose users are in a file.
fn with_file(file: &UsersFile) -> Server {
    Server::start(json!({"users": null, "path-users": file.path()}))
}

#[test]
fn users_who_are_removed_or_get_another_password_are_disconnected() {
    let other_password = md5("changed:other");
    let record = |name: &str| user(name, json!({}));
    let file = UsersFile::new(&["stays", "goes", "changed"].map(record));
    let server = with_file(&file);
    let mut clients = ["stays", "goes", "changed"].map(|name| server.open(Protocol::Ws1, name));
    let mut nobody = server.connect(Protocol::Ws2);
    file.replace(&[
        user("stays", json!({"rights": "receive-events"})),
        json!({"name": "changed", "password": other_password}),
        record("new"),
    ]);
    let [stays, goes, changed] = &mut clients;
    assert_eq!(goes.close_code(), 1008);
    assert_eq!(changed.close_code(), 1008);
    // Open sessions keep their rights; new logins get the new ones.
    assert_eq!(stays.ask("E;0,20,3,,,,-"), "+;EVENT");
    let mut again = server.login(Protocol::Ws1, "stays");
    assert_eq!(
        again.ask("E;0,20,3,,,,-"),
        "-;EVENT;6;Not allowed to send event."
    );
    server.login(Protocol::Ws2, "new");
    assert_eq!(nobody.try_login("changed", "other"), Heard::success("AUTH"));
}

#[test]
fn a_removed_user_is_disconnected_without_pings_logins_or_requests() {
    let [stays, goes] = ["stays", "goes"].map(|name| user(name, json!({})));
    let file = UsersFile::new(&[stays.clone(), goes]);
    let server = Server::start(json!({
        "users": null,
        "path-users": file.path(),
        "ping-interval": 0,
        "enable-rest": false,
    }));
    let mut gone = BOTH.map(|protocol| server.open(protocol, "goes"));
    let mut other = server.open(Protocol::Ws1, "stays");
    file.replace(&[stays]);
    for client in &mut gone {
        assert_eq!(client.close_code(), 1008);
    }
    other.command("NOOP");
}

#[test]
fn a_users_file_that_is_broken_leaves_the_old_users() {
    let file = UsersFile::new(&[user("old", json!({}))]);
    let server = with_file(&file);
    let mut client = server.open(Protocol::Ws1, "old");
    for (errors, (users, error)) in (1..).zip([
        ("{\"users\": [\n{]}", "users.json:2: found"),
        (
            "{\"users\": [{\"name\": \"old\"}]}",
            "users.json:1: users[0]: found no \"password\"",
        ),
    ]) {
        file.replace_text(users);
        server.wait_for_log(error);
        wait_until("what becomes of the users", || {
            server.log().matches("the users stay as they were").count() == errors
        });
        server.login(Protocol::Ws1, "old");
    }
    client.command("NOOP");
    file.replace(&[user("new", json!({}))]);
    assert_eq!(client.close_code(), 1008);
    server.login(Protocol::Ws1, "new");
}

//! The sessions of ws1 and ws2, message by message.

use std::sync::Arc;

use serde_json::Value;

use super::{
    server::{configuration, login_message},
    text,
};
use crate::{
    auth::{User, Users},
    client::authorize,
    event::text as form,
    ws::{
        Protocol,
        session::{Action, Session, Settings},
    },
};

/// Gives a ws1 session a message for each line.
pub fn ws1_session(data: &[u8]) {
    session(Protocol::Ws1, data);
}

/// Gives a ws2 session a message for each line.
pub fn ws2_session(data: &[u8]) {
    session(Protocol::Ws2, data);
}

/// Gives a session a message for each line; that of `!NAME` is the login of the user NAME.
fn session(protocol: Protocol, data: &[u8]) {
    let Some(text) = text(data) else { return };
    let config = configuration();
    let settings = Settings {
        dialect: config.dialect,
        key: config.key.clone(),
        max_attempts: config.ws.auth_attempts,
    };
    let mut session = Session::new(protocol, Arc::new(settings)).expect("randomness");
    for line in text.lines() {
        let message = match line.strip_prefix('!') {
            Some(name) => login_message(protocol, &sid(&session), name),
            None => line.to_owned(),
        };
        let reply = match session.message(&message) {
            Action::Ignore => continue,
            Action::Reply(reply) | Action::Refuse(reply, _) | Action::Clear(reply) => reply,
            Action::Login(credentials) => {
                let user = credentials.and_then(|credentials| {
                    let user = config.users.get(&credentials.user)?;
                    let is_right = user.password.matches(&user.name, &credentials.password);
                    is_right.then(|| user.clone())
                });
                log_in(&mut session, user, &config.users)
            }
            Action::Submit(mut event) => {
                let user = session.user().expect("a user");
                assert!(authorize(user, &mut event).is_ok());
                let mut written = Vec::new();
                form::encode(&event, &mut written);
                session.submitted(Ok(())).into_owned()
            }
        };
        check_reply(protocol, &reply);
        if session.is_exhausted() {
            return;
        }
    }
}

fn log_in(session: &mut Session, user: Option<Arc<User>>, users: &Users) -> String {
    let before = sid(session);
    let name = user.as_ref().map(|user| user.name.clone());
    let reply = session.logged_in(user);
    match name {
        Some(name) => {
            let known = users.get(&name).expect("a user");
            assert!(session.user().is_some_and(|user| Arc::ptr_eq(user, known)));
        }
        None => {
            assert!(session.user().is_none() && !session.is_open() && !session.receives());
            assert_ne!(
                before,
                sid(session),
                "the sid of a login that failed is spent"
            );
        }
    }
    reply
}

/// Returns the sid that the next login is for.
fn sid(session: &Session) -> String {
    let greeting = session.greeting();
    let is_sid = |part: &&str| part.len() == 32;
    let sid = greeting
        .split(|c: char| !c.is_ascii_hexdigit())
        .find(is_sid);
    sid.expect("a sid").to_owned()
}

fn check_reply(protocol: Protocol, reply: &str) {
    match protocol {
        Protocol::Ws1 => assert!(
            reply.starts_with("+;") || reply.starts_with("-;"),
            "{reply}"
        ),
        Protocol::Ws2 => {
            let reply: Value = serde_json::from_str(reply).expect("JSON");
            assert!(reply["type"] == "+" || reply["type"] == "-", "{reply}");
        }
    }
}

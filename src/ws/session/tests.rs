use aes::{
    Aes128,
    cipher::{BlockModeEncrypt, KeyIvInit, block_padding::NoPadding},
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use super::*;
use crate::{
    auth::{EventRules, StoredPassword, event_rules::EventRule},
    client::NoRandomness,
};

pub(in crate::ws) const KEY: [u8; 16] = [7; 16];
const PROTOCOLS: [Protocol; 2] = [Protocol::Ws1, Protocol::Ws2];
const MAX_ATTEMPTS: u32 = 3;

fn session(protocol: Protocol) -> Session {
    let settings = Settings {
        dialect: Dialect::default(),
        key: Key::new(KEY),
        max_attempts: MAX_ATTEMPTS,
    };
    Session::new(protocol, Arc::new(settings)).unwrap()
}

/// `all` may do everything, `mute` only receive, `deaf` only send, `tens` only receive class 10.
fn user(name: &str) -> Arc<User> {
    let (rights, events) = match name {
        "all" => (Rights::ADMIN, ""),
        "mute" => (Rights::RCV_EVENT, ""),
        "deaf" => (Rights::SEND_EVENT, ""),
        "tens" => (Rights::USER, "RX;10:*"),
        _ => panic!("no user {name}"),
    };
    let password = StoredPassword::parse("00000000000000000000000000000000").unwrap();
    Arc::new(User {
        rights,
        events: EventRules::new(EventRule::parse_list(events).unwrap()),
        ..User::new(name, password)
    })
}

fn auth(session: &Session, protocol: Protocol, name: &str) -> String {
    login(&session.sid.hex(), protocol, name)
}

/// The message that logs in a user whose password is `secret`.
pub(in crate::ws) fn login(sid: &str, protocol: Protocol, name: &str) -> String {
    let mut plain = format!("{name}:secret").into_bytes();
    plain.resize(plain.len().next_multiple_of(16), 0);
    let mut iv = [0; 16];
    hex::decode_to_slice(sid, &mut iv).unwrap();
    let encryptor = cbc::Encryptor::<Aes128>::new(&KEY.into(), &iv.into());
    let length = plain.len();
    let crypto = encryptor.encrypt_padded::<NoPadding>(&mut plain, length);
    let [iv, crypto] = [sid.to_owned(), hex::encode(crypto.unwrap())];
    match protocol {
        Protocol::Ws1 => format!("C;AUTH;{iv};{crypto}"),
        Protocol::Ws2 => {
            json!({"type": "C", "command": "AUTH", "args": {"iv": iv, "crypto": crypto}})
                .to_string()
        }
    }
}

/// Word and code of a reply, 0 for a positive one; fails for anything that is no reply.
fn understood(protocol: Protocol, reply: &str) -> (String, u64) {
    if protocol == Protocol::Ws2 {
        let reply: Value = serde_json::from_str(reply).unwrap();
        let word = reply["command"].as_str().unwrap().to_owned();
        let code = reply["errcode"].as_u64().unwrap_or(0);
        assert_eq!(reply["type"], if code == 0 { "+" } else { "-" });
        assert_eq!(reply["error-code"], reply["errcode"]);
        assert_eq!(reply["error-str"], reply["errstr"]);
        return (word, code);
    }
    let fields: Vec<&str> = reply.split(';').collect();
    match fields[..] {
        ["+", word, ..] => (word.to_owned(), 0),
        ["-", code, _] => (String::new(), code.parse().unwrap()),
        ["-", .., code, text] => {
            assert!(text.ends_with(['.', ')']), "{reply}");
            let word = &reply[2..reply.len() - text.len() - code.len() - 2];
            (word.to_owned(), code.parse().unwrap())
        }
        _ => panic!("no reply: {reply}"),
    }
}

/// Does with an action what a connection does; hosts take every event.
fn carry_out(session: &mut Session, action: Action, logs_in: Option<&str>) -> Option<String> {
    match action {
        Action::Ignore => None,
        Action::Reply(reply) | Action::Refuse(reply, _) | Action::Clear(reply) => Some(reply),
        Action::Login(credentials) => {
            if let Some(name) = logs_in {
                let credentials = credentials.unwrap();
                assert_eq!(
                    (&*credentials.user, &*credentials.password),
                    (name, "secret")
                );
            }
            Some(session.logged_in(logs_in.map(user)))
        }
        Action::Submit(_) => Some(session.submitted(Ok(())).into_owned()),
    }
}

#[test]
fn the_reply_to_an_event_says_what_became_of_it() {
    for protocol in PROTOCOLS {
        let session = session(protocol);
        for (result, code) in [
            (Ok(()), 0),
            (Err(NotAccepted::Full), 3),
            (
                Err(NotAccepted::TooLarge {
                    bytes: 300,
                    max: 128,
                }),
                8,
            ),
            (Err(NotAccepted::Date), 8),
        ] {
            let reply = session.submitted(result);
            assert_eq!(understood(protocol, &reply), ("EVENT".to_owned(), code));
        }
    }
}

#[test]
fn what_is_received_depends_on_user_and_filter() {
    let event = |class: u16| {
        let text = format!("0,{class},3,,,,-");
        crate::event::text::parse(&text).unwrap()
    };
    for (name, receives, all, tens, twenties) in [
        ("all", true, true, true, true),
        ("mute", true, true, true, true),
        ("tens", true, false, true, false),
        ("deaf", false, true, false, false),
    ] {
        let mut session = session(Protocol::Ws1);
        assert!(!session.receives() && !session.receives_event(&event(10)));
        session.logged_in(Some(user(name)));
        assert_eq!(session.receives(), receives, "{name}");
        assert_eq!(session.receives_all(), all, "{name}");
        assert_eq!(session.receives_event(&event(10)), tens, "{name}");
        assert_eq!(session.receives_event(&event(20)), twenties, "{name}");
    }
    let mut session = session(Protocol::Ws1);
    session.logged_in(Some(user("all")));
    session.message("C;SF;0,20,0,-;0,0xFFFF,0,-");
    assert!(!session.receives_all());
    assert!(session.receives_event(&event(20)) && !session.receives_event(&event(10)));
    session.logged_in(Some(user("all")));
    assert!(session.receives_all());
}

#[test]
fn a_message_to_clear_the_queue_is_told_from_others() {
    for (protocol, message) in [
        (Protocol::Ws1, "C;CLRQ"),
        (Protocol::Ws2, r#"{"type":"C","command":"clrq"}"#),
    ] {
        let mut session = session(protocol);
        assert!(matches!(session.message(message), Action::Reply(_)));
        session.logged_in(Some(user("all")));
        assert!(matches!(session.message(message), Action::Clear(_)));
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Command(&'static str),
    Event { class: u16 },
    BadEvent,
    GoodFilter,
    BadFilter,
    BadAuth,
    WrongAuth,
    Auth(&'static str),
    Reply,
    UnknownType,
}

fn any_step() -> impl Strategy<Value = Step> {
    use proptest::sample::select;
    let words = [
        "NOOP",
        "CHALLENGE",
        "OPEN",
        "CLOSE",
        "CLRQ",
        "VERSION",
        "COPYRIGHT",
        "NOOPX",
    ];
    prop_oneof![
        6 => select(words.to_vec()).prop_map(Step::Command),
        2 => select(vec![0, 10, 20, 1024, 1028]).prop_map(|class| Step::Event { class }),
        1 => Just(Step::BadEvent),
        1 => Just(Step::GoodFilter),
        1 => Just(Step::BadFilter),
        1 => Just(Step::BadAuth),
        1 => Just(Step::WrongAuth),
        3 => select(vec!["all", "mute", "deaf", "tens"]).prop_map(Step::Auth),
        1 => Just(Step::Reply),
        1 => Just(Step::UnknownType),
    ]
}

impl Step {
    fn message(self, session: &Session, protocol: Protocol) -> String {
        let ws1 = protocol == Protocol::Ws1;
        let command = |word: &str, ws1_args: &str, args: Value| match protocol {
            Protocol::Ws1 => format!("C;{word}{ws1_args}"),
            Protocol::Ws2 => json!({"type": "C", "command": word, "args": args}).to_string(),
        };
        match self {
            Self::Command(word) => command(word, "", Value::Null),
            Self::Event { class } if ws1 => format!("E;0,{class},3,,,,-"),
            Self::Event { class } => {
                json!({"type": "E", "event": {"class": class, "type": 3}}).to_string()
            }
            Self::BadEvent if ws1 => "E;0,20".into(),
            Self::BadEvent => json!({"type": "E", "event": {"class": 20}}).to_string(),
            Self::GoodFilter => command("SF", ";0,0,0,-;0,0,0,-", json!({"mask_class": 0})),
            Self::BadFilter => command("SF", ";0,0,0,-;0,x,0,-", json!({"mask_class": "x"})),
            Self::BadAuth => command("AUTH", ";00;00", json!({"iv": "00", "crypto": "00"})),
            Self::WrongAuth => auth(session, protocol, "nobody"),
            Self::Auth(name) => auth(session, protocol, name),
            Self::Reply if ws1 => "+;EVENT".into(),
            Self::Reply => r#"{"type":"+"}"#.into(),
            Self::UnknownType if ws1 => "X".into(),
            Self::UnknownType => r#"{"type":"X"}"#.into(),
        }
    }
}

/// A session as the rules describe it.
#[derive(Debug, Default)]
struct Model {
    user: Option<&'static str>,
    open: bool,
    failures: u32,
}

impl Model {
    /// Word and code of the reply that is due; `None` for no reply.
    fn reply(&mut self, step: Step, ws1: bool) -> Option<(&'static str, u64)> {
        let may_send = |class: u16| match self.user {
            Some("all") => true,
            Some("tens") => class != 1028,
            Some("deaf") => matches!(class, 10 | 20),
            _ => false,
        };
        let after_login = |code| if self.user.is_some() { code } else { 5 };
        Some(match step {
            Step::Reply => return None,
            Step::UnknownType => ("", 9),
            Step::Command("CHALLENGE") if ws1 => ("AUTH0", 0),
            Step::Command(word @ ("NOOP" | "CHALLENGE" | "VERSION" | "COPYRIGHT")) => (word, 0),
            Step::Command("NOOPX") => ("NOOPX", after_login(2)),
            Step::Command(word) => {
                let code = after_login(0);
                if code == 0 && word != "CLRQ" {
                    self.open = word == "OPEN";
                }
                (word, code)
            }
            Step::Event { class } if self.user.is_some() && !may_send(class) => ("EVENT", 6),
            Step::Event { .. } => ("EVENT", after_login(0)),
            Step::BadEvent => ("EVENT", after_login(8)),
            Step::GoodFilter | Step::BadFilter if matches!(self.user, Some("all")) => {
                ("SF", u64::from(matches!(step, Step::BadFilter)))
            }
            Step::GoodFilter | Step::BadFilter => ("SF", after_login(7)),
            Step::BadAuth | Step::WrongAuth => {
                *self = Self {
                    failures: self.failures + 1,
                    ..Self::default()
                };
                ("AUTH", if matches!(step, Step::BadAuth) { 1 } else { 5 })
            }
            Step::Auth(name) => {
                self.user = Some(name);
                (if ws1 { "AUTH1" } else { "AUTH" }, 0)
            }
        })
    }
}

proptest! {
    #[test]
    fn a_session_answers_as_the_rules_say_in_every_state(
        steps in vec(any_step(), 1..60),
        protocol in proptest::sample::select(PROTOCOLS.to_vec()),
    ) {
        let mut session = session(protocol);
        let mut model = Model::default();
        for step in steps {
            let sid = session.sid.hex();
            let failures = model.failures;
            let message = step.message(&session, protocol);
            let logs_in = match step {
                Step::Auth(name) => Some(name),
                _ => None,
            };
            let action = session.message(&message);
            let reply = carry_out(&mut session, action, logs_in);
            let reply = reply.map(|reply| understood(protocol, &reply));
            let expected = model.reply(step, protocol == Protocol::Ws1);
            prop_assert_eq!(reply, expected.map(|(word, code)| (word.to_owned(), code)));
            let name = session.user().map(|user| user.name.as_str());
            prop_assert_eq!((name, session.is_open()), (model.user, model.open));
            prop_assert_eq!(session.is_exhausted(), model.failures >= MAX_ATTEMPTS);
            prop_assert_eq!(session.sid.hex() == sid, model.failures == failures);
        }
    }

    #[test]
    fn every_message_gets_one_reply_unless_it_is_one(
        messages in vec(any_message(), 1..10),
        protocol in proptest::sample::select(PROTOCOLS.to_vec()),
        logged_in: bool,
    ) {
        let mut session = session(protocol);
        if logged_in {
            session.logged_in(Some(user("all")));
        }
        for message in messages {
            let action = session.message(&message);
            let reply = carry_out(&mut session, action, None);
            let is_reply = match protocol {
                Protocol::Ws1 => message.trim().starts_with(['+', '-']),
                Protocol::Ws2 => serde_json::from_str::<Value>(&message).is_ok_and(|message| {
                    let kind = message.get("type").and_then(Value::as_str).unwrap_or("");
                    ["+", "-"].contains(&kind.trim())
                }),
            };
            prop_assert_eq!(reply.is_none(), is_reply, "{}", message);
            if let Some(reply) = reply {
                understood(protocol, &reply);
                prop_assert!(reply.len() < 2000, "{}", reply);
            }
        }
    }
}

/// Random text, often close to a message.
fn any_message() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "(noop|auth|open|sf|setfilter|clrq|challenge|close|version)",
        "\\PC{0,100}",
    ];
    let value = prop_oneof![
        "[0-9]{1,6}|null|true|\\[[0-9,]{0,9}\\]|\\{\\}|\"[A-F0-9]{0,32}\"",
        "\\PC{0,8}".prop_map(|text| json!(text).to_string()),
    ];
    let key = "type|command|args|event|iv|crypto|class|data|guid|mask_class|filter|\\PC{0,4}";
    let entry = (key, value.clone()).prop_map(|(key, value)| format!("{}:{value}", json!(key)));
    let args = vec(entry, 0..4).prop_map(|entries| format!("{{{}}}", entries.join(",")));
    prop_oneof![
        "\\PC{0,20}",
        (word.clone(), "[0-9a-fA-F;, x-]{0,80}")
            .prop_map(|(word, args)| format!("C;{word};{args}")),
        "[EeCc+-];[0-9a-fx,:;-]{0,60}",
        ("[ cCeE+-]{1,2}|CMD|EVENT", word, args.clone()).prop_map(|(kind, word, args)| {
            format!(
                r#"{{"type":{},"command":{},"args":{args}}}"#,
                json!(kind),
                json!(word)
            )
        }),
        args.clone()
            .prop_map(|event| format!(r#"{{"type":"E","event":{event}}}"#)),
        args,
    ]
}

#[test]
fn commands_are_words_of_ascii_in_any_case() {
    for (word, kind) in [
        ("SF", Some(CommandKind::SetFilter)),
        ("sf", Some(CommandKind::SetFilter)),
        ("cHaLLenge", Some(CommandKind::Challenge)),
        // A long s, which is S in upper case.
        ("\u{17f}f", None),
        ("clo\u{17f}e", None),
    ] {
        assert_eq!(Command::new(word, "").kind, kind, "{word}");
    }
}

#[test]
fn a_failed_login_ends_the_session_if_there_is_no_randomness_for_a_new_id() {
    for protocol in PROTOCOLS {
        let mut session = session(protocol);
        let _no_randomness = NoRandomness::start();
        session.logged_in(None);
        assert!(session.is_exhausted());
        assert!(Session::new(protocol, session.settings.clone()).is_err());
    }
}

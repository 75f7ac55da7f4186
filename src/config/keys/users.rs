//! The keys of a users file.

use super::{
    Group, Table,
    kind::{Choice, Number, Optional, Special, Text},
    row::Row,
};
use crate::auth::event_rules::Direction;

pub static USERS: Row<Special> =
    Row::new(&["users"], Special, "none; needed", "The list of users.").secret();

pub static NAME: Row<Special> = Row::new(
    &["name", "user"],
    Special,
    "none; needed",
    "The name to log in with, without `;` and `:`.",
);

pub static PASSWORD: Row<Special> = Row::new(
    &["password", "credentials"],
    Special,
    "none; needed",
    "What `vscpl2drv-websocksrv passwd` prints: SALT;HASH;ROUNDS (PBKDF2-HMAC-SHA256).",
)
.manual(
    "SALT;HASH (70000 rounds) and 32 hexadecimal digits (MD5 of USER:PASSWORD) are understood as \
     well. MD5 is easily guessed: the log names the users who have it.",
)
.secret();

pub static FULLNAME: Row<Text<String>> = Row::new(
    &["fullname", "full-name"],
    Text(text),
    "\"\"",
    "The name of the user for people.",
);

pub static NOTE: Row<Text<String>> = Row::new(&["note"], Text(text), "\"\"", "A text for people.");

pub static RIGHTS: Row<Special> = Row::new(
    &["rights"],
    Special,
    "user",
    "What the user may do: names, in a string separated by / or , or in a list; or a number.",
)
.manual(
    "`admin` may do everything; `user` may receive all events, and send all but those of class \
     1028. `driver`, `web`, `rest`, `tcp`, `websockets`, `mqtt` and `udp` are the same with the \
     right to one interface or, for `driver`, to none. Every user may log in on a websocket. REST asks \
     for its right, which `admin`, `user` and `rest` have; the login of pages asks for that of `web` \
     or `websockets`, which `admin` and `user` have, too.\n\n\
     Single rights: `send-events`, `receive-events`, `l1ctrl-events` (to send classes 0 and 512 as \
     well), `l2ctrl-events` (1024), `hlo-events` (1028), `set-filter` (the command SF), `tcpip`, \
     `ws` (also `ws1`, `ws2`), `multicast`, `set-guid`, `test`, `interface`, `restart`, \
     `shutdown`, `names` (to change the names of nodes and sensors).",
);

pub static REMOTES: Row<Special> = Row::new(
    &["remotes"],
    Special,
    "anywhere",
    "Addresses that the user may log in from: [+|-]ADDRESS[/BITS], IPv4 or IPv6, or `*`, separated \
     by commas or in a list.",
)
.manual(
    "The last entry that matches counts. If none matches, the login is refused if there is any \
     entry with `+` or without a sign.",
);

pub static EVENTS: Row<Special> = Row::new(
    &["events", "allow-events"],
    Special,
    "all",
    "Events that the user may send or receive: [TX;|RX;|BOTH;]CLASS:TYPE, separated by / or commas \
     or in a list; `*` is any, TX (send) is the default.",
)
.manual(
    "An entry of a list may also be an object, see below. If there is no entry for a direction all \
     events may go that way.",
);

pub static FILTER: Row<Special> = Row::new(
    &["filter"],
    Special,
    "all pass",
    "The filter that a session starts with: priority,class,type,GUID, see FILTERS.",
);

pub static MASK: Row<Special> = Row::new(
    &["mask"],
    Special,
    "none",
    "The bits in which an event must equal the filter.",
)
.manual(
    "Without a mask every bit of the fields that the filter gives counts, and a warning says so.",
);

pub static MAX_PRIORITY: Row<Optional<Number<u8>>> = Row::new(
    &["max-priority"],
    Optional(priority()),
    "0",
    "The highest priority, 0 (highest) to 7, of events that the user sends; a higher one is \
     lowered.",
);

pub static RULE_DIRECTION: Row<Choice<Direction>> = Row::new(
    &["dir"],
    Choice(&Direction::WORDS),
    "\"TX\"",
    "The direction: `TX` the user may send, `RX` the user may receive.",
);

pub static RULE_CLASS: Row<Special> =
    Row::new(&["class"], Special, "any", "The class, -1 for any.");

pub static RULE_TYPE: Row<Special> = Row::new(&["type"], Special, "any", "The type, -1 for any.");

pub static RULE_MAX_PRIORITY: Row<Optional<Number<u8>>> = Row::new(
    &["max-priority"],
    Optional(priority()),
    "-1, no limit",
    "The highest priority of these events if the user sends them.",
);

/// The keys of a users file.
pub static FILE: Table = Table {
    path: "users-file",
    groups: &[Group {
        title: "",
        rows: &[&USERS],
    }],
};

/// The keys of a user.
pub static USER: Table = Table {
    path: "users[]",
    groups: &[Group {
        title: "",
        rows: &[
            &NAME,
            &PASSWORD,
            &FULLNAME,
            &NOTE,
            &RIGHTS,
            &REMOTES,
            &EVENTS,
            &FILTER,
            &MASK,
            &MAX_PRIORITY,
        ],
    }],
};

/// The keys of an entry of a user's `events`.
pub static EVENT_RULE: Table = Table {
    path: "users[].events[]",
    groups: &[Group {
        title: "",
        rows: &[&RULE_DIRECTION, &RULE_CLASS, &RULE_TYPE, &RULE_MAX_PRIORITY],
    }],
};

const fn priority() -> Number<u8> {
    Number::new(0..=7, "", |priority| {
        u8::try_from(priority).unwrap_or(u8::MAX)
    })
}

fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

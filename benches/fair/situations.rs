//! The situations that are measured.

use crate::{
    host::Writing,
    peers::{
        Behavior::{Drips, Floods, FloodsRest, Reads, Resets, Stops},
        Dialect::{self, Ws1, Ws2, Wss},
        Peers,
    },
};

/// What happens beside the switches.
pub(crate) struct Situation {
    pub(crate) name: &'static str,
    /// What the host writes.
    pub(crate) writing: Writing,
    /// True if the host takes its events.
    pub(crate) reads: bool,
    pub(crate) peers: &'static [Peers],
    /// True if REST is measured, too.
    pub(crate) rest: bool,
}

const fn with(name: &'static str, writing: Writing, peers: &'static [Peers]) -> Situation {
    Situation {
        name,
        writing,
        reads: true,
        peers,
        rest: false,
    }
}

const fn peers(count: usize, behavior: crate::peers::Behavior, dialect: Dialect) -> Peers {
    Peers {
        count,
        behavior,
        dialect,
    }
}

const STEADY: Writing = Writing::Rate(3000);

pub(crate) static SITUATIONS: &[Situation] = &[
    with("host 3000/s", STEADY, &[]),
    with(
        "host 3000/s, 60 read 50/s each",
        STEADY,
        &[peers(60, Reads(50), Ws1)],
    ),
    with(
        "host 3000/s, 1 reads 1100/s",
        STEADY,
        &[peers(1, Reads(1100), Ws1)],
    ),
    Situation {
        rest: true,
        ..with(
            "1 floods 20 000/s, 1 reads 1100/s",
            Writing::Nothing,
            &[peers(1, Floods(20_000), Ws1), peers(1, Reads(1100), Ws1)],
        )
    },
    with("host full rate", Writing::Full, &[]),
    with(
        "host full rate, 1 reads 1100/s",
        Writing::Full,
        &[peers(1, Reads(1100), Ws1)],
    ),
    with(
        "host 20 000 each 3 s, 1 reads 1500/s",
        Writing::Bursts,
        &[peers(1, Reads(1500), Ws1)],
    ),
    with(
        "host 3000/s, 1 has stopped",
        STEADY,
        &[peers(1, Stops, Ws1)],
    ),
    with("host 3000/s, 1 drips", STEADY, &[peers(1, Drips, Ws1)]),
    with(
        "host 3000/s, 1 resets or closes",
        STEADY,
        &[peers(1, Resets, Ws1)],
    ),
    Situation {
        rest: true,
        ..with(
            "host 3000/s, REST floods",
            STEADY,
            &[peers(4, FloodsRest, Ws1)],
        )
    },
    with(
        "host 3000/s, 60 read 50/s, ws2",
        STEADY,
        &[peers(60, Reads(50), Ws2)],
    ),
    with(
        "host 3000/s, 1 reads 1100/s, ws2",
        STEADY,
        &[peers(1, Reads(1100), Ws2)],
    ),
    with(
        "1 floods, 1 reads 1100/s, ws2",
        Writing::Nothing,
        &[peers(1, Floods(20_000), Ws2), peers(1, Reads(1100), Ws2)],
    ),
    with(
        "host 3000/s, 60 read 50/s, TLS",
        STEADY,
        &[peers(60, Reads(50), Wss)],
    ),
    with(
        "host 3000/s, 1 reads 1100/s, TLS",
        STEADY,
        &[peers(1, Reads(1100), Wss)],
    ),
    with(
        "1 floods, 1 reads 1100/s, TLS",
        Writing::Nothing,
        &[peers(1, Floods(20_000), Wss), peers(1, Reads(1100), Wss)],
    ),
    Situation {
        reads: false,
        ..with(
            "host hangs, 1 sends 3000/s",
            Writing::Nothing,
            &[peers(1, Floods(3000), Ws1)],
        )
    },
];

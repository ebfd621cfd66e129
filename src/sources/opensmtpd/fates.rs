//! What a start of smtpd, or `smtpctl schedule all`, does to what lies in its spool.
//!
//! Source: `queue_fs.c` (`queue_fs_init`, `fsqueue_qwalk`), `queue_backend.c` (`queue_init`), `smtpd.c` (`offline_scan`),
//! `scheduler_ramqueue.c`. Observed on 6.8.0p2.

use crate::evidence::Condition::{Due, Expired, OlderThan};
use crate::evidence::Trigger::{Flush, Start};
use crate::evidence::{Condition, Effect, Fate, Habits, Measure, Message, Occasion, Trigger};

/// A file whose time lies ahead of the start is not taken in (`fsqueue_qwalk`: `st_mtim > startup`).
const WRITTEN: Condition = OlderThan(0, Measure::Modified);

const ALL: &[Trigger] = &[Start, Flush];

/// What can be set going.
pub static HABITS: Habits = Habits {
    occasions: &[
        Occasion { trigger: Start, command: "systemctl restart opensmtpd", happens: "OpenSMTPD starts" },
        Occasion {
            trigger: Flush,
            command: "smtpctl schedule all",
            happens: "all mail of OpenSMTPD is scheduled",
        },
    ],
    healthy: HEALTHY,
    source: "queue_fs.c, queue_fs_envelope_walk; scheduler_ramqueue.c; smtpctl(8), schedule",
};

const OVER: &str = "it is older than its time to live: it is returned";
const HEALTHY: &[Fate] = &[
    Fate::new(ALL, Effect::Returned, OVER).when(&[Expired]).likely(),
    Fate::new(&[Start], Effect::Tried, "it is taken in, and tried when its turn comes").when(&[Due]),
    Fate::new(&[Flush], Effect::Tried, "it is tried at once"),
];

fn is_offline(message: &Message) -> bool {
    message.queue == "offline"
}

fn is_purged(message: &Message) -> bool {
    ["incoming", "temporary", "purge"].contains(&message.queue.as_str())
}

fn is_content(message: &Message) -> bool {
    message.place.path.to_path().file_name().is_some_and(|name| name == "message")
}

pub const UNINDEXED: &[Fate] = &[
    Fate::new(
        &[Start],
        Effect::Released,
        "the queue is read at the start only: it is taken in then, and tried",
    )
    .when(&[WRITTEN]),
    Fate::new(&[Flush], Effect::Stays, "this smtpd does not know it"),
];
pub const CORRUPT: &[Fate] = &[
    Fate::new(
        &[Start],
        Effect::Stays,
        "its envelope is passed over, from then on for ever, even if it was in memory until then",
    ),
    Fate::new(&[Flush], Effect::Stays, "what was read before the damage may still be delivered from memory")
        .possible(),
];
pub const EMPTY_FILE: &[Fate] = &[
    Fate::new(&[Start], Effect::Purged, "an empty file in `offline` is deleted")
        .only("in offline", is_offline),
    Fate::new(ALL, Effect::SentEmpty, "an empty content is sent as an empty message")
        .only("whose content is empty", is_content),
    Fate::new(ALL, Effect::Stays, "an empty envelope is passed over without a word").likely(),
];
pub const WRONG_OWNER_OR_MODE: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "what smtpd cannot open it passes over, or tries in vain").likely()];
pub const UNFINISHED: &[Fate] = &[
    Fate::new(
        &[Start],
        Effect::Purged,
        "whatever is in `incoming` and `temporary` is removed before anything else, whatever its age",
    )
    .only("in incoming or temporary", is_purged),
    Fate::new(ALL, Effect::Stays, "what was not finished is in no queue").likely(),
];
pub const BODY_WITHOUT_ENVELOPE: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "smtpd reads envelopes only, and nothing removes the content").likely()];
pub const ENVELOPE_WITHOUT_BODY: &[Fate] = &[
    Fate::new(
        ALL,
        Effect::Returned,
        "older than its time to live it is returned, with no content of its own",
    )
    .when(&[Expired])
    .likely(),
    Fate::new(ALL, Effect::Stays, "every attempt fails for the moment"),
];
pub const FOREIGN_NAME: &[Fate] = &[Fate::new(
    ALL,
    Effect::Stays,
    "its name is passed over; it goes when the last envelope of the message beside it is delivered",
)
.likely()];
pub const MISFILED: &[Fate] = &[Fate::new(ALL, Effect::Stays, "it is looked for elsewhere")];
pub const UNCLAIMED: &[Fate] = &[
    Fate::new(&[Start], Effect::Released, "`offline` is looked through once, a second after the start"),
    Fate::new(&[Flush], Effect::Stays, "`offline` is looked through after a start only"),
];
pub const HELD: &[Fate] = &[
    Fate::new(
        &[Start],
        Effect::Released,
        "that it was suspended is in memory only: after a start it is tried",
    ),
    Fate::new(&[Flush], Effect::Stays, "what is suspended is left alone"),
];
pub const FUTURE_TIME: &[Fate] = &[
    Fate::new(&[Start], Effect::Released, "a file whose time lies ahead is not taken in before that time")
        .when(&[WRITTEN]),
    Fate::new(&[Flush], Effect::Tried, "it is tried if smtpd knows it").possible(),
];
pub const LISTED_NOT_ON_DISK: &[Fate] = &[
    Fate::new(
        &[Start],
        Effect::Destroyed,
        "it is in memory only: after a start it is gone, without a bounce",
    ),
    Fate::new(&[Flush], Effect::Stays, "its attempt fails, since its file is not there"),
];
pub const DUPLICATE_MESSAGE: &[Fate] =
    &[Fate::new(ALL, Effect::SentTwice, "each of them that smtpd knows is delivered by itself").possible()];

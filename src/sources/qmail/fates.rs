//! What a start of qmail-send, its cleanup or an alarm does to what lies in the queue.
//!
//! Source: notqmail `qmail-send.c` (`pqstart`, `pqadd`, `cleanup_do`, `pass_dochan`, `todo_do`; `OSSIFIED`, `SLEEP_CLEANUP`),
//! `qmail-clean.c`; `qmail-send(9)` on ALRM. Observed on notqmail 1.09.

use crate::evidence::Condition::{Due, Expired, OlderThan};
use crate::evidence::Trigger::{Cleanup, Flush, Start};
use crate::evidence::{Condition, Effect, Fate, Habits, Measure, Occasion, Trigger};

/// `OSSIFIED`: 36 hours since it was last read.
const OSSIFIED: Condition = OlderThan(36 * 60 * 60, Measure::Accessed);

const ALL: &[Trigger] = &[Start, Flush, Cleanup];
const TRIES: &[Trigger] = &[Start, Flush];
const CLEANS: &[Trigger] = &[Start, Cleanup];
const NOT_STARTED: &[Trigger] = &[Flush, Cleanup];

/// What can be set going.
pub static HABITS: Habits = Habits {
    occasions: &[
        Occasion {
            trigger: Start,
            command: "svc -u /service/qmail-send || systemctl start qmail-send",
            happens: "qmail-send starts",
        },
        Occasion {
            trigger: Flush,
            command: "pkill -ALRM -x qmail-send",
            happens: "qmail-send is told to try everything",
        },
        Occasion { trigger: Cleanup, command: "", happens: "qmail-send clears up (every 21 hours)" },
    ],
    healthy: HEALTHY,
    source: "notqmail qmail-send.c, pqstart and pass_dochan; qmail-send(9)",
};

const OVER: &str = "it is older than queuelifetime: if the next attempt fails, it is returned";
const HEALTHY: &[Fate] = &[
    Fate::new(&[Start], Effect::Returned, OVER).when(&[Due, Expired]),
    Fate::new(&[Start], Effect::Tried, "its next attempt is due").when(&[Due]),
    Fate::new(&[Flush], Effect::Returned, OVER).when(&[Expired]),
    Fate::new(&[Flush], Effect::Tried, "an alarm makes everything due"),
    Fate::new(&[Cleanup], Effect::Stays, "it has its envelope"),
];

pub const BODY_WITHOUT_ENVELOPE: &[Fate] = &[
    Fate::new(
        CLEANS,
        Effect::Destroyed,
        "what has neither `info` nor `todo` is deleted, without a bounce, 36 hours after it was last read",
    )
    .when(&[OSSIFIED]),
    Fate::new(ALL, Effect::Stays, "without its envelope nothing tries it"),
];
pub const ENVELOPE_WITHOUT_BODY: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "it is tried again and again, and nothing is delivered")];
pub const UNFINISHED: &[Fate] = &[
    Fate::new(CLEANS, Effect::Purged, "what was not finished is deleted 36 hours after it was last read")
        .when(&[OSSIFIED]),
    Fate::new(ALL, Effect::Stays, "what is not linked into `todo` is not looked at"),
];
pub const OWNER_GONE: &[Fate] = UNFINISHED;
pub const MISSING_PART: &[Fate] = &[
    Fate::new(
        &[Start],
        Effect::Destroyed,
        "without `local` and `remote` it is taken for done and removed: no delivery, no bounce",
    ),
    Fate::new(NOT_STARTED, Effect::Stays, "a qmail-send that knows it goes on saying `trouble opening`"),
];
pub const MISFILED: &[Fate] = &[Fate::new(ALL, Effect::Stays, "its files are looked for elsewhere")];
pub const WRONG_OWNER_OR_MODE: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "qmail-send cannot open it, now as later")];
pub const CORRUPT: &[Fate] = &[
    Fate::new(
        TRIES,
        Effect::SentDamaged,
        "who stands before the damage is tried, who stands behind it is not, and no bounce says so",
    )
    .possible(),
    Fate::new(&[Cleanup], Effect::Stays, "it is not looked at"),
];
pub const EMPTY_FILE: &[Fate] = &[
    Fate::new(TRIES, Effect::SentEmpty, "with an envelope it is delivered as it is, empty").likely(),
    Fate::new(&[Cleanup], Effect::Stays, "it is not looked at").likely(),
];
pub const FOREIGN_NAME: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "a name that is no number is neither tried nor cleaned up")];
pub const UNINDEXED: &[Fate] = &[
    Fate::new(&[Start], Effect::Released, "`info` is read at the start only: it is taken in then, and tried")
        .when(&[Due]),
    Fate::new(NOT_STARTED, Effect::Stays, "a running qmail-send does not know it"),
];
pub const UNCLAIMED: &[Fate] = &[
    Fate::new(&[Start], Effect::Released, "what lies in `todo` is taken in and tried"),
    Fate::new(
        NOT_STARTED,
        Effect::Stays,
        "`todo` is looked at when the trigger is pulled, and every 25 minutes",
    ),
];
pub const FUTURE_TIME: &[Fate] = &[
    Fate::new(&[Start], Effect::Released, "it is not tried until the time of its files has come")
        .when(&[Due]),
    Fate::new(&[Flush], Effect::Released, "an alarm makes everything due"),
    Fate::new(&[Cleanup], Effect::Stays, "it has its envelope"),
];
pub const EXPIRED: &[Fate] = &[
    Fate::new(&[Start], Effect::Returned, OVER).when(&[Due]),
    Fate::new(&[Flush], Effect::Returned, OVER),
    Fate::new(&[Cleanup], Effect::Stays, "it has its envelope"),
];
pub const NAME_INODE_MISMATCH: &[Fate] = HEALTHY;
pub const ORPHAN_SIDE_FILE: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "it is not looked at until a new message gets its number")];
pub const OTHER_QUEUE: &[Fate] = HEALTHY;
pub const LISTED_NOT_ON_DISK: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "there is no file to which anything could happen").likely()];
pub const DUPLICATE_MESSAGE: &[Fate] = &[
    Fate::new(TRIES, Effect::SentTwice, "each copy that lies in its place is delivered by itself").possible(),
    Fate::new(&[Cleanup], Effect::Stays, "it has its envelope"),
];

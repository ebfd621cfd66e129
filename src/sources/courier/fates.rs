//! What a start of courierd, a flush or its cleanup does to what lies in its queue.
//!
//! Source: `cdmsgq.C` (`queuescan3`, `tmpscan`), `cdmsgq3.C` (`done_message`, `flushmsg`), `libs/comctlfile.c`
//! (`ctlfile_openfn`). Observed on 1.0.16.

use crate::evidence::Condition::{Due, Expired, OlderThan};
use crate::evidence::Trigger::{Cleanup, Flush, Start};
use crate::evidence::{
    Condition, Effect, Fate, Habits, Measure, Message, Occasion, PartKind, TimeKind, Trigger,
};

/// Age at which a file in `tmp` is deleted (`cdmsgq.C`, `tmpscan`: 48 * 60 * 60).
const OLD_TMP: Condition = OlderThan(48 * 60 * 60, Measure::Modified);

const ALL: &[Trigger] = &[Start, Flush, Cleanup];
const TRIES: &[Trigger] = &[Start, Flush];
const CLEANS: &[Trigger] = &[Start, Cleanup];

/// What can be set going.
pub static HABITS: Habits = Habits {
    occasions: &[
        Occasion { trigger: Start, command: "courier start", happens: "courierd starts" },
        Occasion { trigger: Flush, command: "courier flush", happens: "the queue of Courier is flushed" },
        Occasion {
            trigger: Cleanup,
            command: "",
            happens: "courierd looks through its folder tmp (by itself)",
        },
    ],
    healthy: HEALTHY,
    source: "cdmsgq.C, queuescan; cdmsgq3.C, done_message (E record)",
};

const OVER: &str = "its time of expiry is past: if the next attempt fails, it is returned";
const HEALTHY: &[Fate] = &[
    Fate::new(&[Start], Effect::Returned, OVER).when(&[Due, Expired]),
    Fate::new(&[Start], Effect::Tried, "its next attempt is due").when(&[Due]),
    Fate::new(&[Flush], Effect::Returned, OVER).when(&[Expired]),
    Fate::new(&[Flush], Effect::Tried, "a flush tries everything, due or not"),
    Fate::new(&[Cleanup], Effect::Stays, "it does not lie in `tmp`"),
];

fn has_other_name(message: &Message) -> bool {
    message.parts.iter().any(|part| part.kind == PartKind::Envelope)
}

fn has_no_recipient(message: &Message) -> bool {
    message.envelope.recipients.is_empty()
}

fn has_no_expiry(message: &Message) -> bool {
    message.time(TimeKind::Expires).is_none()
}

fn is_in_msgs(message: &Message) -> bool {
    message.queue == "msgs"
}

pub const BODY_WITHOUT_ENVELOPE: &[Fate] = &[
    Fate::new(
        &[Start],
        Effect::Destroyed,
        "the last name of its envelope, in `msgq`, is removed, and the content with it if that name has a second one",
    )
    .only("whose envelope still has a name in msgq", has_other_name),
    Fate::new(ALL, Effect::Stays, "without a name in `msgq` nothing comes to it"),
];
pub const ENVELOPE_WITHOUT_BODY: &[Fate] = &[Fate::new(ALL, Effect::Stays, "there is nothing to send")];
pub const MISSING_PART: &[Fate] = &[Fate::new(
    ALL,
    Effect::Stays,
    "without its second name in `msgq` neither a start nor a flush tries it",
)];
pub const UNCLAIMED: &[Fate] = &[
    Fate::new(CLEANS, Effect::Destroyed, "what is older than 48 hours in `tmp` is deleted, and not sent")
        .when(&[OLD_TMP]),
    Fate::new(CLEANS, Effect::Released, "courierd takes it over and tries it"),
    Fate::new(&[Flush], Effect::Stays, "it is in no queue yet"),
];
pub const UNFINISHED: &[Fate] = &[
    Fate::new(CLEANS, Effect::Purged, "what was not finished is deleted when it is older than 48 hours")
        .when(&[OLD_TMP]),
    Fate::new(ALL, Effect::Stays, "it is in no queue yet"),
];
pub const OWNER_GONE: &[Fate] = UNFINISHED;
pub const CORRUPT: &[Fate] = &[
    Fate::new(
        TRIES,
        Effect::Destroyed,
        "without a recipient it is taken for delivered: envelope and content are removed",
    )
    .only("without a recipient", has_no_recipient),
    Fate::new(
        TRIES,
        Effect::Returned,
        "without a time of expiry it is given up at the next attempt and returned",
    )
    .only("without a time of expiry", has_no_expiry),
    Fate::new(
        TRIES,
        Effect::SentDamaged,
        "it is taken as it stands: a recipient that is cut gets a wrong address",
    )
    .likely(),
    Fate::new(&[Cleanup], Effect::Stays, "it does not lie in `tmp`"),
];
pub const EMPTY_FILE: &[Fate] = &[
    Fate::new(TRIES, Effect::SentEmpty, "an empty message goes out").only("in msgs", is_in_msgs),
    Fate::new(ALL, Effect::Stays, "it is in no queue"),
];
pub const MISFILED: &[Fate] = &[Fate::new(
    ALL,
    Effect::Stays,
    "it is looked for elsewhere; a start removes its name in `msgq` as well",
)];
pub const FOREIGN_NAME: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "names that it did not make are passed over")];
pub const WRONG_OWNER_OR_MODE: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "courierd cannot open it, now as later")];
pub const ORPHAN_SIDE_FILE: &[Fate] = &[
    Fate::new(
        &[Start],
        Effect::Purged,
        "a name in `msgq` that stands alone is removed: all that is left of the message",
    ),
    Fate::new(&[Flush, Cleanup], Effect::Stays, "there is no message that could be tried"),
];
pub const NAME_INODE_MISMATCH: &[Fate] = HEALTHY;
pub const LISTED_NOT_ON_DISK: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "there is no file to which anything could happen").likely()];
pub const FUTURE_TIME: &[Fate] = &[
    Fate::new(&[Start], Effect::Released, "it is not tried before that time").when(&[Due]),
    Fate::new(&[Flush], Effect::Released, "a flush tries everything, due or not"),
    Fate::new(&[Cleanup], Effect::Stays, "it does not lie in `tmp`"),
];
pub const OVERDUE: &[Fate] = &[
    Fate::new(TRIES, Effect::Released, "it is due, and tried at last"),
    Fate::new(&[Cleanup], Effect::Stays, "it does not lie in `tmp`"),
];
pub const EXPIRED: &[Fate] = &[
    Fate::new(&[Start], Effect::Returned, OVER).when(&[Due]),
    Fate::new(&[Flush], Effect::Returned, OVER),
    Fate::new(&[Cleanup], Effect::Stays, "it does not lie in `tmp`"),
];
pub const DUPLICATE_MESSAGE: &[Fate] = &[
    Fate::new(TRIES, Effect::SentTwice, "each control file that courierd sees is delivered by itself")
        .possible(),
    Fate::new(&[Cleanup], Effect::Stays, "it does not lie in `tmp`"),
];

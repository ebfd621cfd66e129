//! What a start, a queue run or a structure check of Postfix does to what lies in its queues.
//!
//! Source: `conf/postfix-script` (start runs postsuper before anything else; reload runs it as well, in the background),
//! `postsuper/postsuper.c` (`super`, `MAX_TEMP_AGE`, `MESSAGE_QUEUE`), `qmgr/qmgr.c` (`qmgr_post_init`), `qmgr/qmgr_active.c`
//! (`qmgr_active_feed`, `qmgr_active_done_3_generic`), `pickup/pickup.c`. Observed on 3.7.11.

use crate::evidence::Condition::{Due, Expired, OlderThan};
use crate::evidence::Trigger::{Flush, Purge, QueueRun, Reload, Start, StructureCheck};
use crate::evidence::{Condition, Effect, Fate, Habits, Measure, Message, Occasion, Trigger};

/// Age at which postsuper removes what is not ready (`postsuper.c`, `MAX_TEMP_AGE`).
const MAX_TEMP_AGE: Condition = OlderThan(7 * 24 * 60 * 60, Measure::Modified);
/// The time of a queue file is its next attempt, wherever it lies (`qmgr/qmgr_active.c`, `qmgr_active_feed`).
const MTIME_PAST: Condition = OlderThan(0, Measure::Modified);
/// Mode of a queue file that is ready, as far as its owner is concerned (`global/mail_queue.h`, `MAIL_QUEUE_STAT_READY`).
const READY: u32 = 0o700;

const ALL: &[Trigger] = &[Start, Reload, QueueRun, Flush, StructureCheck, Purge];
const BY_CLOCK: &[Trigger] = &[Start, Reload, QueueRun];
const RUNS: &[Trigger] = &[Start, Reload, QueueRun, Flush];
const CHECKS: &[Trigger] = &[StructureCheck, Purge];
const PURGES: &[Trigger] = &[Start, Reload, Purge];
const MENDS: &[Trigger] = &[Start, Reload, StructureCheck];
const NO_MENDING: &[Trigger] = &[QueueRun, Flush, Purge];

/// What can be set going.
pub static HABITS: Habits = Habits {
    occasions: &[
        Occasion { trigger: Start, command: "postfix start", happens: "Postfix starts" },
        Occasion { trigger: Reload, command: "postfix reload", happens: "Postfix is reloaded" },
        Occasion {
            trigger: QueueRun,
            command: "",
            happens: "Postfix runs its queue (every queue_run_delay)",
        },
        Occasion { trigger: Flush, command: "postqueue -f", happens: "the queue of Postfix is flushed" },
        Occasion {
            trigger: StructureCheck,
            command: "postsuper -s",
            happens: "postsuper checks the structure of the queue",
        },
        Occasion { trigger: Purge, command: "postsuper -p", happens: "postsuper purges the queue" },
    ],
    healthy: HEALTHY,
    source: "conf/postfix-script; qmgr/qmgr.c, qmgr_post_init; qmgr/qmgr_active.c, qmgr_active_feed and \
             qmgr_active_done_3_generic",
};

const OVER: &str = "it is older than the lifetime: if the next attempt fails, it is returned to its sender, or dropped where the \
                    sender is null";
const RETURNED_WHEN_DUE: Fate = Fate::new(BY_CLOCK, Effect::Returned, OVER).when(&[Due, Expired]);
const TRIED_WHEN_DUE: Fate = Fate::new(BY_CLOCK, Effect::Tried, "its next attempt is due").when(&[Due]);
const RETURNED_BY_FLUSH: Fate = Fate::new(&[Flush], Effect::Returned, OVER).when(&[Expired]);
const TRIED_BY_FLUSH: Fate = Fate::new(&[Flush], Effect::Tried, "a flush tries everything, due or not");
const LEFT_ALONE: Fate = Fate::new(CHECKS, Effect::Stays, "it is whole and where it belongs");
const HEALTHY: &[Fate] = &[RETURNED_WHEN_DUE, TRIED_WHEN_DUE, RETURNED_BY_FLUSH, TRIED_BY_FLUSH, LEFT_ALONE];

/// Whether postsuper takes it for unfinished. It looks into these queues only.
fn is_purged(message: &Message) -> bool {
    let searched = ["maildrop", "incoming", "active", "deferred", "hold"].contains(&message.queue.as_str());
    searched && message.stat().is_some_and(|stat| stat.mode & READY != READY)
}

fn is_in_maildrop(message: &Message) -> bool {
    message.queue == "maildrop"
}

fn is_delivered_from(message: &Message) -> bool {
    ["incoming", "active", "deferred"].contains(&message.queue.as_str())
}

fn has_one_letter(message: &Message) -> bool {
    message.place.path.to_path().file_name().is_some_and(|name| name.len() == 1)
}

/// A folder whose name is longer than a letter is no part of a hashed queue, and postsuper does not go into it.
fn is_in_long_folder(message: &Message) -> bool {
    let path = message.place.path.to_path();
    let folders = path.parent().map(|parent| parent.components().skip(1)).into_iter().flatten();
    folders.into_iter().any(|folder| folder.as_os_str().len() > 1)
}

fn is_to_be_fixed(message: &Message) -> bool {
    message.place.path.bytes().ends_with(b"#FIX")
}

fn is_in_saved(message: &Message) -> bool {
    message.queue == "saved"
}

const NOT_READY: &str = "its mode is not 0700: postsuper takes it for an unfinished file and deletes it once its mtime is 7 days past";
/// Likely, since a copy may have lost its modes.
const DESTROYED: Fate = Fate::new(PURGES, Effect::Destroyed, NOT_READY)
    .when(&[MAX_TEMP_AGE])
    .only("of a mode that is not 0700", is_purged)
    .likely();
const PURGED: Fate = Fate::new(
    PURGES,
    Effect::Purged,
    "postsuper deletes what was not finished once its mtime is 7 days past",
)
.when(&[MAX_TEMP_AGE])
.only("of a mode that is not 0700", is_purged);

pub const QUEUE_BLOCKER: &[Fate] = &[
    Fate::new(
        ALL,
        Effect::BlocksQueue,
        "on a name of one letter postsuper and the queue manager fail: Postfix does not start, or delivers nothing",
    )
    .only("with a name of one letter", has_one_letter),
    Fate::new(BY_CLOCK, Effect::BlocksQueue, "the queue manager cannot open it and dies, again and again")
        .when(&[MTIME_PAST]),
    Fate::new(&[Flush], Effect::BlocksQueue, "the queue manager cannot open it and dies, again and again"),
    Fate::new(CHECKS, Effect::Stays, "postsuper runs as root and finds nothing wrong with it"),
];
pub const WRONG_OWNER_OR_MODE: &[Fate] =
    &[DESTROYED, Fate::new(ALL, Effect::Stays, "it is skipped in silence because of its owner or mode")];
pub const UNFINISHED: &[Fate] =
    &[PURGED, Fate::new(ALL, Effect::Stays, "what was not finished is skipped in silence")];
pub const OWNER_GONE: &[Fate] =
    &[PURGED, Fate::new(ALL, Effect::Stays, "what has no queue ID yet is skipped in silence")];
pub const CORRUPT: &[Fate] = &[
    DESTROYED,
    Fate::new(RUNS, Effect::Destroyed, "pickup deletes a damaged file in `maildrop` after one warning")
        .only("in maildrop", is_in_maildrop),
    Fate::new(
        BY_CLOCK,
        Effect::SetAside,
        "the queue manager moves it to `corrupt`, where no listing shows it",
    )
    .when(&[MTIME_PAST])
    .only("in incoming, active or deferred", is_delivered_from)
    .likely(),
    Fate::new(
        &[Flush],
        Effect::SetAside,
        "the queue manager moves it to `corrupt`, where no listing shows it",
    )
    .only("in incoming, active or deferred", is_delivered_from)
    .likely(),
    Fate::new(ALL, Effect::Stays, "nothing of Postfix looks at it now"),
];
pub const EMPTY_FILE: &[Fate] = &[
    PURGED,
    Fate::new(RUNS, Effect::Purged, "pickup deletes an empty file; there is no mail in it")
        .only("in maildrop", is_in_maildrop),
    Fate::new(BY_CLOCK, Effect::SetAside, "the queue manager moves it to `corrupt`; there is no mail in it")
        .when(&[MTIME_PAST])
        .only("in incoming, active or deferred", is_delivered_from),
    Fate::new(&[Flush], Effect::SetAside, "the queue manager moves it to `corrupt`; there is no mail in it")
        .only("in incoming, active or deferred", is_delivered_from),
    Fate::new(ALL, Effect::Stays, "nothing of Postfix looks at it now"),
];
pub const FOREIGN_NAME: &[Fate] = &[
    DESTROYED,
    Fate::new(MENDS, Effect::Renamed, "postsuper gives it back a queue ID")
        .only("with a name that ends in #FIX", is_to_be_fixed),
    Fate::new(&[Start, Reload], Effect::Released, "postsuper gives it back a queue ID, and it goes out")
        .when(&[MTIME_PAST])
        .only("with a name that ends in #FIX", is_to_be_fixed),
    Fate::new(ALL, Effect::Stays, "a name that is no queue ID is skipped"),
];
pub const MISFILED: &[Fate] = &[
    DESTROYED,
    Fate::new(ALL, Effect::Stays, "postsuper does not go into a folder whose name is longer than a letter")
        .only("in a folder whose name is longer than a letter", is_in_long_folder),
    Fate::new(
        MENDS,
        Effect::Renamed,
        "postsuper moves it to where it belongs: the listing shows it from then on, and a queue run takes it",
    ),
    Fate::new(&[Start, Reload], Effect::Released, "postsuper moves it to where it belongs, and it goes out")
        .when(&[MTIME_PAST]),
    Fate::new(NO_MENDING, Effect::Stays, "it is looked for elsewhere"),
];
pub const ORPHAN_SIDE_FILE: &[Fate] = &[Fate::new(ALL, Effect::Stays, "postsuper does not delete logs")];
pub const LISTED_NOT_ON_DISK: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "there is no file to which anything could happen").likely()];
pub const OTHER_QUEUE: &[Fate] = &[
    Fate::new(ALL, Effect::Stays, "nothing of Postfix reads `saved`").only("in saved", is_in_saved),
    Fate::new(BY_CLOCK, Effect::Released, "its own instance delivers it, if it is that one that runs")
        .when(&[MTIME_PAST])
        .likely(),
    Fate::new(&[Flush], Effect::Released, "its own instance delivers it, if it is that one that is flushed")
        .likely(),
    LEFT_ALONE,
];
pub const HELD: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "it is held until somebody releases it, and does not expire")];
pub const UNCLAIMED: &[Fate] = &[
    Fate::new(RUNS, Effect::Released, "pickup takes it within a minute, as new mail with a new queue ID"),
    Fate::new(CHECKS, Effect::Stays, "only pickup takes it"),
];
pub const FUTURE_TIME: &[Fate] = &[
    Fate::new(BY_CLOCK, Effect::Released, "queue runs skip it until the time of its file has come")
        .when(&[Due]),
    Fate::new(&[Flush], Effect::Released, "a flush tries everything, due or not"),
    Fate::new(CHECKS, Effect::Stays, "postsuper does not heed a time that lies ahead"),
];
pub const NAME_INODE_MISMATCH: &[Fate] = &[
    Fate::new(
        MENDS,
        Effect::Renamed,
        "postsuper renames it to fit its inode: its ID in the logs is another one then",
    ),
    RETURNED_WHEN_DUE,
    TRIED_WHEN_DUE,
    RETURNED_BY_FLUSH,
    TRIED_BY_FLUSH,
    LEFT_ALONE,
];
pub const OVERDUE: &[Fate] = &[Fate::new(RUNS, Effect::Released, "it is due, and tried at last"), LEFT_ALONE];
pub const EXPIRED: &[Fate] = &[
    Fate::new(BY_CLOCK, Effect::Returned, OVER).when(&[Due]),
    Fate::new(&[Flush], Effect::Returned, OVER),
    LEFT_ALONE,
];
pub const DUPLICATE_MESSAGE: &[Fate] = &[
    Fate::new(BY_CLOCK, Effect::SentTwice, "each file that Postfix sees is delivered by itself")
        .when(&[MTIME_PAST])
        .possible(),
    Fate::new(&[Flush], Effect::SentTwice, "each file that Postfix sees is delivered by itself").possible(),
    Fate::new(CHECKS, Effect::Stays, "postsuper compares no messages"),
];

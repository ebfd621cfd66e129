//! What a queue run of sendmail, or its listing as root, does to what lies in its queues.
//!
//! Source: `queue.c` (`readqf`, `loseqfile`, `gatherq`, `print_single_queue`), `deliver.c` (`putbody`), `envelope.c`
//! (`dropenvelope`). Observed on 8.17.1. That a daemon which is started with an interval runs
//! the queue at once is inferred; the forecast says what happens if it does.

use super::reading::Fate as OfRun;
use crate::evidence::Condition::{Due, Expired, OlderThan};
use crate::evidence::Trigger::{Listing, QueueRun, Start};
use crate::evidence::{Condition, Effect, Fate, Habits, Measure, Message, Occasion, Sign, Trigger};

/// Age at which an empty control file is deleted (`queue.c`, `readqf`: `st_ctime + 10 * 60`).
const EMPTY_IS_OLD: Condition = OlderThan(10 * 60, Measure::Changed);

const ALL: &[Trigger] = &[Start, QueueRun, Listing];
const RUNS: &[Trigger] = &[Start, QueueRun];

/// What can be set going.
pub static HABITS: Habits = Habits {
    occasions: &[
        Occasion {
            trigger: Start,
            command: "sendmail -bd -q10m",
            happens: "sendmail's daemon starts and runs the queue",
        },
        Occasion { trigger: QueueRun, command: "sendmail -q", happens: "sendmail runs its queue" },
        Occasion { trigger: Listing, command: "mailq", happens: "root lists the queue with mailq" },
    ],
    healthy: HEALTHY,
    source: "op.me, Timeout.queuereturn and MinQueueAge; queue.c, gatherq; envelope.c, dropenvelope",
};

const HEALTHY: &[Fate] = &[
    Fate::new(
        RUNS,
        Effect::Returned,
        "it is older than Timeout.queuereturn: tried once more, and returned if that fails",
    )
    .when(&[Due, Expired])
    .likely(),
    Fate::new(RUNS, Effect::Tried, "every queue run tries it once MinQueueAge is over").when(&[Due]),
    Fate::new(&[Listing], Effect::Stays, "a listing only reads it"),
];

fn told(message: &Message, fate: OfRun) -> bool {
    let mut facts = message.signs.iter().flat_map(|signed| &signed.facts);
    facts.any(|fact| fact.text == fate.describe())
}

fn is_lost(message: &Message) -> bool {
    told(message, OfRun::Lost)
}

fn is_lost_without_body(message: &Message) -> bool {
    is_lost(message) && message.signs.iter().any(|signed| signed.sign == Sign::BodyLost)
}

fn is_taken_as_it_stands(message: &Message) -> bool {
    told(message, OfRun::Sent)
}

fn kills_the_run(message: &Message) -> bool {
    told(message, OfRun::Dies)
}

fn is_deleted(message: &Message) -> bool {
    told(message, OfRun::Deleted)
}

fn name_begins(message: &Message, with: &str) -> bool {
    let path = message.place.path.to_path();
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(with))
}

fn is_set_aside(message: &Message) -> bool {
    name_begins(message, "Qf")
}

fn is_tried(message: &Message) -> bool {
    name_begins(message, "qf")
}

pub const QUEUE_BLOCKER: &[Fate] = &[
    Fate::new(
        RUNS,
        Effect::BlocksQueue,
        "without a sender it kills the queue run that takes it up, and what is behind it waits",
    ),
    Fate::new(&[Listing], Effect::Stays, "a listing only reads it"),
];
pub const CORRUPT: &[Fate] = &[
    Fate::new(RUNS, Effect::Destroyed, "it is deleted together with its data file, and nothing is said")
        .only("without a line end or a recipient", is_deleted),
    Fate::new(RUNS, Effect::BlocksQueue, "the queue run that takes it up dies on it")
        .only("without a sender", kills_the_run)
        .likely(),
    Fate::new(RUNS, Effect::SetAside, "it is renamed to `Qf…`: the usual listing does not show it any more")
        .only("with a line that sendmail does not know", is_lost),
    Fate::new(RUNS, Effect::SentDamaged, "it is taken as it stands, which is not as it was meant")
        .only("with lines that are wrong but known", is_taken_as_it_stands)
        .likely(),
    Fate::new(&[Listing], Effect::SetAside, "where the data file is missing, mailq as root reads it as a queue run would, and renames it to `Qf…`")
        .only("with a line that sendmail does not know, and without a data file", is_lost_without_body)
        .likely(),
    Fate::new(ALL, Effect::Stays, "it is given up, and neither sent nor returned"),
];
pub const EMPTY_FILE: &[Fate] = &[
    Fate::new(
        RUNS,
        Effect::Destroyed,
        "an empty control file is deleted together with its data file once it is ten minutes old",
    )
    .when(&[EMPTY_IS_OLD]),
    Fate::new(ALL, Effect::Stays, "for ten minutes it is taken for one in the making"),
];
pub const UNFINISHED: &[Fate] = &[Fate::new(ALL, Effect::Stays, "listing and queue runs look at `qf` only")];
pub const BODY_WITHOUT_ENVELOPE: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "listing and queue runs look at control files only")];
pub const ENVELOPE_WITHOUT_BODY: &[Fate] = &[
    Fate::new(
        RUNS,
        Effect::SentEmpty,
        "an empty data file is made, and the message goes out without its body",
    )
    .only("with a name that is looked at", is_tried),
    Fate::new(ALL, Effect::Stays, "it is not tried, and a listing only reads it").likely(),
];
pub const FOREIGN_NAME: &[Fate] = &[Fate::new(ALL, Effect::Stays, "names of another kind are passed over")];
pub const WRONG_OWNER_OR_MODE: &[Fate] = &[
    Fate::new(ALL, Effect::Stays, "`Qf…` is never tried")
        .only("with a name that begins with Qf", is_set_aside),
    Fate::new(
        RUNS,
        Effect::SetAside,
        "it is renamed to `Qf…`, since others may write it (`bogus file uid/gid in mqueue`)",
    ),
    Fate::new(&[Listing], Effect::Stays, "a listing only reads it").likely(),
];
pub const OTHER_QUEUE: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "no queue run takes in this folder, unless it is told to").likely()];
pub const HELD: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "a quarantined message is neither tried nor returned")];
pub const FUTURE_TIME: &[Fate] = &[
    Fate::new(RUNS, Effect::Tried, "it is tried like any other, unless MaxQueueAge is set").likely(),
    Fate::new(&[Listing], Effect::Stays, "a listing only reads it"),
];
pub const EXPIRED: &[Fate] = &[
    Fate::new(RUNS, Effect::Returned, "it is tried once more, and returned if that fails: an old bounce"),
    Fate::new(&[Listing], Effect::Stays, "a listing only reads it"),
];
pub const DELIVERY_JOURNAL_LEFT: &[Fate] = &[
    Fate::new(
        RUNS,
        Effect::SentTwice,
        "the old control file is read: who got it in the attempt that was killed gets it again",
    )
    .likely(),
    Fate::new(&[Listing], Effect::Stays, "a listing only reads it"),
];
pub const DUPLICATE_MESSAGE: &[Fate] = &[
    Fate::new(RUNS, Effect::SentTwice, "the copy is tried as a message of its own"),
    Fate::new(&[Listing], Effect::Stays, "a listing only reads it"),
];
pub const ORPHAN_SIDE_FILE: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "a transcript is never looked at again")];

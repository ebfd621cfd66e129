//! What a start or a queue run of Exim does to what lies in its spool.
//!
//! Source: `deliver.c` (`deliver_message`, `keep_malformed`), `queue.c` (`queue_run`, `queue_get_spool_list`), `spool_in.c`; the
//! specification on `-q` and `-qff`. Observed on 4.96.

use crate::evidence::Condition::{Expired, OlderThan};
use crate::evidence::Trigger::{Flush, QueueRun, Start};
use crate::evidence::{Condition, Effect, Fate, Habits, Measure, Message, Occasion, Sign, Trigger};

/// The default of `keep_malformed`, counted from the time in the ID or the envelope (`globals.c`, `deliver.c`).
const KEEP_MALFORMED: Condition = OlderThan(4 * 24 * 60 * 60, Measure::Arrival);

const ALL: &[Trigger] = &[Start, QueueRun, Flush];
const UNFORCED: &[Trigger] = &[Start, QueueRun];

/// What can be set going.
pub static HABITS: Habits = Habits {
    occasions: &[
        Occasion {
            trigger: Start,
            command: "exim -bd -q30m",
            happens: "Exim's daemon starts and runs the queue",
        },
        Occasion { trigger: QueueRun, command: "exim -q", happens: "Exim runs its queue" },
        Occasion {
            trigger: Flush,
            command: "exim -qff",
            happens: "Exim runs its queue by force, frozen mail and all",
        },
    ],
    healthy: HEALTHY,
    source: "Exim specification, -q and -qff; queue.c, queue_run; retry.c",
};

const HEALTHY: &[Fate] = &[
    Fate::new(
        ALL,
        Effect::Returned,
        "it is older than the longest retry rule: if this attempt fails, it is returned",
    )
    .when(&[Expired])
    .likely(),
    Fate::new(UNFORCED, Effect::Tried, "it is tried where the retry hints say that it is due").likely(),
    Fate::new(&[Flush], Effect::Tried, "it is tried, due or not"),
];

/// Damage to the body is no spool format error: nothing in Exim looks for it before the message is sent. A fault of the envelope
/// is one, and comes with a fact that says so.
fn is_format_error(message: &Message) -> bool {
    message.signs.iter().any(|signed| {
        matches!(signed.sign, Sign::Corrupt { .. })
            && signed.facts.iter().any(|fact| fact.text == super::message::FORMAT_ERROR)
    })
}

const DESTROYED: Fate = Fate::new(
    ALL,
    Effect::Destroyed,
    "older than keep_malformed (4 days by default): envelope, body, journal and log are deleted, and nobody is told",
)
.when(&[KEEP_MALFORMED])
.likely();

pub const CORRUPT: &[Fate] = &[
    DESTROYED.only("with a spool format error", is_format_error),
    Fate::new(ALL, Effect::Stays, "a spool format error is logged, and the message is not tried")
        .only("with a spool format error", is_format_error),
    Fate::new(ALL, Effect::SentDamaged, "a body that is cut off is not noticed: what is left of it is sent")
        .likely(),
];
pub const EMPTY_FILE: &[Fate] = &[
    DESTROYED,
    Fate::new(ALL, Effect::Stays, "a spool format error is logged, and the message is not tried"),
];
pub const BODY_WITHOUT_ENVELOPE: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "queue runs look for envelopes only")];
pub const ENVELOPE_WITHOUT_BODY: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "queue runs pass over it in silence, and it never expires")];
pub const FOREIGN_NAME: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "a name that is not of its own kind is passed over")];
pub const MISFILED: &[Fate] = &[Fate::new(ALL, Effect::Stays, "its files are looked for elsewhere")];
pub const WRONG_OWNER_OR_MODE: &[Fate] = &[Fate::new(
    ALL,
    Effect::Released,
    "Exim delivers as root unless it is told not to, so that it may be sent all the same",
)
.possible()];
pub const OTHER_QUEUE: &[Fate] = &[Fate::new(
    ALL,
    Effect::Stays,
    "only a runner for this very queue (`-qG…`) takes it; `Finput` nobody reads",
)];
pub const HELD: &[Fate] = &[
    Fate::new(
        UNFORCED,
        Effect::Stays,
        "frozen mail is passed over, unless auto_thaw or timeout_frozen_after says otherwise",
    )
    .likely(),
    Fate::new(
        &[Flush],
        Effect::Released,
        "`-qff` tries frozen mail as well; what cannot be delivered is returned",
    ),
];
pub const DELIVERY_JOURNAL_LEFT: &[Fate] =
    &[Fate::new(ALL, Effect::Tried, "the journal is read first: only those who have not got it are tried")
        .likely()];
pub const ORPHAN_SIDE_FILE: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "a log or a journal is looked at only together with its message")];
pub const FUTURE_TIME: &[Fate] =
    &[Fate::new(ALL, Effect::Tried, "it is tried as the retry rules say, whatever its age").likely()];
pub const EXPIRED: &[Fate] = &[Fate::new(
    ALL,
    Effect::Returned,
    "if the retry rules regard this attempt as the last and it fails, it is returned",
)
.likely()];
pub const LISTED_NOT_ON_DISK: &[Fate] =
    &[Fate::new(ALL, Effect::Stays, "there is no file to which anything could happen").likely()];
pub const DUPLICATE_MESSAGE: &[Fate] =
    &[Fate::new(ALL, Effect::Tried, "Exim works with the one of the two that it finds first").possible()];

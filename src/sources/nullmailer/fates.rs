//! What a run of nullmailer-send does to what lies in its spool.
//!
//! Source: `src/send.cc` (`load_messages`, `send_one`, `send_all`, `bounce_msg`). Observed on 2.2.

use crate::evidence::Condition::Expired;
use crate::evidence::Trigger::{QueueRun, Start};
use crate::evidence::{Effect, Fate, Habits, Message, Occasion, Trigger};

const RUNS: &[Trigger] = &[Start, QueueRun];

/// What can be set going.
pub static HABITS: Habits = Habits {
    occasions: &[
        Occasion { trigger: Start, command: "systemctl start nullmailer", happens: "nullmailer-send starts" },
        Occasion {
            trigger: QueueRun,
            command: "echo 1 > /var/spool/nullmailer/trigger",
            happens: "nullmailer-send is woken",
        },
    ],
    healthy: HEALTHY,
    source: "src/send.cc, send_all",
};

const OVER: &str =
    "it is older than queuelifetime: if the next attempt fails, it is set aside in `failed` and returned";
const HEALTHY: &[Fate] = &[
    Fate::new(RUNS, Effect::Returned, OVER).when(&[Expired]),
    Fate::new(RUNS, Effect::Tried, "each run tries everything in `queue`"),
];

fn is_queued(message: &Message) -> bool {
    message.queue == "queue"
}

pub const HELD: &[Fate] = &[Fate::new(RUNS, Effect::Stays, "nothing looks into `failed`")];
pub const UNFINISHED: &[Fate] = &[Fate::new(
    RUNS,
    Effect::Stays,
    "nothing looks into `tmp`; a new process of its number would write over it",
)];
pub const OWNER_GONE: &[Fate] = UNFINISHED;
pub const DUPLICATE_MESSAGE: &[Fate] =
    &[Fate::new(RUNS, Effect::Stays, "only the name in `queue` is looked at")];
pub const FOREIGN_NAME: &[Fate] =
    &[Fate::new(RUNS, Effect::Stays, "names that begin with a dot are passed over")];
pub const EMPTY_FILE: &[Fate] = &[
    Fate::new(
        RUNS,
        Effect::Destroyed,
        "it is taken for sent and deleted: whose message it was is not known then",
    )
    .only("in queue", is_queued),
    Fate::new(RUNS, Effect::Stays, "only `queue` is looked at"),
];
pub const CORRUPT: &[Fate] = &[
    Fate::new(
        RUNS,
        Effect::SentDamaged,
        "it is handed on as it is: empty, to fewer recipients, or refused and set aside in `failed`",
    )
    .only("in queue", is_queued)
    .possible(),
    Fate::new(RUNS, Effect::Stays, "only `queue` is looked at"),
];
pub const WRONG_OWNER_OR_MODE: &[Fate] = &[
    Fate::new(RUNS, Effect::SetAside, "older than queuelifetime it is set aside in `failed`")
        .when(&[Expired])
        .likely(),
    Fate::new(RUNS, Effect::Stays, "it cannot be opened, now as later"),
];
pub const FUTURE_TIME: &[Fate] =
    &[Fate::new(RUNS, Effect::Tried, "it is tried like any other, but never grows old")];
pub const EXPIRED: &[Fate] = &[Fate::new(RUNS, Effect::Returned, OVER)];

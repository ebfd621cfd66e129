//! What a restart of SMTP, IIS Admin or the Information Store does to what is left in a TempTable.
//!
//! Source: KB 950757, KB 906557; the Exchange team's blog of 2007-08-01. What is not documented has no fate here.

use crate::evidence::Trigger::Start;
use crate::evidence::{Effect, Fate, Habits, Occasion, Trigger};

const START: &[Trigger] = &[Start];

/// What can be set going.
pub static HABITS: Habits = Habits {
    occasions: &[Occasion {
        trigger: Start,
        command: "iisreset /restart",
        happens: "SMTP, IIS Admin or the Information Store starts anew",
    }],
    healthy: &[Fate::new(
        START,
        Effect::Tried,
        "the TempTables are read anew, and what is in them is submitted",
    )
    .likely()],
    source: "KB 950757; Exchange team blog, 2007-08-01",
};

pub const STALE_STAMP: &[Fate] = &[Fate::new(
    START,
    Effect::Released,
    "with a new stamp it is no longer taken for invalid: it is delivered late, or returned to its sender",
)];
pub const OLDER_THAN_EPOCH: &[Fate] =
    &[Fate::new(START, Effect::Released, "the TempTables are read anew, and what is in them is submitted")
        .possible()];
pub const UNLISTED: &[Fate] =
    &[Fate::new(START, Effect::Released, "the TempTables are read anew, and what is in them is submitted")
        .likely()];
pub const DUPLICATE_MESSAGE: &[Fate] = &[Fate::new(
    START,
    Effect::SentTwice,
    "each virtual server submits its own TempTable, so that each copy may be delivered",
)
.possible()];
pub const OVERDUE: &[Fate] =
    &[Fate::new(START, Effect::Released, "like one with a stale stamp it waits for the next start")
        .possible()];
pub const EXPIRED: &[Fate] =
    &[Fate::new(START, Effect::Returned, "its sender gets a non-delivery report, late")];

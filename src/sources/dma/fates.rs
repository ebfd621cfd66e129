//! What a run of dma does to what lies in its spool.
//!
//! Source: `spool.c` (`load_queue`, `readqueuef`), `dma.c` (`deliver`, `MAX_TIMEOUT`), `net.c`. Observed on 0.13.

use crate::evidence::Condition::Expired;
use crate::evidence::Trigger::QueueRun;
use crate::evidence::{Effect, Fate, Habits, Message, Occasion, Trigger};

const RUN: &[Trigger] = &[QueueRun];

/// What can be set going. dma has no daemon.
pub static HABITS: Habits = Habits {
    occasions: &[Occasion { trigger: QueueRun, command: "dma -q", happens: "dma runs its queue" }],
    healthy: HEALTHY,
    source: "dma.c, main and deliver",
};

const OVER: &str = "it is older than five days: if the next attempt fails, it is returned";
const HEALTHY: &[Fate] = &[
    Fate::new(RUN, Effect::Returned, OVER).when(&[Expired]),
    Fate::new(RUN, Effect::Tried, "each run tries everything"),
];

/// A last line without its end is the one fault of a Q file that dma does not refuse.
fn is_cut(message: &Message) -> bool {
    let mut facts = message.signs.iter().flat_map(|signed| &signed.facts);
    facts.any(|fact| fact.text.starts_with(super::envelope::CUT))
}

pub const BODY_WITHOUT_ENVELOPE: &[Fate] = &[Fate::new(RUN, Effect::Stays, "dma looks for Q files only")];
pub const ENVELOPE_WITHOUT_BODY: &[Fate] =
    &[Fate::new(RUN, Effect::Stays, "each run passes over it (`could not pick up queue file`)")];
pub const CORRUPT: &[Fate] = &[
    Fate::new(
        RUN,
        Effect::SentDamaged,
        "it goes to an address that lacks its last character, or is returned",
    )
    .only("whose last line does not end", is_cut)
    .likely(),
    Fate::new(RUN, Effect::Stays, "each run passes over it (`malformed queue file`)"),
];
pub const EMPTY_FILE: &[Fate] =
    &[Fate::new(RUN, Effect::SentEmpty, "an empty message is sent, and both files are deleted")];
pub const UNFINISHED: &[Fate] = &[Fate::new(RUN, Effect::Stays, "nothing looks at such a name")];
pub const DUPLICATE_MESSAGE: &[Fate] = &[Fate::new(RUN, Effect::Stays, "nothing looks at such a name")];
pub const FOREIGN_NAME: &[Fate] = &[Fate::new(RUN, Effect::Stays, "nothing looks at such a name")];
pub const WRONG_OWNER_OR_MODE: &[Fate] =
    &[Fate::new(RUN, Effect::Stays, "dma cannot open it: it is passed over, or tried in vain").likely()];
pub const LISTED_NOT_ON_DISK: &[Fate] =
    &[Fate::new(RUN, Effect::Stays, "there is no file to which anything could happen").likely()];
pub const FUTURE_TIME: &[Fate] =
    &[Fate::new(RUN, Effect::Tried, "it is tried like any other, but never given up")];
pub const EXPIRED: &[Fate] = &[Fate::new(RUN, Effect::Returned, OVER)];

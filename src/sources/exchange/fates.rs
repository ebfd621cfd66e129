//! What a start of the SMTP or the transport service does to what lies in its folders.
//!
//! Source: Microsoft KB 934709, KB 306043, "Pickup directory and Replay directory". What is not documented has no fate here.

use crate::evidence::Trigger::Start;
use crate::evidence::{Effect, Fate, Habits, Message, Occasion, Trigger};

const START: &[Trigger] = &[Start];

/// What can be set going.
pub static HABITS: Habits = Habits {
    occasions: &[Occasion {
        trigger: Start,
        command: "net stop smtpsvc && net start smtpsvc",
        happens: "the SMTP service starts",
    }],
    healthy: &[Fate::new(START, Effect::Tried, "the service reads the whole folder when it starts").likely()],
    source: "Microsoft KB 934709",
};

/// Pickup and Replay are read; `.bad`, Badmail and Drop are not.
fn is_picked_up(message: &Message) -> bool {
    let label = message.queue.to_ascii_lowercase();
    let folder = label.rsplit('/').next().unwrap_or_default();
    let bad = message.place.path.bytes().to_ascii_lowercase().ends_with(b".bad");
    ["pickup", "replay"].contains(&folder) && !bad
}

pub const OLDER_THAN_EPOCH: &[Fate] =
    &[Fate::new(START, Effect::Released, "the whole folder is read anew: it is sent, or returned, late")
        .likely()];
pub const UNLISTED: &[Fate] =
    &[Fate::new(START, Effect::Released, "the whole folder is read anew: it is sent, or returned, late")
        .likely()];
pub const LISTED_NOT_ON_DISK: &[Fate] =
    &[Fate::new(START, Effect::Destroyed, "if it rests nowhere else, it was in memory only").possible()];
pub const OTHER_QUEUE: &[Fate] =
    &[Fate::new(START, Effect::Stays, "the service reads the one folder that its metabase names").likely()];
pub const FOREIGN_NAME: &[Fate] =
    &[Fate::new(START, Effect::Stays, "queue files begin with NTFS and end in .eml").possible()];
pub const ENVELOPE_WITHOUT_BODY: &[Fate] =
    &[Fate::new(START, Effect::Stays, "a stream that lies there as a file of its own is no queue file")
        .likely()];
pub const UNFINISHED: &[Fate] = &[Fate::new(
    START,
    Effect::SentTwice,
    "a `.tmp` is named `.eml` again and taken in, also if that was done before the crash",
)
.possible()];
pub const ORPHAN_SIDE_FILE: &[Fate] = &[Fate::new(START, Effect::Stays, "no service reads it")];
pub const HELD: &[Fate] = &[Fate::new(START, Effect::Stays, "a suspended message waits for Resume-Message")];
pub const UNCLAIMED: &[Fate] = &[
    Fate::new(START, Effect::Released, "it is sent as soon as the service runs and may read the folder")
        .only("in Pickup or Replay", is_picked_up),
    Fate::new(START, Effect::Stays, "no service reads `.bad`, Badmail and Drop"),
];
pub const DUPLICATE_MESSAGE: &[Fate] =
    &[Fate::new(START, Effect::SentTwice, "each copy is sent for itself").possible()];
